//! One attempt to refresh, by whoever gets the lease.

mod heartbeat;

use tokio::sync::OwnedRwLockReadGuard;
use tokio::time::{Instant, sleep};

use self::heartbeat::Heartbeat;
use super::plan::{self, Sent, Step};
use super::{keep, not_now};
use crate::clock::{Millis, SECOND};
use crate::custody::journal::{Entry, JournalError, Room};
use crate::custody::{Custody, provider, restored, sealed};
use crate::events::Event;
use crate::failure::Failure;
use crate::integration::{self, Ready};
use crate::oauth::{self, Provider, TokenError, Tokens};
use crate::store::connections::{self, Connection, State};
use crate::store::refresh::{self, Claim, Doubt, Intent};
use crate::tokens::expired;
use crate::vault::SecretString;
use taiku_bridge::{Code, Refusal};

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Attempt {
    /// Whatever became of it is in the row.
    Over,
    /// Somebody else is at it.
    Held,
    /// The toolkit's token endpoint is asked as often as it may be; there is room after so many milliseconds.
    Queued(Millis),
    /// The connection waits after a failure, for so many milliseconds.
    Later(Millis),
}

/// Refreshes a connection, or says why not now.
///
/// # Errors
/// What its caller is told when the token endpoint fails for now, or when the integration is another one by now.
pub(super) async fn attempt(custody: &Custody, connection: &Connection) -> Result<Attempt, Failure> {
    let State::Active(tokens) = &connection.state else { return Ok(Attempt::Over) };
    let ready = integration::ready(custody, &connection.toolkit).await?;
    if !integration::same_context(&connection.context_hash, &ready.context) {
        return Err(expired(&ready, connection));
    }
    let provider = provider::of(custody, &ready)?.ok_or_else(|| expired(&ready, connection))?;
    let token = sealed::open_refresh(custody, connection, ready.context, tokens)?;
    if custody.escrow.holds(&connection.id) {
        return Err(waits_for_the_database());
    }
    let room = reserve(custody).await?;
    let at_work = custody.at_work.clone().read_owned().await;
    let begun = Instant::now();
    let claim = match claim(custody, connection).await? {
        Ok(claim) => claim,
        Err(not_claimed) => return Ok(not_claimed),
    };
    let heartbeat = Heartbeat::begin(custody.clone(), claim.clone(), begun);
    let work =
        Work { custody, connection, ready: &ready, provider: &provider, claim, heartbeat, at_work, room };
    if token.is_some() && restored::may_be_spent(custody, connection, provider.oauth.habits.rotation).await? {
        return work.end(restored::WHY).await;
    }
    match token {
        Some(token) => work.run(token).await,
        None => work.end("no_refresh_token").await,
    }
}

async fn reserve(custody: &Custody) -> Result<Room, Failure> {
    let journal = custody.escrow.clone();
    let reserved = tokio::task::spawn_blocking(move || journal.reserve()).await;
    reserved.map_err(|panic| Failure::Internal(format!("the journal panicked: {panic}")))?.map_err(|error| {
        tracing::error!(%error, alert = "escrow", "nothing is refreshed, because new tokens would not be safe");
        let message = "New tokens could not be kept safe at the moment, so nothing was sent. Try again.";
        Failure::Wait(Refusal::new(Code::Busy, message), 5)
    })
}

/// Takes the lease together with a place in the queue of the token endpoint, or neither.
async fn claim(custody: &Custody, connection: &Connection) -> Result<Result<Claim, Attempt>, Failure> {
    let (id, generation) = (&connection.id, connection.generation);
    let mut tx = custody.store.write().await?;
    let claim =
        refresh::claim(&mut tx, id, generation, custody.escrow.owner(), plan::LEASE, custody.take_over());
    let Some(claim) = claim.await? else {
        return Ok(Err(match refresh::standing(&mut tx, id).await? {
            Some(standing) if standing.generation != generation || !standing.active => Attempt::Over,
            Some(standing) if standing.wait > 0 => Attempt::Later(standing.wait),
            Some(_) => Attempt::Held,
            None => Attempt::Over,
        }));
    };
    let pace = custody.pace;
    if let Some(wait) = refresh::pace(&mut tx, &connection.toolkit, pace.every, pace.burst).await? {
        return Ok(Err(Attempt::Queued(wait)));
    }
    tx.commit().await?;
    Ok(Ok(claim))
}

/// An attempt of whoever holds the lease.
struct Work<'a> {
    custody: &'a Custody,
    connection: &'a Connection,
    ready: &'a Ready,
    provider: &'a Provider,
    claim: Claim,
    heartbeat: Heartbeat,
    /// Held until the end, so that a process that stops waits for it.
    at_work: OwnedRwLockReadGuard<()>,
    room: Room,
}

