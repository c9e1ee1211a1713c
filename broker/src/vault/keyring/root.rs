//! The root key: 32 bytes that wrap the ring keys and never touch the database.

use std::path::PathBuf;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::KeyInit;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::super::{SecretString, hash};
use super::{KeysError, files};
use crate::random::Random;

/// Where the root key comes from: a value or a file, exactly one.
pub enum RootKeySource {
    /// A file with one line of base64, readable by its owner only.
    File(PathBuf),
    /// The value of a setting, as base64.
    Value {
        /// The setting's name, for messages, such as `TAIKU_ROOT_KEY`.
        setting: String,
        /// Its value.
        value: SecretString,
    },
}

impl RootKeySource {
    /// The file's path or the setting's name, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Value { setting, .. } => setting.clone(),
        }
    }

    pub(super) fn generate_if_missing(&self, random: &Random) -> Result<(), KeysError> {
        match self {
            Self::File(path) if !path.exists() => {
                let key = Zeroizing::new(random.bytes::<32>());
                let line = Zeroizing::new(STANDARD.encode(*key) + "\n");
                files::write_new(path, line.as_bytes(), 0o400, random)
            }
            Self::File(_) | Self::Value { .. } => Ok(()),
        }
    }

    pub(super) fn read(&self) -> Result<RootKey, KeysError> {
        match self {
            Self::Value { value, .. } => self.decode(value.expose().as_bytes()),
            Self::File(path) => {
                let line = files::read_private(path)?.ok_or_else(|| KeysError::RootMissing(path.clone()))?;
                self.decode(&line)
            }
        }
    }

    fn decode(&self, line: &[u8]) -> Result<RootKey, KeysError> {
        let decoded = STANDARD.decode(line.trim_ascii()).map(Zeroizing::new);
        let bytes = decoded.map_err(|_| KeysError::RootEncoding(self.name()))?;
        let key: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| KeysError::RootLength { at: self.name(), found: bytes.len() })?;
        let key = Zeroizing::new(key);
        if hash::eq(&*key, &[0; 32]) { Err(KeysError::RootBlank(self.name())) } else { Ok(RootKey(key)) }
    }
}

/// A root key that was checked.
pub(super) struct RootKey(pub(super) Zeroizing<[u8; 32]>);

impl RootKey {
    /// A key of its own for one purpose.
    pub(super) fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hash::expand(&hash::extract(None, &self.0), purpose))
    }

    /// The cipher that wraps ring keys.
    pub(super) fn wrapping_cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.derive(b"taiku keyring v1: wrapping key")).into())
    }

    /// The public name of the root key in the keyring, so that a wrong root is told from a damaged keyring.
    pub(super) fn fingerprint(&self) -> [u8; 8] {
        hash::expand(&hash::extract(None, &self.0), b"taiku keyring v1: root fingerprint")
    }
}
