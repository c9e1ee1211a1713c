//! Refreshing access tokens: one at a time per connection, stored before anybody uses the new token.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use taiku_bridge::{Code, Refusal};

use super::{Custody, Operation, provider, sealed};
use crate::events::Event;
use crate::failure::Failure;
use crate::integration::{self, Ready};
use crate::oauth::{self, Provider, TokenError, Tokens};
use crate::store::connections::{self, Connection, State};
use crate::tokens::expired;
use crate::vault::{ContextHash, SecretString};

/// How long a caller waits for somebody else's refresh.
const MAX_WAIT: Duration = Duration::from_secs(25);
/// When to try again after a renewal failed for now, in seconds.
const RETRY_AFTER: u64 = 5;
/// How long after a lost compare-and-set, or a refused token, the row is read again.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// Asks that a connection be given another access token than the one of a generation. When it is answered, the row
/// has it, or says why there is none.
///
/// # Errors
/// `connection_expired` when its integration is another one by now, `upstream_unreachable` or `upstream_slow` when
/// the provider's token endpoint fails for now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fresh {
    /// Whose connection.
    pub user_id: String,
    /// Which.
    pub connection_id: String,
    /// The generation whose access token is no good any more.
    pub generation: i64,
}

impl Operation for Fresh {
    type Answer = ();
    const NAME: &'static str = "fresh";
    const REPEATABLE: bool = true;

    /// The work runs on a task of its own: a caller that goes away must not leave a refresh token spent and its
    /// successor unsaved.
    async fn run(self, custody: &Custody) -> Result<(), Failure> {
        let work = {
            let custody = custody.clone();
            async move {
                let turn = custody.refreshing.turn(&self.connection_id).await;
                let Some(connection) = stale(&custody, &self).await? else { return Ok(()) };
                if turn.failed_before() {
                    return Err(shared_failure(&connection));
                }
                let outcome = refresh_in_turn(&custody, &connection).await;
                if outcome.is_err() {
                    turn.fail();
                }
                outcome
            }
        };
        match tokio::time::timeout(MAX_WAIT, tokio::spawn(work)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => Err(Failure::Internal(format!("a refresh panicked: {panic}"))),
            Err(_) => {
                let message = "The provider did not renew the access in time. Try again.";
                Err(Failure::Wait(Refusal::new(Code::UpstreamSlow, message), RETRY_AFTER))
            }
        }
    }
}

/// A hundred callers who wait for a provider that is down must not ask it a hundred times.
fn shared_failure(connection: &Connection) -> Failure {
    not_now(connection, "cannot renew the access at the moment. Try again.", 1)
}

/// The connection, if it still is what its caller found no good.
async fn stale(custody: &Custody, wanted: &Fresh) -> Result<Option<Connection>, Failure> {
    let mut tx = custody.store.read().await?;
    let connection = connections::find(&mut tx, &wanted.user_id, &wanted.connection_id).await?;
    Ok(connection.filter(|connection| {
        connection.generation == wanted.generation && matches!(connection.state, State::Active(_))
    }))
}

/// Refreshes, or ends the connection.
async fn refresh_in_turn(custody: &Custody, connection: &Connection) -> Result<(), Failure> {
    let ready = integration::ready(custody, &connection.toolkit).await?;
    let provider = provider::of(custody, &ready)?.ok_or_else(|| expired(&ready, connection))?;
    let State::Active(sealed) = &connection.state else { return Ok(()) };
    if !integration::same_context(&connection.context_hash, &ready.context) {
        return Err(expired(&ready, connection));
    }
    let Some(token) = sealed::open_refresh(custody, connection, ready.context, sealed)? else {
        return end(custody, connection, "no_refresh_token").await;
    };
    send(custody, (&ready, &provider), connection, token).await
}

async fn send(
    custody: &Custody,
    (ready, provider): (&Ready, &Provider),
    connection: &Connection,
    refresh_token: SecretString,
) -> Result<(), Failure> {
    match oauth::refresh(&custody.egress, provider, &refresh_token).await {
        Ok(tokens) => store(custody, connection, ready.context, with_old(tokens, refresh_token)).await,
        Err(error) => failed(custody, connection, error).await,
    }
}

/// A provider that sends no new refresh token means the old one to be kept (RFC 6749, section 6).
fn with_old(tokens: Tokens, old: SecretString) -> Tokens {
    Tokens { refresh_token: Some(tokens.refresh_token.unwrap_or(old)), ..tokens }
}

/// Persists before anybody uses the new token. A lost compare-and-set drops ours and keeps the winner's.
async fn store(
    custody: &Custody,
    connection: &Connection,
    context: ContextHash,
    tokens: Tokens,
) -> Result<(), Failure> {
    let generation = connection.generation;
    let sealed = sealed::seal(custody, connection, context, generation + 1, &tokens);
    let mut tx = custody.store.write().await?;
    let stored = connections::refreshed(&mut tx, &connection.id, generation, &sealed).await?;
    tx.commit().await?;
    tracing::info!(
        connection = %connection.id, toolkit = %connection.toolkit, generation = generation + 1, stored,
        token_tag = custody.vault.tag(tokens.access_token.expose()), "refreshed an access token"
    );
    Ok(())
}

async fn read(custody: &Custody, connection: &Connection) -> Result<Option<Connection>, Failure> {
    let mut tx = custody.store.read().await?;
    Ok(connections::find(&mut tx, &connection.user_id, &connection.id).await?)
}

/// Only a dead grant ends a connection; everything else may pass.
async fn failed(custody: &Custody, connection: &Connection, error: TokenError) -> Result<(), Failure> {
    tracing::warn!(connection = %connection.id, toolkit = %connection.toolkit, %error, "a refresh failed");
    match error {
        TokenError::InvalidGrant => {
            tokio::time::sleep(READ_AGAIN).await;
            match read(custody, connection).await? {
                Some(now) if now.generation != connection.generation => Ok(()),
                _ => end(custody, connection, "revoked").await,
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

async fn end(custody: &Custody, connection: &Connection, why: &str) -> Result<(), Failure> {
    let mut tx = custody.store.write().await?;
    let ended = connections::expire(&mut tx, &connection.id, connection.generation, why).await?;
    tx.commit().await?;
    let now = read(custody, connection).await?;
    if let Some(now) = now.as_ref().filter(|_| ended) {
        custody.tell(&now.user_id, Event::connection(now));
    }
    Ok(())
}
