//! The one-time link that makes the first admin.

use std::sync::{Mutex, PoisonError};

use crate::random::Random;
use crate::vault::hash;

/// Holds the hash of the link's token while there is no admin. It lives in memory: a restart prints another link.
#[derive(Debug, Default)]
pub struct SetupLink(Mutex<Option<[u8; 32]>>);

impl SetupLink {
    /// Makes a link in place of an older one.
    pub fn make(&self, app_origin: &str, random: &Random) -> String {
        let token = random.token();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(hash::sha256(token.as_bytes()));
        format!("{app_origin}/setup#{token}")
    }

    /// Whether a token is the link's.
    #[must_use]
    pub fn is(&self, token: &str) -> bool {
        let expected = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        expected.is_some_and(|expected| hash::eq(&expected, &hash::sha256(token.as_bytes())))
    }

    /// Ends the link.
    pub fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
