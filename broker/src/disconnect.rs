//! Disconnecting: revoke at the provider first, then destroy, and say what died and what could not be killed.

use taiku_bridge::api::{Receipt, Revoked};

use crate::broker::Broker;
use crate::clock::rfc3339;
use crate::events::Event;
use crate::execute::{self, Done};
use crate::failure::Failure;
use crate::integration::{self, Ready};
use crate::oauth;
use crate::store::connections::{self, Connection, State};
use crate::tokens;
use crate::toolkit::TokenKind;

/// Disconnects a user's connection; `None` if the user has no such connection.
///
/// # Errors
/// When the database fails. A provider that cannot revoke does not keep the user from disconnecting.
pub async fn run(broker: &Broker, user_id: &str, id: &str) -> Result<Option<Receipt>, Failure> {
    let began = broker.clock.now();
    // Held to the end: a refresh in between would bring tokens that nobody revokes.
    let _turn = broker.refreshing.turn(id).await;
    let connection = {
        let mut tx = broker.store.read().await?;
        connections::find(&mut tx, user_id, id).await?
    };
    let Some(connection) = connection else { return Ok(None) };
    let revoked = revoke(broker, &connection).await;
    let mut tx = broker.store.write().await?;
    if !connections::remove(&mut tx, user_id, id).await? {
        return Ok(None);
    }
    tx.commit().await?;
    let gone = Connection { state: State::Revoked, ..connection.clone() };
    broker.events.tell(user_id, &Event::connection(&gone));
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
    execute::note(broker, &done).await?;
    Ok(Some(Receipt { connection_id: id.to_owned(), revoked, deleted_at: rfc3339(broker.clock.now()) }))
}

/// Takes back what a connection held before it was renewed. A provider that gave the same token again keeps it.
pub async fn retire(broker: &Broker, ready: &Ready, before: &Connection, now: &oauth::Tokens) {
    let State::Active(sealed) = &before.state else { return };
    // Tokens that were made for other addresses do not open here, and are not sent to these.
    let refresh = tokens::open_refresh(broker, before, ready.context, sealed).ok().flatten();
    let access = tokens::open_access(broker, before, ready.context, sealed).ok();
    let kept = [Some(&now.access_token), now.refresh_token.as_ref()];
    for (kind, token) in [(TokenKind::RefreshToken, refresh), (TokenKind::AccessToken, access)] {
        let Some(token) = token else { continue };
        if kept.iter().flatten().any(|kept| kept.expose() == token.expose()) {
            continue;
        }
        let Revoked { outcome, .. } = ask(broker, ready, kind, &token).await;
        tracing::info!(connection = %before.id, kind = kind.as_str(), outcome, "took back a token of before");
    }
}

/// Asks the provider to take back what a connection holds.
async fn revoke(broker: &Broker, connection: &Connection) -> Vec<Revoked> {
    let (State::Active(sealed) | State::Undecided(sealed)) = &connection.state else { return Vec::new() };
    let ready = match integration::ready_even_if_disabled(broker, &connection.toolkit).await {
        Ok(ready) => ready,
        Err(failure) => {
            tracing::warn!(connection = %connection.id, code = %failure.code(), "tokens could not be revoked");
            return vec![line(TokenKind::AccessToken, "failed")];
        }
    };
    let mut lines = Vec::new();
    match tokens::open_refresh(broker, connection, ready.context, sealed) {
        Ok(Some(token)) => lines.push(ask(broker, &ready, TokenKind::RefreshToken, &token).await),
        Ok(None) => {}
        Err(_) => lines.push(line(TokenKind::RefreshToken, "failed")),
    }
    match tokens::open_access(broker, connection, ready.context, sealed) {
        Ok(token) => lines.push(ask(broker, &ready, TokenKind::AccessToken, &token).await),
        Err(_) => lines.push(line(TokenKind::AccessToken, "failed")),
    }
    lines
}

async fn ask(broker: &Broker, ready: &Ready, kind: TokenKind, token: &crate::vault::SecretString) -> Revoked {
    let Some(provider) = &ready.provider else { return line(kind, "unsupported") };
    line(kind, oauth::revoke(&broker.egress, provider, token, kind).await.as_str())
}

fn line(kind: TokenKind, outcome: &str) -> Revoked {
    Revoked { token: kind.as_str().to_owned(), outcome: outcome.to_owned() }
}
