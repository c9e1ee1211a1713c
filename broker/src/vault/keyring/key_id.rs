//! The name of a key, as every record and the keyring file bear it.

use std::fmt;

use super::super::{Ring, hash};
use super::KeyState;

/// Names one version of one ring's key. The fingerprint tells it from a key of another installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId {
    /// The ring.
    pub ring: Ring,
    /// The version, which is never given again.
    pub version: u32,
    /// Public digest of the key.
    pub fingerprint: [u8; 8],
}

impl KeyId {
    /// Where the name begins in a record; see the table of the record's format.
    pub const OFFSET: usize = 6;
    /// How many bytes of a record it takes.
    pub const LENGTH: usize = 13;

    /// The bytes that stand at [`KeyId::OFFSET`] of every record that this key sealed.
    #[must_use]
    pub fn bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[0] = self.ring.id();
        bytes[1..5].copy_from_slice(&self.version.to_be_bytes());
        bytes[5..].copy_from_slice(&self.fingerprint);
        bytes
    }

    /// The name that these bytes of a record are.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LENGTH] = bytes.try_into().ok()?;
        let (&ring, rest) = bytes.split_first()?;
        let (version, fingerprint) = rest.split_first_chunk()?;
        Some(Self {
            ring: Ring::from_id(ring)?,
            version: u32::from_be_bytes(*version),
            fingerprint: fingerprint.try_into().ok()?,
        })
    }

    /// The fingerprint as in the keyring file.
    #[must_use]
    pub fn fingerprint_digits(&self) -> String {
        hash::hex(&self.fingerprint)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {} of ring `{}`", self.version, self.ring)
    }
}

/// What may be told of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its name.
    pub id: KeyId,
    /// What it may be used for.
    pub state: KeyState,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_a_record() {
        for ring in Ring::ALL {
            let id = KeyId { ring, version: 0x0102_0304, fingerprint: *b"fngrprnt" };
            assert_eq!(KeyId::from_bytes(&id.bytes()), Some(id));
            assert_eq!(id.bytes()[1..5], [1, 2, 3, 4]);
        }
        for wrong in [&[][..], &[1; 12], &[1; 14], &[0; 13], &[9; 13]] {
            assert_eq!(KeyId::from_bytes(wrong), None);
        }
    }
}
