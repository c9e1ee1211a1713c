//! The keyring file: JSON with the ring keys, each wrapped by the root key.
//!
//! `{"format": 1, "root": "<fingerprint>", "keys": [{"ring", "version", "state", "fingerprint", "wrapped", "created_at"}]}`,
//! where fingerprints are 16 hexadecimal digits, `wrapped` is the base64 of nonce (12), encrypted key (32) and tag (16),
//! and `created_at` is in Unix seconds. The associated data of a wrapped key is its ring, version and fingerprint.

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
use super::{KeyState, KeysError, RingKey, RootKeySource, key_fingerprint};
use crate::random::Random;

const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyringFile {
    format: u32,
    root: String,
    keys: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
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

/// The text of a keyring file.
#[expect(clippy::expect_used, reason = "a struct of numbers and strings always becomes JSON")]
pub(super) fn write(root: &RootKey, keys: &[RingKey], random: &Random) -> String {
    let file = KeyringFile {
        format: FORMAT,
        root: hash::hex(&root.fingerprint()),
        keys: keys.iter().map(|key| write_entry(root, key, random)).collect(),
    };
    serde_json::to_string_pretty(&file).expect("plain data") + "\n"
}

/// The keys of a keyring file, each unwrapped and checked on its own; whether they make whole rings is not judged here.
///
/// # Errors
/// The first fault found, in the order: shape, root key, entries.
pub(super) fn read(
    root: &RootKey,
    source: &RootKeySource,
    keyring: &Path,
    text: &[u8],
) -> Result<Vec<RingKey>, KeysError> {
    let FormatOnly { format } = parse(keyring, text)?;
    if format != FORMAT {
        return Err(KeysError::KeyringFormat { keyring: keyring.into(), found: format });
    }
    let file: KeyringFile = parse(keyring, text)?;
    if file.root != hash::hex(&root.fingerprint()) {
        return Err(KeysError::WrongRoot { root: source.name(), keyring: keyring.into() });
    }
    let mut seen = HashSet::new();
    let mut keys = Vec::new();
    for entry in &file.keys {
        let key = read_entry(root, keyring, entry)?;
        if !seen.insert((key.ring, key.version)) {
            let (ring, version) = (key.ring, key.version);
            return Err(KeysError::DuplicateVersion { keyring: keyring.into(), ring, version });
        }
        keys.push(key);
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

fn read_entry(root: &RootKey, keyring: &Path, entry: &Entry) -> Result<RingKey, KeysError> {
    let version = entry.version;
    let ring = Ring::from_name(&entry.ring)
        .ok_or_else(|| KeysError::UnknownRing { keyring: keyring.into(), ring: entry.ring.clone() })?;
    let state = read_state(&entry.state).ok_or_else(|| KeysError::UnknownState {
        keyring: keyring.into(),
        ring,
        version,
        state: entry.state.clone(),
    })?;
    let damaged = || KeysError::KeyDamaged { keyring: keyring.into(), ring, version };
    let fingerprint = hash::unhex(&entry.fingerprint).ok_or_else(damaged)?;
    let secret = unwrap_key(root, &associated_data(ring, version, &fingerprint), &entry.wrapped);
    let secret = secret.filter(|secret| key_fingerprint(secret) == fingerprint).ok_or_else(damaged)?;
    // Whoever holds the root key could still have wrapped a key that protects nothing.
    if hash::eq(&*secret, &[0; 32]) {
        return Err(damaged());
    }
    Ok(RingKey { ring, version, state, fingerprint, secret, created_at: entry.created_at })
}

fn write_entry(root: &RootKey, key: &RingKey, random: &Random) -> Entry {
    let associated_data = associated_data(key.ring, key.version, &key.fingerprint);
    Entry {
        ring: key.ring.name().to_owned(),
        version: key.version,
        state: state_name(key.state).to_owned(),
        fingerprint: hash::hex(&key.fingerprint),
        wrapped: wrap_key(root, &associated_data, &key.secret, random),
        created_at: key.created_at,
    }
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

const fn state_name(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "active",
        KeyState::DecryptOnly => "decrypt-only",
        KeyState::Retired => "retired",
    }
}

fn read_state(name: &str) -> Option<KeyState> {
    [KeyState::Active, KeyState::DecryptOnly, KeyState::Retired]
        .into_iter()
        .find(|state| state_name(*state) == name)
}
