//! No secret leaves the vault: not into the log, not into a file, not into an answer. Case E1 in part, and D22.

use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::json;
use taiku_bridge::api::{self, CreatedApiKey};
use taiku_tests::{Decision, TestApp, connect_at, consent_address};

const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

/// How tokens and codes of the demo provider begin, as they are and in base64.
const MARKS: &[&str] = &["demo_at_", "demo_rt_", "demo_ac_", "ZGVtb19hdF", "ZGVtb19ydF", "ZGVtb19hY1"];

fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).expect("our own folder").map(|entry| entry.expect("our own file").path())
    {
        if entry.is_dir() {
            found.extend(files(&entry));
        } else if entry.is_file() {
            let bytes = fs::read(&entry).expect("our own file");
            found.push((entry.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    found
}

#[tokio::test]
async fn no_secret_is_in_the_log_or_in_a_file() {
    let app = TestApp::launch().env("TAIKU_LOG", "debug").start().await;
    let user = app.ada().await;
    let begun = connect_at(&user, "demo").await;
    let callback = consent_address(&app, &user, &begun, Decision::Allow).await;
    let page = user.bare(Method::GET, callback.as_str()).send().await.expect(200);
    let key: CreatedApiKey =
        user.post(api::API_KEYS, &json!({ "name": "a script" })).await.expect(201).read();
    assert_eq!(user.post(LIST, &json!({ "arguments": {} })).await.status, 200);
    app.demo.advance(3600).await;
    assert_eq!(user.post(LIST, &json!({ "arguments": {} })).await.status, 200, "refreshed");
    app.demo.set(&json!({ "token": { "fault": { "kind": "answer", "status": 500, "body": "down" } } })).await;
    app.demo.advance(3600).await;
    assert!(!user.post(LIST, &json!({ "arguments": {} })).await.status.is_success(), "a failing refresh");

    let (_, password) = app.ada_credentials();
    let mut secrets: Vec<String> = MARKS.iter().map(ToString::to_string).collect();
    secrets.extend(
        callback
            .query_pairs()
            .filter(|(name, _)| name == "code" || name == "state")
            .map(|(_, value)| value.into()),
    );
    secrets.extend(user.cookies().into_iter().map(|cookie| cookie.value));
    secrets.push(key.key);
    // Printed on purpose where a person reads it, and nowhere else.
    let announced = format!("with {password}");
    let said = app.said().replace(&announced, "");
    assert!(said.contains("refreshed"), "the log tells something: {said}");
    let stored = files(app.data());
    assert!(
        stored.iter().any(|(name, _)| name.ends_with("taiku.db")),
        "{:?}",
        stored.iter().map(|(name, _)| name)
    );
    for secret in secrets.iter().chain([&password.to_owned()]) {
        assert!(!said.contains(secret.as_str()), "{secret} is in the log");
        assert!(!page.text.contains(secret.as_str()), "{secret} is in the callback page");
        for (name, text) in &stored {
            assert!(!text.contains(secret.as_str()), "{secret} is in {name}");
        }
    }
}

#[tokio::test]
async fn the_callback_page_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let begun = connect_at(&user, "demo").await;
    let callback = consent_address(&app, &user, &begun, Decision::Allow).await;
    let page = user.bare(Method::GET, callback.as_str()).send().await.expect(200);
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    for loads in ["src=", "<link", "@import", "url("] {
        assert!(!page.text.contains(loads), "{loads}: {}", page.text);
    }
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("'sha256-") && !policy.contains("script-src 'unsafe-inline'"), "{policy}");
}
