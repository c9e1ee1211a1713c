//! The vault: seals tokens and client secrets before they are stored, and opens them again.
//!
//! Three levels of keys: the root key wraps the ring keys of the keyring file ([`keyring`]); a ring key and a fresh salt
//! make the key of one record ([`record`](self)). A record opens only at the [`Place`] it was sealed for.
//! Nothing here reads a clock or draws random bytes of its own: both are parameters.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Notify;

use crate::random::Random;

mod handed;
pub mod hash;
pub mod keyring;
mod place;
mod record;
mod secret;

pub use handed::{Handed, NotHanded};
pub use keyring::{KeyId, KeyInfo, KeyState, Keyring, Keys, KeysError, RootKeySource};
pub use place::{ContextHash, Place};
pub use secret::{Secret, SecretString};

const CHECK_TEXT: &[u8] = b"taiku vault check value v1";

/// A set of keys for one kind of secret. They are apart so that a process can be given one ring and not another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ring {
    /// `at`: access tokens.
    AccessTokens,
    /// `rt`: refresh tokens, client secrets and PKCE verifiers.
    RefreshTokens,
    /// `cfg`: webhook secrets and settings.
    Settings,
}

impl Ring {
    /// All rings, in the order of their ids.
    pub const ALL: [Self; 3] = [Self::AccessTokens, Self::RefreshTokens, Self::Settings];

    /// The name in the keyring file and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessTokens => "at",
            Self::RefreshTokens => "rt",
            Self::Settings => "cfg",
        }
    }

    /// The ring with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ring| ring.name() == name)
    }

    const fn id(self) -> u8 {
        match self {
            Self::AccessTokens => 1,
            Self::RefreshTokens => 2,
            Self::Settings => 3,
        }
    }

    fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ring| ring.id() == id)
    }
}

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a record did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The bytes are not a record of a format or algorithm that this version knows.
    #[error(
        "the stored secret has a format this version does not know; it may have been written by a newer one"
    )]
    UnknownFormat,
    /// The keyring holds no usable key of this version and fingerprint. Answer 503 and try again with a reloaded keyring.
    #[error(
        "the stored secret needs version {version} of ring `{ring}`, which this keyring cannot open; \
             reload the keyring or restore the key"
    )]
    KeyUnknown {
        /// The ring the record names.
        ring: Ring,
        /// The key version the record names.
        version: u32,
    },
    /// The record was changed, cut, or belongs to another place. One error for every reason.
    #[error("the stored secret is not the one that was sealed for this place; restore the row from a backup")]
    Integrity,
}

impl VaultError {
    /// Whether the same call may succeed later without anyone connecting again.
    #[must_use]
    pub const fn is_retriable(self) -> bool {
        matches!(self, Self::KeyUnknown { .. })
    }
}

/// Seals and opens secrets. Clones are cheap and share the keys.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    keys: RwLock<Arc<Keys>>,
    /// Told when a record names a key that is not there.
    wanted: Notify,
    random: Random,
}

impl Vault {
    /// A vault over loaded keys.
    #[must_use]
    pub fn new(keys: Keys, random: Random) -> Self {
        Self(Arc::new(Inner { keys: RwLock::new(Arc::new(keys)), wanted: Notify::new(), random }))
    }

    /// Works with other keys from now on. Returns whether they differ from those before.
    pub fn replace(&self, keys: Keys) -> bool {
        let differs = keys.infos() != self.keys();
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        differs
    }

