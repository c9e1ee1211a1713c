//! Changing the keyring file: one process at a time, whole or not at all.

use std::fs::File;

use super::super::Ring;
use super::ring_file::{self, Entry, KeyringFile};
use super::{KeyId, KeyInfo, KeyState, Keyring, Keys, KeysError, RingKey, files};
use crate::random::Random;

/// Why a change is refused.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file or what would be written is wrong.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// There is no such key.
    #[error("there is no version {version} of ring `{ring}`; `taiku key status` lists all")]
    Missing {
        /// The ring.
        ring: Ring,
        /// The version.
        version: u32,
    },
    /// Nothing newer than the active key is there.
    #[error("ring `{ring}` has no newer key than its active one; make one with `taiku key add {ring}`")]
    NothingToPromote {
        /// The ring.
        ring: Ring,
    },
    /// An older key would seal again.
    #[error("{id} is older than the active key or retired; only a newer key can be promoted")]
    NotNewer {
        /// The key.
        id: KeyId,
    },
    /// A newer key waits already.
    #[error("{id} was added before and waits; promote it with `taiku key promote {}`", id.ring)]
    Waits {
        /// The key that waits.
        id: KeyId,
    },
    /// The ring would be left without a key that seals.
    #[error("{id} is active; promote a newer one first")]
    Active {
        /// The key.
        id: KeyId,
    },
    /// It has not been in use yet.
    #[error("{id} waits to be promoted; it has sealed nothing")]
    NotUsedYet {
        /// The key.
        id: KeyId,
    },
}

/// A keyring file under change. Others wait until this is dropped; nothing is written before [`Edit::save`].
pub struct Edit<'a> {
    keyring: &'a Keyring,
    file: KeyringFile,
    // Freed when it is dropped.
    _lock: File,
}

impl<'a> Edit<'a> {
    pub(super) fn begin(keyring: &'a Keyring) -> Result<Self, KeysError> {
        let lock = files::lock(&keyring.path)?;
        let file = keyring.read()?;
        let edit = Self { keyring, file, _lock: lock };
        edit.check()?;
        Ok(edit)
    }

    /// Every key of the file, the retired ones included, by ring and version.
    ///
    /// # Errors
    /// An entry is wrong.
    pub fn keys(&self) -> Result<Vec<KeyInfo>, KeysError> {
        let infos: Result<Vec<_>, _> =
            self.file.keys.iter().map(|entry| entry.info(&self.keyring.path)).collect();
        let mut infos = infos?;
        infos.sort_by_key(|info| (info.id.ring.id(), info.id.version));
        Ok(infos)
    }

    /// Adds a new key that only opens, with the next version of its ring. `now` is in Unix seconds.
    ///
    /// # Errors
    /// One waits already.
    pub fn add(&mut self, ring: Ring, random: &Random, now: i64) -> Result<KeyId, EditError> {
        let keys = self.keys()?;
        if let Some(waiting) = newest_waiting(&keys, ring) {
            return Err(EditError::Waits { id: waiting });
        }
        let last = keys.iter().filter(|key| key.id.ring == ring).map(|key| key.id.version).max();
        let key = RingKey {
            version: last.unwrap_or(0) + 1,
            state: KeyState::DecryptOnly,
            ..RingKey::generate(ring, random, now)
        };
        self.file.keys.push(Entry::wrapping(&self.keyring.root, &key, random));
        Ok(key.info().id)
    }

    /// The key that [`Edit::promote`] would make the active one.
    ///
    /// # Errors
    /// There is no newer key than the active one.
    pub fn waiting(&self, ring: Ring) -> Result<KeyId, EditError> {
        newest_waiting(&self.keys()?, ring).ok_or(EditError::NothingToPromote { ring })
    }

    /// Makes a newer key the active one; the one before only opens from then on.
    ///
    /// # Errors
    /// The key is not there, or not newer.
    pub fn promote(&mut self, id: KeyId) -> Result<(), EditError> {
        if newest_waiting(&self.keys()?, id.ring) != Some(id) {
            return Err(EditError::NotNewer { id });
        }
        for (info, entry) in self.keys_of(id.ring)? {
            if info.state == KeyState::Active {
                entry.set_state(KeyState::DecryptOnly);
            }
            if info.id == id {
                entry.set_state(KeyState::Active);
            }
        }
        Ok(())
    }

    /// The key that [`Edit::retire`] would destroy.
    ///
    /// # Errors
    /// There is no such key, it is active, or it waits to be promoted.
    pub fn retirable(&self, ring: Ring, version: u32) -> Result<KeyInfo, EditError> {
        let keys = self.keys()?;
        let found = keys.iter().find(|key| key.id.ring == ring && key.id.version == version);
        let info = *found.ok_or(EditError::Missing { ring, version })?;
        let id = info.id;
        if info.state == KeyState::Active {
            return Err(EditError::Active { id });
        }
        if newest_waiting(&keys, ring) == Some(id) {
            return Err(EditError::NotUsedYet { id });
        }
        Ok(info)
    }

    /// Destroys a key. Its name stays, so that its version is not given again.
    ///
    /// # Errors
    /// As [`Edit::retirable`].
    pub fn retire(&mut self, id: KeyId) -> Result<(), EditError> {
        self.retirable(id.ring, id.version)?;
        for (info, entry) in self.keys_of(id.ring)? {
            if info.id == id {
                entry.set_state(KeyState::Retired);
            }
        }
        Ok(())
    }

    /// Writes the file, after checking that a process could start with it.
    ///
    /// # Errors
    /// The keys are not whole, or the file cannot be written; the old one is then as it was.
    pub fn save(self, random: &Random) -> Result<Keys, KeysError> {
        let keys = self.check()?;
        let text = self.file.text();
        files::replace(&self.keyring.path, text.as_bytes(), files::KEYRING_MODE, random)?;
        Ok(keys)
    }

    fn check(&self) -> Result<Keys, KeysError> {
        let keys = ring_file::unwrap_all(self.keyring, &self.file)?;
        Keys::sort(&self.keyring.path, &self.keyring.root, keys)
    }

    fn keys_of(&mut self, ring: Ring) -> Result<Vec<(KeyInfo, &mut Entry)>, KeysError> {
        let path = &self.keyring.path;
        let infos = self.file.keys.iter_mut().map(|entry| entry.info(path).map(|info| (info, entry)));
        let all: Vec<_> = infos.collect::<Result<_, _>>()?;
        Ok(all.into_iter().filter(|(info, _)| info.id.ring == ring).collect())
    }
}

/// The newest key of a ring, if it is newer than the active one and may open.
fn newest_waiting(keys: &[KeyInfo], ring: Ring) -> Option<KeyId> {
    let of_ring = || keys.iter().filter(|key| key.id.ring == ring);
    let active = of_ring().find(|key| key.state == KeyState::Active)?;
    of_ring()
        .filter(|key| key.state == KeyState::DecryptOnly && key.id.version > active.id.version)
        .map(|key| key.id)
        .max_by_key(|id| id.version)
}
