//! An admin enables a toolkit: partial changes, secrets that go in and never come out.

use serde_json::{Value, json};
use taiku_tests::{Client, TestApp};

const GITHUB: &str = "/api/v1/admin/toolkits/github";
const SECRET: &str = "a-client-secret-that-nobody-may-read";

async fn put(admin: &Client, body: Value) -> Value {
    let answer = admin.put(GITHUB, &body).await.expect(200);
    assert!(!answer.text.contains(SECRET), "{}", answer.text);
    answer.json()
}

fn setting<'a>(toolkit: &'a Value, key: &str) -> &'a Value {
    let settings = toolkit["settings"].as_array().expect("settings");
    settings.iter().find(|setting| setting["key"] == key).unwrap_or_else(|| panic!("{key}: {toolkit}"))
}

#[tokio::test]
async fn a_change_is_partial_and_the_callback_address_stays() {
    let app = TestApp::start().await;
    let admin = app.ada().await;
    let fresh = admin.get(GITHUB).await.expect(200).json();
    assert_eq!((&fresh["enabled"], &fresh["clientSecret"]["set"]), (&json!(false), &json!(false)));
    let redirect = fresh["redirectUri"].as_str().unwrap_or_default().to_owned();
    assert!(redirect.starts_with(&format!("{}oauth/callback/", app.url)), "{redirect}");

    let configured = put(&admin, json!({ "clientId": "an-id", "clientSecret": SECRET })).await;
    assert_eq!(
        (&configured["clientId"], &configured["clientSecret"]["set"]),
        (&json!("an-id"), &json!(true))
    );
    let print = configured["clientSecret"]["fingerprint"].as_str().unwrap_or_default().to_owned();
    assert_eq!(print.len(), 8, "{configured}");
    let enabled = put(&admin, json!({ "enabled": true })).await;
    assert_eq!((&enabled["clientId"], &enabled["enabled"]), (&json!("an-id"), &json!(true)));
    assert_eq!(enabled["clientSecret"]["fingerprint"], print, "what is absent stays");

    let changed =
        put(&admin, json!({ "settings": { "GITHUB_API_URL": "https://ghe.example/api/v3" } })).await;
    let url = setting(&changed, "GITHUB_API_URL");
    assert_eq!((&url["value"], &url["source"]), (&json!("https://ghe.example/api/v3"), &json!("database")));
    let unset = put(&admin, json!({ "settings": { "GITHUB_API_URL": null } })).await;
    let url = setting(&unset, "GITHUB_API_URL");
    assert_eq!((&url["value"], &url["source"]), (&json!("https://api.github.com"), &json!("default")));

    let again = admin.get(GITHUB).await.expect(200);
    assert_eq!(again.json()["redirectUri"], redirect);
    assert!(!again.text.contains(SECRET));
    assert_eq!(admin.get("/api/v1/toolkits").await.json()["toolkits"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_wrong_change_names_its_field_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.ada().await;
    let before = admin.get(GITHUB).await.expect(200).json();
    for (body, place) in [
        (json!({ "enabled": "yes" }), "enabled"),
        (json!({ "settings": { "GITHUB_NOTHING": "x" } }), "GITHUB_NOTHING"),
        (json!({ "settings": { "GITHUB_API_URL": "not an address" } }), "GITHUB_API_URL"),
        (json!({ "settings": { "GITHUB_API_URL": "http://api.example" } }), "GITHUB_API_URL"),
        (json!({ "settings": { "GITHUB_API_URL": "http://localhost:1/" } }), "GITHUB_API_URL"),
        (json!({ "settings": { "GITHUB_API_URL": "file:///etc/passwd" } }), "GITHUB_API_URL"),
        (json!({ "clientId": 7 }), "clientId"),
    ] {
        let answer = admin.put(GITHUB, &body).await;
        assert!([400, 422].contains(&answer.problem().0), "{body}: {answer:?}");
        assert!(answer.text.contains(place), "{body}: {}", answer.text);
        assert_eq!(admin.get(GITHUB).await.json(), before, "{body}");
    }
    let without_client = admin.put(GITHUB, &json!({ "enabled": true })).await;
    assert!(without_client.status.is_client_error(), "{without_client:?}");
    assert_eq!(admin.get(GITHUB).await.json()["enabled"], false);
    assert_eq!(admin.get("/api/v1/admin/toolkits/nothing").await.problem(), (404, "toolkit_unknown".into()));
}
