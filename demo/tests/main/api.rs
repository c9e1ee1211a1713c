//! The API of the tracker.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use serde_json::json;

use crate::support::{ALL_SCOPES, Provider, request};

#[tokio::test]
async fn an_issue_is_created_listed_closed_and_deleted() {
    let provider = Provider::new();
    let token = provider.tokens("robin", ALL_SCOPES).await.access;
    let call = async |method: &str, path: &str, body: Option<&serde_json::Value>| {
        provider.api(method, path, &token, body).await
    };
    let created = call("POST", "/api/issues", Some(&json!({ "title": "First", "body": "Text" }))).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let issue = created.json();
    assert_eq!(
        (&issue["number"], &issue["title"], &issue["body"]),
        (&json!(1), &json!("First"), &json!("Text"))
    );
    assert_eq!((&issue["state"], &issue["author"]), (&json!("open"), &json!("robin")));
    assert_eq!(issue["url"], "http://127.0.0.1:8090/#issue-1");
    assert_eq!(issue["created_at"].as_str().unwrap().len(), "2026-01-01T00:00:00Z".len());

    call("POST", "/api/issues", Some(&json!({ "title": "Second" }))).await;
    let list = call("GET", "/api/issues", None).await.json();
    assert_eq!(list["total"], 2);
    assert_eq!(list["issues"][0]["title"], "Second", "the newest comes first");
    assert_eq!(call("GET", "/api/issues/1", None).await.json(), issue);

    let closed = call("POST", "/api/issues/1/close", None).await;
    assert_eq!((closed.status, &closed.json()["state"]), (StatusCode::OK, &json!("closed")));
    assert!(closed.json()["closed_at"].is_string());
    let gone = call("DELETE", "/api/issues/1", None).await;
    assert_eq!((gone.status, gone.bytes.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(call("GET", "/api/issues/1", None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(provider.demo.counts().issues_created, 2);
    assert_eq!(provider.demo.counts().issues_deleted, 1);
}

#[tokio::test]
async fn the_other_account_has_other_issues() {
    let provider = Provider::new();
    let robin = provider.tokens("robin", ALL_SCOPES).await.access;
    let sasha = provider.tokens("sasha", ALL_SCOPES).await.access;
    provider.api("POST", "/api/issues", &robin, Some(&json!({ "title": "Mine" }))).await;
    assert_eq!(provider.api("GET", "/api/issues", &sasha, None).await.json()["total"], 0);
    for (method, path) in
        [("GET", "/api/issues/1"), ("POST", "/api/issues/1/close"), ("DELETE", "/api/issues/1")]
    {
        let theirs = provider.api(method, path, &sasha, None).await;
        assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{method} {path}");
        let nobodys = provider.api(method, &path.replace('1', "9"), &sasha, None).await;
        assert_eq!(theirs.text().replace('1', "9"), nobodys.text(), "somebody else's looks non-existent");
    }
    assert_eq!(provider.api("GET", "/api/issues/1", &robin, None).await.json()["state"], "open");
}

#[tokio::test]
async fn the_user_has_a_picture_that_is_served() {
    let provider = Provider::new();
    let token = provider.tokens("robin", "profile").await.access;
    let user = provider.api("GET", "/api/user", &token, None).await.json();
    assert_eq!(
        (&user["id"], &user["login"], &user["name"]),
        (&json!(1001), &json!("robin"), &json!("Robin Rivers"))
    );
    let path = user["avatar_url"].as_str().unwrap().strip_prefix(provider.demo.issuer()).unwrap();
    let picture = provider.get(path).await;
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    assert_eq!(provider.get("/avatars/nobody.svg").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_a_living_token_there_is_a_challenge_and_no_answer() {
    let provider = Provider::new();
    let token = provider.tokens("robin", ALL_SCOPES).await.access;
    let none = provider.get("/api/issues").await;
    assert_eq!((none.status.as_u16(), none.header("www-authenticate")), (401, "Bearer realm=\"demo\""));
    for header in
        ["Bearer wrong".to_owned(), format!("Bearer {token}x"), format!("Basic {token}"), "Bearer".into()]
    {
        let request = request("GET", "/api/issues").header(AUTHORIZATION, &header).body(Body::empty());
        let answer = provider.send(request.unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{header}");
        assert!(answer.header("www-authenticate").starts_with("Bearer "), "{header}");
        assert!(answer.json()["message"].is_string());
    }
    let dead = provider.api("GET", "/api/user", "wrong", None).await;
    assert!(dead.header("www-authenticate").contains("error=\"invalid_token\""));
    let lower = request("GET", "/api/user").header(AUTHORIZATION, format!("bearer {token}"));
    assert_eq!(provider.send(lower.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    let query = provider.get(&format!("/api/user?access_token={token}")).await;
    assert_eq!(query.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_operation_needs_its_scope() {
    let provider = Provider::new();
    let nothing_fits = |method: &str, path: &str| match (method, path) {
        (_, "/api/user") => "issues:read issues:write",
        ("GET", _) => "issues:write profile",
        _ => "issues:read profile",
    };
    for (method, path) in [
        ("GET", "/api/user"),
        ("GET", "/api/issues"),
        ("POST", "/api/issues"),
        ("GET", "/api/issues/1"),
        ("POST", "/api/issues/1/close"),
        ("DELETE", "/api/issues/1"),
    ] {
        let token = provider.tokens("robin", nothing_fits(method, path)).await.access;
        let answer = provider.api(method, path, &token, Some(&json!({ "title": "x" }))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert!(answer.header("www-authenticate").contains("insufficient_scope"));
    }
}

#[tokio::test]
async fn a_wrong_issue_is_explained() {
    let provider = Provider::new();
    let token = provider.tokens("robin", ALL_SCOPES).await.access;
    let answer = provider.api("POST", "/api/issues", &token, Some(&json!({ "title": "", "x": 1 }))).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        answer.json()["errors"],
        json!([
            { "pointer": "/x", "message": "is not a field of an issue; there are title and body" },
            { "pointer": "/title", "message": "must not be empty" },
        ])
    );
    let send = async |kind: &str, body: String| {
        let request = request("POST", "/api/issues")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header("content-type", kind)
            .body(Body::from(body));
        provider.send(request.unwrap()).await
    };
    assert_eq!(send("application/json", "{\"title\":".into()).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(send("text/plain", "{\"title\":\"a\"}".into()).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(send("application/json", "[".repeat(60_000)).await.status, StatusCode::BAD_REQUEST);
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(send("application/json", large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        send("application/json; charset=utf-8", "{\"title\":\"a\"}".into()).await.status,
        StatusCode::CREATED
    );
    assert_eq!(provider.demo.counts().issues_created, 1);
}

#[tokio::test]
async fn what_does_not_exist_is_json_and_no_number_escapes_its_place() {
    let provider = Provider::new();
    let token = provider.tokens("robin", ALL_SCOPES).await.access;
    for path in [
        "/api/issues/0",
        "/api/issues/+1",
        "/api/issues/abc",
        "/api/issues/99999999999999999999999",
        "/api/issues/%2e%2e%2fuser",
        "/api/issues/%ff",
        "/api/issues/1/comments",
        "/api/nothing",
    ] {
        let answer = provider.api("GET", path, &token, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.json()["message"].is_string(), "{path}");
    }
    let wrong = provider.api("PATCH", "/api/issues", &token, None).await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(wrong.json()["message"].is_string());
}
