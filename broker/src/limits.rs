//! What is bounded per user or address, in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use taiku_bridge::{Code, Refusal};

use crate::clock::{DAY, MINUTE, Millis};
use crate::failure::Failure;

/// Wrong passwords for one address before it has to wait.
const FAILURES: u32 = 10;
/// How long it has to wait, and how long failures are remembered.
const WINDOW: Millis = 15 * MINUTE;
/// Addresses that are remembered at once.
const REMEMBERED: usize = 10_000;
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
    failed_sign_ins: Mutex<HashMap<String, (u32, Millis)>>,
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
    /// Lets an address try to sign in, and counts the attempt as failed until it has worked: of many attempts at
    /// the same time each must see those before it.
    ///
    /// # Errors
    /// `rate_limited` after too many wrong passwords.
    pub fn sign_in(&self, email: &str, now: Millis) -> Result<(), Failure> {
        let mut failed = self.failed_sign_ins.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() >= REMEMBERED {
            failed.retain(|_, (_, since)| now - *since < WINDOW);
        }
        if failed.len() >= REMEMBERED && !failed.contains_key(email) {
            forget_one(&mut failed);
        }
        let (count, since) = failed.entry(email.to_owned()).or_insert((0, now));
        if now - *since >= WINDOW {
            (*count, *since) = (0, now);
        }
        if *count >= FAILURES {
            let message = "Too many wrong passwords for this address. Wait 15 minutes.";
            let wait = (WINDOW - (now - *since)) / 1000;
            return Err(Failure::Wait(Refusal::new(Code::RateLimited, message), wait.unsigned_abs()));
        }
        *count += 1;
        Ok(())
    }

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

    /// Forgets the failures of an address.
    pub fn sign_in_worked(&self, email: &str) {
        self.failed_sign_ins.lock().unwrap_or_else(PoisonError::into_inner).remove(email);
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

/// Makes room by forgetting the address with the fewest failures: a flood of addresses that nobody has must push out
/// itself before it pushes out one that somebody tries to guess the password of.
fn forget_one(failed: &mut HashMap<String, (u32, Millis)>) {
    let least = failed.iter().min_by_key(|(_, entry)| **entry).map(|(email, _)| email.clone());
    least.map(|email| failed.remove(&email));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_wrong_passwords_make_an_address_wait_and_no_other() {
        let limits = Limits::default();
        for _ in 0..FAILURES {
            assert!(limits.sign_in("a@b.c", 0).is_ok());
        }
        assert_eq!(limits.sign_in("a@b.c", 1).unwrap_err().code(), Code::RateLimited);
        assert!(limits.sign_in("other@b.c", 1).is_ok());
        assert!(limits.sign_in("a@b.c", WINDOW).is_ok());
        limits.sign_in_worked("a@b.c");
        assert!(limits.sign_in("a@b.c", 1).is_ok());
    }

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

    #[test]
    fn a_flood_of_addresses_neither_frees_a_guessed_one_nor_grows() {
        let limits = Limits::default();
        let guess = |email: &str| limits.sign_in(email, 0);
        (0..FAILURES).for_each(|_| guess("a@b.c").unwrap());
        (0..REMEMBERED + 100).for_each(|n| guess(&format!("{n}@flood.test")).unwrap());
        assert_eq!(guess("a@b.c").unwrap_err().code(), Code::RateLimited);
        (0..FAILURES).for_each(|_| guess("new@b.c").unwrap());
        assert_eq!(guess("new@b.c").unwrap_err().code(), Code::RateLimited);
        assert_eq!(limits.failed_sign_ins.lock().unwrap().len(), REMEMBERED);
    }
}
