use std::collections::HashSet;

use super::*;
use crate::random::Random;

mod compares;
mod damage;
mod places;
mod reliability;
mod vectors;

/// Keys as a new installation makes them.
fn keys() -> Keys {
    let folder = tempfile::tempdir().unwrap();
    let root = RootKeySource::File(folder.path().join("root.key"));
    let path = folder.path().join("keyring.json");
    Keyring::create(&root, &path, &Random::system(), 1_700_000_000).unwrap().keys().unwrap()
}

fn vault() -> Vault {
    Vault::new(keys(), Random::system())
}

fn place() -> Place<'static> {
    Place {
        table: "connections",
        column: "access_token",
        user: "usr_a",
        row: "con_1",
        context: ContextHash::of("github", "", "https://github.com/login/oauth/access_token", "id"),
        generation: 3,
    }
}

/// Opens into plain bytes, which can be compared.
fn open(vault: &Vault, ring: Ring, place: &Place<'_>, record: &[u8]) -> Result<Vec<u8>, VaultError> {
    vault.open(ring, place, record).map(|secret| secret.expose().to_vec())
}

#[test]
fn what_is_sealed_opens_at_its_place() {
    let vault = vault();
    for ring in Ring::ALL {
        let record = vault.seal(ring, &place(), b"gho_token");
        assert_eq!(open(&vault.clone(), ring, &place(), &record), Ok(b"gho_token".to_vec()));
        assert!(!record.windows(3).any(|window| window == b"gho"), "the secret is in the record");
    }
}

#[test]
fn the_length_of_a_record_tells_little_about_the_secret() {
    let vault = vault();
    let length = |bytes| vault.seal(Ring::AccessTokens, &place(), &vec![b'x'; bytes]).len();
    assert_eq!((length(0), length(40), length(255)), (351, 351, 351));
    assert_eq!((length(256), length(511)), (607, 607));
}

#[test]
fn no_salt_and_no_nonce_is_used_twice() {
    let vault = vault();
    let seal = |_| {
        let record = vault.seal(Ring::RefreshTokens, &place(), b"same");
        let salt: [u8; 32] = record[19..51].try_into().unwrap();
        let nonce: [u8; 12] = record[67..79].try_into().unwrap();
        (salt, nonce)
    };
    let used: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..12_500).map(seal).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(used.len(), 100_000);
    assert_eq!(used.iter().map(|(salt, _)| salt).collect::<HashSet<_>>().len(), 100_000);
    assert_eq!(used.iter().map(|(_, nonce)| nonce).collect::<HashSet<_>>().len(), 100_000);
}

#[test]
fn a_keyring_of_another_database_is_refused_by_the_ring_that_does_not_fit() {
    let (own, other) = (vault(), vault());
    for ring in Ring::ALL {
        let check = own.check_value(ring);
        own.verify_check(ring, &check).unwrap();
        let refusal = other.verify_check(ring, &check).unwrap_err();
        assert!(matches!(&refusal, KeysError::OtherDatabase { ring: named, .. } if *named == ring));
        let sentence = refusal.to_string();
        assert!(sentence.contains(&format!("ring `{ring}` of the keyring /")), "{sentence}");
        assert!(sentence.contains("does not belong to this database"), "{sentence}");
    }
}

#[test]
fn a_check_value_is_not_taken_for_another_ring_or_content() {
    let vault = vault();
    let check = vault.check_value(Ring::AccessTokens);
    assert!(vault.verify_check(Ring::Settings, &check).is_err());
    let other = vault.seal(Ring::AccessTokens, &check_place(Ring::AccessTokens), b"something else");
    assert!(vault.verify_check(Ring::AccessTokens, &other).is_err());
    assert!(vault.verify_check(Ring::AccessTokens, b"").is_err());
}

#[test]
fn tags_and_fingerprints_are_short_stable_and_of_this_installation() {
    let (vault, other) = (vault(), vault());
    assert_eq!(vault.tag("gho_a"), vault.tag("gho_a"));
    assert_ne!(vault.tag("gho_a"), vault.tag("gho_b"));
    assert_ne!(vault.tag("gho_a"), vault.fingerprint("gho_a"));
    assert_ne!(vault.tag("gho_a"), other.tag("gho_a"));
    assert_ne!(vault.fingerprint("gho_a"), other.fingerprint("gho_a"));
    for text in [vault.tag(""), vault.fingerprint("s3cret")] {
        assert!(text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}");
    }
}

#[test]
fn only_an_unknown_key_is_worth_another_try() {
    assert!(VaultError::KeyUnknown { ring: Ring::Settings, version: 2 }.is_retriable());
    assert!(!VaultError::Integrity.is_retriable() && !VaultError::UnknownFormat.is_retriable());
}

#[test]
fn another_process_gets_the_keys_of_some_rings_and_no_others() {
    let vault = vault();
    let rings = [Ring::AccessTokens, Ring::Settings];
    let text = serde_json::to_string(&vault.hand_over(&rings)).unwrap();
    let handed: Handed = serde_json::from_str(&text).unwrap();
    let other = Vault::new(handed.take().unwrap(), Random::system());
    for ring in rings {
        let record = vault.seal(ring, &place(), b"secret");
        assert_eq!(open(&other, ring, &place(), &record), Ok(b"secret".to_vec()));
        let back = other.seal(ring, &place(), b"secret");
        assert_eq!(open(&vault, ring, &place(), &back), Ok(b"secret".to_vec()));
    }
    let record = vault.seal(Ring::RefreshTokens, &place(), b"secret");
    let refused = open(&other, Ring::RefreshTokens, &place(), &record);
    assert_eq!(refused, Err(VaultError::KeyUnknown { ring: Ring::RefreshTokens, version: 1 }));
    assert_eq!(vault.keys_name(&rings), other.keys_name(&rings));
    assert_ne!(vault.keys_name(&Ring::ALL), other.keys_name(&Ring::ALL));
    assert_eq!((vault.tag("token"), vault.fingerprint("s")), (other.tag("token"), other.fingerprint("s")));
}

#[test]
fn what_is_no_key_is_refused() {
    let whole = serde_json::to_value(vault().hand_over(&[Ring::AccessTokens])).unwrap();
    for (pointer, value) in
        [("/keys/0/secret", "AAAA"), ("/keys/0/ring", "xx"), ("/keys/0/state", "old"), ("/log", "!")]
    {
        let mut wrong = whole.clone();
        *wrong.pointer_mut(pointer).unwrap() = value.into();
        assert!(serde_json::from_value::<Handed>(wrong).unwrap().take().is_err(), "{pointer}");
    }
}
