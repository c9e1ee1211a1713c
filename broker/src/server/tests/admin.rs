//! What admins see and change, and what nobody ever sees.

use serde_json::{Value, json};
use taiku_bridge::Slug;

use super::app::{CLIENT_ID, CLIENT_SECRET};
use super::{TestApp, User};
use crate::clock::MINUTE;
use crate::custody::sealed;
use crate::integration;
use crate::server::table;
use crate::store::connections::{self, State};

const DEMO: &str = "/api/v1/admin/toolkits/demo";
const GITHUB: &str = "/api/v1/admin/toolkits/github";

async fn list(user: &User) -> String {
    user.run("DEMO_LIST_ISSUES", &json!({})).await.code()
}

fn setting<'a>(toolkit: &'a Value, key: &str) -> &'a Value {
    toolkit["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == key).unwrap()
}

#[tokio::test]
async fn a_redirect_uri_is_there_before_anything_else_and_stays() {
    let app = TestApp::empty(&[]).await;
    let ada = app.add_user("ada@example.test", "Ada", taiku_bridge::api::Role::Admin).await;
    let first = ada.get(GITHUB).await.ok();
    assert_eq!((&first["enabled"], &first["clientId"]), (&json!(false), &Value::Null));
    assert_eq!(first["clientSecret"], json!({"set": false, "fingerprint": null}));
    let uri = first["redirectUri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("http://localhost:8080/oauth/callback/"), "{uri}");
    assert!(uri.rsplit('/').next().unwrap().len() >= 26, "it cannot be guessed");
    ada.put(GITHUB, &json!({"clientId": "x", "enabled": true})).await.ok();
    ada.put(GITHUB, &json!({"clientId": null, "enabled": false})).await.ok();
    let listed = ada.get("/api/v1/admin/toolkits").await.ok();
    let listed = listed["toolkits"].as_array().unwrap().iter().find(|it| it["slug"] == "github").unwrap();
    assert_eq!(listed["redirectUri"], uri);
    assert_ne!(ada.get(DEMO).await.ok()["redirectUri"], uri, "each toolkit has its own");
    ada.get("/api/v1/admin/toolkits/none").await.refused("toolkit_unknown");
    ada.put("/api/v1/admin/toolkits/none", &json!({})).await.refused("toolkit_unknown");
}

#[tokio::test]
async fn a_put_changes_what_it_names_and_null_unsets() {
    let (app, ada, _) = TestApp::start().await;
    let before = ada.get(DEMO).await.ok();
    assert_eq!(ada.put(DEMO, &json!({})).await.ok(), before, "an empty change is none");
    let scopes = ada.put(DEMO, &json!({"scopes": ["profile"]})).await.ok();
    assert_eq!(scopes["scopes"], json!(["profile"]));
    for key in ["enabled", "clientId", "clientSecret", "settings", "redirectUri"] {
        assert_eq!(scopes[key], before[key], "{key}");
    }
    assert_eq!(ada.put(DEMO, &json!({"scopes": null})).await.ok(), before);
    let url = setting(&before, "DEMO_URL");
    assert_eq!(
        (&url["value"], &url["source"], &url["set"]),
        (&json!(app.demo.issuer()), &json!("database"), &json!(true))
    );
    let unset = ada.put(DEMO, &json!({"settings": {"DEMO_URL": null}})).await.ok();
    let url = setting(&unset, "DEMO_URL");
    assert_eq!(
        (&url["value"], &url["source"], &url["set"]),
        (&url["default"], &json!("default"), &json!(false))
    );
    let set = ada.put(DEMO, &json!({"settings": {"DEMO_URL": app.demo.issuer()}})).await.ok();
    assert_eq!(set, before);
}

#[tokio::test]
async fn the_environment_sets_what_the_database_does_not() {
    let (_, ada, _) = TestApp::start_with(&[("DEMO_URL", "http://127.0.0.1:9")]).await;
    let url = ada.get(DEMO).await.ok();
    assert_eq!(setting(&url, "DEMO_URL")["source"], "database");
    let unset = ada.put(DEMO, &json!({"settings": {"DEMO_URL": null}})).await.ok();
    let url = setting(&unset, "DEMO_URL");
    assert_eq!((&url["source"], &url["value"]), (&json!("environment"), &json!("http://127.0.0.1:9")));
}

#[tokio::test]
async fn a_secret_goes_in_and_never_comes_out() {
    let (_, ada, _) = TestApp::start().await;
    let before = ada.get(DEMO).await.ok();
    let fingerprint = before["clientSecret"]["fingerprint"].as_str().unwrap().to_owned();
    assert_eq!((before["clientSecret"]["set"].as_bool(), fingerprint.len()), (Some(true), 8));
    assert!(!before.to_string().contains(CLIENT_SECRET));
    let kept = ada.put(DEMO, &json!({"enabled": true})).await.ok();
    assert_eq!(kept["clientSecret"]["fingerprint"], fingerprint);
    let other = ada.put(DEMO, &json!({"clientSecret": "another secret"})).await.ok();
    assert_ne!(other["clientSecret"]["fingerprint"], fingerprint);
    let again = ada.put(DEMO, &json!({"clientSecret": CLIENT_SECRET})).await.ok();
    assert_eq!(again["clientSecret"]["fingerprint"], fingerprint);
    let unset = ada.put(DEMO, &json!({"clientSecret": null})).await.ok();
    assert_eq!(unset["clientSecret"], json!({"set": false, "fingerprint": null}));
    let audit = ada.get("/api/v1/admin/audit").await.text();
    assert!(!audit.contains("another secret") && !audit.contains("horse"), "{audit}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_place_and_changes_nothing() {
    let (_, ada, _) = TestApp::start().await;
    let before = ada.get(DEMO).await.ok();
    let audit = ada.get("/api/v1/admin/audit").await.ok();
    for (body, pointer) in [
        (json!({"settings": {"NOPE": "x"}}), "/settings/NOPE"),
        (json!({"settings": {"DEMO_URL": "no url"}}), "/settings/DEMO_URL"),
        (json!({"settings": {"DEMO_URL": "http://evil.example"}}), "/settings/DEMO_URL"),
        (json!({"settings": {"DEMO_URL": "http://localhost:1"}}), "/settings/DEMO_URL"),
        (json!({"settings": {"DEMO_URL": "https://a@evil.example"}}), "/settings/DEMO_URL"),
        (json!({"settings": {"DEMO_URL": ""}}), "/settings/DEMO_URL"),
        (json!({"settings": {"DEMO_URL": "x\ny"}}), "/settings/DEMO_URL"),
        (json!({"settings": {"DEMO_URL": 7}}), "/settings/DEMO_URL"),
        (json!({"settings": []}), "/settings"),
        (json!({"clientId": ""}), "/clientId"),
        (json!({"clientId": "a\r\nb"}), "/clientId"),
        (json!({"clientId": null}), "/clientId"),
        (json!({"clientSecret": ""}), "/clientSecret"),
        (json!({"scopes": ["a", "b c"]}), "/scopes/1"),
        (json!({"scopes": "a"}), "/scopes"),
        (json!({"enabled": "yes"}), "/enabled"),
    ] {
        let answer = ada.put(DEMO, &body).await;
        assert_eq!(answer.refused("invalid_params")["pointer"], pointer, "{body}: {}", answer.text());
    }
    let enabling = ada.put(GITHUB, &json!({"enabled": true})).await;
    assert_eq!(enabling.refused("invalid_params")["pointer"], "/clientId");
    assert_eq!(ada.get(GITHUB).await.ok()["enabled"], false);
    assert_eq!(ada.get(DEMO).await.ok(), before);
    assert_eq!(ada.get("/api/v1/admin/audit").await.ok(), audit, "what did not happen is not in the log");
}

#[tokio::test]
async fn another_client_or_address_ends_the_connections() {
    let (app, ada, bob) = TestApp::start().await;
    let other = TestApp::empty(&[]).await;
    for change in [json!({"clientId": "another"}), json!({"settings": {"DEMO_URL": other.demo.issuer()}})] {
        let id = bob.connect("robin").await;
        ada.put(DEMO, &change).await.ok();
        let connection = bob.connection(&id).await;
        assert_eq!(
            (&connection["status"], &connection["why"]),
            (&json!("EXPIRED"), &json!("integration_changed")),
            "{change}"
        );
        let before = app.demo.seen().len();
        assert_eq!(list(&bob).await, "connection_expired");
        assert_eq!(app.demo.seen().len(), before);
        app.enable_demo(&ada).await;
        assert_eq!(
            list(&bob).await,
            "connection_expired",
            "what has ended stays so when the change is undone"
        );
    }
    assert_eq!(other.demo.seen().len(), 0, "no token followed to the new address");
    let id = bob.connect("robin").await;
    ada.put(DEMO, &json!({"clientSecret": "rotated", "scopes": ["profile"]})).await.ok();
    assert_eq!(bob.connection(&id).await["status"], "ACTIVE", "a new secret of the same client ends nothing");
}

#[tokio::test]
async fn a_toolkit_that_was_off_goes_on_without_connecting_again() {
    let (app, ada, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    ada.put(DEMO, &json!({"enabled": false})).await.ok();
    let before = app.demo.seen().len();
    assert_eq!(list(&bob).await, "toolkit_disabled");
    bob.get("/api/v1/toolkits/demo/tools").await.refused("toolkit_disabled");
    bob.post("/api/v1/toolkits/demo/connections", &json!({})).await.refused("toolkit_disabled");
    assert_eq!(bob.get("/api/v1/toolkits").await.ok()["toolkits"], json!([]));
    app.advance(5 * MINUTE);
    assert_eq!(list(&bob).await, "toolkit_disabled");
    assert_eq!(app.demo.seen().len(), before, "nothing is refreshed either");
    assert_eq!(bob.connection(&id).await["status"], "ACTIVE");
    ada.put(DEMO, &json!({"enabled": true})).await.ok();
    assert_eq!(list(&bob).await, "");
    // Disconnecting works while it is off.
    ada.put(DEMO, &json!({"enabled": false})).await.ok();
    let receipt = bob.delete(&format!("/api/v1/connections/{id}")).await.ok();
    assert!(
        receipt["revoked"].as_array().unwrap().iter().all(|line| line["outcome"] == "revoked"),
        "{receipt}"
    );
}

#[tokio::test]
async fn every_change_is_in_the_audit_log() {
    let (_, ada, _) = TestApp::start().await;
    let body = json!({"clientId": "c", "clientSecret": "s3cret-value", "settings": {}, "enabled": false});
    ada.put(GITHUB, &body).await.ok();
    let audit = ada.get("/api/v1/admin/audit").await.ok();
    let entry = &audit["entries"][0];
    assert_eq!((&entry["action"], &entry["subject"]), (&json!("toolkit.change"), &json!("github")));
    assert_eq!(entry["actor"], ada.id);
    assert_eq!(
        (&entry["detail"]["clientId"], &entry["detail"]["clientSecret"]),
        (&json!("c"), &json!("set"))
    );
    assert!(!audit.to_string().contains("s3cret-value"));
    assert_eq!(entry["seq"].as_i64().unwrap(), audit["entries"].as_array().unwrap().len() as i64);
}

#[tokio::test]
async fn without_an_audit_entry_nothing_changes() {
    let (app, ada, _) = TestApp::start().await;
    let before = ada.get(DEMO).await.ok();
    app.sql("alter table audit rename to audit_gone", &[]).await;
    ada.put(DEMO, &json!({"enabled": false})).await.refused("internal");
    assert_eq!(ada.get(DEMO).await.ok(), before);
}

#[tokio::test]
async fn no_answer_can_carry_a_secret() {
    let (app, ada, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let key =
        bob.post("/api/v1/api-keys", &json!({"name": "k"})).await.ok()["key"].as_str().unwrap().to_owned();
    list(&bob.script(&key)).await;
    let ready = integration::ready(&app.broker, &Slug::parse("demo").unwrap()).await;
    let ready = ready.map_err(|failure| format!("{failure:?}")).unwrap();
    let mut tx = app.broker.store.read().await.unwrap();
    let found = connections::find(&mut tx, &bob.id, &id).await.unwrap().unwrap();
    drop(tx);
    let State::Active(sealed) = &found.state else { panic!("{found:?}") };
    let refresh = sealed::open_refresh(&app.custody, &found, ready.context, sealed).unwrap().unwrap();
    let secrets = [
        app.access_token(&bob, &id).await,
        refresh.expose().to_owned(),
        CLIENT_SECRET.to_owned(),
        bob.session().unwrap(),
        ada.session().unwrap(),
        key,
        "$argon2".to_owned(),
    ];
    let mut asked = 0;
    for route in table(&app.broker).iter().filter(|route| route.method == http::Method::GET) {
        let path = route.path.replace("{slug}", "demo").replace("{id}", "example.integrations");
        for user in [&ada, &bob] {
            let answer = user.get(&path).await;
            for secret in &secrets {
                assert!(!answer.text().contains(secret.as_str()), "{path} shows a secret");
            }
            asked += usize::from(answer.status == 200);
        }
    }
    assert!(asked >= 15, "{asked}");
    assert_eq!(ada.get(DEMO).await.ok()["clientId"], CLIENT_ID);
    // Nor does the database hold any of them in clear.
    let files = std::fs::read_dir(app.broker.config.data_dir.clone()).unwrap();
    for file in files.filter_map(|file| std::fs::read(file.unwrap().path()).ok()) {
        for secret in secrets.iter().filter(|secret| *secret != "$argon2") {
            assert!(memchr::memmem::find(&file, secret.as_bytes()).is_none());
        }
    }
}
