//! The token and revocation endpoints.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use taiku_demo::Control;

use crate::support::{
    ALL_SCOPES, Answer, BodyOf as _, CALLBACK, Provider, SECRET, VERIFIER, basic, form, tokens,
};

fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    assert_eq!(answer.json()["error"], error, "{}", answer.text());
    assert!(answer.json()["error_description"].is_string());
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_code_gives_tokens_that_work() {
    let provider = Provider::new();
    let code = provider.code("sasha", ALL_SCOPES).await;
    let answer = provider.exchange(&code).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = tokens(&answer);
    assert_eq!(tokens.body["token_type"], "Bearer");
    assert_eq!(tokens.body["expires_in"], 300);
    assert_eq!(tokens.body["scope"], ALL_SCOPES);
    let user = provider.api("GET", "/api/user", &tokens.access, None).await.json();
    assert_eq!(user["login"], "sasha");
    assert_eq!(provider.status_of(&tokens.refresh).await, 401, "a refresh token is no access token");
}

#[tokio::test]
async fn a_code_that_comes_again_is_refused_and_ends_its_tokens() {
    let provider = Provider::new();
    let code = provider.code("robin", ALL_SCOPES).await;
    let first = tokens(&provider.exchange(&code).await);
    let second = tokens(&provider.refresh(&first.refresh).await);
    refused(&provider.exchange(&code).await, 400, "invalid_grant");
    assert_eq!(provider.status_of(&first.access).await, 401);
    assert_eq!(provider.status_of(&second.access).await, 401);
    refused(&provider.refresh(&second.refresh).await, 400, "invalid_grant");
    assert_eq!(provider.demo.counts().reuses_detected, 1);
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let provider = Provider::new();
    let (early, late) = (provider.code("robin", "profile").await, provider.code("robin", "profile").await);
    provider.demo.advance(Duration::from_secs(58));
    assert_eq!(provider.exchange(&early).await.status, StatusCode::OK);
    provider.demo.advance(Duration::from_secs(2));
    refused(&provider.exchange(&late).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_code_needs_its_verifier_its_address_and_its_client() {
    let provider = Provider::new();
    let code = provider.code("robin", "profile").await;
    let wrong_verifier = VERIFIER.replace('d', "e");
    for (uri, verifier, error) in [
        ("http://localhost:8080/other", VERIFIER, "invalid_grant"),
        ("", VERIFIER, "invalid_request"),
        (CALLBACK, wrong_verifier.as_str(), "invalid_grant"),
        (CALLBACK, "", "invalid_request"),
    ] {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", uri),
            ("code_verifier", verifier),
        ];
        refused(&provider.post("/token", &fields).await, 400, error);
    }
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", "other"),
        ("client_secret", SECRET),
    ];
    refused(&provider.send(form("/token").body_of(&fields)).await, 400, "invalid_grant");
    assert_eq!(provider.exchange(&code).await.status, StatusCode::OK, "a stranger's try costs nothing");
}

#[tokio::test]
async fn a_client_authenticates_by_encoded_basic_or_in_the_body_and_never_both() {
    let provider = Provider::new();
    let grant = [("grant_type", "refresh_token"), ("refresh_token", "unknown")];
    let send = async |header: Option<String>, more: &[(&str, &str)]| {
        let fields = [&grant, more].concat();
        let mut request = form("/token");
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        provider.send(request.body_of(&fields)).await
    };
    let good = basic("client", SECRET);
    // Past authentication, the token is what is wrong.
    refused(&send(Some(good.clone()), &[]).await, 400, "invalid_grant");
    refused(&send(Some(good.clone()), &[("client_id", "client")]).await, 400, "invalid_grant");
    let body = [("client_id", "client"), ("client_secret", SECRET)];
    refused(&send(None, &body).await, 400, "invalid_grant");

    refused(&send(Some(good.clone()), &body).await, 400, "invalid_request");
    refused(&send(Some(good), &[("client_id", "other")]).await, 401, "invalid_client");
    refused(&send(None, &[]).await, 401, "invalid_client");
    refused(&send(None, &[("client_id", "client"), ("client_secret", "wrong")]).await, 401, "invalid_client");
    refused(&send(None, &[("client_id", "nobody"), ("client_secret", SECRET)]).await, 401, "invalid_client");
    let raw = format!("Basic {}", STANDARD.encode(format!("client:{SECRET}")));
    let answer = send(Some(raw), &[]).await;
    refused(&answer, 401, "invalid_client");
    assert!(answer.header("www-authenticate").starts_with("Basic "));
}

