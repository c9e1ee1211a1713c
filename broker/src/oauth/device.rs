//! Signing in on another page, with a code that the user types there (RFC 8628).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::answer::{self, Answer};
use super::client::{self, Writing};
use super::error::Unusable;
use super::token::{self, Step};
use super::{Provider, TokenError, Tokens};
use crate::egress::{Egress, TOTAL};
use crate::vault::SecretString;

/// Section 3.2: what counts where the provider does not say how often it may be asked, in seconds.
const INTERVAL: u64 = 5;
/// Longest interval, in seconds.
const MAX_INTERVAL: u64 = 300;
/// Section 3.5: how much more slowly to ask, in seconds.
const SLOWER: u64 = 5;
/// Longest code that a user is asked to type.
const MAX_CODE: usize = 64;

/// A device flow under way. It holds a secret: it is stored sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Device {
    /// What the provider is asked with.
    device_code: String,
    /// What the user types.
    pub user_code: String,
    /// Where the user types it.
    pub verification_uri: Url,
    /// The same address with the code in it, where the provider has one.
    pub complete_uri: Option<Url>,
    /// Seconds between two questions.
    pub interval: u64,
}

/// What came of asking once.
pub enum Polled {
    /// The user has allowed it.
    Done(Tokens),
    /// Not yet.
    Pending,
    /// Not yet, and the provider is to be asked more slowly from now on.
    Slower,
}

impl Device {
    /// Asks more slowly from now on.
    pub fn slow_down(&mut self) {
        self.interval = (self.interval + SLOWER).min(MAX_INTERVAL);
    }
}

/// Asks for the codes (RFC 8628 section 3.1).
///
/// # Errors
/// [`TokenError`], also where the answer lacks a code or names an address that no user should be sent to.
pub async fn begin(egress: &Egress, provider: &Provider, url: &Url) -> Result<Device, TokenError> {
    let scopes = provider.scopes.join(&provider.oauth.habits.scope_separator);
    let mut pairs = vec![("client_id", provider.client_id.as_str())];
    if !scopes.is_empty() {
        pairs.push(("scope", &scopes));
    }
    let outbound = client::outbound(provider, url, Writing::Form, pairs, TOTAL);
    let inbound = egress.send(outbound, &provider.hosts).await?;
    let answer = Answer::from(&inbound);
    if inbound.status != StatusCode::OK {
        return Err(answer::refusal(&answer, &provider.oauth.habits));
    }
    let fields: Map<String, Value> =
        serde_json::from_slice(&inbound.body).map_err(|_| Unusable::NotAnObject)?;
    read(egress, &fields).ok_or(TokenError::Unusable(Unusable::Device))
}

fn read(egress: &Egress, fields: &Map<String, Value>) -> Option<Device> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let address = |name: &str| Url::parse(text(name)?).ok().filter(|url| egress.vet_url(url).is_ok());
    let plain =
        |code: &&str| code.len() <= MAX_CODE && code.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    // Google has called the address otherwise since before the RFC.
    let verification_uri = address("verification_uri").or_else(|| address("verification_url"))?;
    Some(Device {
        device_code: text("device_code")?.to_owned(),
        user_code: text("user_code").filter(plain)?.to_owned(),
        verification_uri,
        complete_uri: address("verification_uri_complete"),
        interval: fields.get("interval").and_then(Value::as_u64).unwrap_or(INTERVAL).clamp(1, MAX_INTERVAL),
    })
}

/// Asks whether the user has allowed it (RFC 8628 section 3.4). The caller keeps to the interval.
///
/// # Errors
/// [`TokenError`]; then the flow is over.
pub async fn poll(egress: &Egress, provider: &Provider, device: &Device) -> Result<Polled, TokenError> {
    let code = SecretString::new(device.device_code.clone());
    let pairs =
        vec![("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code.expose())];
    let answered = token::ask(egress, provider, Step::Exchange, pairs).await;
    match answered.and_then(|answered| token::read(provider, &answered)) {
        Ok(tokens) => Ok(Polled::Done(tokens)),
        Err(TokenError::Denied { code, .. }) if code == "authorization_pending" => Ok(Polled::Pending),
        // `slow_down`, and section 3.5: a timeout is a reason to ask more slowly, too.
        Err(TokenError::Transient { .. } | TokenError::InDoubt(_) | TokenError::NotSent(_)) => {
            Ok(Polled::Slower)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::response::{IntoResponse, Response};
    use serde_json::json;

    use super::*;
    use crate::egress::testing::{Scripted, Seen, loopback};
    use crate::oauth::testing::provider;

    fn answer(seen: &Seen) -> Response {
        let code = seen.form().into_iter().find(|(name, _)| name == "device_code").map(|(_, value)| value);
        let no = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response();
        match code.as_deref() {
            None => Json(json!({"device_code": "dc", "user_code": "WDJB-MJHT", "expires_in": 900,
                "verification_uri": "https://id.test/device", "verification_uri_complete": "javascript:1"}))
            .into_response(),
            Some("dc") => Json(json!({"access_token": "at", "token_type": "bearer"})).into_response(),
            Some(error) => no(error),
        }
    }

    #[tokio::test]
    async fn codes_are_asked_for_and_polled_with() {
        let server = Scripted::start(answer).await;
        let provider = provider(&server);
        let device = begin(&loopback(), &provider, &server.at("/device")).await.unwrap();
        assert_eq!((device.user_code.as_str(), device.interval), ("WDJB-MJHT", 5));
        assert_eq!(device.complete_uri, None, "an address that no user should be sent to");
        let form = server.seen()[0].form();
        assert!(form.contains(&("scope".into(), "read write:all".into())), "{form:?}");
        let Ok(Polled::Done(tokens)) = poll(&loopback(), &provider, &device).await else {
            panic!("not done")
        };
        assert_eq!(tokens.access_token.expose(), "at");
    }

    #[tokio::test]
    async fn what_is_not_over_goes_on_and_what_is_over_ends() {
        let server = Scripted::start(answer).await;
        let provider = provider(&server);
        let mut device = begin(&loopback(), &provider, &server.at("/device")).await.unwrap();
        device.device_code = "authorization_pending".into();
        assert!(matches!(poll(&loopback(), &provider, &device).await, Ok(Polled::Pending)));
        device.device_code = "slow_down".into();
        assert!(matches!(poll(&loopback(), &provider, &device).await, Ok(Polled::Slower)));
        device.slow_down();
        assert_eq!(device.interval, 10);
        for over in ["access_denied", "expired_token", "invalid_grant"] {
            device.device_code = over.into();
            assert!(poll(&loopback(), &provider, &device).await.is_err(), "{over}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_codes_or_with_a_foreign_address_is_refused() {
        for body in [
            json!({}),
            json!({"device_code": "dc", "user_code": "A", "verification_uri": "http://id.test"}),
            json!({"device_code": "dc", "user_code": "A\u{202e}", "verification_uri": "https://id.test"}),
            json!({"device_code": "", "user_code": "A", "verification_uri": "https://id.test"}),
        ] {
            let server = Scripted::start(move |_| Json(body.clone())).await;
            let error = begin(&loopback(), &provider(&server), &server.at("/device")).await.err().unwrap();
            assert_eq!(error, TokenError::Unusable(Unusable::Device));
        }
    }
}
