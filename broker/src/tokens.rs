//! Access tokens that live: sealed, opened for one call at a time, refreshed when they are about to end.

use std::time::Duration;

use taiku_bridge::{Code, Refusal};

use crate::broker::Broker;
use crate::clock::{MINUTE, Millis, SECOND};
use crate::events::Event;
use crate::failure::Failure;
use crate::integration::Ready;
use crate::oauth::{self, Provider, TokenError, Tokens};
use crate::store::connections::{self, Connection, SealedTokens, State};
use crate::vault::{ContextHash, Place, Ring, SecretString, VaultError};

/// How long a caller waits for somebody else's refresh.
const MAX_WAIT: Duration = Duration::from_secs(25);
/// When to try again after a renewal failed for now, in seconds.
const RETRY_AFTER: u64 = 5;
/// How long after a lost compare-and-set, or a refused token, the row is read again.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// An access token that may be sent.
pub struct Live {
    /// The token.
    pub token: SecretString,
    /// The connection that it was read from.
    pub connection: Connection,
}

/// Seals tokens for a connection at one generation.
#[must_use]
pub fn seal(
    broker: &Broker,
    connection: &Connection,
    context: ContextHash,
    generation: i64,
    tokens: &Tokens,
) -> SealedTokens {
    let now = broker.clock.now();
    let place = |column| place(connection, context, column, generation);
    let seal = |ring, column, secret: &SecretString| {
        broker.vault.seal(ring, &place(column), secret.expose().as_bytes())
    };
    let lifetime =
        tokens.expires_in.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX / SECOND) * SECOND);
    SealedTokens {
        access: seal(Ring::AccessTokens, "access_token", &tokens.access_token),
        refresh: tokens.refresh_token.as_ref().map(|token| seal(Ring::RefreshTokens, "refresh_token", token)),
        lifetime,
        expires_at: lifetime.map(|lifetime| now.saturating_add(lifetime)),
    }
}

fn place<'a>(
    connection: &'a Connection,
    context: ContextHash,
    column: &'a str,
    generation: i64,
) -> Place<'a> {
    Place {
        table: "connections",
        column,
        user: &connection.user_id,
        row: &connection.id,
        context,
        generation,
    }
}

/// Opens the access token of an active connection.
///
/// # Errors
/// When the record is not the one that was sealed for this connection and generation.
pub fn open_access(
    broker: &Broker,
    connection: &Connection,
    context: ContextHash,
    tokens: &SealedTokens,
) -> Result<SecretString, VaultError> {
    let place = place(connection, context, "access_token", connection.generation);
    broker.vault.open(Ring::AccessTokens, &place, &tokens.access)?.into_text()
}

/// Opens the refresh token of an active connection, if it has one.
///
/// # Errors
/// When the record is not the one that was sealed for this connection and generation.
pub fn open_refresh(
    broker: &Broker,
    connection: &Connection,
    context: ContextHash,
    tokens: &SealedTokens,
) -> Result<Option<SecretString>, VaultError> {
    let Some(record) = &tokens.refresh else { return Ok(None) };
    let place = place(connection, context, "refresh_token", connection.generation);
    broker.vault.open(Ring::RefreshTokens, &place, record)?.into_text().map(Some)
}

/// Fresh while more is left than a minute and a fifth of the lifetime; a token without an end always is.
fn is_fresh(tokens: &SealedTokens, now: Millis) -> bool {
    let Some(expires_at) = tokens.expires_at else { return true };
    // A token that lives for less than five minutes would never have a minute and a fifth left for long.
    let margin = tokens.lifetime.map_or(MINUTE, |lifetime| MINUTE.min(lifetime / 2).max(lifetime / 5));
    expires_at - now > margin
}

/// Gives the access token of a connection, after refreshing it if it is about to end.
///
/// # Errors
/// `connection_expired` when the user has to connect again, `upstream_unreachable` or `upstream_slow` when the
/// provider's token endpoint fails for now.
pub async fn live(broker: &Broker, ready: &Ready, connection: Connection) -> Result<Live, Failure> {
    let State::Active(tokens) = &connection.state else { return Err(expired(ready, &connection)) };
    if is_fresh(tokens, broker.clock.now()) {
        let token = open_access(broker, &connection, ready.context, tokens)?;
        return Ok(Live { token, connection });
    }
    refreshed(broker, ready, connection).await
}

