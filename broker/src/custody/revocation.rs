//! Takes back every access of a toolkit after an admin has asked for it: one connection at a time at the job's rate,
//! from where whoever did it before has stopped.

use std::time::Duration;

use taiku_bridge::api::Revoked;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::disconnect::line;
use super::{Custody, provider};
use crate::clock::{MINUTE, Millis, SECOND};
use crate::failure::Failure;
use crate::integration;
use crate::oauth::{self, Provider, RevokeOutcome};
use crate::store;
use crate::store::revocations::{self, Item, Next};
use crate::toolkit::TokenKind;
use crate::vault::{ContextHash, Place, Ring, SecretString, VaultError};

/// How often to look for a job.
const LOOK: Duration = Duration::from_secs(1);
/// Connections that the provider is asked for at the same time.
const AT_ONCE: usize = 8;
/// How often the provider is asked for a connection before its tokens count as not taken back.
const TRIES: i64 = 6;
/// How long a provider is waited for that cannot answer for now; doubled with each try.
const PAUSE: Millis = 5 * SECOND;

/// Works off jobs until told to stop.
pub async fn run(custody: Custody, mut stopped: watch::Receiver<bool>) {
    let mut asking = JoinSet::new();
    loop {
        let wait = match once(&custody, &mut asking).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "could not look for accesses to take back; trying again");
                LOOK
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            Some(_) = asking.join_next(), if asking.len() >= AT_ONCE => {}
            _ = stopped.changed() => return,
        }
    }
}

/// Takes the next connection, if it is time for one, and says how long to wait for another.
///
/// # Errors
/// When the database fails.
pub(crate) async fn once(custody: &Custody, asking: &mut JoinSet<()>) -> store::Result<Duration> {
    while asking.try_join_next().is_some() {}
    if asking.len() >= AT_ONCE {
        return Ok(LOOK);
    }
    let now = custody.clock.now();
    let mut tx = custody.store.write().await?;
    let next = revocations::next(&mut tx, now).await?;
    tx.commit().await?;
    Ok(match next {
        Next::Ask(item) => {
            let custody = custody.clone();
            asking.spawn(async move { take_back(&custody, &item).await });
            Duration::ZERO
        }
        Next::At(at) => LOOK.min(Duration::from_millis(at.saturating_sub(now).unsigned_abs())),
        Next::Nothing => LOOK,
    })
}

/// What became of one token.
struct Asked {
    kind: TokenKind,
    outcome: RevokeOutcome,
}

/// Asks the provider for both tokens of a connection and notes the outcome. What is not noted, because the program
/// or the database ended, is asked again later: revoking twice does no harm.
async fn take_back(custody: &Custody, item: &Item) {
    let noted = match tokens(custody, item).await {
        Ok((provider, tokens)) => {
            let mut asked = Vec::new();
            for (kind, token) in &tokens {
                let outcome = oauth::revoke(&custody.egress, &provider, token, *kind).await;
                asked.push(Asked { kind: *kind, outcome });
            }
            note(custody, item, &asked).await
        }
        Err(failure) => {
            tracing::warn!(connection = %item.connection_id, ?failure, "tokens could not be opened to take them back");
            let kinds = [
                (TokenKind::RefreshToken, &item.refresh_token),
                (TokenKind::AccessToken, &item.access_token),
            ];
            let held = kinds.into_iter().filter(|(_, record)| record.is_some());
            let lines: Vec<Revoked> = held.map(|(kind, _)| line(kind, "failed")).collect();
            finish(custody, item, &lines, true).await
        }
    };
    if let Err(error) = noted {
        tracing::warn!(connection = %item.connection_id, %error, "an outcome could not be noted; asking again later");
    }
}

type Tokens = Vec<(TokenKind, SecretString)>;

/// The provider and the tokens of a connection; the refresh token first, with which the other one usually ends.
async fn tokens(custody: &Custody, item: &Item) -> Result<(Provider, Tokens), Failure> {
    let slug = integration::slug(&item.toolkit)?;
    let ready = integration::ready_even_if_disabled(custody, &slug).await?;
    let provider = provider::of(custody, &ready)?.ok_or_else(|| integration::needs_no_account(&ready))?;
    let mut tokens = Vec::new();
    let records = [
        (TokenKind::RefreshToken, Ring::RefreshTokens, "refresh_token", &item.refresh_token),
        (TokenKind::AccessToken, Ring::AccessTokens, "access_token", &item.access_token),
    ];
    for (kind, ring, column, record) in records {
        let Some(record) = record else { continue };
        tokens.push((kind, open(custody, item, ring, column, record, ready.context)?));
    }
    Ok((provider, tokens))
}

/// Opens a record where it was sealed: in the connection. Made for other addresses it does not open.
fn open(
    custody: &Custody,
    item: &Item,
    ring: Ring,
    column: &str,
    record: &[u8],
    context: ContextHash,
) -> Result<SecretString, VaultError> {
    let place = Place {
        table: "connections",
        column,
        user: &item.user_id,
        row: &item.connection_id,
        context,
        generation: item.generation,
    };
    custody.vault.open(ring, &place, record)?.into_text()
}

async fn note(custody: &Custody, item: &Item, asked: &[Asked]) -> store::Result<()> {
    let again = asked.iter().any(|asked| may_pass(asked.outcome));
    if again && item.tries < TRIES {
        let now = custody.clock.now();
        let pause_until = asked.iter().filter_map(|asked| retry_after(asked.outcome)).max();
        let backoff = PAUSE << item.tries.clamp(0, 6);
        let mut tx = custody.store.write().await?;
        revocations::later(&mut tx, item, now + backoff, pause_until.map(|wait| now + wait)).await?;
        return tx.commit().await;
    }
    let failed = asked.iter().any(|asked| asked.outcome != RevokeOutcome::Revoked);
    let lines: Vec<Revoked> = asked.iter().map(|asked| line(asked.kind, asked.outcome.as_str())).collect();
    finish(custody, item, &lines, failed).await
}

/// Whether asking once more may end otherwise.
fn may_pass(outcome: RevokeOutcome) -> bool {
    match outcome {
        RevokeOutcome::Transient { .. } | RevokeOutcome::NotSent | RevokeOutcome::InDoubt => true,
        RevokeOutcome::Revoked | RevokeOutcome::Unsupported | RevokeOutcome::Refused { .. } => false,
    }
}

fn retry_after(outcome: RevokeOutcome) -> Option<Millis> {
    let RevokeOutcome::Transient { retry_after: Some(wait) } = outcome else { return None };
    Some(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX).min(60 * MINUTE))
}

async fn finish(custody: &Custody, item: &Item, lines: &[Revoked], failed: bool) -> store::Result<()> {
    let mut tx = custody.store.write().await?;
    revocations::done(&mut tx, item, lines, failed).await?;
    tx.commit().await
}
