//! The keyring file: JSON with the ring keys, each wrapped by the root key.
//!
//! `{"format": 1, "root": "<fingerprint>", "keys": [{"ring", "version", "state", "fingerprint", "wrapped", "created_at"}]}`,
//! where fingerprints are 16 hexadecimal digits, `wrapped` is the base64 of nonce (12), encrypted key (32) and tag (16),
//! and `created_at` is in Unix seconds. The associated data of a wrapped key is its ring, version and fingerprint.
//! The `wrapped` of a retired key is not read; retiring leaves it empty.

use std::collections::HashSet;
use std::path::Path;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::place::push_prefixed;
use super::super::{Ring, hash};
use super::root::RootKey;
use super::{KeyId, KeyInfo, KeyState, Keyring, KeysError, RingKey, key_fingerprint};
use crate::random::Random;

const FORMAT: u32 = 1;

/// A keyring file as it stands, its keys still wrapped.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyringFile {
    format: u32,
    root: String,
    pub(super) keys: Vec<Entry>,
}

/// A key as it stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    ring: String,
    version: u32,
    state: String,
    fingerprint: String,
    wrapped: String,
    created_at: i64,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// A keyring file with these keys.
pub(super) fn new(root: &RootKey, keys: &[RingKey], random: &Random) -> KeyringFile {
    KeyringFile {
        format: FORMAT,
        root: hash::hex(&root.fingerprint()),
        keys: keys.iter().map(|key| Entry::wrapping(root, key, random)).collect(),
    }
}

impl KeyringFile {
    /// What is written.
    #[expect(clippy::expect_used, reason = "a struct of numbers and strings always becomes JSON")]
    pub(super) fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data") + "\n"
    }
}

impl Entry {
    /// Wraps a key.
    pub(super) fn wrapping(root: &RootKey, key: &RingKey, random: &Random) -> Self {
        let associated_data = associated_data(key.ring, key.version, &key.fingerprint);
        Self {
            ring: key.ring.name().to_owned(),
            version: key.version,
            state: key.state.name().to_owned(),
            fingerprint: hash::hex(&key.fingerprint),
            wrapped: wrap_key(root, &associated_data, &key.secret, random),
            created_at: key.created_at,
        }
    }

    /// Gives the key another state. A retired key loses its bytes.
    pub(super) fn set_state(&mut self, state: KeyState) {
        state.name().clone_into(&mut self.state);
        if state == KeyState::Retired {
            self.wrapped.clear();
        }
    }

    /// What the entry says of its key.
    ///
    /// # Errors
    /// The ring, state or fingerprint is none.
    pub(super) fn info(&self, keyring: &Path) -> Result<KeyInfo, KeysError> {
        let version = self.version;
        let ring = Ring::from_name(&self.ring)
            .ok_or_else(|| KeysError::UnknownRing { keyring: keyring.into(), ring: self.ring.clone() })?;
        let state = KeyState::from_name(&self.state).ok_or_else(|| KeysError::UnknownState {
            keyring: keyring.into(),
            ring,
            version,
            state: self.state.clone(),
        })?;
        let damaged = || KeysError::KeyDamaged { keyring: keyring.into(), ring, version };
        let fingerprint = hash::unhex(&self.fingerprint).ok_or_else(damaged)?;
        Ok(KeyInfo { id: KeyId { ring, version, fingerprint }, state, created_at: self.created_at })
    }

    fn unwrap(&self, root: &RootKey, keyring: &Path, info: &KeyInfo) -> Result<RingKey, KeysError> {
        let KeyInfo { id: KeyId { ring, version, fingerprint }, state, created_at } = *info;
        let secret = unwrap_key(root, &associated_data(ring, version, &fingerprint), &self.wrapped);
        // Whoever holds the root key could still have wrapped a key that protects nothing.
        secret
            .filter(|secret| key_fingerprint(secret) == fingerprint && !hash::eq(&**secret, &[0; 32]))
            .map(|secret| RingKey { ring, version, state, fingerprint, secret, created_at })
            .ok_or_else(|| KeysError::KeyDamaged { keyring: keyring.into(), ring, version })
    }
}

