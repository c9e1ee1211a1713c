//! What can be asked of a [`Custody`](super::Custody).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};

use super::{Custody, client_secret, consent, disconnect, keys, refresh, typed};
use crate::failure::Failure;

/// One thing that a [`Client`](super::Client) can ask. The type is what is asked.
pub trait Operation: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What is answered.
    type Answer: Serialize + DeserializeOwned + Send + 'static;
    /// Its name on the wire.
    const NAME: &'static str;
    /// Whether asking once more, after no answer came, does no harm.
    const REPEATABLE: bool;

    /// Does it.
    ///
    /// # Errors
    /// Whatever stands in the way, as the caller's caller may know it.
    fn run(self, custody: &Custody) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

macro_rules! operations {
    ($($operation:ty,)+) => {
        /// Runs the operation with a name.
        ///
        /// # Errors
        /// What it fails with, or that there is none with this name or body.
        pub(super) async fn dispatch(
            custody: &Custody,
            name: &str,
            body: &RawValue,
        ) -> Result<Box<RawValue>, Failure> {
            match name {
                $(<$operation>::NAME => run::<$operation>(custody, body).await,)+
                _ => Err(Failure::Internal(format!("the vault has no operation {name}"))),
            }
        }
    };
}

operations! {
    client_secret::Fingerprint,
    client_secret::Seal,
    consent::Accept,
    consent::Next,
    consent::Complete,
    consent::Prepare,
    typed::Supply,
    disconnect::Disconnect,
    keys::Hand,
    refresh::Fresh,
}

async fn run<O: Operation>(custody: &Custody, body: &RawValue) -> Result<Box<RawValue>, Failure> {
    // The text of the error is left out: it may quote what is secret.
    let operation: O = serde_json::from_str(body.get())
        .map_err(|_| Failure::Internal(format!("what {} was asked with cannot be read", O::NAME)))?;
    let answer = operation.run(custody).await?;
    to_raw_value(&answer)
        .map_err(|_| Failure::Internal(format!("what {} answers cannot be written", O::NAME)))
}
