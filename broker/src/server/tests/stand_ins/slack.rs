//! Slack: <https://docs.slack.dev/authentication/installing-with-oauth>,
//! <https://docs.slack.dev/authentication/using-token-rotation>, <https://docs.slack.dev/apis/web-api>.

use super::*;
use crate::clock::HOUR;

/// Every method answers 200, and what is wrong is in the body.
fn answer(memory: &mut Memory, seen: &Seen) -> Response {
    let no = |error: &str| ok(json!({"ok": false, "error": error}));
    match seen.path.split('?').next().unwrap() {
        "/api/oauth.v2.access" => access(memory, &seen.form()),
        _ if !memory.access.contains(bearer(seen)) => no("invalid_auth"),
        "/api/auth.test" => ok(json!({"ok": true, "user_id": "U1", "user": "ada", "team": "Engine"})),
        "/api/chat.postMessage" if !bearer(seen).starts_with("xoxb") => no("not_allowed_token_type"),
        "/api/chat.postMessage" => {
            let body: Value = serde_json::from_str(&seen.body).unwrap();
            if body["channel"] == "C1" {
                ok(json!({"ok": true, "ts": "1.2"}))
            } else {
                no("channel_not_found")
            }
        }
        "/api/search.messages" if !bearer(seen).starts_with("xoxp") => no("not_allowed_token_type"),
        "/api/search.messages" => ok(json!({"ok": true, "messages": {"total": 0}})),
        "/api/auth.revoke" => {
            memory.access.remove(bearer(seen));
            ok(json!({"ok": true, "revoked": true}))
        }
        _ => no("unknown_method"),
    }
}

fn access(memory: &mut Memory, form: &[(String, String)]) -> Response {
    let no = |error: &str| ok(json!({"ok": false, "error": error}));
    if (field(form, "client_id"), field(form, "client_secret")) != ("the-client", "s3cret") {
        return no("bad_client_secret");
    }
    if field(form, "grant_type") == "refresh_token" {
        let refresh = field(form, "refresh_token");
        if !memory.refresh.remove(refresh) {
            return no("invalid_refresh_token");
        }
        let kind = if refresh.starts_with("xoxe-bot") {
            ("xoxb", "xoxe-bot", "bot")
        } else {
            ("xoxp", "xoxe-user", "user")
        };
        return ok(json!({"ok": true, "access_token": memory.new_access(kind.0), "token_type": kind.2,
            "refresh_token": memory.new_refresh(kind.1), "expires_in": 43_200}));
    }
    if !memory.codes.remove(field(form, "code")) {
        return no("invalid_code");
    }
    ok(json!({
        "ok": true, "access_token": memory.new_access("xoxb"), "token_type": "bot",
        "scope": "channels:read,chat:write,reactions:write,users:read", "bot_user_id": "B1",
        "refresh_token": memory.new_refresh("xoxe-bot"), "expires_in": 43_200,
        "authed_user": {"id": "U1", "scope": "channels:history,channels:read,search:read,users:read",
            "access_token": memory.new_access("xoxp"), "token_type": "user",
            "refresh_token": memory.new_refresh("xoxe-user"), "expires_in": 43_200},
        "team": {"id": "T1", "name": "Engine"},
    }))
}

async fn connected() -> (TestApp, User, StandIn) {
    let (app, ada, bob) = TestApp::start().await;
    let slack = StandIn::start(answer).await;
    slack.enable(&ada, "slack", &[("SLACK_URL", ""), ("SLACK_API_URL", "/api")]).await;
    let (query, page) = slack.consent(&bob, "slack", None).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(query["scope"], "channels:read,chat:write,reactions:write,users:read");
    assert_eq!(query["user_scope"], "channels:history,channels:read,search:read,users:read");
    assert!(!query.contains_key("code_challenge"));
    (app, bob, slack)
}

#[tokio::test]
async fn each_tool_is_called_with_its_own_token() {
    let (_app, bob, _slack) = connected().await;
    let all = connections(&bob, "slack").await;
    assert_eq!((&all[0]["status"], &all[0]["account"]["label"]), (&json!("ACTIVE"), &json!("ada")));
    run(&bob, "slack", "SLACK_POST_A_MESSAGE", &json!({"channel": "C1", "text": "Hi"})).await.ok();
    run(&bob, "slack", "SLACK_SEARCH_MESSAGES", &json!({"query": "Hi"})).await.ok();
}

#[tokio::test]
async fn ok_false_is_a_failure() {
    let (_app, bob, _slack) = connected().await;
    let answer = run(&bob, "slack", "SLACK_POST_A_MESSAGE", &json!({"channel": "C2", "text": "Hi"})).await;
    assert_eq!((answer.status.as_u16(), answer.header("taiku-upstream-status")), (502, Some("200")));
    assert_eq!(answer.json(), json!({"ok": false, "error": "channel_not_found"}));
}

#[tokio::test]
async fn both_tokens_are_renewed_and_a_dead_one_is_noticed_in_a_200() {
    let (app, bob, slack) = connected().await;
    // No session lasts as long as this test.
    let bob = bob.with_key().await;
    app.advance(13 * HOUR);
    run(&bob, "slack", "SLACK_SEARCH_MESSAGES", &json!({"query": "Hi"})).await.ok();
    assert_eq!(slack.seen("/api/oauth.v2.access").len(), 3, "a code, and one refresh for each token");
    slack.memory().access.clear();
    run(&bob, "slack", "SLACK_POST_A_MESSAGE", &json!({"channel": "C1", "text": "Hi"})).await.ok();
    run(&bob, "slack", "SLACK_SEARCH_MESSAGES", &json!({"query": "Hi"})).await.ok();
    assert_eq!(slack.seen("/api/oauth.v2.access").len(), 5, "one renewal for both");
}

#[tokio::test]
async fn disconnecting_revokes_both_tokens() {
    let (_app, bob, slack) = connected().await;
    let id = connections(&bob, "slack").await[0]["id"].as_str().unwrap().to_owned();
    let receipt = bob.delete(&format!("/api/v1/connections/{id}")).await.ok();
    assert!(receipt.to_string().contains(r#"{"token":"access_token","outcome":"revoked"}"#), "{receipt}");
    assert!(slack.memory().access.is_empty());
}
