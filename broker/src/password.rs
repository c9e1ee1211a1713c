//! Passwords: Argon2id, a few at a time and off the threads that serve.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

/// Shortest password, in characters.
pub const MIN_LENGTH: usize = 8;
/// Longest password, in bytes.
pub const MAX_LENGTH: usize = 1024;

/// Each takes 19 MiB and a core, so a flood of attempts waits here instead of taking the machine.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// What an unknown address is compared with, so that its answer takes as long as a known one's.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash_now("nobody has this password"));

/// Why a password cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("the password must have at least 8 characters and at most 1024 bytes")]
    Length,
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
    run(move || hash_now(&password)).await.flatten().ok_or(PasswordError::Hash)
}

/// Whether a password is the one that was hashed; without a hash it takes as long and is not.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    if password.len() > MAX_LENGTH {
        return false;
    }
    let verified = run(move || {
        let known = hash.is_some();
        let hash = hash.or_else(|| NOBODY.clone()).unwrap_or_default();
        known & verify_now(&password, &hash)
    });
    verified.await.unwrap_or(false)
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _permit = AT_ONCE.acquire().await.ok()?;
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

    #[tokio::test]
    async fn only_the_right_password_passes() {
        let stored = hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$"));
        assert!(verify("correct horse".into(), Some(stored.clone())).await);
        assert!(!verify("correct hors".into(), Some(stored.clone())).await);
        assert!(!verify("nobody has this password".into(), None).await);
        assert_ne!(stored, hash("correct horse".into()).await.unwrap(), "each has its own salt");
    }

    #[tokio::test]
    async fn short_and_huge_passwords_are_refused() {
        assert_eq!(hash("1234567".into()).await, Err(PasswordError::Length));
        assert_eq!(hash("x".repeat(1025)).await, Err(PasswordError::Length));
    }
}
