//! Why a flow does not go on, and what of it is stored and shown.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::oauth::{Said, TokenError};
use crate::store::StoreError;
use crate::vault::VaultError;

/// Why a flow does not go on. Only the browser that began a flow learns that there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowError {
    /// Unknown, of another browser, or of a session that has ended.
    #[error("This page works once, in the browser and the session in which the connection was begun.")]
    NotYours,
    /// Finished before.
    #[error("This connection was finished already. There is nothing left to do here.")]
    Over,
    /// Begun too long ago.
    #[error("This took longer than 10 minutes, so it has ended.")]
    TooLate,
    /// The user has signed out or in since.
    #[error("You have signed out or in since you began, so it has ended.")]
    SessionEnded,
    /// The provider's answer came to the wrong place or names another issuer.
    #[error("This answer does not come from the provider that was asked.")]
    MixUp,
    /// The user declined.
    #[error("You did not allow the access. Nothing was connected.")]
    Declined,
    /// Something here has changed since.
    #[error("{0}")]
    Changed(String),
    /// The provider refused.
    #[error("The provider answered with the error {code}.")]
    Provider {
        /// Its code: letters, digits and underscores, at most 64.
        code: String,
        /// What it says of it.
        said: Option<Said>,
    },
    /// The code could not be exchanged.
    #[error("The provider did not complete the sign-in: {code}.")]
    Exchange {
        /// Why, in our words.
        code: String,
        /// What the provider says of it.
        said: Option<Said>,
    },
    /// The provider could not be asked.
    #[error("The provider cannot be reached at the moment.")]
    Unreachable,
    /// The database or a key is not at hand for the moment.
    #[error("This server is busy. Try again in a moment.")]
    Busy,
    /// Ours.
    #[error("Something went wrong on our side.")]
    Internal(String),
}

impl FlowError {
    /// What the provider says in its own words.
    #[must_use]
    pub fn said(&self) -> Option<&Said> {
        match self {
            Self::Provider { said, .. } | Self::Exchange { said, .. } => said.as_ref(),
            _ => None,
        }
    }
}

impl From<Failure> for FlowError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) | Failure::Choose(refusal, _) | Failure::Ended(refusal) => {
                Self::Changed(refusal.message)
            }
            Failure::Wait(..) => Self::Busy,
            Failure::Internal(text) => Self::Internal(text),
        }
    }
}

impl From<StoreError> for FlowError {
    fn from(error: StoreError) -> Self {
        if error.is_busy() { Self::Busy } else { Self::Internal(error.to_string()) }
    }
}

impl From<VaultError> for FlowError {
    fn from(error: VaultError) -> Self {
        Self::Internal(error.to_string())
    }
}

pub(crate) fn provider_error(error: &str, description: Option<&str>) -> FlowError {
    if error == "access_denied" {
        return FlowError::Declined;
    }
    let known: String = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
    let code = if known.is_empty() { "unknown_error".to_owned() } else { known };
    FlowError::Provider { code, said: description.and_then(Said::new) }
}

pub(crate) fn exchange_error(error: TokenError) -> FlowError {
    match error {
        TokenError::NotSent(_) | TokenError::InDoubt(_) | TokenError::Transient { .. } => {
            tracing::warn!(%error, "a code could not be exchanged");
            FlowError::Unreachable
        }
        TokenError::Denied { code, said } => FlowError::Exchange { code, said },
        TokenError::InvalidGrant | TokenError::InvalidClient | TokenError::Unusable(_) => {
            FlowError::Exchange { code: error.to_string(), said: None }
        }
    }
}

/// The machine name for the log of what was done.
pub(super) fn outcome(error: &FlowError) -> &'static str {
    match error {
        FlowError::Declined => "declined",
        FlowError::Provider { .. } => "provider_error",
        FlowError::Exchange { .. } => "exchange_failed",
        FlowError::Unreachable => "unreachable",
        FlowError::Busy | FlowError::Internal(_) => "internal",
        FlowError::NotYours
        | FlowError::Over
        | FlowError::TooLate
        | FlowError::SessionEnded
        | FlowError::MixUp
        | FlowError::Changed(_) => "refused",
    }
}

/// The machine name for the connection, with the provider's own code behind a colon.
#[must_use]
pub fn why(error: &FlowError) -> String {
    match error {
        FlowError::Provider { code, .. } => format!("{}:{code}", outcome(error)),
        _ => outcome(error).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_calls_its_error_is_cut_to_letters() {
        let code = |error: &str| why(&provider_error(error, Some("\u{202e}")));
        assert_eq!(code("access_denied"), "declined");
        assert_eq!(code("<b>x</b>"), "provider_error:bxb");
        assert_eq!(code("\u{202e}"), "provider_error:unknown_error");
        assert_eq!(code(&"x".repeat(1000)).len(), "provider_error:".len() + 64);
    }
}
