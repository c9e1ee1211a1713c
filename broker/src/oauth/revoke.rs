//! Giving a token back (RFC 7009), also where the provider has its own way.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::answer::{self, Answer};
use super::{Provider, client, held};
use crate::egress::{Egress, EgressError, Inbound, Outbound, TOTAL};
use crate::toolkit::{ResolvedRevoke, RevokeAuth, TokenKind};
use crate::vault::SecretString;

/// How giving a token back ended; the receipt of a deleted connection says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokeOutcome {
    /// The provider confirmed it.
    Revoked,
    /// The provider has no way to revoke a token of this kind.
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

/// Revokes what a record holds; revoking a refresh token usually ends its access tokens too (RFC 7009 section 2.1).
/// Of several tokens the worst outcome counts.
pub async fn revoke(
    egress: &Egress,
    provider: &Provider,
    record: &SecretString,
    kind: TokenKind,
) -> RevokeOutcome {
    let mut outcome = None;
    for token in held::all(&provider.oauth.habits, record, kind == TokenKind::RefreshToken) {
        let one = revoke_one(egress, provider, &token, kind).await;
        outcome = outcome.filter(|worse| *worse != RevokeOutcome::Revoked).or(Some(one));
    }
    outcome.unwrap_or(RevokeOutcome::Unsupported)
}

async fn revoke_one(
    egress: &Egress,
    provider: &Provider,
    token: &SecretString,
    kind: TokenKind,
) -> RevokeOutcome {
    let revoke = provider.oauth.revoke.as_ref().filter(|revoke| revoke.tokens.contains(&kind));
    let Some(revoke) = revoke else { return RevokeOutcome::Unsupported };
    let Some(outbound) = outbound(provider, revoke, token.expose(), kind) else {
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
    } else if inbound.status.is_success() && !answer::says_no(&inbound.body) {
        RevokeOutcome::Revoked
    } else {
        RevokeOutcome::Refused { status: inbound.status.as_u16() }
    }
}

/// The request, or nothing where the client id or the token does not fit into it.
fn outbound(provider: &Provider, revoke: &ResolvedRevoke, token: &str, kind: TokenKind) -> Option<Outbound> {
    let secret = provider.client_secret.as_ref().map(|secret| secret.expose());
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    match revoke.auth {
        RevokeAuth::Basic => {
            headers.insert(AUTHORIZATION, client::basic(provider, secret.unwrap_or_default()));
        }
        RevokeAuth::Bearer => {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).ok()?);
        }
        RevokeAuth::Body | RevokeAuth::None => {}
    }
    let body = match revoke.body(token, kind, &provider.client_id, secret) {
        Some(body) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.content_type));
            // As the owner of its bytes the body is wiped when the request is dropped.
            Bytes::from_owner(body.bytes)
        }
        None => Bytes::new(),
    };
    let url = revoke.url(&provider.client_id)?;
    Some(Outbound { method: revoke.method.into(), url, headers, body, timeout: TOTAL })
}

#[cfg(test)]
mod tests;
