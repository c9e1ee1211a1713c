//! Changing ring keys while brokers serve: a new key is added, loaded everywhere, promoted, and all records are
//! sealed again under it before the old one is destroyed.
//!
//! The keyring file is the truth ([`crate::vault::keyring`]); the database knows which processes have loaded which
//! keys ([`crate::store::replicas`]) and where records are ([`crate::store::records`]).

use std::collections::BTreeMap;

use crate::store::records::{self, PLACES};
use crate::store::replicas::Replica;
use crate::store::{self, Store, replicas};
use crate::vault::{KeyId, KeyState, Ring, Vault};

pub mod rebind;
pub mod rewrap;
pub mod watch;

/// The key of each ring that seals.
#[must_use]
pub fn active_keys(vault: &Vault) -> Option<[KeyId; 3]> {
    let keys = vault.keys();
    let active = |ring| {
        let mut keys = keys.iter();
        keys.find(|key| key.id.ring == ring && key.state == KeyState::Active).map(|key| key.id)
    };
    Some([active(Ring::AccessTokens)?, active(Ring::RefreshTokens)?, active(Ring::Settings)?])
}

/// Which keys have sealed what the database holds.
#[derive(Debug, Default)]
pub struct Census {
    /// Records by key.
    pub by_key: BTreeMap<(&'static str, u32, [u8; 8]), i64>,
    /// Records that name no key of any ring: damaged, or of a newer version.
    pub nameless: i64,
}

impl Census {
    /// Counts all records.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(store: &Store) -> store::Result<Self> {
        let mut census = Self::default();
        for place in PLACES {
            let mut tx = store.read().await?;
            for (key, count) in records::census(&mut tx, place).await? {
                match key {
                    Some(key) => {
                        *census.by_key.entry((key.ring.name(), key.version, key.fingerprint)).or_default() +=
                            count;
                    }
                    None => census.nameless += count,
                }
            }
        }
        Ok(census)
    }

    /// How many records a key has sealed.
    #[must_use]
    pub fn of(&self, key: KeyId) -> i64 {
        self.by_key.get(&(key.ring.name(), key.version, key.fingerprint)).copied().unwrap_or_default()
    }

    /// How many records none of these keys has sealed.
    #[must_use]
    pub fn of_others(&self, keys: &[KeyId; 3]) -> i64 {
        let all: i64 = self.by_key.values().sum();
        self.nameless + all - keys.iter().map(|key| self.of(*key)).sum::<i64>()
    }
}

/// The processes that live and do not pass a test of theirs.
///
/// # Errors
/// When the database fails.
pub async fn live_but(store: &Store, passes: impl Fn(&Replica) -> bool) -> store::Result<Vec<Replica>> {
    let mut tx = store.read().await?;
    let live = replicas::live(&mut tx).await?;
    Ok(live.into_iter().filter(|replica| !passes(replica)).collect())
}

/// Whether a process that needs a ring at all can open what a key seals.
#[must_use]
pub fn is_ready_for(replica: &Replica, key: KeyId) -> bool {
    !replica.holds_ring(key.ring) || replica.holds(key)
}

/// Whether a process that needs a ring at all seals under a key, so that it makes no records under older ones.
#[must_use]
pub fn seals_under(replica: &Replica, key: KeyId) -> bool {
    !replica.holds_ring(key.ring) || replica.seals_under(key)
}