impl Work<'_> {
    async fn run(mut self, token: SecretString) -> Result<Attempt, Failure> {
        let mut sends = 0;
        loop {
            if !self.heartbeat.still_holds(self.custody).await? {
                return Ok(Attempt::Over);
            }
            sends += 1;
            let error = match oauth::refresh(&self.custody.egress, self.provider, &token).await {
                Ok(tokens) => return self.keep(with_old(tokens, token)).await,
                Err(error) => error,
            };
            let (id, toolkit) = (&self.connection.id, &self.connection.toolkit);
            tracing::warn!(connection = %id, %toolkit, sends, %error, "a refresh failed");
            match plan::after(Sent::from(&error), sends) {
                Step::Repeat => {
                    // The request was given up, which closed its connection.
                    sleep(plan::PAUSE).await;
                    let Some(claim) = self.again().await? else { return Ok(Attempt::Over) };
                    self.claim = claim;
                }
                Step::LookAgain => return self.look_again().await,
                Step::Wait { intent, least, alarm } => return self.wait(&error, intent, least, alarm).await,
                // Only tokens are kept, and there are none.
                Step::Keep => return Ok(Attempt::Over),
            }
        }
    }

    async fn again(&self) -> Result<Option<Claim>, Failure> {
        let mut tx = self.custody.store.write().await?;
        let claim = refresh::again(&mut tx, &self.claim, plan::LEASE).await?;
        tx.commit().await?;
        Ok(claim)
    }

    /// Journal, row, and only then whoever waits.
    async fn keep(self, tokens: Tokens) -> Result<Attempt, Failure> {
        let Self { custody, connection, claim, heartbeat, at_work, room, .. } = self;
        let context = self.ready.context;
        let entry = Entry {
            connection: connection.id.clone(),
            user: connection.user_id.clone(),
            toolkit: connection.toolkit.clone(),
            context: *context.as_bytes(),
            owner: claim.owner.clone(),
            fence: claim.fence,
            generation: claim.generation,
            tokens: sealed::seal(custody, connection, context, claim.generation + 1, &tokens),
            scopes: tokens.scopes.clone(),
            repeated: matches!(claim.doubt, Doubt::Lost(_)),
        };
        let place = append(custody, &entry).await;
        tracing::info!(
            connection = %connection.id, toolkit = %connection.toolkit, generation = claim.generation + 1,
            token_tag = custody.vault.tag(tokens.access_token.expose()), "refreshed an access token"
        );
        if let Err(error) = keep::keep(custody, &entry, place).await {
            tracing::error!(connection = %connection.id, %error, "new tokens wait in the journal for the database");
            keep::until_kept(custody.clone(), entry, place, (heartbeat, at_work, room));
            return Err(waits_for_the_database());
        }
        Ok(Attempt::Over)
    }

    /// Others may have been faster, or the provider may be of two minds: only a token that is refused while the row
    /// still has it ends the connection.
    async fn look_again(self) -> Result<Attempt, Failure> {
        sleep(plan::PAUSE).await;
        let is_as_restored = restored::is_as_restored(self.custody, self.connection).await?;
        let why = if is_as_restored { restored::WHY } else { plan::why(self.claim.doubt) };
        self.end(why).await
    }

    async fn end(self, why: &str) -> Result<Attempt, Failure> {
        let Self { custody, connection, claim, .. } = &self;
        let mut tx = custody.store.write().await?;
        let ended = refresh::expire(&mut tx, claim, why).await?;
        if !ended {
            refresh::release(&mut tx, claim, Intent::Cleared, 0).await?;
        }
        let now = connections::find(&mut tx, &connection.user_id, &connection.id).await?;
        tx.commit().await?;
        if let Some(now) = now.filter(|_| ended) {
            tracing::warn!(connection = %now.id, toolkit = %now.toolkit, why, "a connection has ended");
            custody.tell(&now.user_id, Event::connection(&now));
        }
        Ok(Attempt::Over)
    }

    async fn wait(
        self,
        error: &TokenError,
        intent: Intent,
        least: Millis,
        alarm: bool,
    ) -> Result<Attempt, Failure> {
        let Self { custody, connection, claim, .. } = &self;
        let draw = u32::from_be_bytes(custody.random.bytes());
        let wait = plan::backoff(claim.attempts, least, draw);
        let mut tx = custody.store.write().await?;
        refresh::release(&mut tx, claim, intent, wait).await?;
        if alarm && refresh::raise(&mut tx, &connection.toolkit, "invalid_client").await? {
            let toolkit = &connection.toolkit;
            tracing::error!(%toolkit, alert = "invalid_client", "a provider does not accept our client");
        }
        tx.commit().await?;
        Err(not_now(connection, &said(error), if least > 0 { least } else { wait + SECOND }))
    }
}

/// The tokens are on disk, and only the database does not have them yet.
fn waits_for_the_database() -> Failure {
    let message = "The database is away, and new tokens wait for it. Try again.";
    Failure::Wait(Refusal::new(Code::Busy, message), 1)
}

/// A provider that sends no new refresh token means the old one to be kept (RFC 6749, section 6).
fn with_old(tokens: Tokens, old: SecretString) -> Tokens {
    Tokens { refresh_token: Some(tokens.refresh_token.unwrap_or(old)), ..tokens }
}

/// A journal that fails now does not keep the tokens from the row.
async fn append(custody: &Custody, entry: &Entry) -> Option<crate::custody::journal::Place> {
    let (journal, entry) = (custody.escrow.clone(), entry.clone());
    let appended: Option<Result<_, JournalError>> =
        tokio::task::spawn_blocking(move || journal.append(&entry)).await.ok();
    match appended {
        Some(Ok(place)) => Some(place),
        Some(Err(error)) => {
            tracing::error!(%error, alert = "escrow", "new tokens could not be journaled");
            None
        }
        None => None,
    }
}

fn said(error: &TokenError) -> String {
    match error {
        TokenError::InDoubt(_) | TokenError::NotSent(_) => {
            "could not be reached to renew the access. Try again.".to_owned()
        }
        TokenError::Transient { .. } | TokenError::InvalidGrant => {
            "cannot renew the access at the moment. Try again.".to_owned()
        }
        TokenError::InvalidClient => "does not accept this server's client. Ask your admin.".to_owned(),
        TokenError::Denied { .. } | TokenError::Unusable(_) => {
            format!("gave an answer that cannot be used: {error}")
        }
    }
}
