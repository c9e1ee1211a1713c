//! The one source of random bytes: everything that needs to be unguessable is given a [`Random`].

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The alphabet of RFC 4648 section 6 in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// 26 characters of 5 bits: 130 bits.
const ID_LENGTH: usize = 26;

/// Random bytes as a parameter, so that tests can fix them. Clones share their source.
#[derive(Clone)]
pub struct Random(Source);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

#[derive(Clone)]
enum Source {
    System,
    Function(Arc<Fill>),
}

impl Random {
    /// The operating system's generator, for everything outside tests.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Bytes from a function that fills the whole slice it is given. For tests only.
    pub fn from_fn(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Source::Function(Arc::new(fill)))
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => fill_from_system(&mut bytes),
            Source::Function(fill) => fill(&mut bytes),
        }
        bytes
    }

    /// An unguessable token: 32 random bytes as 43 characters of base64url without padding.
    #[must_use]
    pub fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// An identifier of a row: the prefix and 26 characters out of `a-z2-7`, which carry 130 random bits.
    #[must_use]
    pub fn id(&self, prefix: &str) -> String {
        let digits = self.bytes::<ID_LENGTH>().map(|byte| char::from(BASE32[usize::from(byte % 32)]));
        prefix.chars().chain(digits).collect()
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Random::system()",
            Source::Function(_) => "Random::from_fn(..)",
        })
    }
}

/// Linux answers every request for random bytes once it has booted.
/// Should it refuse all the same, going on would mean guessable keys, and an error could be swallowed: the process ends.
#[expect(clippy::disallowed_methods, reason = "this is the replacement that the ban names")]
fn fill_from_system(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        tracing::error!(%error, "the operating system gives no random bytes; ending the process");
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn tokens_are_long_url_safe_and_different() {
        let random = Random::system();
        let tokens: HashSet<String> = (0..1000).map(|_| random.token()).collect();
        assert_eq!(tokens.len(), 1000);
        assert!(tokens.iter().all(|token| token.len() == 43
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')));
    }

    #[test]
    fn ids_carry_their_prefix_and_differ() {
        let random = Random::system();
        let ids: HashSet<String> = (0..1000).map(|_| random.id("con_")).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 30 && id.starts_with("con_")));
        let used: HashSet<char> = ids.iter().flat_map(|id| id[4..].chars()).collect();
        assert_eq!(used, BASE32.iter().copied().map(char::from).collect());
    }

    #[test]
    fn a_function_decides_the_bytes() {
        let random = Random::from_fn(|bytes| bytes.fill(7));
        assert_eq!(random.clone().bytes::<4>(), [7; 4]);
        assert_eq!(random.id("x_"), format!("x_{}", "h".repeat(26)));
    }
}
