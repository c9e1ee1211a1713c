//! Access tokens that live: opened for one call at a time, renewed by the vault when they are about to end.

use taiku_bridge::Code;

use crate::broker::Broker;
use crate::clock::{MINUTE, Millis, SECOND};
use crate::common::Common;
use crate::custody::refresh::Fresh;
use crate::failure::Failure;
use crate::integration::Ready;
use crate::store::connections::{self, Connection, SealedTokens, State};
use crate::vault::{ContextHash, Place, Ring, SecretString, VaultError};

/// How long before its end an access token is sent no more: calls take a while to arrive.
const ON_ITS_WAY: Millis = 10 * SECOND;

/// An access token that may be sent.
pub struct Live {
    /// The token.
    pub token: SecretString,
    /// The connection that it was read from.
    pub connection: Connection,
}

/// The place of a connection's token.
pub(crate) fn place<'a>(
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
    common: &Common,
    connection: &Connection,
    context: ContextHash,
    tokens: &SealedTokens,
) -> Result<SecretString, VaultError> {
    let place = place(connection, context, "access_token", connection.generation);
    common.vault.open(Ring::AccessTokens, &place, &tokens.access)?.into_text()
}

/// Fresh while more is left than a minute and a fifth of the lifetime; a token without an end always is.
fn is_fresh(tokens: &SealedTokens, now: Millis) -> bool {
    let Some(expires_at) = tokens.expires_at else { return true };
    // A token that lives for less than five minutes would never have a minute and a fifth left for long.
    let margin = tokens.lifetime.map_or(MINUTE, |lifetime| MINUTE.min(lifetime / 2).max(lifetime / 5));
    expires_at - now > margin
}

/// Gives the access token of a connection, after refreshing it if it is about to end. One that cannot be refreshed, for
/// now or ever, is used until its end.
///
/// # Errors
/// `connection_expired` when the user has to connect again, `upstream_unreachable` or `upstream_slow` when the
/// provider's token endpoint fails for now.
pub async fn live(broker: &Broker, ready: &Ready, connection: Connection) -> Result<Live, Failure> {
    let State::Active(tokens) = &connection.state else { return Err(expired(ready, &connection)) };
    let now = broker.clock.now();
    if is_fresh(tokens, now) || (tokens.refresh.is_none() && lives(tokens, now)) {
        let token = open_access(broker, &connection, ready.context, tokens)?;
        return Ok(Live { token, connection });
    }
    match renewed(broker, ready, connection.clone()).await {
        Err(Failure::Wait(..)) if lives(tokens, broker.clock.now()) => {
            let token = open_access(broker, &connection, ready.context, tokens)?;
            Ok(Live { token, connection })
        }
        outcome => outcome,
    }
}

/// Whether an access token will still be taken when it arrives.
fn lives(tokens: &SealedTokens, now: Millis) -> bool {
    tokens.expires_at.is_none_or(|expires_at| expires_at - now > ON_ITS_WAY)
}

/// Gives another access token than the one of `connection`, which the provider no longer takes.
///
/// # Errors
/// As [`live`].
pub async fn renewed(broker: &Broker, ready: &Ready, connection: Connection) -> Result<Live, Failure> {
    let stale = Fresh {
        user_id: connection.user_id,
        connection_id: connection.id,
        generation: connection.generation,
    };
    let asked = broker.custody.ask(stale.clone()).await;
    broker.metrics.refresh(asked.as_ref().map_or_else(|failure| failure.code().as_str(), |()| "ok"));
    asked?;
    let connection = {
        let mut tx = broker.store.read().await?;
        connections::find(&mut tx, &stale.user_id, &stale.connection_id).await?
    };
    let gone = || Failure::new(Code::ConnectionMissing, format!("Connect {} first.", ready.toolkit.name));
    let connection = connection.ok_or_else(gone)?;
    let State::Active(tokens) = &connection.state else { return Err(expired(ready, &connection)) };
    let token = open_access(broker, &connection, ready.context, tokens)?;
    Ok(Live { token, connection })
}

/// Why an ended connection ended, and what to do.
#[must_use]
pub fn expired(ready: &Ready, connection: &Connection) -> Failure {
    let name = &ready.toolkit.name;
    let why = match &connection.state {
        State::Expired { why } => match why.as_str() {
            "revoked" => "access was revoked at the provider",
            "in_doubt" => "an answer of the provider was lost, and with it the access",
            "no_refresh_token" => "the provider's access has ended and cannot be renewed",
            "restore" => "this server was restored from a backup, and the access may have been renewed since",
            "integration_changed" => "your admin has changed the integration",
            "key_compromised" => "a key of this server may be known to others, so its access was taken back",
            _ => "it has ended",
        },
        State::Revoked { .. } => "your admin has taken back every access to this service",
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
