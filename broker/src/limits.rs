//! What is bounded per user or address: what protects people is counted in the database, by all brokers together,
//! what protects this process in its memory.

pub mod calls;
pub mod sign_in;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use taiku_bridge::{Code, Refusal};

use crate::clock::{DAY, Millis};
use crate::failure::Failure;
use crate::password::Queues;

/// Plugins that are received and unpacked at once: each may take 64 MiB of memory.
const INSTALLING: usize = 4;

/// Writes to what plugins store that one user may make at once.
const STORE_BURST: f64 = 1_000.0;
/// The same in a second, sustained.
const STORES_PER_SECOND: f64 = 20.0;

/// Events that the plugins of one user may tell at once.
const TELL_BURST: f64 = 200.0;
/// The same in a second, sustained.
const TELLS_PER_SECOND: f64 = 20.0;

/// What each user has left, and since when.
type Buckets = Mutex<HashMap<String, (f64, Millis)>>;

/// Counts what is bounded.
#[derive(Debug, Default)]
pub struct Limits {
    calls: calls::Calls,
    /// Where passwords wait for their turn.
    pub passwords: Queues,
    stores: Buckets,
    tells: Buckets,
    installing: Mutex<HashSet<String>>,
}

/// Somebody's turn to install a plugin; it ends when this is dropped.
#[derive(Debug)]
pub struct Installing<'a> {
    limits: &'a Limits,
    user_id: String,
}

impl Drop for Installing<'_> {
    fn drop(&mut self) {
        self.limits.installing.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.user_id);
    }
}

impl Limits {
    /// Lets the plugins of a user write once more.
    ///
    /// # Errors
    /// `rate_limited` after too many writes in too short a time.
    pub fn store(&self, user_id: &str, now: Millis) -> Result<(), Failure> {
        let message = "Your plugins write more than 20 values or files a second. Wait a moment.";
        take(&self.stores, user_id, now, STORE_BURST, STORES_PER_SECOND, message)
    }

    /// Lets the plugins of a user tell one more event.
    ///
    /// # Errors
    /// `rate_limited` after too many events in too short a time.
    pub fn tell(&self, user_id: &str, now: Millis) -> Result<(), Failure> {
        let message = "Your plugins tell more than 20 events a second. Wait a moment.";
        take(&self.tells, user_id, now, TELL_BURST, TELLS_PER_SECOND, message)
    }

    /// Lets a user install one plugin at a time, and few users at once.
    ///
    /// # Errors
    /// `rate_limited` when it is not the user's turn.
    pub fn install(&self, user_id: &str) -> Result<Installing<'_>, Failure> {
        let mut installing = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        if installing.len() >= INSTALLING || !installing.insert(user_id.to_owned()) {
            let message = "Another plugin is being installed. Wait a moment and try again.";
            return Err(Failure::Wait(Refusal::new(Code::RateLimited, message), 5));
        }
        Ok(Installing { limits: self, user_id: user_id.to_owned() })
    }
}

/// Takes one from a user's bucket, which fills up again with time.
fn take(
    buckets: &Buckets,
    user_id: &str,
    now: Millis,
    burst: f64,
    per_second: f64,
    message: &str,
) -> Result<(), Failure> {
    let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
    #[expect(clippy::cast_precision_loss, reason = "a span of a day is exact")]
    let earned = |since: Millis| (now - since).clamp(0, DAY) as f64 / 1000.0 * per_second;
    // Whoever has earned a full burst is as good as new.
    buckets.retain(|_, (left, since)| *left + earned(*since) < burst);
    let (left, since) = buckets.entry(user_id.to_owned()).or_insert((burst, now));
    (*left, *since) = ((*left + earned(*since)).min(burst), now.max(*since));
    if *left < 1.0 {
        return Err(Failure::Wait(Refusal::new(Code::RateLimited, message), 1));
    }
    *left -= 1.0;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_writes_a_burst_and_then_at_the_rate_and_another_user_does_not_wait() {
        let limits = Limits::default();
        let written = |user: &str, now| (0..2_000).filter(|_| limits.store(user, now).is_ok()).count();
        assert_eq!(written("a", 0), 1_000);
        assert_eq!(written("a", 1_000), 20);
        assert_eq!(written("a", 500), 0, "time that runs back gives nothing");
        assert_eq!(limits.store("a", 1_000).unwrap_err().code(), Code::RateLimited);
        assert_eq!(written("b", 1_000), 1_000);
        assert_eq!(written("a", DAY), 1_000);
        assert_eq!(limits.stores.lock().unwrap().len(), 1, "b is as good as new");
    }

    #[test]
    fn one_installs_at_a_time_and_few_at_once() {
        let limits = Limits::default();
        let turn = limits.install("a").unwrap();
        assert_eq!(limits.install("a").unwrap_err().code(), Code::RateLimited);
        let others: Vec<_> = ["b", "c", "d"].iter().map(|user| limits.install(user).unwrap()).collect();
        assert_eq!(limits.install("e").unwrap_err().code(), Code::RateLimited);
        drop(turn);
        assert!(limits.install("e").is_ok());
        drop(others);
        assert!(limits.installing.lock().unwrap().is_empty());
    }
}
