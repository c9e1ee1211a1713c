//! Requests in which our client proves itself to a provider.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::Provider;
use crate::egress::Outbound;
use crate::toolkit::{ClientAuth, TokenBody};

/// The parameters of a request, some of them secrets.
pub(super) type Pairs<'a> = Vec<(&'a str, &'a str)>;

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    Form,
    Json,
    Query,
}

impl From<TokenBody> for Writing {
    fn from(body: TokenBody) -> Self {
        match body {
            TokenBody::Form => Self::Form,
            TokenBody::Json => Self::Json,
        }
    }
}

/// A request of our client: the parameters under the names that the provider has for them, and the proof.
pub(super) fn outbound(
    provider: &Provider,
    url: &Url,
    writing: Writing,
    pairs: Pairs<'_>,
    timeout: Duration,
) -> Outbound {
    let habits = &provider.oauth.habits;
    let name = |standard: &str| habits.token_names.get(standard).map_or(standard, String::as_str).to_owned();
    prove(provider, url, writing, pairs, name, timeout)
}

/// A request of our client whose parameters have the names that the provider's authorization requests have.
pub(super) fn pushed(
    provider: &Provider,
    url: &Url,
    writing: Writing,
    pairs: Pairs<'_>,
    timeout: Duration,
) -> Outbound {
    prove(provider, url, writing, pairs, str::to_owned, timeout)
}

fn prove(
    provider: &Provider,
    url: &Url,
    writing: Writing,
    pairs: Pairs<'_>,
    name: impl Fn(&str) -> String,
    timeout: Duration,
) -> Outbound {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let mut all = pairs;
    match proof(provider) {
        Some(header) => {
            headers.insert(AUTHORIZATION, header);
        }
        None => {
            if !all.iter().any(|(name, _)| *name == "client_id") {
                all.push(("client_id", &provider.client_id));
            }
            all.extend(provider.client_secret.as_ref().map(|secret| ("client_secret", secret.expose())));
        }
    }
    let named = all.iter().map(|(standard, value)| (name(standard), *value));
    write(url, writing, headers, &named.collect::<Vec<_>>(), timeout)
}

fn write(
    url: &Url,
    writing: Writing,
    mut headers: HeaderMap,
    pairs: &[(String, &str)],
    timeout: Duration,
) -> Outbound {
    let mut url = url.clone();
    let form = || form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let (method, content_type, bytes) = match writing {
        Writing::Query => {
            url.query_pairs_mut().extend_pairs(pairs);
            return Outbound { method: Method::GET, url, headers, body: Bytes::new(), timeout };
        }
        Writing::Form => (Method::POST, "application/x-www-form-urlencoded", form()),
        Writing::Json => {
            let fields = pairs.iter().map(|(name, value)| (name.clone(), (*value).into()));
            (Method::POST, "application/json", serde_json::Value::Object(fields.collect()).to_string())
        }
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // As the owner of its bytes the body is wiped when the request is dropped.
    let body = Bytes::from_owner(Zeroizing::new(bytes.into_bytes()));
    Outbound { method, url, headers, body, timeout }
}

/// The header that proves who asks; `None` where id and secret go with the parameters, as they do for a client without
/// a secret.
fn proof(provider: &Provider) -> Option<HeaderValue> {
    let secret = provider.client_secret.as_ref()?.expose();
    match provider.oauth.habits.client_auth {
        ClientAuth::Body => None,
        _ => Some(basic(provider, secret)),
    }
}

/// Id and secret in the kind of Basic header that the provider takes.
pub(super) fn basic(provider: &Provider, secret: &str) -> HeaderValue {
    let id = &provider.client_id;
    match provider.oauth.habits.client_auth {
        ClientAuth::BasicRaw => header(&format!("{id}:{secret}")),
        ClientAuth::BasicSecret => header(&format!("{secret}:")),
        // RFC 6749 section 2.3.1: both are form-encoded before they become user name and password.
        ClientAuth::Basic | ClientAuth::Body => {
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            header(&format!("{}:{}", encode(id), encode(secret)))
        }
    }
}

fn header(pair: &str) -> HeaderValue {
    let text = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair)));
    // Base64 has no character that a header could not carry.
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}
