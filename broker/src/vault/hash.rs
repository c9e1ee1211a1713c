//! Hashes of secrets and the one way to compare them.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of the bytes. Session ids, states and API keys are stored like this: they are random and need no salt.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Compares two secrets, or hashes of secrets, in a time that depends on their lengths only.
#[must_use]
pub fn eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// HMAC-SHA256 (RFC 2104).
pub(super) fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key shorter than the block is padded with zeros, RFC 2104 section 2.
    let mut block = zeroize::Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Extracts a pseudorandom key out of a secret (HKDF-SHA256, RFC 5869 section 2.2).
pub(super) fn extract(salt: Option<&[u8]>, secret: &[u8; 32]) -> Hkdf<Sha256> {
    Hkdf::new(salt, secret)
}

/// Expands a pseudorandom key to at most 32 bytes for one purpose (RFC 5869 section 2.3).
#[expect(clippy::expect_used, reason = "HKDF-SHA256 refuses above 8160 bytes only, and the build checks N")]
pub(super) fn expand<const N: usize>(key: &Hkdf<Sha256>, purpose: &[u8]) -> [u8; N] {
    const { assert!(N <= 32) }
    let mut bytes = [0; N];
    key.expand(purpose, &mut bytes).expect("at most 32 bytes");
    bytes
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The inverse of [`hex`]: exactly `2 × N` lower-case digits, or nothing.
pub(super) fn unhex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let digits = digits.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_the_one_of_fips_180() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256(b"abc")), expected);
    }

    #[test]
    fn eq_sees_every_difference() {
        assert!(eq(b"", b"") && eq(b"same", b"same"));
        assert!(!eq(b"same", b"sam") && !eq(b"sam", b"same") && !eq(b"", b"x"));
        let secret = [0x5a; 32];
        for bit in 0..256 {
            let mut other = secret;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!eq(&secret, &other), "bit {bit}");
        }
    }

    #[test]
    fn hkdf_is_the_one_of_rfc_5869_with_a_32_byte_secret() {
        // Computed with another implementation: HKDF-SHA256 of 32 bytes 0x0b, salt 00..0c, info f0..f9.
        let salt: Vec<u8> = (0..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let okm: [u8; 32] = expand(&extract(Some(&salt), &[0x0b; 32]), &info);
        assert_eq!(hex(&okm), include_str!("vectors/hkdf.txt").trim());
    }

    #[test]
    fn hex_goes_both_ways_and_refuses_the_rest() {
        assert_eq!(unhex::<4>(&hex(&[0, 0x9a, 0xbf, 255])), Some([0, 0x9a, 0xbf, 255]));
        for wrong in ["", "0", "000", "00000", "0g00", "ABCD", "é00"] {
            assert_eq!(unhex::<2>(wrong), None, "{wrong}");
        }
    }
}
