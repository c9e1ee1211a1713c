//! What can be asked of a [`Custody`](super::Custody).

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Custody;
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
