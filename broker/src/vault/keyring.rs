//! The keys: a root key that is kept apart, and a keyring file with the ring keys wrapped by it.
//!
//! Keys are made for a new database only ([`Keyring::create`]); with an existing one every fault refuses the start
//! ([`Keyring::open`]), because a new key in place of a lost one would hide that all secrets are lost.
//! A running process reads the file again when it has changed; commands change it under a lock ([`Keyring::edit`]).

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Ring, hash};
use crate::random::Random;

mod edit;
mod error;
mod files;
mod key_id;
mod ring_file;
mod root;

pub use edit::{Edit, EditError};
pub use error::KeysError;
pub use files::Stamp;
pub use key_id::{KeyId, KeyInfo};
pub use root::RootKeySource;

use root::RootKey;

/// What a ring key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Seals and opens. Exactly one key of a ring is active.
    Active,
    /// Opens what is there.
    DecryptOnly,
    /// Kept by name so that its version is not given again; neither seals nor opens, and its bytes are gone.
    Retired,
}

impl KeyState {
    /// The word in the keyring file and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::DecryptOnly => "decrypt-only",
            Self::Retired => "retired",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::DecryptOnly, Self::Retired].into_iter().find(|state| state.name() == name)
    }
}

/// One version of one ring's key.
pub(super) struct RingKey {
    pub(super) ring: Ring,
    pub(super) version: u32,
    pub(super) state: KeyState,
    pub(super) fingerprint: [u8; 8],
    pub(super) secret: Zeroizing<[u8; 32]>,
    pub(super) created_at: i64,
}

impl RingKey {
    fn generate(ring: Ring, random: &Random, now: i64) -> Self {
        let secret = Zeroizing::new(random.bytes());
        let fingerprint = key_fingerprint(&secret);
        Self { ring, version: 1, state: KeyState::Active, fingerprint, secret, created_at: now }
    }

    pub(super) fn id(&self) -> KeyId {
        KeyId { ring: self.ring, version: self.version, fingerprint: self.fingerprint }
    }

    fn info(&self) -> KeyInfo {
        KeyInfo { id: self.id(), state: self.state, created_at: self.created_at }
    }
}

/// Public name of a key, stored beside it and in every record.
pub(super) fn key_fingerprint(secret: &[u8; 32]) -> [u8; 8] {
    hash::expand(&hash::extract(None, secret), b"taiku vault v1: key fingerprint")
}

/// The keyring file with the root key that opens it: what can read it again and change it.
pub struct Keyring {
    path: PathBuf,
    root: RootKey,
    root_name: String,
}

impl Keyring {
    /// For a new database: makes the root key file and the keyring where they are missing.
    /// What is there is kept: brokers that share a keyring may start at the same time, and an admin may bring a root key.
    /// `now` is in Unix seconds.
    ///
    /// # Errors
    /// A file cannot be written, a keyring is there without its root key, or whatever [`Keyring::open`] refuses.
    pub fn create(root: &RootKeySource, path: &Path, random: &Random, now: i64) -> Result<Self, KeysError> {
        if !path.exists() {
            root.generate_if_missing(random)?;
            let root_key = root.read()?;
            let keys = Ring::ALL.map(|ring| RingKey::generate(ring, random, now));
            let text = ring_file::new(&root_key, &keys, random).text();
            files::write_new(path, text.as_bytes(), files::KEYRING_MODE, random)?;
        }
        Self::open(root, path)
    }

    /// For an existing database: reads the root key and checks that the keyring belongs to it.
    ///
    /// # Errors
    /// See [`KeysError`]; each names the file and the key, and says what to do.
    pub fn open(root: &RootKeySource, path: &Path) -> Result<Self, KeysError> {
        let keyring = Self { path: path.to_owned(), root: root.read()?, root_name: root.name() };
        keyring.keys()?;
        Ok(keyring)
    }

