//! Refreshing access tokens without losing a grant: not to a crash, not to another broker, not to a lost answer.
//!
//! 1. One caller per process and connection works at it ([`SingleFlight`](crate::single_flight::SingleFlight)).
//! 2. It takes the connection's lease and notes its intent in one durable step, before anything is sent. The lease runs
//!    on the database's clock and is extended while the request is under way.
//! 3. What comes back is sorted by [`plan`]. An answer that never came is asked for once more, after a moment.
//! 4. New tokens go into the [journal](super::journal), then into the row where the generation is still the same, and
//!    only then to who waits.
//! 5. Who finds the lease taken waits and reads the row again.
//!
//! `ARCHITECTURE.md` tells it from end to end; `model.rs` checks it in every order of events.

mod attempt;
pub mod background;
mod keep;
#[cfg(test)]
mod model;
pub mod plan;

pub use keep::recover;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use taiku_bridge::{Code, Refusal};
use tokio::time::{Instant, sleep};

use self::attempt::Attempt;
use super::{Custody, Operation};
use crate::clock::{Millis, SECOND};
use crate::failure::Failure;
use crate::store::connections::{self, Connection, State};

/// How long a caller waits for a refresh, its own or somebody else's.
const MAX_WAIT: Duration = Duration::from_secs(25);
/// How often it looks whether somebody else's has ended.
const POLL: Duration = Duration::from_millis(100);
/// How long a caller waits for the next attempt after one in vain, in milliseconds; else it is told when to come back.
const PATIENCE: Millis = 2 * SECOND;
/// When to try again after a renewal that takes too long, in seconds.
const RETRY_AFTER: u64 = 5;

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
                let outcome = in_turn(&custody, &self).await;
                if outcome.is_err() {
                    turn.fail();
                }
                outcome
            }
        };
        match tokio::time::timeout(MAX_WAIT, tokio::spawn(work)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => Err(Failure::Internal(format!("a refresh panicked: {panic}"))),
            Err(_) => Err(too_slow()),
        }
    }
}

/// Tries until the connection is another one than its caller found no good.
async fn in_turn(custody: &Custody, wanted: &Fresh) -> Result<(), Failure> {
    let deadline = Instant::now() + MAX_WAIT;
    while let Some(connection) = stale(custody, wanted).await? {
        match attempt::attempt(custody, &connection).await? {
            Attempt::Over => {}
            Attempt::Held => sleep(POLL).await,
            Attempt::Queued(wait) => sleep(millis(wait)).await,
            Attempt::Later(wait) if wait <= PATIENCE => sleep(millis(wait)).await,
            Attempt::Later(wait) => return Err(later(&connection, wait)),
        }
        if Instant::now() >= deadline {
            return Err(too_slow());
        }
    }
    Ok(())
}

/// The connection, if it still is what its caller found no good.
async fn stale(custody: &Custody, wanted: &Fresh) -> Result<Option<Connection>, Failure> {
    let mut tx = custody.store.read().await?;
    let connection = connections::find(&mut tx, &wanted.user_id, &wanted.connection_id).await?;
    Ok(connection.filter(|connection| {
        connection.generation == wanted.generation && matches!(connection.state, State::Active(_))
    }))
}

/// A hundred callers who wait for a provider that is down must not ask it a hundred times.
fn shared_failure(connection: &Connection) -> Failure {
    later(connection, SECOND)
}

fn later(connection: &Connection, wait: Millis) -> Failure {
    not_now(connection, "cannot renew the access at the moment. Try again.", wait)
}

/// The access could not be renewed, so the call that needed it was not sent.
fn not_now(connection: &Connection, message: &str, wait: Millis) -> Failure {
    let seconds = u64::try_from(wait / SECOND).unwrap_or_default().max(1);
    let message = format!("{} {message}", connection.toolkit);
    Failure::Wait(Refusal::new(Code::UpstreamUnreachable, message), seconds)
}

fn too_slow() -> Failure {
    let message = "The provider did not renew the access in time. Try again.";
    Failure::Wait(Refusal::new(Code::UpstreamSlow, message), RETRY_AFTER)
}

fn millis(wait: Millis) -> Duration {
    Duration::from_millis(wait.max(0).unsigned_abs())
}
