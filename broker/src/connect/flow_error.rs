//! Why a flow does not go on, and what of it is stored and shown.

use crate::failure::Failure;
use crate::oauth::TokenError;
use crate::store::StoreError;
use crate::vault::VaultError;

/// Why a flow does not go on. None of these says whether the flow exists.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// Unknown, used, too old, or of another browser.
    #[error("This sign-in has ended, was already used, or was begun in another browser.")]
    NotYours,
    /// The user has signed out or in since.
    #[error("You have signed out or in since you began. Begin again.")]
    SessionEnded,
    /// The provider's answer came to the wrong place or names another issuer.
    #[error("This answer does not come from the provider that was asked.")]
    MixUp,
    /// The user declined.
    #[error("You did not allow the access. Nothing was connected.")]
    Declined,
    /// Something here has changed since.
    #[error("{0} Begin again.")]
    Changed(String),
    /// The provider refused.
    #[error("The provider refused: {0}")]
    Provider(String),
    /// The code could not be exchanged.
    #[error("The provider did not complete the sign-in: {0}")]
    Exchange(String),
    /// The database or a key is not at hand for the moment.
    #[error("This server is busy. Begin again in a moment.")]
    Busy,
    /// Ours.
    #[error("Something went wrong on our side. Begin again.")]
    Internal(String),
}

impl From<Failure> for FlowError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) | Failure::Choose(refusal, _) => Self::Changed(refusal.message),
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

pub(super) fn provider_error(error: &str) -> FlowError {
    if error == "access_denied" {
        return FlowError::Declined;
    }
    let known: String = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
    FlowError::Provider(if known.is_empty() { "unknown error".to_owned() } else { known })
}

pub(super) fn exchange_error(error: &TokenError) -> FlowError {
    FlowError::Exchange(error.to_string())
}

pub(super) fn why(error: &FlowError) -> &'static str {
    match error {
        FlowError::Declined => "declined",
        FlowError::Provider(_) => "provider_error",
        FlowError::Exchange(_) => "exchange_failed",
        FlowError::Busy | FlowError::Internal(_) => "internal",
        FlowError::NotYours | FlowError::SessionEnded | FlowError::MixUp | FlowError::Changed(_) => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_calls_its_error_is_cut_to_letters() {
        assert_eq!(provider_error("access_denied"), FlowError::Declined);
        assert_eq!(provider_error("<b>x</b>"), FlowError::Provider("bxb".into()));
        assert_eq!(provider_error("\u{202e}"), FlowError::Provider("unknown error".into()));
    }
}
