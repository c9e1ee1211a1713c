//! API keys: what they may do, for how long, and that they cannot make themselves more than they are.

use serde_json::{Value, json};

use super::{TestApp, User};
use crate::clock::{HOUR, rfc3339};

const KEYS: &str = "/api/v1/api-keys";

async fn key_of(user: &User, body: &Value) -> User {
    let created = user.post(KEYS, body).await.ok();
    user.script(created["key"].as_str().unwrap())
}

#[tokio::test]
async fn a_key_acts_as_its_user() {
    let (app, ada, bob) = TestApp::start().await;
    let key = bob.with_key().await;
    assert_eq!(key.get("/api/v1/session").await.ok()["user"]["email"], bob.email);
    let listed = bob.get(KEYS).await.ok();
    assert_eq!(listed["apiKeys"][0]["name"], "a script");
    assert_eq!(listed["apiKeys"][0]["scopes"], json!([]));
    assert!(listed["apiKeys"][0]["lastUsedAt"].is_string());
    assert!(listed["apiKeys"][0].get("key").is_none());
    let id = listed["apiKeys"][0]["id"].as_str().unwrap().to_owned();
    ada.delete(&format!("{KEYS}/{id}")).await.refused("not_found");
    assert_eq!(bob.delete(&format!("{KEYS}/{id}")).await.status, 204);
    key.get("/api/v1/session").await.refused("not_signed_in");
    assert_eq!(app.sql("delete from api_keys", &[]).await, 0);
}

#[tokio::test]
async fn scopes_bound_what_a_key_may_do() {
    let (_, ada, _) = TestApp::start().await;
    let all = json!({"name": "k"});
    for (scopes, read, write, admin) in [
        (json!(["read"]), "", "forbidden", "forbidden"),
        (json!(["write"]), "forbidden", "", "forbidden"),
        (json!(["admin"]), "forbidden", "forbidden", ""),
        (json!(["read", "write"]), "", "", "forbidden"),
        (json!(null), "", "", ""),
    ] {
        let key = key_of(&ada, &json!({"name": "k", "scopes": scopes})).await;
        assert_eq!(key.get(KEYS).await.code(), read, "{scopes}");
        // Revoking what does not exist is a write without a trace.
        let written = key.delete(&format!("{KEYS}/none")).await.code();
        assert_eq!(written, if write.is_empty() { "not_found" } else { write }, "{scopes}");
        assert_eq!(key.get("/api/v1/admin/users").await.code(), admin, "{scopes}");
    }
    for wrong in [json!(["root"]), json!([]), json!(["read", "Write"])] {
        let answer = ada.post(KEYS, &json!({"name": "k", "scopes": wrong})).await;
        assert_eq!(answer.refused("invalid_params")["pointer"], "/scopes", "{wrong}");
    }
    let member = key_of(&ada, &all).await;
    assert_eq!(member.get("/api/v1/admin/users").await.status, 200);
}

#[tokio::test]
async fn an_admin_scope_does_not_make_an_admin() {
    let (_, _, bob) = TestApp::start().await;
    let key = key_of(&bob, &json!({"name": "k", "scopes": ["admin"]})).await;
    key.get("/api/v1/admin/users").await.refused("forbidden");
}

#[tokio::test]
async fn a_key_ends_when_it_says() {
    let (app, _, bob) = TestApp::start().await;
    let now = app.broker.clock.now();
    let key = key_of(&bob, &json!({"name": "k", "expiresAt": rfc3339(now + HOUR)})).await;
    app.advance(HOUR - 1000);
    key.get(KEYS).await.ok();
    app.advance(1000);
    key.get(KEYS).await.refused("not_signed_in");
    for wrong in ["tomorrow", &rfc3339(now), "", "2020-01-01"] {
        let answer = bob.post(KEYS, &json!({"name": "k", "expiresAt": wrong})).await;
        assert_eq!(answer.refused("invalid_params")["pointer"], "/expiresAt", "{wrong}");
    }
}

#[tokio::test]
async fn a_key_makes_none_that_may_do_more_or_lives_longer() {
    let (app, ada, _) = TestApp::start().await;
    let end = rfc3339(app.broker.clock.now() + HOUR);
    let later = rfc3339(app.broker.clock.now() + 2 * HOUR);
    let bounded = key_of(&ada, &json!({"name": "k", "scopes": ["read", "write"], "expiresAt": end})).await;
    for wider in [
        json!({"name": "k", "expiresAt": end}),
        json!({"name": "k", "scopes": ["admin"], "expiresAt": end}),
        json!({"name": "k", "scopes": ["read", "admin"], "expiresAt": end}),
        json!({"name": "k", "scopes": ["read"]}),
        json!({"name": "k", "scopes": ["read"], "expiresAt": later}),
    ] {
        bounded.post(KEYS, &wider).await.refused("forbidden");
    }
    let narrower = key_of(&bounded, &json!({"name": "k", "scopes": ["read"], "expiresAt": end})).await;
    narrower.get(KEYS).await.ok();
    narrower.post(KEYS, &json!({"name": "k", "scopes": ["read"]})).await.refused("forbidden");
}

#[tokio::test]
async fn connecting_needs_a_browser() {
    let (app, _, bob) = TestApp::start().await;
    let answer = bob.with_key().await.post("/api/v1/toolkits/demo/connections", &json!({})).await;
    answer.refused("session_required");
    assert_eq!(answer.status, 403);
    assert!(!answer.headers.contains_key("set-cookie"));
    assert_eq!(bob.connections().await.len(), 0);
    app.visitor().post("/api/v1/toolkits/demo/connections", &json!({})).await.refused("not_signed_in");
}

#[tokio::test]
async fn names_are_bounded() {
    let (_, _, bob) = TestApp::start().await;
    for name in ["", "  ", "a\nb", &"x".repeat(101)] {
        let answer = bob.post(KEYS, &json!({"name": name})).await;
        assert_eq!(answer.refused("invalid_params")["pointer"], "/name");
    }
}
