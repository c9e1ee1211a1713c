//! One at a time per key, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Hands out turns by key.
#[derive(Debug, Default)]
pub struct SingleFlight {
    locks: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
}

impl SingleFlight {
    /// Waits for the turn of `key`. The turn ends when the guard is dropped.
    pub async fn turn(&self, key: &str) -> OwnedMutexGuard<()> {
        self.lock(key).lock_owned().await
    }

    fn lock(&self, key: &str) -> Arc<AsyncMutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(key).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(AsyncMutex::new(()));
        locks.insert(key.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_held_by_one_and_other_keys_are_free() {
        let flights = SingleFlight::default();
        let first = flights.turn("a").await;
        assert!(flights.lock("a").try_lock().is_err());
        assert!(flights.lock("b").try_lock().is_ok());
        drop(first);
        assert!(flights.lock("a").try_lock().is_ok());
        let _other = flights.turn("c").await;
        assert_eq!(flights.locks.lock().unwrap().len(), 1, "keys that nobody holds are forgotten");
    }
}
