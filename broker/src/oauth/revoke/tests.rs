use http::{Method, StatusCode};

use super::*;
use crate::egress::testing::{Scripted, loopback};
use crate::oauth::testing::{provider, secret};

async fn outcome_of(provider: &Provider) -> RevokeOutcome {
    revoke(&loopback(), provider, &secret("the-token"), TokenHint::RefreshToken).await
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
    let mut provider = provider(&server);
    provider.revoke = Some(Revoke {
        method: Method::DELETE,
        url: server.at("/applications/client/token"),
        auth: RevokeAuth::Basic,
        body: TokenBody::Json,
        token_field: "access_token".into(),
    });
    assert_eq!(outcome_of(&provider).await, RevokeOutcome::Revoked);
    let seen = server.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.body.as_str()), ("DELETE", r#"{"access_token":"the-token"}"#));

    for (auth, header, body) in [
        (RevokeAuth::Bearer, Some("Bearer the-token"), "token=the-token&token_type_hint=refresh_token"),
        (RevokeAuth::None, None, "token=the-token&token_type_hint=refresh_token"),
        (
            RevokeAuth::Body,
            None,
            "token=the-token&token_type_hint=refresh_token&client_id=client%3A1&client_secret=s3cret+%25%2B",
        ),
    ] {
        let url = server.at("/revoke");
        let revoke =
            Revoke { method: Method::POST, url, auth, body: TokenBody::Form, token_field: "token".into() };
        provider.revoke = Some(revoke);
        assert_eq!(outcome_of(&provider).await, RevokeOutcome::Revoked);
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.header("authorization"), seen.body.as_str()), (header, body), "{auth:?}");
    }
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
    odd.revoke = None;
    assert_eq!(outcome_of(&odd).await, RevokeOutcome::Unsupported);
}