/// Gives another access token than the one of `connection`, which the provider no longer takes.
///
/// # Errors
/// As [`live`].
pub async fn renewed(broker: &Broker, ready: &Ready, connection: Connection) -> Result<Live, Failure> {
    refreshed(broker, ready, connection).await
}

/// One refresh at a time per connection in this process; whoever waited uses what the first one got.
///
/// The work runs on a task of its own: a caller that goes away must not leave a refresh token spent and its
/// successor unsaved.
async fn refreshed(broker: &Broker, ready: &Ready, connection: Connection) -> Result<Live, Failure> {
    let Some(provider) = ready.provider.clone() else { return Err(expired(ready, &connection)) };
    let work = {
        let (broker, context, stale) = (broker.clone(), ready.context, connection.clone());
        async move {
            let turn = broker.refreshing.turn(&stale.id).await;
            if turn.failed_before() {
                return Err(shared_failure(&stale));
            }
            let outcome = refresh_in_turn(&broker, &provider, context, &stale).await;
            if outcome.is_err() {
                turn.fail();
            }
            outcome
        }
    };
    match tokio::time::timeout(MAX_WAIT, tokio::spawn(work)).await {
        Ok(Ok(Ok(outcome))) => finish(broker, ready, outcome),
        Ok(Ok(Err(failure))) => Err(failure),
        Ok(Err(panic)) => Err(Failure::Internal(format!("a refresh panicked: {panic}"))),
        Err(_) => {
            let message = format!("{} did not renew the access in time. Try again.", ready.toolkit.name);
            Err(Failure::Wait(Refusal::new(Code::UpstreamSlow, message), RETRY_AFTER))
        }
    }
}

/// A hundred callers who wait for a provider that is down must not ask it a hundred times.
fn shared_failure(connection: &Connection) -> Failure {
    not_now(connection, "cannot renew the access at the moment. Try again.", 1)
}

fn finish(broker: &Broker, ready: &Ready, connection: Option<Connection>) -> Result<Live, Failure> {
    let gone = || Failure::new(Code::ConnectionMissing, format!("Connect {} first.", ready.toolkit.name));
    let connection = connection.ok_or_else(gone)?;
    let State::Active(tokens) = &connection.state else { return Err(expired(ready, &connection)) };
    let token = open_access(broker, &connection, ready.context, tokens)?;
    Ok(Live { token, connection })
}

async fn read(broker: &Broker, connection: &Connection) -> Result<Option<Connection>, Failure> {
    let mut tx = broker.store.read().await?;
    Ok(connections::find(&mut tx, &connection.user_id, &connection.id).await?)
}

/// Refreshes unless somebody has since `stale` was read. Returns the connection as it is then.
async fn refresh_in_turn(
    broker: &Broker,
    provider: &Provider,
    context: ContextHash,
    stale: &Connection,
) -> Result<Option<Connection>, Failure> {
    let Some(connection) = read(broker, stale).await? else { return Ok(None) };
    if connection.generation != stale.generation {
        return Ok(Some(connection));
    }
    let State::Active(sealed) = &connection.state else { return Ok(Some(connection)) };
    let Some(refresh_token) = open_refresh(broker, &connection, context, sealed)? else {
        return end(broker, &connection, "no_refresh_token").await;
    };
    match oauth::refresh(&broker.egress, provider, &refresh_token).await {
        Ok(tokens) => store(broker, &connection, context, with_old(tokens, refresh_token)).await,
        Err(error) => failed(broker, &connection, error).await,
    }
}

/// A provider that sends no new refresh token means the old one to be kept (RFC 6749, section 6).
fn with_old(tokens: Tokens, old: SecretString) -> Tokens {
    Tokens { refresh_token: Some(tokens.refresh_token.unwrap_or(old)), ..tokens }
}

