//! The frozen vectors of format 1. They were computed by another implementation from the description of the format.
//! What they hold must open for ever; when a new format comes, this file stays as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde::Deserialize;

use super::*;
use crate::vault::hash::unhex;

#[derive(Deserialize)]
struct Vectors {
    root: String,
    keyring: serde_json::Value,
    records: Vec<Vector>,
    tag: Digits,
    fingerprint: Digits,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    ring: String,
    version: u32,
    place: VectorPlace,
    secret: String,
    salt: String,
    nonce: String,
    record: String,
}

#[derive(Deserialize)]
struct VectorPlace {
    table: String,
    column: String,
    user: String,
    row: String,
    context: Option<[String; 4]>,
    generation: i64,
}

#[derive(Deserialize)]
struct Digits {
    of: String,
    is: String,
}

impl VectorPlace {
    fn place(&self) -> Place<'_> {
        let context = match &self.context {
            None => ContextHash::NONE,
            Some([toolkit, issuer, endpoint, client]) => ContextHash::of(toolkit, issuer, endpoint, client),
        };
        let Self { table, column, user, row, generation, .. } = self;
        Place { table, column, user, row, context, generation: *generation }
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).flat_map(|at| unhex::<1>(&digits[at..at + 2]).unwrap()).collect()
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/v1.json")).unwrap()
}

fn keys(vectors: &Vectors) -> Keys {
    let folder = tempfile::tempdir().unwrap();
    let keyring = folder.path().join("keyring.json");
    fs::write(&keyring, vectors.keyring.to_string()).unwrap();
    fs::set_permissions(&keyring, fs::Permissions::from_mode(0o600)).unwrap();
    let value = SecretString::new(vectors.root.clone());
    let root = RootKeySource::Value { setting: "TAIKU_ROOT_KEY".into(), value };
    Keyring::open(&root, &keyring).unwrap().keys().unwrap()
}

#[test]
fn records_of_format_1_open_for_ever() {
    let vectors = vectors();
    let vault = Vault::new(keys(&vectors), Random::system());
    assert_eq!(vectors.records.len(), 7);
    for vector in &vectors.records {
        let ring = Ring::from_name(&vector.ring).unwrap();
        let opened = open(&vault, ring, &vector.place.place(), &bytes(&vector.record));
        assert_eq!(opened, Ok(bytes(&vector.secret)), "{}", vector.name);
    }
}

#[test]
fn records_of_format_1_are_written_byte_for_byte() {
    let vectors = vectors();
    for vector in &vectors.records {
        let (ring, keys) = (Ring::from_name(&vector.ring).unwrap(), keys(&vectors));
        if keys.active(ring).unwrap().version != vector.version {
            continue;
        }
        // The salt is drawn first and has 32 bytes, the nonce has 12.
        let (salt, nonce) = (bytes(&vector.salt), bytes(&vector.nonce));
        let random = Random::from_fn(move |bytes| {
            bytes.copy_from_slice(if bytes.len() == 32 { &salt } else { &nonce });
        });
        let record = Vault::new(keys, random).seal(ring, &vector.place.place(), &bytes(&vector.secret));
        assert_eq!(hash::hex(&record), vector.record, "{}", vector.name);
    }
}

#[test]
fn tags_and_fingerprints_keep_their_meaning() {
    let vectors = vectors();
    let vault = Vault::new(keys(&vectors), Random::system());
    assert_eq!(vault.tag(&vectors.tag.of), vectors.tag.is);
    assert_eq!(vault.fingerprint(&vectors.fingerprint.of), vectors.fingerprint.is);
}