/// Reads a keyring file and checks that this root key wrapped it. The keys are not looked at yet.
///
/// # Errors
/// Its shape or its root is wrong.
pub(super) fn read(keyring: &Keyring, text: &[u8]) -> Result<KeyringFile, KeysError> {
    let Keyring { path, root, root_name } = keyring;
    let FormatOnly { format } = parse(path, text)?;
    if format != FORMAT {
        return Err(KeysError::KeyringFormat { keyring: path.clone(), found: format });
    }
    let file: KeyringFile = parse(path, text)?;
    if file.root != hash::hex(&root.fingerprint()) {
        return Err(KeysError::WrongRoot { root: root_name.clone(), keyring: path.clone() });
    }
    Ok(file)
}

/// The keys of a keyring file that are not retired, each unwrapped and checked on its own; whether they make whole
/// rings is not judged here.
///
/// # Errors
/// The first entry that is wrong or names a version again.
pub(super) fn unwrap_all(keyring: &Keyring, file: &KeyringFile) -> Result<Vec<RingKey>, KeysError> {
    let path = &keyring.path;
    let mut seen = HashSet::new();
    let mut keys = Vec::new();
    for entry in &file.keys {
        let info = entry.info(path)?;
        let KeyId { ring, version, .. } = info.id;
        if !seen.insert((ring, version)) {
            return Err(KeysError::DuplicateVersion { keyring: path.clone(), ring, version });
        }
        if info.state != KeyState::Retired {
            keys.push(entry.unwrap(&keyring.root, path, &info)?);
        }
    }
    Ok(keys)
}

fn parse<'a, T: Deserialize<'a>>(keyring: &Path, text: &'a [u8]) -> Result<T, KeysError> {
    let shape = |at: String, reason: String| KeysError::KeyringShape { keyring: keyring.into(), at, reason };
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| shape(format!("`{}`", error.path()), error.inner().to_string()))?;
    json.end().map_err(|error| shape("its end".into(), error.to_string()))?;
    Ok(value)
}

fn associated_data(ring: Ring, version: u32, fingerprint: &[u8; 8]) -> Vec<u8> {
    let mut data = b"taiku keyring v1".to_vec();
    push_prefixed(&mut data, ring.name().as_bytes());
    push_prefixed(&mut data, &version.to_be_bytes());
    push_prefixed(&mut data, fingerprint);
    data
}

#[expect(clippy::expect_used, reason = "AES-GCM refuses above 64 GiB only, and a key has 32 bytes")]
fn wrap_key(root: &RootKey, associated_data: &[u8], secret: &[u8; 32], random: &Random) -> String {
    let nonce = random.bytes::<12>();
    let mut buffer = Zeroizing::new(*secret);
    let tag = root
        .wrapping_cipher()
        .encrypt_inout_detached(&Nonce::from(nonce), associated_data, buffer.as_mut_slice().into())
        .expect("32 bytes");
    STANDARD.encode([&nonce[..], &buffer[..], &tag[..]].concat())
}

fn unwrap_key(root: &RootKey, associated_data: &[u8], wrapped: &str) -> Option<Zeroizing<[u8; 32]>> {
    let wrapped: [u8; 60] = STANDARD.decode(wrapped).ok()?.try_into().ok()?;
    let (nonce, rest) = wrapped.split_first_chunk::<12>()?;
    let (secret, tag) = rest.split_first_chunk::<32>()?;
    let mut secret = Zeroizing::new(*secret);
    let tag = Tag::try_from(tag).ok()?;
    root.wrapping_cipher()
        .decrypt_inout_detached(&Nonce::from(*nonce), associated_data, secret.as_mut_slice().into(), &tag)
        .ok()?;
    Some(secret)
}
