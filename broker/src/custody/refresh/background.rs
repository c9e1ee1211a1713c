//! Refreshing without anybody asking: what is about to end, and what has no known end.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::attempt::{self, Attempt};
use super::{Fresh, stale};
use crate::custody::Custody;
use crate::store;
use crate::store::refresh::{self, Due};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// Refreshes at once in this process; callers' own do not count.
const AT_ONCE: usize = 64;
/// How many connections it looks at in one round.
const ROUND: i64 = 128;

/// Works until told to stop.
pub async fn run(custody: Custody, mut stopped: watch::Receiver<bool>) {
    let background =
        Background { custody, slots: Arc::new(Semaphore::new(AT_ONCE)), under_way: Arc::default() };
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            // An error means that the sender is gone, which is as good as the order to stop.
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
        if let Err(error) = background.round().await {
            background.custody.database_failed();
            tracing::warn!(%error, "could not look for what to refresh; trying again");
        }
    }
}

struct Background {
    custody: Custody,
    slots: Arc<Semaphore>,
    /// Connections that wait for a slot or have one.
    under_way: Arc<Mutex<HashSet<String>>>,
}

impl Background {
    async fn round(&self) -> store::Result<()> {
        let due = {
            let mut tx = self.custody.store.read().await?;
            let mut due = refresh::abandoned(&mut tx, ROUND).await?;
            due.extend(refresh::ending(&mut tx, self.custody.clock.now(), ROUND).await?);
            due
        };
        for due in due {
            let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else { return Ok(()) };
            if !self.lock().insert(due.id.clone()) {
                continue;
            }
            let (custody, under_way) = (self.custody.clone(), Arc::clone(&self.under_way));
            tokio::spawn(async move {
                let _slot = slot;
                let id = due.id.clone();
                one(&custody, due).await;
                under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            });
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attempt. What it could not do is tried again in a later round, when the connection has waited.
async fn one(custody: &Custody, due: Due) {
    let wanted = Fresh { user_id: due.user_id, connection_id: due.id, generation: due.generation };
    let turn = custody.refreshing.turn(&wanted.connection_id).await;
    let outcome = match stale(custody, &wanted).await {
        Ok(Some(connection)) => attempt::attempt(custody, &connection).await,
        Ok(None) => Ok(Attempt::Over),
        Err(failure) => Err(failure),
    };
    if let Err(failure) = outcome {
        turn.fail();
        tracing::debug!(connection = %wanted.connection_id, code = %failure.code(), "not refreshed for now");
    }
}
