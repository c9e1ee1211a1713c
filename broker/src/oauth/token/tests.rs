use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use url::Url;

use super::*;
use crate::egress::testing::{Canary, Scripted, Seen, loopback};
use crate::egress::{NotSent, Policy, Unknown};
use crate::oauth::begin;
use crate::oauth::error::Unusable;
use crate::oauth::held;
use crate::oauth::testing::{provider, provider_with, secret};
use crate::random::Random;
use crate::toolkit::{ClientAuth, TokenBody};

fn granted(_: &Seen) -> Json<Value> {
    Json(
        json!({"access_token": "at", "token_type": "Bearer", "refresh_token": "rt2", "expires_in": 60, "scope": "a,b"}),
    )
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    pairs.sort();
    pairs
}

fn sorted_form(seen: &Seen) -> Vec<(String, String)> {
    let mut form = seen.form();
    form.sort();
    form
}

async fn refresh_at(server: &Scripted) -> Result<Tokens, TokenError> {
    refresh(&loopback(), &provider(server), &secret("rt1")).await
}

#[tokio::test]
async fn exchanges_a_code_with_its_verifier() {
    let server = Scripted::start(granted).await;
    let provider = provider(&server);
    let verifier = begin(&provider, "state", &Random::system()).unwrap().verifier;
    let tokens = exchange(&loopback(), &provider, &secret("the code"), verifier.as_ref()).await.unwrap();
    assert_eq!(tokens.access_token.expose(), "at");
    assert_eq!(tokens.refresh_token.as_ref().unwrap().expose(), "rt2");
    assert_eq!((tokens.expires_in, tokens.token_type), (Some(60), "bearer"));
    assert_eq!(tokens.scopes, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert!(!format!("{tokens:?}").contains("rt2"));

    let seen = server.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/token"));
    assert_eq!(seen.header("accept"), Some("application/json"));
    let expected = [
        ("grant_type", "authorization_code"),
        ("code", "the code"),
        ("code_verifier", verifier.as_ref().unwrap().expose()),
        ("redirect_uri", "http://localhost:8080/oauth/callback/ctx1"),
    ];
    assert_eq!(sorted_form(&seen), pairs(expected));
    // RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
    let basic = BASE64_STANDARD.encode("client%3A1:s3cret+%25%2B");
    assert_eq!(seen.header("authorization"), Some(format!("Basic {basic}").as_str()));
}

#[tokio::test]
async fn refreshes_without_asking_for_scopes() {
    let server = Scripted::start(granted).await;
    assert_eq!(refresh_at(&server).await.unwrap().access_token.expose(), "at");
    let expected = pairs([("grant_type", "refresh_token"), ("refresh_token", "rt1")]);
    assert_eq!(sorted_form(&server.seen()[0]), expected);
}

#[tokio::test]
async fn client_in_the_body_and_json_and_extra_parameters_are_data() {
    let server = Scripted::start(|_| Json(json!({"data": {"access_token": "nested"}}))).await;
    let quirks = "token_params = { resource = 'r&1' }\ntoken_pointer = '/data'";
    let mut provider = provider_with(&server, quirks);
    Arc::make_mut(&mut provider.oauth.habits).client_auth = ClientAuth::Body;
    let tokens = refresh(&loopback(), &provider, &secret("rt1")).await.unwrap();
    assert_eq!(tokens.access_token.expose(), "nested");
    assert!(tokens.refresh_token.is_none() && tokens.scopes.is_none() && tokens.expires_in.is_none());
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "rt1"),
        ("client_id", "client:1"),
        ("client_secret", "s3cret %+"),
        ("resource", "r&1"),
    ];
    let seen = server.seen().remove(0);
    assert_eq!((sorted_form(&seen), seen.header("authorization")), (pairs(fields), None));

    Arc::make_mut(&mut provider.oauth.habits).token_body = TokenBody::Json;
    refresh(&loopback(), &provider, &secret("rt1")).await.unwrap();
    let seen = server.seen().remove(1);
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let object: Value = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    assert_eq!(serde_json::from_str::<Value>(&seen.body).unwrap(), object);
}

#[tokio::test]
async fn a_public_client_names_itself_in_the_body() {
    let server = Scripted::start(granted).await;
    let mut provider = provider(&server);
    provider.client_secret = None;
    refresh(&loopback(), &provider, &secret("rt1")).await.unwrap();
    let seen = server.seen().remove(0);
    assert_eq!(seen.header("authorization"), None);
    assert!(seen.form().contains(&("client_id".into(), "client:1".into())));
}

#[tokio::test]
async fn answers_with_an_error() {
    let grant = Scripted::start(|_| (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})))).await;
    assert_eq!(refresh_at(&grant).await.unwrap_err(), TokenError::InvalidGrant);
    let hidden = Scripted::start(|_| Json(json!({"error": "invalid_client"}))).await;
    assert_eq!(refresh_at(&hidden).await.unwrap_err(), TokenError::InvalidClient);
    let busy = Scripted::start(|_| (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "7")], "")).await;
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(refresh_at(&busy).await.unwrap_err(), TokenError::Transient { retry_after });
    let forever =
        Scripted::start(|_| (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "99999999999")], "")).await;
    let retry_after = Some(Duration::from_secs(24 * 60 * 60));
    assert_eq!(refresh_at(&forever).await.unwrap_err(), TokenError::Transient { retry_after });
}

