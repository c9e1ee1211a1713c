//! Why a request is not answered as asked: one enum for everything between the API and the store.
//!
//! What counts as internal is an explicit list, and its text never reaches a response.

use taiku_bridge::api::ConnectionChoice;
use taiku_bridge::{Code, Refusal};

use crate::store::StoreError;
use crate::vault::VaultError;

/// Why a request was not answered as asked.
#[derive(Debug)]
pub enum Failure {
    /// The caller can do something about it.
    Refused(Refusal),
    /// The caller has to choose an account.
    Choose(Refusal, Vec<ConnectionChoice>),
    /// Nothing was done; the same call may be tried again after so many seconds.
    Wait(Refusal, u64),
    /// The right to the call ended while it ran: the provider may have acted, so it must not be tried again blindly.
    Ended(Refusal),
    /// Ours. The text goes to the log, not to the caller.
    Internal(String),
}

impl Failure {
    /// A refusal with its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self::Refused(Refusal::new(code, message))
    }

    /// There is nothing here, or it belongs to somebody else: both look alike.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}."))
    }

    /// The machine name.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(refusal)
            | Self::Choose(refusal, _)
            | Self::Wait(refusal, _)
            | Self::Ended(refusal) => refusal.code,
            Self::Internal(_) => Code::Internal,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if let StoreError::Nul = error {
            return Self::new(Code::InvalidParams, "A text has a NUL character, which cannot be stored.");
        }
        if error.is_busy() {
            let message = "The database is busy. Nothing was changed; try again.";
            return Self::Wait(Refusal::new(Code::Busy, message), 1);
        }
        Self::Internal(error.to_string())
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::KeyUnknown { .. } => {
                tracing::error!(%error, "a stored secret needs a key that is not in the keyring");
                Self::Wait(Refusal::new(Code::KeyUnknown, format!("{error}.")), 5)
            }
            VaultError::UnknownFormat | VaultError::Integrity => {
                tracing::error!(%error, alert = "vault_integrity", "a stored secret did not open");
                Self::new(
                    Code::VaultIntegrity,
                    "A stored secret is not the one that was stored. Ask your admin.",
                )
            }
        }
    }
}
