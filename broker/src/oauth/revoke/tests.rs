use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::StatusCode;

use super::*;
use crate::egress::testing::{Scripted, loopback};
use crate::oauth::testing::{REVOKE, provider, provider_with, secret};

async fn outcome_of(provider: &Provider) -> RevokeOutcome {
    revoke(&loopback(), provider, &secret("the-token"), TokenKind::RefreshToken).await
}

#[tokio::test]
async fn revokes_as_rfc_7009_says() {
    let server = Scripted::start(|_| "").await;
    assert_eq!(outcome_of(&provider(&server)).await, RevokeOutcome::Revoked);
    let seen = server.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/revoke"));
    assert_eq!(seen.body, "token=the-token&token_type_hint=refresh_token");
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    let basic = BASE64_STANDARD.encode("client%3A1:s3cret+%25%2B");
    assert_eq!(seen.header("authorization"), Some(format!("Basic {basic}").as_str()));
}

#[tokio::test]
async fn revokes_in_a_providers_own_way() {
    let server = Scripted::start(|_| StatusCode::NO_CONTENT).await;
    let odd = "revoke = { method = 'DELETE', url = '{SITE}/applications/{client_id}/token', body = 'json', \
               params = { access_token = '{token}' } }";
    assert_eq!(outcome_of(&provider_with(&server, odd)).await, RevokeOutcome::Revoked);
    let seen = server.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("DELETE", "/applications/client%3A1/token"));
    assert_eq!(seen.body, r#"{"access_token":"the-token"}"#);
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let basic = BASE64_STANDARD.encode("client%3A1:s3cret+%25%2B");
    assert_eq!(seen.header("authorization"), Some(format!("Basic {basic}").as_str()));

    let plain = "token=the-token&token_type_hint=refresh_token";
    let body = format!("{plain}&client_id=client%3A1&client_secret=s3cret+%25%2B");
    for (auth, header, body) in [
        ("auth = 'bearer'", Some("Bearer the-token"), plain),
        ("auth = 'bearer', body = 'none'", Some("Bearer the-token"), ""),
        ("auth = 'none'", None, plain),
        ("auth = 'body'", None, body.as_str()),
    ] {
        let provider = provider_with(&server, &REVOKE.replace(" }", &format!(", {auth} }}")));
        assert_eq!(outcome_of(&provider).await, RevokeOutcome::Revoked);
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.header("authorization"), seen.body.as_str()), (header, body), "{auth}");
        assert_eq!(seen.header("content-type").is_some(), !body.is_empty(), "{auth}");
    }
}

#[tokio::test]
async fn only_the_listed_kinds_of_tokens_are_sent() {
    let server = Scripted::start(|_| "").await;
    let provider = provider_with(&server, &REVOKE.replace(" }", ", tokens = ['access_token'] }"));
    assert_eq!(outcome_of(&provider).await, RevokeOutcome::Unsupported);
    assert!(server.seen().is_empty());
    let outcome = revoke(&loopback(), &provider, &secret("the-token"), TokenKind::AccessToken).await;
    assert_eq!(outcome, RevokeOutcome::Revoked);
    assert_eq!(server.seen()[0].body, "token=the-token&token_type_hint=access_token");
}

#[tokio::test]
async fn a_public_client_has_no_secret_to_send() {
    let server = Scripted::start(|_| "").await;
    let mut provider = provider_with(&server, &REVOKE.replace(" }", ", auth = 'body' }"));
    provider.client_secret = None;
    assert_eq!(outcome_of(&provider).await, RevokeOutcome::Revoked);
    let body = "token=the-token&token_type_hint=refresh_token&client_id=client%3A1";
    assert_eq!(server.seen()[0].body, body);
}

#[tokio::test]
async fn says_how_it_ended() {
    let refusing = Scripted::start(|_| StatusCode::NOT_FOUND).await;
    assert_eq!(outcome_of(&provider(&refusing)).await, RevokeOutcome::Refused { status: 404 });
    let busy = Scripted::start(|_| (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "3")])).await;
    let retry_after = Some(Duration::from_secs(3));
    assert_eq!(outcome_of(&provider(&busy)).await, RevokeOutcome::Transient { retry_after });

    let mut odd = provider(&busy);
    odd.hosts = crate::egress::AllowedHosts::default();
    assert_eq!(outcome_of(&odd).await, RevokeOutcome::NotSent);
    odd.oauth.revoke = None;
    assert_eq!(outcome_of(&odd).await, RevokeOutcome::Unsupported);
}

#[tokio::test]
async fn a_success_that_says_no_is_a_refusal() {
    let server = Scripted::start(|_| r#"{"ok": false, "error": "invalid_auth"}"#).await;
    assert_eq!(outcome_of(&provider(&server)).await, RevokeOutcome::Refused { status: 200 });
    let server = Scripted::start(|_| r#"{"ok": true, "revoked": true}"#).await;
    assert_eq!(outcome_of(&provider(&server)).await, RevokeOutcome::Revoked);
}

#[tokio::test]
async fn each_of_several_tokens_is_revoked() {
    let server = Scripted::start(|seen| {
        let status = if seen.body.contains("token=two") { StatusCode::FORBIDDEN } else { StatusCode::OK };
        (status, "")
    })
    .await;
    let several = format!("{REVOKE}\nmore_tokens = {{ user = '/user', other = '/other' }}");
    let record = secret(r#"{"tokens": {"": {"a": "one"}, "other": {"a": "two"}, "user": {"a": "three"}}}"#);
    let outcome =
        revoke(&loopback(), &provider_with(&server, &several), &record, TokenKind::AccessToken).await;
    assert_eq!((server.seen().len(), outcome), (3, RevokeOutcome::Refused { status: 403 }));
}