#[tokio::test]
async fn answers_without_a_usable_token() {
    let large = Scripted::start(|_| "x".repeat(2 * 1024 * 1024)).await;
    assert_eq!(refresh_at(&large).await.unwrap_err(), TokenError::Unusable(Unusable::TooLarge));
    let huge = Scripted::start(|_| vec![b'x'; crate::egress::MAX_BODY + 1]).await;
    assert_eq!(refresh_at(&huge).await.unwrap_err(), TokenError::Unusable(Unusable::TooLarge));
    let page = Scripted::start(|_| axum::response::Html("<h1>Sign in</h1>")).await;
    assert_eq!(refresh_at(&page).await.unwrap_err(), TokenError::Unusable(Unusable::Html));
    let mac = Scripted::start(|_| Json(json!({"access_token": "at", "token_type": "mac"}))).await;
    assert_eq!(refresh_at(&mac).await.unwrap_err(), TokenError::Unusable(Unusable::TokenType));
}

#[tokio::test]
async fn a_redirect_never_carries_the_credentials_on() {
    let canary = Canary::start().await;
    let target = format!("http://127.0.0.1:{}/token", canary.port());
    let location = target.clone();
    let server =
        Scripted::start(move |_| (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location.clone())])).await;
    let mut provider = provider(&server);
    provider.hosts.allow(&target.parse().unwrap());
    let error = refresh(&loopback(), &provider, &secret("rt1")).await.unwrap_err();
    assert_eq!(error, TokenError::Unusable(Unusable::Redirect));
    assert_eq!(canary.connects().await, 0);
}

#[tokio::test]
async fn not_sent_and_in_doubt_are_told_apart() {
    let server = Scripted::start(granted).await;
    let strict = Egress::new(Policy::default()).unwrap();
    let error = refresh(&strict, &provider(&server), &secret("rt1")).await.unwrap_err();
    assert!(matches!(error, TokenError::NotSent(_)), "{error}");
    assert!(server.seen().is_empty());

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let token_url: Url = format!("http://{}/token", listener.local_addr().unwrap()).parse().unwrap();
    let mut provider = provider(&server);
    provider.hosts.allow(&token_url);
    provider.oauth.refresh_url = token_url;
    let hang_up = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
    });
    let error = refresh(&loopback(), &provider, &secret("rt1")).await.unwrap_err();
    assert_eq!(error, TokenError::InDoubt(crate::egress::EgressError::Unknown(Unknown::Broken)));
    hang_up.await.unwrap();

    let error = refresh(&loopback(), &provider, &secret("rt1")).await.unwrap_err();
    assert_eq!(error, TokenError::NotSent(crate::egress::EgressError::NotSent(NotSent::Connect)));
}

#[tokio::test]
async fn an_endpoint_outside_the_toolkits_hosts_gets_nothing() {
    let canary = Canary::start().await;
    let server = Scripted::start(granted).await;
    let mut provider = provider(&server);
    provider.oauth.token_url = format!("http://127.0.0.1:{}/token", canary.port()).parse().unwrap();
    let error = exchange(&loopback(), &provider, &secret("code"), None).await.unwrap_err();
    assert!(matches!(error, TokenError::NotSent(_)), "{error}");
    assert_eq!(canary.connects().await, 0);
}

#[tokio::test]
async fn basic_comes_in_three_kinds() {
    let server = Scripted::start(granted).await;
    let mut provider = provider(&server);
    for (kind, pair) in [
        (ClientAuth::Basic, "client%3A1:s3cret+%25%2B"),
        (ClientAuth::BasicRaw, "client:1:s3cret %+"),
        (ClientAuth::BasicSecret, "s3cret %+:"),
    ] {
        Arc::make_mut(&mut provider.oauth.habits).client_auth = kind;
        refresh(&loopback(), &provider, &secret("rt1")).await.unwrap();
        let seen = server.seen().pop().unwrap();
        let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
        assert_eq!(seen.header("authorization"), Some(basic.as_str()), "{kind:?}");
        assert!(!seen.body.contains("client"), "{kind:?}: {}", seen.body);
    }
}

#[tokio::test]
async fn parameters_go_by_the_providers_names() {
    let server = Scripted::start(granted).await;
    let names = "token_names = { client_id = 'client_key', client_secret = 'secret', code = 'auth_code' }";
    let mut provider = provider_with(&server, names);
    Arc::make_mut(&mut provider.oauth.habits).client_auth = ClientAuth::Body;
    exchange(&loopback(), &provider, &secret("the code"), None).await.unwrap();
    let expected = [
        ("grant_type", "authorization_code"),
        ("auth_code", "the code"),
        ("redirect_uri", "http://localhost:8080/oauth/callback/ctx1"),
        ("client_key", "client:1"),
        ("secret", "s3cret %+"),
    ];
    assert_eq!(sorted_form(&server.seen()[0]), pairs(expected));
}

