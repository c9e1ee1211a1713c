//! What only shows from inside: records that are authenticated and still wrong.

use super::super::keyring::KeyState;
use super::super::{ContextHash, VaultError};
use super::*;

fn key(byte: u8) -> RingKey {
    RingKey {
        ring: Ring::AccessTokens,
        version: 1,
        state: KeyState::Active,
        fingerprint: [byte; 8],
        secret: Zeroizing::new([byte; 32]),
        created_at: 0,
    }
}

fn place() -> Place<'static> {
    Place { table: "t", column: "c", user: "u", row: "r", context: ContextHash::NONE, generation: 0 }
}

fn header(key: &RingKey) -> Header {
    let record = seal(key, &place(), b"", &Random::system());
    Header::read(&record).unwrap()
}

fn reopen(key: &RingKey, record: &[u8]) -> Result<Vec<u8>, VaultError> {
    let header = Header::read(record)?;
    open(key, &header, &place(), record).map(|secret| secret.expose().to_vec())
}

#[test]
fn a_wrong_commitment_is_refused_even_where_the_tag_is_right() {
    let key = key(7);
    let header = header(&key);
    let derived = derive(&key, &header.salt);
    assert_eq!(reopen(&key, &encrypt(&derived, &header, &place(), b"secret")), Ok(b"secret".to_vec()));

    for bit in 0..128 {
        let mut wrong = header;
        wrong.commitment[bit / 8] ^= 1 << (bit % 8);
        let record = encrypt(&derived, &wrong, &place(), b"secret");
        assert_eq!(reopen(&key, &record), Err(VaultError::Integrity), "bit {bit}");
    }
}

#[test]
fn the_key_and_the_commitment_depend_on_the_ring_key_and_the_salt() {
    let mut seen: Vec<[u8; 16]> = Vec::new();
    for (ring_key, salt) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        let derived = derive(&key(ring_key), &[salt; 32]);
        seen.push(hash::expand(&derived, KEY_PURPOSE));
        seen.push(hash::expand(&derived, COMMITMENT_PURPOSE));
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 8);
}

#[test]
fn padding_is_undone_in_one_way_only() {
    for length in 0..1030 {
        for byte in [0, PADDING_START, 0xff] {
            let secret = vec![byte; length];
            let padded = pad(&secret);
            assert_eq!(padded.len() % BLOCK, 0);
            assert!(padded.len() > length && padded.len() <= length + BLOCK);
            assert_eq!(unpad(&padded), Ok(secret.as_slice()));
        }
    }
}

#[test]
fn padding_that_this_format_never_writes_is_refused() {
    let mut too_long = vec![0; 2 * BLOCK];
    too_long[10] = PADDING_START;
    let mut other_start = vec![0; BLOCK];
    other_start[10] = 0x81;
    for padded in [vec![], vec![0; BLOCK], too_long, other_start, vec![0xff; BLOCK]] {
        assert_eq!(unpad(&padded), Err(VaultError::Integrity));
    }
}
