//! What the provider does when it is told to misbehave.

use axum::body::Body;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, Answer, Provider, request, tokens};

async fn control(provider: &Provider, method: &str, path: &str, body: &Value) -> Answer {
    let request = request(method, path).header("x-demo-control", "1").body(Body::from(body.to_string()));
    provider.send(request.unwrap()).await
}

async fn told(provider: &Provider, settings: &Value) {
    let answer = control(provider, "PUT", "/control", settings).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json(), *settings);
}

#[tokio::test]
async fn only_who_can_set_a_header_controls() {
    let provider = Provider::new();
    for (method, path) in
        [("PUT", "/control"), ("GET", "/control"), ("GET", "/control/log"), ("POST", "/control/advance")]
    {
        let bare = provider.send(request(method, path).body(Body::from("{}")).unwrap()).await;
        assert_eq!(bare.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
    let preflight = provider.send(request("OPTIONS", "/control").body(Body::empty()).unwrap()).await;
    assert_eq!(preflight.header("access-control-allow-headers"), "");
    let wrong = control(&provider, "PUT", "/control", &json!({ "tokens": 1 })).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.json()["message"].as_str().unwrap().contains("tokens"));
}

#[tokio::test]
async fn the_token_endpoint_answers_what_it_is_told_and_spends_nothing() {
    let provider = Provider::new();
    let first = provider.tokens("robin", ALL_SCOPES).await;
    let fault = json!({
        "kind": "answer", "status": 429, "headers": { "retry-after": "7" },
        "contentType": "text/html", "body": "<p>later",
    });
    told(&provider, &json!({ "token": { "fault": fault, "times": 1 } })).await;
    let slow_down = provider.refresh(&first.refresh).await;
    assert_eq!((slow_down.status.as_u16(), slow_down.header("retry-after")), (429, "7"));
    assert_eq!((slow_down.header("content-type"), slow_down.text().as_str()), ("text/html", "<p>later"));
    assert_eq!(provider.refresh(&first.refresh).await.status, StatusCode::OK, "once was enough");
    assert_eq!(provider.demo.counts().faults, 1);
}

#[tokio::test]
async fn an_error_of_oauth_can_be_forged() {
    let provider = Provider::new();
    let first = provider.tokens("robin", ALL_SCOPES).await;
    told(&provider, &json!({ "token": { "fault": { "kind": "oauth_error", "error": "invalid_grant" } } }))
        .await;
    for _ in 0..3 {
        let answer = provider.refresh(&first.refresh).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &json!("invalid_grant")));
    }
    told(&provider, &json!({})).await;
    assert_eq!(provider.refresh(&first.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_api_can_answer_bytes_and_echo_what_it_was_sent() {
    let provider = Provider::new();
    let token = provider.tokens("robin", ALL_SCOPES).await.access;
    let call = async || provider.api("GET", "/api/user", &token, None).await;
    let fault = json!({ "kind": "answer", "status": 502, "bodyBase64": "//4=" });
    told(&provider, &json!({ "api": { "fault": fault } })).await;
    let answer = call().await;
    assert_eq!(
        (answer.status.as_u16(), answer.bytes, answer.headers.get("content-type")),
        (502, vec![255, 254], None)
    );
    for (form, wanted) in [
        ("json", format!("Bearer {token}")),
        ("html", format!("Bearer {token}")),
        ("base64", STANDARD.encode(&token)),
        ("base64", STANDARD.encode(format!("Bearer {token}"))),
        ("url_encoded", format!("Bearer+{token}")),
    ] {
        told(
            &provider,
            &json!({ "api": { "fault": { "kind": "echo_authorization", "status": 500, "as": form } } }),
        )
        .await;
        let answer = call().await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.text().contains(&wanted), "{form}: {}", answer.text());
    }
    assert_eq!(provider.get("/logo.svg").await.status, StatusCode::OK, "pages are not concerned");
}

#[tokio::test(start_paused = true)]
async fn slow_waits_before_and_late_waits_after() {
    let provider = Provider::new();
    let token = provider.tokens("robin", ALL_SCOPES).await.access;
    let create = async || provider.api("POST", "/api/issues", &token, Some(&json!({ "title": "a" }))).await;
    for (kind, created_meanwhile) in [("slow", 0), ("late", 1)] {
        told(&provider, &json!({ "api": { "fault": { "kind": kind, "ms": 60_000 }, "times": 1 } })).await;
        let before = provider.demo.counts().issues_created;
        let begun = tokio::time::Instant::now();
        let half = tokio::time::timeout(std::time::Duration::from_secs(30), create()).await;
        assert!(half.is_err(), "{kind} answers too early");
        assert_eq!(provider.demo.counts().issues_created - before, created_meanwhile, "{kind}");
        told(&provider, &json!({ "api": { "fault": { "kind": kind, "ms": 60_000 }, "times": 1 } })).await;
        assert_eq!(create().await.status, StatusCode::CREATED);
        assert!(begun.elapsed() >= std::time::Duration::from_secs(90));
    }
}

#[tokio::test]
async fn the_log_tells_paths_as_they_came_and_no_secret() {
    let provider = Provider::new();
    let issued = provider.tokens("robin", ALL_SCOPES).await;
    provider.api("GET", "/api/issues/%2E%2e?q=%2F+x", &issued.access, None).await;
    provider.api("GET", &format!("/api/issues/{0}?t={0}", issued.access), &issued.access, None).await;
    let log = control(&provider, "GET", "/control/log", &Value::Null).await;
    for secret in [issued.access.as_str(), &issued.refresh, "st%26te", crate::support::CHALLENGE] {
        assert!(!log.text().contains(secret), "{secret}");
    }
    let log = log.json();
    assert_eq!(log["counts"]["codesExchanged"], 1);
    let requests = log["requests"].as_array().unwrap();
    let last = &requests[requests.len() - 2];
    assert_eq!(
        *last,
        json!({ "method": "GET", "path": "/api/issues/%2E%2e", "query": "q=%2F+x", "status": 404 })
    );
    assert_eq!(requests[requests.len() - 1]["path"], "/api/issues/demo_at_…");
    assert!(requests.iter().all(|request| request["path"] != "/control"));
}

#[tokio::test]
async fn the_clock_moves_over_the_wire() {
    let provider = Provider::new();
    let issued = provider.tokens("robin", ALL_SCOPES).await;
    let answer = control(&provider, "POST", "/control/advance", &json!({ "seconds": 301 })).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(provider.status_of(&issued.access).await, 401);
    let fresh = tokens(&provider.refresh(&issued.refresh).await);
    assert_eq!(provider.status_of(&fresh.access).await, 200);
}
