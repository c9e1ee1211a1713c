//! The format of a sealed value, version 1.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | magic `TKVR` |
//! | 4 | 1 | format, 1 |
//! | 5 | 1 | algorithm, 1: HKDF-SHA256 and AES-256-GCM |
//! | 6 | 1 | ring: 1 `at`, 2 `rt`, 3 `cfg` |
//! | 7 | 4 | version of the ring key, big endian |
//! | 11 | 8 | fingerprint of the ring key |
//! | 19 | 32 | salt of this record's key |
//! | 51 | 16 | commitment to this record's key |
//! | 67 | 12 | nonce |
//! | 79 | n × 256 | ciphertext |
//! | … | 16 | tag |
//!
//! The record's key and the commitment are two HKDF-SHA256 expansions of the ring key under the salt, each with its own purpose.
//! The plaintext is the secret, the byte 0x80 and zeros up to a multiple of 256 (ISO/IEC 7816-4 padding), which hides the
//! length of a token and can be undone in one way only.
//! The associated data is the first 79 bytes and the [`Place`].

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::hash;
use super::keyring::RingKey;
use super::{Place, Ring, Secret, VaultError};
use crate::random::Random;

const MAGIC: &[u8; 4] = b"TKVR";
const FORMAT: u8 = 1;
const ALGORITHM: u8 = 1;
const BLOCK: usize = 256;
const PADDING_START: u8 = 0x80;
const TAG: usize = 16;
const HEADER: usize = 79;
const KEY_PURPOSE: &[u8] = b"taiku vault record v1: key";
const COMMITMENT_PURPOSE: &[u8] = b"taiku vault record v1: commitment";

/// The bytes before the ciphertext, taken apart.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) ring: Ring,
    pub(super) version: u32,
    pub(super) fingerprint: [u8; 8],
    salt: [u8; 32],
    commitment: [u8; 16],
    nonce: [u8; 12],
}

/// Seals a secret for a place under a ring key, with a fresh salt and a fresh nonce.
pub(super) fn seal(key: &RingKey, place: &Place<'_>, secret: &[u8], random: &Random) -> Vec<u8> {
    let salt = random.bytes();
    let derived = derive(key, &salt);
    let header = Header {
        ring: key.ring,
        version: key.version,
        fingerprint: key.fingerprint,
        salt,
        commitment: hash::expand(&derived, COMMITMENT_PURPOSE),
        nonce: random.bytes(),
    };
    encrypt(&derived, &header, place, secret)
}

/// Opens a record whose header named this key.
///
/// # Errors
/// [`VaultError::Integrity`] whatever the reason: a wrong place, a wrong key and a changed record look the same.
pub(super) fn open(
    key: &RingKey,
    header: &Header,
    place: &Place<'_>,
    record: &[u8],
) -> Result<Secret, VaultError> {
    let derived = derive(key, &header.salt);
    let expected: [u8; 16] = hash::expand(&derived, COMMITMENT_PURPOSE);
    // AES-GCM does not commit to its key: one ciphertext may open under two keys. The commitment closes that.
    if !hash::eq(&expected, &header.commitment) {
        return Err(VaultError::Integrity);
    }
    let (head, body) = record.split_at_checked(HEADER).ok_or(VaultError::Integrity)?;
    let (ciphertext, tag) =
        body.len().checked_sub(TAG).and_then(|at| body.split_at_checked(at)).ok_or(VaultError::Integrity)?;
    if ciphertext.is_empty() || ciphertext.len() % BLOCK != 0 {
        return Err(VaultError::Integrity);
    }
    let tag = Tag::try_from(tag).map_err(|_| VaultError::Integrity)?;
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    cipher(&derived)
        .decrypt_inout_detached(
            &Nonce::from(header.nonce),
            &place.associated_data(head),
            plaintext.as_mut_slice().into(),
            &tag,
        )
        .map_err(|_| VaultError::Integrity)?;
    unpad(&plaintext).map(|secret| Secret::new(secret.to_vec()))
}

impl Header {
    /// Reads the header of a record.
    ///
    /// # Errors
    /// [`VaultError::UnknownFormat`] for what is not a record of this version, [`VaultError::Integrity`] for one cut short.
    pub(super) fn read(record: &[u8]) -> Result<Self, VaultError> {
        let mut rest = record;
        if take(&mut rest) != Some(MAGIC) || take(&mut rest) != Some(&[FORMAT, ALGORITHM]) {
            return Err(VaultError::UnknownFormat);
        }
        let &[ring] = take(&mut rest).ok_or(VaultError::Integrity)?;
        let ring = Ring::from_id(ring).ok_or(VaultError::UnknownFormat)?;
        Self::read_rest(ring, rest).ok_or(VaultError::Integrity)
    }

    fn read_rest(ring: Ring, mut rest: &[u8]) -> Option<Self> {
        Some(Self {
            ring,
            version: u32::from_be_bytes(*take(&mut rest)?),
            fingerprint: *take(&mut rest)?,
            salt: *take(&mut rest)?,
            commitment: *take(&mut rest)?,
            nonce: *take(&mut rest)?,
        })
    }

    fn write(&self) -> Vec<u8> {
        let version = self.version.to_be_bytes();
        let parts: [&[u8]; 7] = [
            MAGIC,
            &[FORMAT, ALGORITHM, self.ring.id()],
            &version,
            &self.fingerprint,
            &self.salt,
            &self.commitment,
            &self.nonce,
        ];
        parts.concat()
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(head)
}

fn derive(key: &RingKey, salt: &[u8; 32]) -> Hkdf<Sha256> {
    hash::extract(Some(salt), &key.secret)
}

fn cipher(derived: &Hkdf<Sha256>) -> Aes256Gcm {
    let key = Zeroizing::new(hash::expand::<32>(derived, KEY_PURPOSE));
    Aes256Gcm::new((&*key).into())
}

#[expect(
    clippy::expect_used,
    reason = "AES-GCM refuses above 64 GiB only, which no secret in memory reaches"
)]
fn encrypt(derived: &Hkdf<Sha256>, header: &Header, place: &Place<'_>, secret: &[u8]) -> Vec<u8> {
    let mut record = header.write();
    let associated_data = place.associated_data(&record);
    let mut buffer = pad(secret);
    let tag = cipher(derived)
        .encrypt_inout_detached(&Nonce::from(header.nonce), &associated_data, buffer.as_mut_slice().into())
        .expect("a secret is below 64 GiB");
    record.extend_from_slice(&buffer);
    record.extend_from_slice(&tag);
    record
}

fn pad(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = (secret.len() + 1).next_multiple_of(BLOCK);
    // Reserved at once: a vector that grows leaves copies of the secret behind.
    let mut padded = Zeroizing::new(Vec::with_capacity(length));
    padded.extend_from_slice(secret);
    padded.push(PADDING_START);
    padded.resize(length, 0);
    padded
}

fn unpad(padded: &[u8]) -> Result<&[u8], VaultError> {
    let last = padded.iter().rposition(|byte| *byte != 0).ok_or(VaultError::Integrity)?;
    let padding = padded.len() - last;
    if padded[last] != PADDING_START || padding > BLOCK {
        return Err(VaultError::Integrity);
    }
    Ok(&padded[..last])
}

#[cfg(test)]
mod tests;
