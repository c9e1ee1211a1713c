//! From the journal into the row.

use std::time::Duration;

use tokio::time::sleep;

use super::plan::{self, Late};
use crate::custody::journal::{Entry, Place};
use crate::custody::{Custody, provider};
use crate::events::Event;
use crate::failure::Failure;
use crate::integration;
use crate::oauth;
use crate::store::connections::{self, State};
use crate::store::refresh::{self, Lease, Renewed};
use crate::store::{self, Store};
use crate::toolkit::TokenKind;
use crate::vault::{self, ContextHash, Ring};

/// How often the database is tried while it is away.
const RETRY: Duration = Duration::from_millis(250);

/// Stores what a refresh has brought and crosses it out. What came too late is dropped, or revoked if nobody has the
/// connection any more.
///
/// # Errors
/// When the database fails; then it is still in the journal.
pub(super) async fn keep(custody: &Custody, entry: &Entry, place: Option<Place>) -> store::Result<()> {
    match store(&custody.store, entry).await? {
        Outcome::Stored(told) => {
            if let Some((user_id, event)) = told {
                custody.tell(&user_id, event);
            }
        }
        Outcome::Late(late) => {
            tracing::warn!(connection = %entry.connection, ?late, "tokens came too late for their connection");
            if late == Late::Revoke {
                revoke(custody, entry).await;
            }
        }
    }
    if let Some(place) = place
        && let Err(error) = custody.escrow.done(place)
    {
        tracing::warn!(%error, "an escrow entry could not be crossed out; it will be found to be stored");
    }
    Ok(())
}

/// Tries again until the database is back, for as long as this process lives; `guards` are held until then.
pub(super) fn until_kept<T: Send + 'static>(custody: Custody, entry: Entry, place: Option<Place>, guards: T) {
    tokio::spawn(async move {
        let _guards = guards;
        loop {
            sleep(RETRY).await;
            match keep(&custody, &entry, place).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(connection = %entry.connection, %error, "tokens still wait"),
            }
        }
    });
}

/// Stores what dead processes left in their journals, this process's predecessor among them, and then gives back their
/// leases: in this order, or somebody would send a token that was exchanged already.
///
/// # Errors
/// When the database fails; then nothing is lost, and it is to be called again.
pub async fn recover(custody: &Custody) -> store::Result<()> {
    let dead = custody.escrow.dead();
    for (place, entry) in custody.escrow.outstanding() {
        let lease = Lease { id: &entry.connection, owner: &entry.owner, fence: entry.fence };
        let mut tx = custody.store.write().await?;
        refresh::beat(&mut tx, &lease, plan::LEASE).await?;
        tx.commit().await?;
        tracing::warn!(connection = %entry.connection, "storing tokens that a dead process left in its journal");
        keep(custody, &entry, Some(place)).await?;
    }
    for owner in dead {
        let mut tx = custody.store.write().await?;
        let leases = refresh::bury(&mut tx, &owner).await?;
        tx.commit().await?;
        if leases > 0 {
            tracing::warn!(owner, leases, "gave back the leases of a process that is dead");
        }
    }
    Ok(())
}

enum Outcome {
    /// It is in the row; pages hear of it where they would show something else.
    Stored(Option<(String, Event)>),
    Late(Late),
}

async fn store(store: &Store, entry: &Entry) -> store::Result<Outcome> {
    let mut tx = store.write().await?;
    let before = connections::find(&mut tx, &entry.user, &entry.connection).await?;
    let renewed = Renewed {
        lease: Lease { id: &entry.connection, owner: &entry.owner, fence: entry.fence },
        generation: entry.generation,
        tokens: &entry.tokens,
        scopes: entry.scopes.as_deref(),
        repeated: entry.repeated,
    };
    if !refresh::store(&mut tx, &renewed).await? {
        let standing = refresh::standing(&mut tx, &entry.connection).await?;
        return Ok(Outcome::Late(plan::late(standing)));
    }
    refresh::all_clear(&mut tx, &entry.toolkit).await?;
    let now = connections::find(&mut tx, &entry.user, &entry.connection).await?;
    tx.commit().await?;
    let told = before
        .zip(now)
        .filter(|(before, now)| !matches!(before.state, State::Active(_)) || before.scopes != now.scopes);
    Ok(Outcome::Stored(told.map(|(_, now)| (now.user_id.clone(), Event::connection(&now)))))
}

/// Gives tokens back to the provider that nobody may use any more.
async fn revoke(custody: &Custody, entry: &Entry) {
    if let Err(failure) = try_revoke(custody, entry).await {
        tracing::warn!(connection = %entry.connection, code = %failure.code(), "late tokens could not be revoked");
    }
}

async fn try_revoke(custody: &Custody, entry: &Entry) -> Result<(), Failure> {
    let ready = integration::ready_even_if_disabled(custody, &entry.toolkit).await?;
    let Some(provider) = provider::of(custody, &ready)? else { return Ok(()) };
    let open = |ring, column, record: &[u8]| {
        let place = vault::Place {
            table: "connections",
            column,
            user: &entry.user,
            row: &entry.connection,
            context: ContextHash::from(entry.context),
            generation: entry.generation + 1,
        };
        custody.vault.open(ring, &place, record)?.into_text()
    };
    // Tokens that were made for other addresses are not sent to these.
    if !integration::same_context(&entry.context, &ready.context) {
        return Ok(());
    }
    let refresh = match &entry.tokens.refresh {
        Some(record) => Some(open(Ring::RefreshTokens, "refresh_token", record)?),
        None => None,
    };
    let access = open(Ring::AccessTokens, "access_token", &entry.tokens.access)?;
    for (kind, token) in [(TokenKind::RefreshToken, refresh), (TokenKind::AccessToken, Some(access))] {
        let Some(token) = token else { continue };
        let outcome = oauth::revoke(&custody.egress, &provider, &token, kind).await;
        let (kind, outcome) = (kind.as_str(), outcome.as_str());
        tracing::warn!(connection = %entry.connection, kind, outcome, "took back a token that came too late");
    }
    Ok(())
}
