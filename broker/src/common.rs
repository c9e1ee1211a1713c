//! What both roles work with, the one that answers requests and the one that keeps the refresh tokens.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Origins, Source};
use crate::egress::Egress;
use crate::plugin::Watched;
use crate::random::Random;
use crate::store::Store;
use crate::toolkit::{self, LoopbackHttp};
use crate::vault::Vault;

/// What a [`Broker`](crate::broker::Broker) and a [`Custody`](crate::custody::Custody) have alike. Both can be
/// borrowed as one, so what works for either takes a `&Common`.
#[derive(Clone)]
pub struct Common {
    /// The environment, for the settings of toolkits.
    pub source: Arc<Source>,
    /// Where the two halves of the host answer.
    pub origins: Origins,
    /// The database.
    pub store: Store,
    /// Seals and opens secrets, as far as the role has the keys.
    pub vault: Vault,
    /// The time.
    pub clock: Clock,
    /// Random bytes.
    pub random: Random,
    /// All outbound HTTP.
    pub egress: Egress,
    /// Whether toolkits may point at plain http on loopback.
    pub loopback: LoopbackHttp,
    /// The toolkits.
    pub toolkits: Arc<Watched<toolkit::Catalog>>,
}
