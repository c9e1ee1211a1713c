//! The keys of some rings on their way to another process, which is given these and no others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::keyring::{KeyState, Keys, RingKey, key_fingerprint};
use super::{Ring, hash};

/// Keys on their way. They are wiped when they are dropped; there is no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct Handed {
    keys: Vec<Key>,
    log: Bytes,
    fingerprint: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Key {
    ring: String,
    version: u32,
    state: String,
    created_at: i64,
    secret: Bytes,
}

/// 32 bytes in base64.
#[derive(Serialize, Deserialize)]
struct Bytes(String);

impl Drop for Bytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Bytes {
    fn new(secret: &[u8; 32]) -> Self {
        Self(STANDARD.encode(secret))
    }

    fn read(&self) -> Result<Zeroizing<[u8; 32]>, NotHanded> {
        let mut secret = Zeroizing::new([0; 32]);
        let length = STANDARD.decode_slice(&self.0, secret.as_mut_slice()).map_err(|_| NotHanded)?;
        if length == secret.len() { Ok(secret) } else { Err(NotHanded) }
    }
}

/// What came is no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the vault handed over something else than keys; both roles must be of one version")]
pub struct NotHanded;

impl Keys {
    /// The keys of some rings, for another process.
    pub(super) fn hand_over(&self, rings: &[Ring]) -> Handed {
        let keys = self.all().filter(|key| rings.contains(&key.ring)).map(|key| Key {
            ring: key.ring.name().to_owned(),
            version: key.version,
            state: key.state.name().to_owned(),
            created_at: key.created_at,
            secret: Bytes::new(&key.secret),
        });
        Handed {
            keys: keys.collect(),
            log: Bytes::new(self.log_key()),
            fingerprint: Bytes::new(self.fingerprint_key()),
        }
    }
}

impl Handed {
    /// Takes the keys.
    ///
    /// # Errors
    /// When there is no such ring or state, or a key has another length.
    pub fn take(&self) -> Result<Keys, NotHanded> {
        let keys = self.keys.iter().map(Key::read).collect::<Result<Vec<_>, _>>()?;
        let (active, decrypt_only) = keys.into_iter().partition(|key| key.state == KeyState::Active);
        Ok(Keys::of(active, decrypt_only, self.log.read()?, self.fingerprint.read()?))
    }
}

impl Key {
    fn read(&self) -> Result<RingKey, NotHanded> {
        let secret = self.secret.read()?;
        Ok(RingKey {
            ring: Ring::from_name(&self.ring).ok_or(NotHanded)?,
            version: self.version,
            state: KeyState::from_name(&self.state).ok_or(NotHanded)?,
            fingerprint: key_fingerprint(&secret),
            created_at: self.created_at,
            secret,
        })
    }
}

/// A short name of a set of keys, by which another process says what it has.
pub(super) fn name(keys: &Keys, rings: &[Ring]) -> String {
    let mut names: Vec<String> = keys
        .infos()
        .iter()
        .filter(|info| rings.contains(&info.id.ring))
        .map(|info| format!("{} {} {}", info.id, info.id.fingerprint_digits(), info.state.name()))
        .collect();
    names.sort();
    hash::hex(&hash::sha256(names.join("\n").as_bytes()))
}