#[tokio::test]
async fn what_is_not_a_token_request_says_so() {
    let provider = Provider::new();
    refused(&provider.post("/token", &[]).await, 400, "invalid_request");
    refused(&provider.post("/token", &[("grant_type", "password")]).await, 400, "unsupported_grant_type");
    refused(&provider.post("/token", &[("grant_type", "refresh_token")]).await, 400, "invalid_request");
    let twice = [("grant_type", "refresh_token"), ("refresh_token", "a"), ("refresh_token", "b")];
    refused(&provider.post("/token", &twice).await, 400, "invalid_request");
    let json = crate::support::request("POST", "/token")
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, basic("client", SECRET));
    refused(&provider.send(json.body_of(&[])).await, 400, "invalid_request");
    let large = "x".repeat(70_000);
    refused(&provider.post("/token", &[("grant_type", &large)]).await, 400, "invalid_request");
    assert_eq!(provider.get("/token").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn refreshing_rotates_and_reuse_ends_the_family() {
    let provider = Provider::new();
    let bystander = provider.tokens("robin", ALL_SCOPES).await;
    let first = provider.tokens("robin", ALL_SCOPES).await;
    let second = tokens(&provider.refresh(&first.refresh).await);
    let third = tokens(&provider.refresh(&second.refresh).await);
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(provider.status_of(&first.access).await, 200, "an access token lives on until its end");
    refused(&provider.refresh(&first.refresh).await, 400, "invalid_grant");
    for dead in [&first.access, &second.access, &third.access] {
        assert_eq!(provider.status_of(dead).await, 401);
    }
    refused(&provider.refresh(&third.refresh).await, 400, "invalid_grant");
    assert_eq!(provider.demo.counts().reuses_detected, 1);
    assert_eq!(provider.status_of(&bystander.access).await, 200);
    assert_eq!(provider.refresh(&bystander.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_token_of_another_client_is_unknown_and_stays_alive() {
    let provider = Provider::new();
    let mine = provider.tokens("robin", "profile").await;
    let theft = [("grant_type", "refresh_token"), ("refresh_token", mine.refresh.as_str())];
    let request = form("/token").header(AUTHORIZATION, basic("other", SECRET));
    refused(&provider.send(request.body_of(&theft)).await, 400, "invalid_grant");
    assert_eq!(provider.refresh(&mine.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn refreshing_can_narrow_scopes_and_never_widen_them() {
    let provider = Provider::new();
    let first = provider.tokens("robin", "issues:read profile").await;
    let ask = async |token: &str, scope: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        provider.post("/token", &fields).await
    };
    refused(&ask(&first.refresh, "issues:write").await, 400, "invalid_scope");
    refused(&ask(&first.refresh, "nonsense").await, 400, "invalid_scope");
    let narrow = tokens(&ask(&first.refresh, "profile").await);
    assert_eq!(narrow.body["scope"], "profile");
    assert_eq!(provider.api("GET", "/api/issues", &narrow.access, None).await.status, 403);
    let whole = tokens(&provider.refresh(&narrow.refresh).await);
    assert_eq!(whole.body["scope"], "issues:read profile");
}

#[tokio::test]
async fn access_tokens_end_when_they_say_and_their_life_can_be_set() {
    let provider = Provider::new();
    let long = provider.tokens("robin", "profile").await;
    provider.demo.set_control(Control { access_token_seconds: Some(5), ..Control::default() }).unwrap();
    let short = provider.tokens("robin", "profile").await;
    assert_eq!(short.body["expires_in"], 5);
    assert_eq!(provider.status_of(&short.access).await, 200);
    provider.demo.advance(Duration::from_secs(5));
    assert_eq!(provider.status_of(&short.access).await, 401);
    assert_eq!(provider.status_of(&long.access).await, 200);
    provider.demo.advance(Duration::from_secs(295));
    assert_eq!(provider.status_of(&long.access).await, 401);
    assert_eq!(provider.refresh(&long.refresh).await.status, StatusCode::OK);
}

#[tokio::test]
async fn revoking_ends_an_access_token_alone_and_a_refresh_token_with_its_family() {
    let provider = Provider::new();
    let revoke = async |token: &str| provider.post("/revoke", &[("token", token)]).await;
    let first = provider.tokens("robin", "profile").await;
    assert_eq!(revoke(&first.access).await.status, StatusCode::OK);
    assert_eq!(provider.status_of(&first.access).await, 401);
    let second = tokens(&provider.refresh(&first.refresh).await);
    assert_eq!(revoke(&second.refresh).await.status, StatusCode::OK);
    assert_eq!(provider.status_of(&second.access).await, 401);
    refused(&provider.refresh(&second.refresh).await, 400, "invalid_grant");
    assert_eq!(revoke(&second.refresh).await.status, StatusCode::OK, "an unknown token is no error");
}

#[tokio::test]
async fn only_the_owner_revokes() {
    let provider = Provider::new();
    let mine = provider.tokens("robin", "profile").await;
    for token in [&mine.access, &mine.refresh] {
        let fields = [("token", token.as_str())];
        refused(&provider.send(form("/revoke").body_of(&fields)).await, 401, "invalid_client");
        let other = form("/revoke").header(AUTHORIZATION, basic("other", SECRET));
        assert_eq!(provider.send(other.body_of(&fields)).await.status, StatusCode::OK);
    }
    refused(&provider.post("/revoke", &[]).await, 400, "invalid_request");
    assert_eq!(provider.status_of(&mine.access).await, 200);
    assert_eq!(provider.refresh(&mine.refresh).await.status, StatusCode::OK);
}