#[tokio::test]
async fn a_refresh_may_have_a_place_of_its_own() {
    let server = Scripted::start(granted).await;
    let provider = provider_with(&server, "refresh = { url = '{SITE}/oauth/refresh' }");
    refresh(&loopback(), &provider, &secret("rt1")).await.unwrap();
    exchange(&loopback(), &provider, &secret("code"), None).await.unwrap();
    let paths: Vec<String> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/oauth/refresh", "/token"]);
}

#[tokio::test]
async fn an_access_token_may_be_what_is_refreshed_with() {
    let server = Scripted::start(|_| Json(json!({"access_token": "at2", "expires_in": 60}))).await;
    let way = "refresh = { url = '{SITE}/refresh_access_token', method = 'GET', grant_type = 'ig_refresh_token', \
               token = 'access_token', parameter = 'access_token' }";
    let provider = provider_with(&server, way);
    let first = exchange(&loopback(), &provider, &secret("code"), None).await.unwrap();
    assert_eq!(first.refresh_token.as_ref().unwrap().expose(), "at2");
    refresh(&loopback(), &provider, &secret("at1 &")).await.unwrap();
    let seen = server.seen().remove(1);
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.body.as_str()),
        ("GET", "/refresh_access_token?grant_type=ig_refresh_token&access_token=at1+%26", "")
    );
}

/// Slack's way: a bot's token in the answer, a user's in a part of it, each with a refresh token of its own.
const TWO: &str = "more_tokens = { user = '/authed_user' }\nscope_separator = ','";

fn two(bot: &str, user: &str) -> Value {
    json!({"ok": true, "access_token": bot, "token_type": "bot", "scope": "chat:write,users:read",
        "refresh_token": "rb1", "expires_in": 43_200,
        "authed_user": {"id": "U1", "access_token": user, "token_type": "user", "scope": "search:read",
            "refresh_token": "ru1", "expires_in": 43_100}})
}

fn token_of(provider: &Provider, tokens: &Tokens, name: Option<&str>) -> String {
    held::token(&provider.oauth.habits, &tokens.access_token, name).unwrap().expose().to_owned()
}

#[tokio::test]
async fn two_tokens_come_with_one_consent_and_are_refreshed_each() {
    let server = Scripted::start(|seen| {
        let form = seen.form();
        let refresh = form.iter().find(|(name, _)| name == "refresh_token").map(|(_, value)| value.as_str());
        Json(match refresh {
            None => two("xoxb-1", "xoxp-1"),
            // Each token's answer stands alone.
            Some("rb1") => json!({"ok": true, "access_token": "xoxb-2", "refresh_token": "rb2", "expires_in": 43_200, "token_type": "bot"}),
            Some("ru1") => json!({"ok": true, "access_token": "xoxp-2", "refresh_token": "ru2", "expires_in": 43_200, "token_type": "user"}),
            Some(_) => json!({"ok": false, "error": "invalid_refresh_token"}),
        })
    })
    .await;
    let provider = provider_with(&server, TWO);
    let first = exchange(&loopback(), &provider, &secret("code"), None).await.unwrap();
    assert_eq!(
        (token_of(&provider, &first, None), token_of(&provider, &first, Some("user"))),
        ("xoxb-1".into(), "xoxp-1".into())
    );
    assert_eq!(first.expires_in, Some(43_100));
    assert_eq!(first.scopes.as_deref().unwrap(), ["chat:write", "users:read", "search:read"]);
    let record = first.refresh_token.unwrap();
    let second = refresh(&loopback(), &provider, &record).await.unwrap();
    assert_eq!(
        (token_of(&provider, &second, None), token_of(&provider, &second, Some("user"))),
        ("xoxb-2".into(), "xoxp-2".into())
    );
    assert!(
        refresh(&loopback(), &provider, &second.refresh_token.unwrap())
            .await
            .is_err_and(|error| error == TokenError::InvalidGrant)
    );
}

#[tokio::test]
async fn a_token_that_has_a_successor_is_not_lost_when_another_fails() {
    let server = Scripted::start(|seen| {
        if seen.body.contains("=rb1") {
            (StatusCode::OK, Json(json!({"ok": true, "access_token": "xoxb-2", "refresh_token": "rb2", "expires_in": 43_200})))
        } else if seen.body.contains("=ru1") {
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})))
        } else {
            (StatusCode::OK, Json(two("xoxb-1", "xoxp-1")))
        }
    })
    .await;
    let provider = provider_with(&server, TWO);
    let record =
        exchange(&loopback(), &provider, &secret("code"), None).await.unwrap().refresh_token.unwrap();
    let after = refresh(&loopback(), &provider, &record).await.unwrap();
    assert_eq!(
        (token_of(&provider, &after, None), token_of(&provider, &after, Some("user"))),
        ("xoxb-2".into(), "xoxp-1".into())
    );
    assert_eq!(after.expires_in, Some(60));
    let text = after.refresh_token.unwrap();
    assert!(text.expose().contains("rb2") && text.expose().contains("ru1"));
}
