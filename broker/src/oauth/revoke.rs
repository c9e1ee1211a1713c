//! Giving a token back (RFC 7009), also where the provider has its own way.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use url::form_urlencoded;

use super::answer::{self, Answer};
use super::{Provider, Revoke, RevokeAuth, TokenBody};
use crate::egress::{Egress, EgressError, Inbound, Outbound, TOTAL};
use crate::vault::SecretString;

/// Which of the two a token is (RFC 7009 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenHint {
    /// `access_token`
    AccessToken,
    /// `refresh_token`
    RefreshToken,
}

impl TokenHint {
    /// As the protocol writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// How giving a token back ended; the receipt of a deleted connection says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokeOutcome {
    /// The provider confirmed it.
    Revoked,
    /// The provider has no way to revoke.
    Unsupported,
    /// The provider answered, but not with success.
    Refused {
        /// Its status.
        status: u16,
    },
    /// The provider cannot answer for now (429, 5xx).
    Transient {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// Nothing was sent.
    NotSent,
    /// It may have been revoked.
    InDoubt,
}

impl RevokeOutcome {
    /// The word in a receipt.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Unsupported => "unsupported",
            Self::Refused { .. } => "refused",
            Self::Transient { .. } => "unavailable",
            Self::NotSent => "not_sent",
            Self::InDoubt => "in_doubt",
        }
    }
}

/// Revokes one token; revoking a refresh token usually ends its access tokens too (RFC 7009 section 2.1).
pub async fn revoke(
    egress: &Egress,
    provider: &Provider,
    token: &SecretString,
    hint: TokenHint,
) -> RevokeOutcome {
    let Some(revoke) = &provider.revoke else { return RevokeOutcome::Unsupported };
    let Some(outbound) = outbound(provider, revoke, token.expose(), hint) else {
        return RevokeOutcome::NotSent;
    };
    match egress.send(outbound, &provider.hosts).await {
        Ok(inbound) => outcome(&inbound),
        Err(EgressError::Refused(_) | EgressError::NotSent(_)) => RevokeOutcome::NotSent,
        Err(EgressError::Unknown(_) | EgressError::TooLarge(_)) => RevokeOutcome::InDoubt,
    }
}

fn outcome(inbound: &Inbound) -> RevokeOutcome {
    let retry_after = Answer::from(inbound).retry_after();
    if answer::transient(inbound.status, retry_after).is_some() {
        RevokeOutcome::Transient { retry_after }
    } else if inbound.status.is_success() {
        RevokeOutcome::Revoked
    } else {
        RevokeOutcome::Refused { status: inbound.status.as_u16() }
    }
}

fn outbound(provider: &Provider, revoke: &Revoke, token: &str, hint: TokenHint) -> Option<Outbound> {
    let secret = provider.client_secret.as_ref().map_or("", SecretString::expose);
    let mut fields = vec![(revoke.token_field.as_str(), token)];
    if revoke.token_field == "token" {
        fields.push(("token_type_hint", hint.as_str()));
    }
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    match revoke.auth {
        RevokeAuth::Basic => {
            headers.insert(AUTHORIZATION, basic(&provider.client_id, secret)?);
        }
        RevokeAuth::Body => {
            fields.extend([("client_id", provider.client_id.as_str()), ("client_secret", secret)]);
        }
        RevokeAuth::Bearer => {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).ok()?);
        }
        RevokeAuth::None => {}
    }
    let (content_type, body) = encode(revoke.body, &fields);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Some(Outbound {
        method: revoke.method.clone(),
        url: revoke.url.clone(),
        headers,
        body: Bytes::from(body),
        timeout: TOTAL,
    })
}

fn encode(format: TokenBody, fields: &[(&str, &str)]) -> (&'static str, String) {
    match format {
        TokenBody::Form => {
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            ("application/x-www-form-urlencoded", form)
        }
        TokenBody::Json => {
            let object = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
            ("application/json", serde_json::Value::Object(object).to_string())
        }
    }
}

/// RFC 6749 section 2.3.1: id and secret are form-encoded before they become user name and password.
fn basic(client_id: &str, secret: &str) -> Option<HeaderValue> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(client_id), encode(secret));
    HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()
}

#[cfg(test)]
mod tests;
