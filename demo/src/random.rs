//! The one place where random bytes come from, and the tokens that are made of them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// SHA-256 of a token: what is stored and looked up, so that comparing takes no secret's time.
pub(crate) type Digest = [u8; 32];

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system's random number generator failed; the demo provider cannot make a token")]
pub(crate) struct NoRandom;

/// What a token is for. Its prefix lets people, logs and [`redact`] recognise it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A consent page that waits for its answer.
    Request,
    /// A browser that was shown a consent page.
    Browser,
    /// An authorization code.
    Code,
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Request, Self::Browser, Self::Code, Self::Access, Self::Refresh];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Request => "demo_rq_",
            Self::Browser => "demo_br_",
            Self::Code => "demo_ac_",
            Self::Access => "demo_at_",
            Self::Refresh => "demo_rt_",
        }
    }

    /// Whether `text` could be a token of this kind.
    pub(crate) fn is_shape_of(self, text: &str) -> bool {
        let base64url = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        text.strip_prefix(self.prefix()).is_some_and(|rest| rest.len() == 43 && rest.bytes().all(base64url))
    }
}

/// 256 random bits as text. It is handed out once, so it is neither `Clone` nor printable.
pub(crate) struct Token(String);

impl Token {
    /// Makes a new token.
    ///
    /// # Errors
    /// [`NoRandom`] if the system has no random bytes.
    pub(crate) fn new(kind: Kind) -> Result<Self, NoRandom> {
        let text = URL_SAFE_NO_PAD.encode(bytes()?);
        Ok(Self(format!("{}{text}", kind.prefix())))
    }

    /// A token that was presented, to be given again.
    pub(crate) fn again(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text, for the one answer that carries it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// What to store instead of the token.
    pub(crate) fn digest(&self) -> Digest {
        digest(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

/// SHA-256 of what somebody presented.
pub(crate) fn digest(text: &str) -> Digest {
    Sha256::digest(text.as_bytes()).into()
}

/// Replaces every token of ours in `text` by its prefix.
pub(crate) fn redact(text: &str) -> String {
    Kind::ALL.iter().fold(text.to_owned(), |text, kind| redact_prefix(&text, kind.prefix()))
}

fn redact_prefix(text: &str, prefix: &str) -> String {
    let mut parts = text.split(prefix);
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        clean.push_str(prefix);
        clean.push('…');
        clean.push_str(rest);
    }
    clean
}

#[expect(clippy::disallowed_methods, reason = "this is the only source of random bytes of this crate")]
fn bytes() -> Result<[u8; 32], NoRandom> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_do_not_print() {
        let (one, two) = (Token::new(Kind::Access).unwrap(), Token::new(Kind::Access).unwrap());
        assert_ne!(one.expose(), two.expose());
        assert_eq!(one.expose().len(), "demo_at_".len() + 43);
        assert_eq!(format!("{one:?}"), "Token([redacted])");
    }

    #[test]
    fn redacting_removes_every_kind_and_keeps_the_rest() {
        for kind in Kind::ALL {
            let token = Token::new(kind).unwrap();
            let clean = redact(&format!("/a?x={0}&y={0}&z=1", token.expose()));
            assert_eq!(clean, format!("/a?x={0}…&y={0}…&z=1", kind.prefix()));
        }
        assert_eq!(redact("/api/issues/%2e%2e"), "/api/issues/%2e%2e");
    }
}
