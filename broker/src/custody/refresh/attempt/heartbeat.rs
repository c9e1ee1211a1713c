//! Keeps a lease while its holder is at work.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::plan::{HEARTBEAT, LEASE};
use crate::custody::Custody;
use crate::store::refresh::Claim;
use crate::store::{self, refresh};

/// Extends a lease every few seconds until it is dropped.
pub(in crate::custody::refresh) struct Heartbeat {
    claim: Claim,
    /// When it was last extended for sure; nothing once it was lost.
    extended: Arc<Mutex<Option<Instant>>>,
    task: JoinHandle<()>,
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Heartbeat {
    /// Begins to extend a lease that was taken at `begun` or later.
    pub(super) fn begin(custody: Custody, claim: Claim, begun: Instant) -> Self {
        let extended = Arc::new(Mutex::new(Some(begun)));
        let task = tokio::spawn(run(custody, claim.clone(), Arc::clone(&extended)));
        Self { claim, extended, task }
    }

    /// Whether the lease still runs, so that something may be sent. A process that was stopped in between does not know
    /// before it has asked.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn still_holds(&self, custody: &Custody) -> store::Result<bool> {
        let extended = *self.extended.lock().unwrap_or_else(PoisonError::into_inner);
        match extended {
            None => Ok(false),
            Some(at) if at.elapsed() + HEARTBEAT < LEASE_LENGTH => Ok(true),
            Some(_) => beat(custody, &self.claim, &self.extended).await,
        }
    }
}

const LEASE_LENGTH: std::time::Duration = std::time::Duration::from_millis(LEASE.unsigned_abs());

async fn run(custody: Custody, claim: Claim, extended: Arc<Mutex<Option<Instant>>>) {
    loop {
        sleep(HEARTBEAT).await;
        match beat(&custody, &claim, &extended).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(connection = %claim.id, fence = claim.fence, "a lease was taken over");
                return;
            }
            // Nobody can take it over either while the database is away.
            Err(error) => tracing::warn!(connection = %claim.id, %error, "a lease could not be extended"),
        }
    }
}

async fn beat(custody: &Custody, claim: &Claim, extended: &Mutex<Option<Instant>>) -> store::Result<bool> {
    let now = Instant::now();
    let mut tx = custody.store.write().await?;
    let holds = refresh::beat(&mut tx, &claim.lease(), LEASE).await?;
    tx.commit().await?;
    *extended.lock().unwrap_or_else(PoisonError::into_inner) = holds.then_some(now);
    Ok(holds)
}