    /// Reads and checks all keys as the file holds them now.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn keys(&self) -> Result<Keys, KeysError> {
        Keys::sort(&self.path, &self.root, ring_file::unwrap_all(self, &self.read()?)?)
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What shows that the file is another one than before; none while it cannot be looked at.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        Stamp::of(&self.path)
    }

    /// Waits until nobody else changes the file, and reads it for a change.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn edit(&self) -> Result<Edit<'_>, KeysError> {
        Edit::begin(self)
    }

    fn read(&self) -> Result<ring_file::KeyringFile, KeysError> {
        let text =
            files::read_private(&self.path)?.ok_or_else(|| KeysError::KeyringMissing(self.path.clone()))?;
        ring_file::read(self, &text)
    }
}

/// All keys of an installation, checked: each ring has exactly one active key. Or those of some rings, for a process
/// that is given no others.
pub struct Keys {
    keyring: PathBuf,
    /// One of each ring that this process may use.
    active: Vec<RingKey>,
    decrypt_only: Vec<RingKey>,
    log_key: Zeroizing<[u8; 32]>,
    fingerprint_key: Zeroizing<[u8; 32]>,
}

impl Keys {
    fn sort(keyring: &Path, root: &RootKey, keys: Vec<RingKey>) -> Result<Self, KeysError> {
        let (mut active, mut decrypt_only) = (Vec::new(), Vec::new());
        for key in keys {
            match key.state {
                KeyState::Active => active.push(key),
                KeyState::DecryptOnly => decrypt_only.push(key),
                KeyState::Retired => {}
            }
        }
        let mut one = |ring| take_only(&mut active, keyring, ring);
        Ok(Self {
            active: vec![one(Ring::AccessTokens)?, one(Ring::RefreshTokens)?, one(Ring::Settings)?],
            keyring: keyring.to_owned(),
            decrypt_only,
            log_key: root.derive(b"taiku vault v1: tags in logs"),
            fingerprint_key: root.derive(b"taiku vault v1: fingerprints of client secrets"),
        })
    }

    /// Keys that another process has handed over.
    pub(super) fn of(
        active: Vec<RingKey>,
        decrypt_only: Vec<RingKey>,
        log_key: Zeroizing<[u8; 32]>,
        fingerprint_key: Zeroizing<[u8; 32]>,
    ) -> Self {
        Self { keyring: PathBuf::new(), active, decrypt_only, log_key, fingerprint_key }
    }

    /// The key that seals, of a ring that this process may use.
    pub(super) fn active(&self, ring: Ring) -> Option<&RingKey> {
        self.active.iter().find(|key| key.ring == ring)
    }

    /// The one key with this version and fingerprint, unless it is retired.
    pub(super) fn find(&self, ring: Ring, version: u32, fingerprint: [u8; 8]) -> Option<&RingKey> {
        self.all().find(|key| key.ring == ring && key.version == version && key.fingerprint == fingerprint)
    }

    /// Every key that seals or opens.
    pub(super) fn infos(&self) -> Vec<KeyInfo> {
        self.all().map(RingKey::info).collect()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &RingKey> {
        self.active.iter().chain(&self.decrypt_only)
    }

    pub(super) fn keyring(&self) -> &Path {
        &self.keyring
    }

    pub(super) fn log_key(&self) -> &[u8; 32] {
        &self.log_key
    }

    pub(super) fn fingerprint_key(&self) -> &[u8; 32] {
        &self.fingerprint_key
    }
}

fn take_only(active: &mut Vec<RingKey>, keyring: &Path, ring: Ring) -> Result<RingKey, KeysError> {
    let at = active.iter().position(|key| key.ring == ring);
    let key = at.map(|at| active.swap_remove(at));
    let key = key.ok_or_else(|| KeysError::NoActiveKey { keyring: keyring.into(), ring })?;
    match active.iter().find(|other| other.ring == ring) {
        None => Ok(key),
        Some(_) => Err(KeysError::TwoActiveKeys { keyring: keyring.into(), ring }),
    }
}

#[cfg(test)]
mod tests;
