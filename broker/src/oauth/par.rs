//! Pushing the authorization request to the provider, so that the browser carries only a reference to it (RFC 9126).

use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::answer::{self, Answer};
use super::client::{self, Writing};
use super::error::Unusable;
use super::{Begun, Provider, TokenError};
use crate::egress::{Egress, TOTAL};

#[derive(Deserialize)]
struct Pushed {
    request_uri: String,
}

/// Pushes what [`begin`](super::begin) has built to `url`, and makes the address that the browser goes to instead.
///
/// # Errors
/// [`TokenError`]; nothing is asked of the user then.
pub async fn push(
    egress: &Egress,
    provider: &Provider,
    url: &Url,
    begun: Begun,
) -> Result<Begun, TokenError> {
    let parameters: Vec<(String, String)> = begun.authorize_url.query_pairs().into_owned().collect();
    let own = provider.oauth.habits.authorize_names.get("client_id").map_or("client_id", String::as_str);
    let pairs = parameters.iter().filter(|(name, _)| name != own).map(|(name, value)| (&**name, &**value));
    let outbound = client::pushed(provider, url, Writing::Form, pairs.collect(), TOTAL);
    let inbound = egress.send(outbound, &provider.hosts).await?;
    if !matches!(inbound.status, StatusCode::CREATED | StatusCode::OK) {
        return Err(answer::refusal(&Answer::from(&inbound), &provider.oauth.habits));
    }
    let pushed: Pushed = serde_json::from_slice(&inbound.body).map_err(|_| Unusable::Pushed)?;
    if pushed.request_uri.is_empty() || pushed.request_uri.len() > 2048 {
        return Err(Unusable::Pushed.into());
    }
    let mut authorize_url = begun.authorize_url;
    authorize_url
        .query_pairs_mut()
        .clear()
        .append_pair(own, &provider.client_id)
        .append_pair("request_uri", &pushed.request_uri);
    Ok(Begun { authorize_url, verifier: begun.verifier })
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use serde_json::json;

    use super::*;
    use crate::egress::testing::{Scripted, loopback};
    use crate::oauth::begin;
    use crate::oauth::testing::provider;
    use crate::random::Random;

    #[tokio::test]
    async fn the_browser_carries_a_reference_only() {
        let server = Scripted::start(|_| {
            (
                StatusCode::CREATED,
                Json(json!({"request_uri": "urn:ietf:params:oauth:request_uri:x", "expires_in": 60})),
            )
        })
        .await;
        let provider = provider(&server);
        let begun = begin(&provider, "the-state", &Random::system()).unwrap();
        let pushed = push(&loopback(), &provider, &server.at("/par"), begun).await.unwrap();
        let query: Vec<(String, String)> = pushed.authorize_url.query_pairs().into_owned().collect();
        let expected = [("client_id", "client:1"), ("request_uri", "urn:ietf:params:oauth:request_uri:x")];
        assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(pushed.verifier.is_some());
        let seen = server.seen().remove(0);
        let form = seen.form();
        for name in ["state", "code_challenge", "redirect_uri", "scope", "response_type"] {
            assert!(form.iter().any(|(known, _)| known == name), "{name} is not in {form:?}");
        }
        assert!(seen.header("authorization").is_some_and(|value| value.starts_with("Basic ")));
    }

    #[tokio::test]
    async fn a_request_that_is_refused_leads_nowhere() {
        let no = (StatusCode::BAD_REQUEST, r#"{"error": "invalid_scope"}"#);
        for answer in [no, (StatusCode::CREATED, "{}"), (StatusCode::CREATED, r#"{"request_uri": ""}"#)] {
            let server = Scripted::start(move |_| answer).await;
            let provider = provider(&server);
            let begun = begin(&provider, "the-state", &Random::system()).unwrap();
            assert!(push(&loopback(), &provider, &server.at("/par"), begun).await.is_err(), "{answer:?}");
        }
    }
}
