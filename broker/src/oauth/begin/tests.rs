use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::*;
use crate::egress::testing::Scripted;
use crate::oauth::testing::{provider, provider_with};

const STATE: &str = "c3RhdGUtb2YtMTI4LWJpdHM";

async fn plain() -> Provider {
    provider(&Scripted::start(|_| "").await)
}

/// The query as pairs; a name that comes twice is a failure.
fn query(url: &Url) -> HashMap<String, String> {
    let mut query = HashMap::new();
    for (name, value) in url.query_pairs() {
        assert!(query.insert(name.to_string(), value.to_string()).is_none(), "{name} comes twice");
    }
    query
}

#[tokio::test]
async fn asks_with_state_exact_redirect_and_s256() {
    let begun = begin(&plain().await, STATE, &Random::system()).unwrap();
    let query = query(&begun.authorize_url);
    let verifier = begun.verifier.unwrap();
    assert!(verifier.expose().len() >= 43);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()));
    let expected = [
        ("response_type", "code"),
        ("client_id", "client:1"),
        ("redirect_uri", "http://localhost:8080/oauth/callback/ctx1"),
        ("state", STATE),
        ("scope", "read write:all"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_eq!(begun.authorize_url.path(), "/authorize");
}

#[tokio::test]
async fn every_flow_has_a_verifier_of_its_own() {
    let provider = plain().await;
    let verifier = || begin(&provider, STATE, &Random::system()).unwrap().verifier.unwrap();
    assert_ne!(verifier().expose(), verifier().expose());
}

#[tokio::test]
async fn quirks_are_data() {
    let server = Scripted::start(|_| "").await;
    let quirks = "pkce = false\nscope_separator = ','\n\
                  authorize_params = { access_type = 'offline', prompt = 'a&b=c' }";
    let mut provider = provider_with(&server, quirks);
    provider.oauth.authorize_url.as_mut().unwrap().set_query(Some("tenant=t%201"));
    let begun = begin(&provider, STATE, &Random::system()).unwrap();
    let query = query(&begun.authorize_url);
    assert!(begun.verifier.is_none());
    assert!(!query.contains_key("code_challenge"));
    assert_eq!(query["scope"], "read,write:all");
    assert_eq!((query["access_type"].as_str(), query["prompt"].as_str()), ("offline", "a&b=c"));
    assert_eq!(query["tenant"], "t 1");

    provider.scopes.clear();
    let begun = begin(&provider, STATE, &Random::system()).unwrap();
    assert!(!begun.authorize_url.query_pairs().any(|(name, _)| name == "scope"));
}

#[tokio::test]
async fn the_query_of_the_authorize_url_cannot_weaken_the_flow() {
    let mut provider = plain().await;
    let evil: String = reserved::AUTHORIZE.iter().map(|name| format!("{name}=evil&")).collect();
    provider.oauth.authorize_url.as_mut().unwrap().set_query(Some(&format!("{evil}keep=1")));
    let query = query(&begin(&provider, STATE, &Random::system()).unwrap().authorize_url);
    assert!(!query.values().any(|value| value == "evil"), "{query:?}");
    assert_eq!((query["state"].as_str(), query["code_challenge_method"].as_str()), (STATE, "S256"));
    assert_eq!(query["keep"], "1");
}

#[tokio::test]
async fn parameters_go_by_the_providers_names() {
    let server = Scripted::start(|_| "").await;
    let names = "authorize_names = { client_id = 'client_key', scope = 'user_scope' }\nscope_separator = ','";
    let query =
        query(&begin(&provider_with(&server, names), STATE, &Random::system()).unwrap().authorize_url);
    assert_eq!((query["client_key"].as_str(), query["user_scope"].as_str()), ("client:1", "read,write:all"));
    assert!(!query.contains_key("client_id") && !query.contains_key("scope"));
    assert_eq!(query["state"], STATE);
}
