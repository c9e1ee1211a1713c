//! A changed, cut or foreign record is an error, and never a panic or a part of the secret.

use super::*;

/// Where the parts of a record begin; see the table of the format.
const RING: usize = 6;
const VERSION: usize = 7;
const SALT: usize = 19;

#[test]
fn every_flipped_bit_is_an_error() {
    let vault = vault();
    let record = vault.seal(Ring::AccessTokens, &place(), b"token");
    for bit in 0..record.len() * 8 {
        let mut flipped = record.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = open(&vault, Ring::AccessTokens, &place(), &flipped).unwrap_err();
        let fits = match bit / 8 {
            0..RING => error == VaultError::UnknownFormat,
            RING => matches!(error, VaultError::UnknownFormat | VaultError::Integrity),
            VERSION..SALT => matches!(error, VaultError::KeyUnknown { ring: Ring::AccessTokens, .. }),
            _ => error == VaultError::Integrity,
        };
        assert!(fits, "bit {bit}: {error:?}");
    }
}

#[test]
fn every_shorter_record_is_an_error() {
    let vault = vault();
    let record = vault.seal(Ring::AccessTokens, &place(), &[b'x'; 300]);
    for length in 0..record.len() {
        let error = open(&vault, Ring::AccessTokens, &place(), &record[..length]).unwrap_err();
        let expected = if length < RING { VaultError::UnknownFormat } else { VaultError::Integrity };
        assert_eq!(error, expected, "cut to {length} bytes");
    }
}

#[test]
fn every_longer_record_is_an_error() {
    let vault = vault();
    let record = vault.seal(Ring::AccessTokens, &place(), b"token");
    for added in 1..=600 {
        for byte in [0, 0x80, 0xff] {
            let longer = [&record[..], &vec![byte; added]].concat();
            let error = open(&vault, Ring::AccessTokens, &place(), &longer).unwrap_err();
            assert_eq!(error, VaultError::Integrity, "{added} × {byte:#x}");
        }
    }
}

#[test]
fn unknown_magic_format_algorithm_and_ring_are_told_apart_from_damage() {
    let vault = vault();
    let record = vault.seal(Ring::AccessTokens, &place(), b"token");
    for (at, value) in [(0, b'X'), (4, 0), (4, 2), (5, 0), (5, 2), (RING, 0), (RING, 4), (RING, 255)] {
        let mut other = record.clone();
        other[at] = value;
        let error = open(&vault, Ring::AccessTokens, &place(), &other).unwrap_err();
        assert_eq!(error, VaultError::UnknownFormat, "byte {at} = {value}");
    }
}

#[test]
fn an_unknown_key_is_named_and_no_other_key_is_tried() {
    let vault = vault();
    let record = vault.seal(Ring::RefreshTokens, &place(), b"token");
    // The right key is there, but the header names version 9: it must not be found by trying.
    let mut renamed = record;
    renamed[VERSION..VERSION + 4].copy_from_slice(&9_u32.to_be_bytes());
    let expected = VaultError::KeyUnknown { ring: Ring::RefreshTokens, version: 9 };
    assert_eq!(open(&vault, Ring::RefreshTokens, &place(), &renamed), Err(expected));

    let foreign = super::vault().seal(Ring::RefreshTokens, &place(), b"token");
    let expected = VaultError::KeyUnknown { ring: Ring::RefreshTokens, version: 1 };
    assert_eq!(open(&vault, Ring::RefreshTokens, &place(), &foreign), Err(expected));
}
