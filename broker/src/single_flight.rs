//! One at a time per key, within this process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Hands out turns by key.
#[derive(Debug, Default)]
pub struct SingleFlight {
    lanes: Mutex<HashMap<String, Weak<Lane>>>,
}

/// Where those queue who want the same key.
#[derive(Debug, Default)]
struct Lane {
    lock: Arc<AsyncMutex<()>>,
    failures: AtomicU64,
}

/// The turn of one caller. It ends when it is dropped.
#[derive(Debug)]
pub struct Turn {
    lane: Arc<Lane>,
    /// How often it had failed when this caller began to wait.
    failures: u64,
    _guard: OwnedMutexGuard<()>,
}

impl Turn {
    /// Whether somebody whose turn came first has failed while this caller waited: the outcome is its own, too.
    #[must_use]
    pub fn failed_before(&self) -> bool {
        self.lane.failures.load(Ordering::SeqCst) != self.failures
    }

    /// Tells those who wait that this turn failed.
    pub fn fail(&self) {
        self.lane.failures.fetch_add(1, Ordering::SeqCst);
    }
}

impl SingleFlight {
    /// Waits for the turn of `key`.
    pub async fn turn(&self, key: &str) -> Turn {
        let lane = self.lane(key);
        let failures = lane.failures.load(Ordering::SeqCst);
        let guard = Arc::clone(&lane.lock).lock_owned().await;
        Turn { lane, failures, _guard: guard }
    }

    fn lane(&self, key: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(key).and_then(Weak::upgrade) {
            return lane;
        }
        lanes.retain(|_, lane| lane.strong_count() > 0);
        let lane = Arc::new(Lane::default());
        lanes.insert(key.to_owned(), Arc::downgrade(&lane));
        lane
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_held_by_one_and_other_keys_are_free() {
        let flights = SingleFlight::default();
        let first = flights.turn("a").await;
        assert!(flights.lane("a").lock.try_lock().is_err());
        assert!(flights.lane("b").lock.try_lock().is_ok());
        drop(first);
        assert!(flights.lane("a").lock.try_lock().is_ok());
        let _other = flights.turn("c").await;
        assert_eq!(flights.lanes.lock().unwrap().len(), 1, "keys that nobody holds are forgotten");
    }

    #[tokio::test]
    async fn a_failure_is_shared_by_those_who_waited_and_by_no_later_one() {
        let flights = SingleFlight::default();
        let first = flights.turn("a").await;
        let fail = async {
            tokio::task::yield_now().await;
            first.fail();
            drop(first);
        };
        let (waited, ()) = tokio::join!(flights.turn("a"), fail);
        assert!(waited.failed_before());
        drop(waited);
        assert!(!flights.turn("a").await.failed_before());
    }
}
