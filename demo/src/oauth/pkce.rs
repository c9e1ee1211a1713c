//! Proof Key for Code Exchange, RFC 7636, with S256 only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The SHA-256 that a verifier must have.
#[derive(Clone, Debug)]
pub(crate) struct Challenge([u8; 32]);

impl Challenge {
    /// Reads a `code_challenge`: exactly the 43 characters of 32 bytes in base64url.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Whether `verifier` is well formed (RFC 7636 section 4.1) and the one that was meant.
    pub(crate) fn accepts(&self, verifier: &str) -> bool {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
        let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(allowed);
        let digest: [u8; 32] = Sha256::digest(verifier.as_bytes()).into();
        well_formed && bool::from(digest.ct_eq(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_is_accepted_and_nothing_else() {
        let challenge = Challenge::parse(CHALLENGE).unwrap();
        assert!(challenge.accepts(VERIFIER));
        assert!(!challenge.accepts(CHALLENGE), "a verifier is not compared as plain text");
        assert!(!challenge.accepts(&VERIFIER[1..]));
        assert!(!challenge.accepts(""));
    }

    #[test]
    fn a_challenge_is_32_bytes_of_base64url() {
        for bad in ["", "short", &CHALLENGE[1..], &format!("{CHALLENGE}="), &CHALLENGE.replace('-', "+")] {
            assert!(Challenge::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_verifier_that_is_too_short_is_refused_even_if_its_hash_fits() {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(b"short"));
        assert!(!Challenge::parse(&hash).unwrap().accepts("short"));
    }
}
