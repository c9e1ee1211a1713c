//! Exchanging a code, and refreshing.

use std::fmt;

use super::answer::{self, Answer};
use super::client::{self, Pairs, Writing};
use super::held::{self, Held, Named, Part};
use super::{Provider, TokenError};
use crate::egress::{Egress, Inbound, TOKEN_TOTAL};
use crate::toolkit::{Mode, RefreshMethod, RefreshWith};
use crate::vault::SecretString;

/// What a provider granted. Its `Debug` shows no token.
pub struct Tokens {
    /// Visible ASCII, so that it can be sent in a header.
    pub access_token: SecretString,
    /// None also where the provider sent an empty one; after a refresh that means: keep the old one.
    pub refresh_token: Option<SecretString>,
    /// Seconds from the answer on; none where the provider did not say, or said nothing that makes sense.
    pub expires_in: Option<u64>,
    /// What was granted; none where the provider did not say, which means: what was asked for (RFC 6749 section 5.1).
    pub scopes: Option<Vec<String>>,
    /// Always `bearer`: other types are refused, an absent one is taken as this.
    pub token_type: &'static str,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("refreshable", &self.refresh_token.is_some())
            .field("expires_in", &self.expires_in)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Exchanges an authorization code (RFC 6749 section 4.1.3). `verifier` is what [`begin`](super::begin) gave.
///
/// # Errors
/// [`TokenError`]; a code is good for one attempt, whatever the error.
pub async fn exchange(
    egress: &Egress,
    provider: &Provider,
    code: &SecretString,
    verifier: Option<&SecretString>,
) -> Result<Tokens, TokenError> {
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", provider.redirect_uri.as_str()),
    ];
    pairs.extend(verifier.map(|verifier| ("code_verifier", verifier.expose())));
    read(provider, &ask(egress, provider, Step::Exchange, pairs).await?)
}

/// Refreshes (RFC 6749 section 6). The scope parameter is left out, which means the same scopes again.
///
/// # Errors
/// [`TokenError`]; only [`TokenError::InvalidGrant`] says that the refresh token is dead, and after
/// [`TokenError::InDoubt`] it may be spent.
pub async fn refresh(
    egress: &Egress,
    provider: &Provider,
    refresh_token: &SecretString,
) -> Result<Tokens, TokenError> {
    if provider.oauth.habits.mode == Mode::ClientCredentials {
        return client_credentials(egress, provider).await;
    }
    if held::is_several(&provider.oauth.habits) {
        return refresh_each(egress, provider, refresh_token).await;
    }
    let answered = ask(egress, provider, Step::Refresh, refresh_pairs(provider, refresh_token)).await?;
    read(provider, &answered)
}

fn refresh_pairs<'a>(provider: &'a Provider, refresh_token: &'a SecretString) -> Pairs<'a> {
    let refresh = &provider.oauth.habits.refresh;
    vec![
        ("grant_type", refresh.grant_type.as_deref().unwrap_or("refresh_token")),
        (refresh.parameter.as_deref().unwrap_or("refresh_token"), refresh_token.expose()),
    ]
}

/// Seconds until what could not be refreshed beside the others is tried again.
const AGAIN: u64 = 60;

/// Refreshes several tokens, one after the other. Once one of them has a successor, that must not be lost: a later one
/// that fails keeps what it has, and one that is dead is left out.
async fn refresh_each(
    egress: &Egress,
    provider: &Provider,
    record: &SecretString,
) -> Result<Tokens, TokenError> {
    let held = Held::read(record).ok_or(TokenError::InvalidGrant)?;
    let values = held.values.clone();
    let parts = held.into_parts();
    let (mut all, mut refreshed, mut error) = (Vec::new(), false, None);
    for (name, part) in parts {
        let Some(token) = &part.refresh else {
            all.push(Named { name, tokens: kept(part, None) });
            continue;
        };
        let answered = ask(egress, provider, Step::Refresh, refresh_pairs(provider, token)).await;
        let tokens = answered
            .and_then(|answered| answer::read_one(&Answer::from(&answered), &provider.oauth.habits, &name));
        match tokens {
            Ok(tokens) => {
                refreshed = true;
                let refresh_token = tokens.refresh_token.or(part.refresh);
                all.push(Named { name, tokens: Tokens { refresh_token, ..tokens } });
            }
            Err(TokenError::InvalidGrant) => error = error.or(Some(TokenError::InvalidGrant)),
            Err(failed) if !refreshed => return Err(failed),
            Err(_) => all.push(Named { name, tokens: kept(part, Some(AGAIN)) }),
        }
    }
    match error {
        Some(error) if !refreshed => Err(error),
        _ => Ok(held::join(all, &values)),
    }
}

fn kept(part: Part, expires_in: Option<u64>) -> Tokens {
    Tokens {
        access_token: part.access,
        refresh_token: part.refresh,
        expires_in,
        scopes: None,
        token_type: "bearer",
    }
}

/// Asks for a token for the client itself (RFC 6749 section 4.4). What it is renewed with is the client alone, so
/// [`refresh`] asks for another one in the same way.
///
/// # Errors
/// [`TokenError`].
pub async fn client_credentials(egress: &Egress, provider: &Provider) -> Result<Tokens, TokenError> {
    let scopes = provider.scopes.join(&provider.oauth.habits.scope_separator);
    let mut pairs = vec![("grant_type", "client_credentials")];
    if !scopes.is_empty() {
        pairs.push(("scope", &scopes));
    }
    let tokens = read(provider, &ask(egress, provider, Step::Exchange, pairs).await?)?;
    Ok(Tokens { refresh_token: Some(SecretString::new(THE_CLIENT.to_owned())), ..tokens })
}

/// Stands where others have a refresh token. It is no secret and is never sent.
const THE_CLIENT: &str = "client_credentials";

#[derive(Clone, Copy)]
pub(super) enum Step {
    Exchange,
    Refresh,
}

pub(super) async fn ask(
    egress: &Egress,
    provider: &Provider,
    step: Step,
    mut pairs: Pairs<'_>,
) -> Result<Inbound, TokenError> {
    let (oauth, habits) = (&provider.oauth, &provider.oauth.habits);
    pairs.extend(habits.token_params.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let (url, writing) = match (step, habits.refresh.method) {
        (Step::Refresh, RefreshMethod::Get) => (&oauth.refresh_url, Writing::Query),
        (Step::Refresh, RefreshMethod::Post) => (&oauth.refresh_url, habits.token_body.into()),
        (Step::Exchange, _) => (&oauth.token_url, habits.token_body.into()),
    };
    let outbound = client::outbound(provider, url, writing, pairs, TOKEN_TOTAL);
    Ok(egress.send(outbound, &provider.hosts).await?)
}

pub(super) fn read(provider: &Provider, answered: &Inbound) -> Result<Tokens, TokenError> {
    let tokens = answer::read(&Answer::from(answered), &provider.oauth.habits)?;
    Ok(match provider.oauth.habits.refresh.token {
        RefreshWith::RefreshToken => tokens,
        // What is refreshed with is kept where refresh tokens are kept, so that nothing else has to know of it.
        RefreshWith::AccessToken => {
            Tokens { refresh_token: Some(held::copy(&tokens.access_token)), ..tokens }
        }
    })
}

#[cfg(test)]
mod tests;
