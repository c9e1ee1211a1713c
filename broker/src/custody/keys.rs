//! Hands over the ring keys that answering requests needs. Ring `rt` is not among them.

use serde::{Deserialize, Serialize};

use super::{Custody, Operation};
use crate::failure::Failure;
use crate::vault::{Handed, Ring};

/// What the role that answers requests may open.
pub(crate) const RINGS: [Ring; 2] = [Ring::AccessTokens, Ring::Settings];

/// Asks for the keys. The answer is `None` if they are those that the caller has.
#[derive(Serialize, Deserialize)]
pub struct Hand {
    /// The name of the keys that the caller has; see [`Vault::keys_name`](crate::vault::Vault::keys_name).
    pub known: Option<String>,
}

impl Operation for Hand {
    type Answer = Option<Handed>;
    const NAME: &'static str = "keys.hand";
    const REPEATABLE: bool = true;

    async fn run(self, custody: &Custody) -> Result<Option<Handed>, Failure> {
        let name = custody.vault.keys_name(&RINGS);
        Ok((self.known != Some(name)).then(|| custody.vault.hand_over(&RINGS)))
    }
}