/// Persists before anybody uses the new token. A lost compare-and-set drops ours and keeps the winner's.
async fn store(
    broker: &Broker,
    connection: &Connection,
    context: ContextHash,
    tokens: Tokens,
) -> Result<Option<Connection>, Failure> {
    let generation = connection.generation;
    let sealed = seal(broker, connection, context, generation + 1, &tokens);
    let mut tx = broker.store.write().await?;
    let stored = connections::refreshed(&mut tx, &connection.id, generation, &sealed).await?;
    tx.commit().await?;
    tracing::info!(
        connection = %connection.id, toolkit = %connection.toolkit, generation = generation + 1, stored,
        token_tag = broker.vault.tag(tokens.access_token.expose()), "refreshed an access token"
    );
    read(broker, connection).await
}

/// Only a dead grant ends a connection; everything else may pass.
async fn failed(
    broker: &Broker,
    connection: &Connection,
    error: TokenError,
) -> Result<Option<Connection>, Failure> {
    tracing::warn!(connection = %connection.id, toolkit = %connection.toolkit, %error, "a refresh failed");
    match error {
        TokenError::InvalidGrant => {
            tokio::time::sleep(READ_AGAIN).await;
            match read(broker, connection).await? {
                Some(now) if now.generation != connection.generation => Ok(Some(now)),
                _ => end(broker, connection, "revoked").await,
            }
        }
        TokenError::InDoubt(_) | TokenError::NotSent(_) => {
            let message = "could not be reached to renew the access. Try again.";
            Err(not_now(connection, message, RETRY_AFTER))
        }
        TokenError::Transient { retry_after } => {
            let wait = retry_after.map_or(RETRY_AFTER, |wait| wait.as_secs().clamp(1, 3600));
            Err(not_now(connection, "cannot renew the access at the moment. Try again.", wait))
        }
        TokenError::InvalidClient => {
            Err(not_now(connection, "does not accept this server's client. Ask your admin.", 60))
        }
        TokenError::Denied { .. } | TokenError::Unusable(_) => {
            Err(not_now(connection, &format!("gave an answer that cannot be used: {error}"), 60))
        }
    }
}

/// The access could not be renewed, so the call that needed it was not sent.
fn not_now(connection: &Connection, message: &str, seconds: u64) -> Failure {
    let message = format!("{} {message}", connection.toolkit);
    Failure::Wait(Refusal::new(Code::UpstreamUnreachable, message), seconds)
}

async fn end(broker: &Broker, connection: &Connection, why: &str) -> Result<Option<Connection>, Failure> {
    let mut tx = broker.store.write().await?;
    let ended = connections::expire(&mut tx, &connection.id, connection.generation, why).await?;
    tx.commit().await?;
    let now = read(broker, connection).await?;
    if let Some(now) = now.as_ref().filter(|_| ended) {
        broker.events.tell(&now.user_id, &Event::connection(now));
    }
    Ok(now)
}

/// Why an ended connection ended, and what to do.
#[must_use]
pub fn expired(ready: &Ready, connection: &Connection) -> Failure {
    let name = &ready.toolkit.name;
    let why = match &connection.state {
        State::Expired { why } => match why.as_str() {
            "revoked" => "access was revoked at the provider",
            "no_refresh_token" => "the provider's access has ended and cannot be renewed",
            "integration_changed" => "your admin has changed the integration",
            _ => "it has ended",
        },
        _ => "your admin has changed the integration",
    };
    Failure::new(
        Code::ConnectionExpired,
        format!("Your {name} connection no longer works: {why}. Connect again."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(lifetime: Option<Millis>) -> SealedTokens {
        SealedTokens { access: Vec::new(), refresh: None, lifetime, expires_at: lifetime }
    }

    #[test]
    fn a_token_is_fresh_until_a_minute_or_a_fifth_is_left() {
        let hour = tokens(Some(60 * MINUTE));
        assert!(is_fresh(&hour, 47 * MINUTE));
        assert!(!is_fresh(&hour, 48 * MINUTE));
        let two_minutes = tokens(Some(2 * MINUTE));
        assert!(is_fresh(&two_minutes, 59 * SECOND));
        assert!(!is_fresh(&two_minutes, 60 * SECOND));
        assert!(is_fresh(&tokens(None), i64::MAX));
        assert!(is_fresh(&tokens(Some(4 * SECOND)), SECOND), "a token of seconds is used, too");
    }
}
