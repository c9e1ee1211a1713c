//! Disconnecting: revoke at the provider first, then destroy, and say what died and what could not be killed.

use serde::{Deserialize, Serialize};
use taiku_bridge::api::{Receipt, Revoked};

use super::{Custody, Operation, provider, sealed};
use crate::clock::rfc3339;
use crate::events::Event;
use crate::execute::{self, Done};
use crate::failure::Failure;
use crate::integration::{self, Ready};
use crate::oauth::{self, Provider};
use crate::store::connections::{self, Connection, State};
use crate::tokens;
use crate::toolkit::TokenKind;
use crate::vault::SecretString;
use crate::vault::hash::eq;

/// Disconnects a user's connection. The answer is `None` if the user has no such connection.
#[derive(Serialize, Deserialize)]
pub struct Disconnect {
    /// Whose.
    pub user_id: String,
    /// Which.
    pub connection_id: String,
}

impl Operation for Disconnect {
    type Answer = Option<Receipt>;
    const NAME: &'static str = "disconnect";
    /// The second time there would be nothing to disconnect, and the receipt would be lost.
    const REPEATABLE: bool = false;

    async fn run(self, custody: &Custody) -> Result<Option<Receipt>, Failure> {
        run(custody, &self.user_id, &self.connection_id).await
    }
}

/// A provider that cannot revoke does not keep the user from disconnecting.
async fn run(custody: &Custody, user_id: &str, id: &str) -> Result<Option<Receipt>, Failure> {
    let began = custody.clock.now();
    let Some(Connection { id, .. }) = find(custody, user_id, id).await? else { return Ok(None) };
    let id = id.as_str();
    // Held to the end: a refresh in between would bring tokens that nobody revokes.
    let _turn = custody.refreshing.turn(id).await;
    let Some(connection) = find(custody, user_id, id).await? else { return Ok(None) };
    let revoked = take_back(custody, &connection).await;
    let mut tx = custody.store.write().await?;
    if !connections::remove(&mut tx, user_id, id).await? {
        return Ok(None);
    }
    tx.commit().await?;
    let gone = connection.clone().gone();
    custody.tell(user_id, Event::connection(&gone));
    let done = Done {
        user_id,
        plugin: None,
        toolkit: connection.toolkit.as_str(),
        action: "disconnect",
        connection_id: Some(id),
        outcome: "ok",
        upstream_status: None,
        began,
    };
    execute::note(custody, &done).await?;
    Ok(Some(Receipt { connection_id: id.to_owned(), revoked, deleted_at: rfc3339(custody.clock.now()) }))
}

async fn find(custody: &Custody, user_id: &str, id: &str) -> Result<Option<Connection>, Failure> {
    let mut tx = custody.store.read().await?;
    Ok(connections::find(&mut tx, user_id, id).await?)
}

/// Takes back what a connection held before it was renewed. A provider that gave the same token again keeps it.
pub(super) async fn retire(
    custody: &Custody,
    (ready, provider): (&Ready, &Provider),
    before: &Connection,
    now: &oauth::Tokens,
) {
    let State::Active(sealed) = &before.state else { return };
    // Tokens that were made for other addresses do not open here, and are not sent to these.
    let refresh = sealed::open_refresh(custody, before, ready.context, sealed).ok().flatten();
    let access = tokens::open_access(custody, before, ready.context, sealed).ok();
    let kept = [Some(&now.access_token), now.refresh_token.as_ref()];
    for (kind, token) in [(TokenKind::RefreshToken, refresh), (TokenKind::AccessToken, access)] {
        let Some(token) = token else { continue };
        if kept.iter().flatten().any(|kept| eq(kept.expose().as_bytes(), token.expose().as_bytes())) {
            continue;
        }
        let Revoked { outcome, .. } = ask(custody, Some(provider), kind, &token).await;
        tracing::info!(connection = %before.id, kind = kind.as_str(), outcome, "took back a token of before");
    }
}

/// Asks the provider to take back what a connection holds.
pub(super) async fn take_back(custody: &Custody, connection: &Connection) -> Vec<Revoked> {
    let (State::Active(sealed) | State::Undecided(sealed)) = &connection.state else { return Vec::new() };
    let found = async {
        let ready = integration::ready_even_if_disabled(custody, &connection.toolkit).await?;
        let provider = provider::of(custody, &ready)?;
        Ok::<_, Failure>((ready.context, provider))
    };
    let (context, provider) = match found.await {
        Ok(found) => found,
        Err(failure) => {
            tracing::warn!(connection = %connection.id, code = %failure.code(), "tokens could not be revoked");
            return vec![line(TokenKind::AccessToken, "failed")];
        }
    };
    let mut lines = Vec::new();
    match sealed::open_refresh(custody, connection, context, sealed) {
        Ok(Some(token)) => {
            lines.push(ask(custody, provider.as_ref(), TokenKind::RefreshToken, &token).await);
        }
        Ok(None) => {}
        Err(_) => lines.push(line(TokenKind::RefreshToken, "failed")),
    }
    match tokens::open_access(custody, connection, context, sealed) {
        Ok(token) => lines.push(ask(custody, provider.as_ref(), TokenKind::AccessToken, &token).await),
        Err(_) => lines.push(line(TokenKind::AccessToken, "failed")),
    }
    lines
}

async fn ask(
    custody: &Custody,
    provider: Option<&Provider>,
    kind: TokenKind,
    token: &SecretString,
) -> Revoked {
    let Some(provider) = provider else { return line(kind, "unsupported") };
    line(kind, oauth::revoke(&custody.egress, provider, token, kind).await.as_str())
}

pub(super) fn line(kind: TokenKind, outcome: &str) -> Revoked {
    Revoked { token: kind.as_str().to_owned(), outcome: outcome.to_owned() }
}
