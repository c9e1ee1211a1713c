//! Passwords: Argon2id, a few at a time and off the threads that serve. Few wait for their turn: whoever comes then
//! is told at once.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Shortest password, in characters.
pub const MIN_LENGTH: usize = 8;
/// Longest password, in bytes.
pub const MAX_LENGTH: usize = 1024;

/// Passwords that are checked at once in each queue: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Passwords that may be in one queue, those that are being checked included.
const IN_QUEUE: usize = 16;

/// Where passwords wait for their turn: a flood of strangers fills their queue alone.
#[derive(Debug, Default)]
pub struct Queues {
    /// Of browsers in which the user has signed in before.
    pub known: Queue,
    /// Of everybody else.
    pub strangers: Queue,
}

/// One of them.
#[derive(Debug)]
pub struct Queue {
    places: Semaphore,
    turns: Semaphore,
}

impl Default for Queue {
    fn default() -> Self {
        Self { places: Semaphore::new(IN_QUEUE), turns: Semaphore::new(AT_ONCE) }
    }
}

impl Queue {
    /// Takes a place, before anything is counted or looked up for this password.
    ///
    /// # Errors
    /// When there is none.
    pub fn enter(&self) -> Result<Place<'_>, PasswordError> {
        let place = self.places.try_acquire().map_err(|_| PasswordError::Busy)?;
        Ok(Place { turns: &self.turns, _place: place })
    }
}

/// A place in a queue.
#[derive(Debug)]
pub struct Place<'a> {
    turns: &'a Semaphore,
    _place: SemaphorePermit<'a>,
}

impl Place<'_> {
    /// Whether a password is the one that was hashed; without a hash it takes as long and is not.
    pub async fn verify(self, password: String, hash: Option<String>) -> bool {
        if password.len() > MAX_LENGTH {
            return false;
        }
        let verified = run(self.turns, move || {
            let known = hash.is_some();
            let hash = hash.or_else(|| NOBODY.clone()).unwrap_or_default();
            known & verify_now(&password, &hash)
        });
        verified.await.unwrap_or(false)
    }
}

/// The turns of passwords that operators and new admins set; nobody else can.
static NEW: Semaphore = Semaphore::const_new(AT_ONCE);

/// What an unknown address is compared with, so that its answer takes as long as a known one's.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash_now("nobody has this password"));

/// Why a password cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("the password must have at least 8 characters and at most 1024 bytes")]
    Length,
    /// Too many wait already.
    #[error("too many passwords are being checked; try again in a moment")]
    Busy,
    /// The hash could not be computed.
    #[error("the password could not be hashed")]
    Hash,
}

/// Hashes a password with a salt of its own (PHC string format).
///
/// # Errors
/// When it is too short or too long.
pub async fn hash(password: String) -> Result<String, PasswordError> {
    if password.chars().count() < MIN_LENGTH || password.len() > MAX_LENGTH {
        return Err(PasswordError::Length);
    }
    run(&NEW, move || hash_now(&password)).await.flatten().ok_or(PasswordError::Hash)
}

async fn run<T: Send + 'static>(turns: &Semaphore, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _turn = turns.acquire().await.ok()?;
    tokio::task::spawn_blocking(work).await.ok()
}

fn hash_now(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

fn verify_now(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn verify(password: &str, hash: Option<String>) -> bool {
        Queue::default().enter().unwrap().verify(password.into(), hash).await
    }

    #[tokio::test]
    async fn a_full_queue_says_so_at_once_and_the_other_goes_on() {
        let queues = Queues::default();
        let places: Vec<_> = std::iter::from_fn(|| queues.strangers.enter().ok()).collect();
        assert_eq!(places.len(), IN_QUEUE);
        assert_eq!(queues.strangers.enter().err(), Some(PasswordError::Busy));
        assert!(queues.known.enter().is_ok());
        drop(places);
        assert!(queues.strangers.enter().is_ok());
    }

    #[tokio::test]
    async fn only_the_right_password_passes() {
        let stored = hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$"));
        assert!(verify("correct horse", Some(stored.clone())).await);
        assert!(!verify("correct hors", Some(stored.clone())).await);
        assert!(!verify("nobody has this password", None).await);
        assert_ne!(stored, hash("correct horse".into()).await.unwrap(), "each has its own salt");
    }

    #[tokio::test]
    async fn short_and_huge_passwords_are_refused() {
        assert_eq!(hash("1234567".into()).await, Err(PasswordError::Length));
        assert_eq!(hash("x".repeat(1025)).await, Err(PasswordError::Length));
    }
}
