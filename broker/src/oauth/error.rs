//! Why there are no tokens, sorted by what to do next.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::egress::{EgressError, Oversize};

/// A token request that did not end with tokens. Safe to log: it holds no token and no text of the provider's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The code or the refresh token is dead. The only error that says so of a grant.
    #[error("the provider says that the code or refresh token is not valid any more; connect again")]
    InvalidGrant,
    /// The provider does not accept our client. Connections stay.
    #[error(
        "the provider does not accept the client id or secret; an admin must check the toolkit's settings"
    )]
    InvalidClient,
    /// Refused for another reason.
    #[error("the provider refused with the code {code}")]
    Denied {
        /// Letters and underscores only, at most 40; `other` where the provider's code is anything else.
        code: String,
        /// What the provider says about it, for the user's page only.
        said: Option<Said>,
    },
    /// Overloaded or broken for now (429, 5xx). Connections stay.
    #[error("the provider cannot answer at the moment; try again later")]
    Transient {
        /// From `Retry-After`, at most a day.
        retry_after: Option<Duration>,
    },
    /// Nothing was sent.
    #[error("{0}")]
    NotSent(EgressError),
    /// It may have been acted on: a refresh token may be spent.
    #[error("{0}")]
    InDoubt(EgressError),
    /// An answer that gives no usable token. Connections stay.
    #[error("the provider's answer cannot be used: {0}")]
    Unusable(Unusable),
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Larger than a token answer has reason to be.
    #[error("it is too large")]
    TooLarge,
    /// 3xx; a redirect is never followed with credentials.
    #[error("it is a redirect")]
    Redirect,
    /// Nothing at all.
    #[error("its body is empty")]
    Empty,
    /// A web page.
    #[error("it is a web page")]
    Html,
    /// Neither a JSON object nor a form.
    #[error("it is neither a JSON object nor a form")]
    NotAnObject,
    /// The toolkit's pointer leads to no object.
    #[error("the toolkit's token_pointer leads to nothing in it")]
    Pointer,
    /// No `access_token`, or one that cannot be sent in a header.
    #[error("it has no usable access_token")]
    AccessToken,
    /// A `refresh_token` that is not text, or cannot be sent back.
    #[error("its refresh_token is not usable")]
    RefreshToken,
    /// No codes for a device flow, or an address that no user should be sent to.
    #[error("it has no device_code, user_code and verification_uri that can be used")]
    Device,
    /// No reference to a pushed request.
    #[error("it has no request_uri")]
    Pushed,
    /// A type of token that needs more than being sent along (RFC 6749 section 7.1).
    #[error("its token_type is not bearer")]
    TokenType,
}

impl From<EgressError> for TokenError {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Refused(_) | EgressError::NotSent(_) => Self::NotSent(error),
            EgressError::Unknown(_) => Self::InDoubt(error),
            EgressError::TooLarge(Oversize::Body | Oversize::Headers) => Self::Unusable(Unusable::TooLarge),
        }
    }
}

impl From<Unusable> for TokenError {
    fn from(why: Unusable) -> Self {
        Self::Unusable(why)
    }
}

/// What a provider said in its own words: at most 256 characters without control characters. It is a stranger's
/// text, so its `Debug` is redacted, it has no `Display`, and a page must still escape it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said(String);

impl Said {
    /// Most characters that are kept.
    pub const MAX: usize = 256;

    /// Caps and cleans a description; nothing where nothing readable is left. Also for a callback's
    /// `error_description`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let readable = |c: &char| !c.is_control() && !is_invisible(*c);
        let kept: String = text.trim().chars().filter(readable).take(Self::MAX).collect();
        (!kept.is_empty()).then_some(Self(kept))
    }

    /// The text, for the page of the user who was refused. Not for logs.
    #[must_use]
    pub fn for_page(&self) -> &str {
        &self.0
    }
}

/// Characters that show nothing but reorder or hide what surrounds them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Said({} characters)", self.0.chars().count())
    }
}