    /// Every key that seals or opens here.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyInfo> {
        self.current().infos()
    }

    /// Waits until a record has named a key that is not there: then the keyring is to be read again at once.
    pub async fn key_wanted(&self) {
        self.0.wanted.notified().await;
    }

    fn current(&self) -> Arc<Keys> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys of some rings, for another process.
    pub(crate) fn hand_over(&self, rings: &[Ring]) -> Handed {
        self.current().hand_over(rings)
    }

    /// A name of the keys of some rings: another one as soon as one of them is another, or in another state.
    #[must_use]
    pub fn keys_name(&self, rings: &[Ring]) -> String {
        handed::name(&self.current(), rings)
    }

    /// Seals a secret for one place under the ring's active key. Two calls never give the same bytes.
    ///
    /// A process that was not given the ring has no business to seal under it. Should it try all the same, it ends:
    /// anything else would lose the secret.
    #[must_use]
    pub fn seal(&self, ring: Ring, place: &Place<'_>, secret: &[u8]) -> Vec<u8> {
        let keys = self.current();
        let Some(key) = keys.active(ring) else {
            tracing::error!(%ring, "this process was not given the keys of a ring that it seals under; ending it");
            std::process::abort();
        };
        record::seal(key, place, secret, &self.0.random)
    }

    /// Opens a record that was sealed under this ring for this place.
    ///
    /// # Errors
    /// See [`VaultError`]. Nothing of the secret is returned in any of them, and no other key is tried.
    pub fn open(&self, ring: Ring, place: &Place<'_>, record: &[u8]) -> Result<Secret, VaultError> {
        let header = record::Header::read(record)?;
        if header.ring != ring {
            return Err(VaultError::Integrity);
        }
        let keys = self.current();
        let Some(key) = keys.find(ring, header.version, header.fingerprint) else {
            self.0.wanted.notify_one();
            return Err(VaultError::KeyUnknown { ring, version: header.version });
        };
        record::open(key, &header, place, record)
    }

    /// Seals a record again under the ring's active key; nothing if it is already.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn reseal(
        &self,
        ring: Ring,
        place: &Place<'_>,
        record: &[u8],
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let secret = self.open(ring, place, record)?;
        let active = self.current().active(ring).map(|key| key.id().bytes());
        let sealed_by = record.get(KeyId::OFFSET..KeyId::OFFSET + KeyId::LENGTH);
        if sealed_by == active.as_ref().map(<[u8; KeyId::LENGTH]>::as_slice) {
            return Ok(None);
        }
        Ok(Some(self.seal(ring, place, secret.expose())))
    }

    /// A record with a known content, to be stored in the database when it is made.
    #[must_use]
    pub fn check_value(&self, ring: Ring) -> Vec<u8> {
        self.seal(ring, &check_place(ring), CHECK_TEXT)
    }

    /// Refuses a keyring that does not belong to the database that holds this check record.
    ///
    /// # Errors
    /// [`KeysError::OtherDatabase`], which names the ring and the keyring file.
    pub fn verify_check(&self, ring: Ring, record: &[u8]) -> Result<(), KeysError> {
        let wrong =
            |reason| KeysError::OtherDatabase { ring, keyring: self.current().keyring().to_owned(), reason };
        let text = self.open(ring, &check_place(ring), record).map_err(wrong)?;
        if hash::eq(text.expose(), CHECK_TEXT) { Ok(()) } else { Err(wrong(VaultError::Integrity)) }
    }

    /// Eight hexadecimal digits that stand for a token in logs: the same token has the same tag, and none can be undone.
    #[must_use]
    pub fn tag(&self, token: &str) -> String {
        short_mac(self.current().log_key(), token)
    }

    /// Eight hexadecimal digits that let an admin see which client secret is set. It cannot be undone.
    #[must_use]
    pub fn fingerprint(&self, secret: &str) -> String {
        short_mac(self.current().fingerprint_key(), secret)
    }
}

fn short_mac(key: &[u8; 32], text: &str) -> String {
    hash::hex(&hash::hmac(key, text.as_bytes())[..4])
}

/// Where the known answer of a ring is kept.
#[must_use]
pub fn check_place(ring: Ring) -> Place<'static> {
    Place {
        table: "vault_checks",
        column: "record",
        user: "",
        row: ring.name(),
        context: ContextHash::NONE,
        generation: 0,
    }
}

#[cfg(test)]
mod tests;
