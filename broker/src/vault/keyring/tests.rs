use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::{ContextHash, Place, SecretString, Vault};
use super::*;

/// A folder with the key files of a new installation.
struct Installation {
    folder: tempfile::TempDir,
}

impl Installation {
    fn new() -> Self {
        let installation = Self { folder: tempfile::tempdir().unwrap() };
        installation.create().unwrap();
        installation
    }

    fn root_path(&self) -> PathBuf {
        self.folder.path().join("root.key")
    }

    fn keyring_path(&self) -> PathBuf {
        self.folder.path().join("keyring.json")
    }

    fn root(&self) -> RootKeySource {
        RootKeySource::File(self.root_path())
    }

    fn create(&self) -> Result<Keys, KeysError> {
        Keyring::create(&self.root(), &self.keyring_path(), &Random::system(), 1_700_000_000)?.keys()
    }

    fn load(&self) -> Result<Keys, KeysError> {
        Keyring::open(&self.root(), &self.keyring_path())?.keys()
    }

    /// The sentence of the refusal, with the folder's name taken out.
    fn refusal(&self) -> String {
        let error = self.load().err().expect("the keys are refused");
        error.to_string().replace(&self.folder.path().display().to_string(), "")
    }

    fn write_root(&self, text: &str) {
        fs::remove_file(self.root_path()).unwrap();
        fs::write(self.root_path(), text).unwrap();
        set_mode(&self.root_path(), 0o400);
    }

    fn edit_keyring(&self, edit: impl FnOnce(&mut Value)) {
        let mut keyring = serde_json::from_slice(&fs::read(self.keyring_path()).unwrap()).unwrap();
        edit(&mut keyring);
        fs::write(self.keyring_path(), keyring.to_string()).unwrap();
    }

    /// Adds a key that is wrapped as this version wraps its own.
    fn add_key(&self, key: &RingKey) {
        let text =
            ring_file::new(&self.root().read().unwrap(), std::slice::from_ref(key), &Random::system()).text();
        let mut other: Value = serde_json::from_str(&text).unwrap();
        self.edit_keyring(|keyring| keyring["keys"].as_array_mut().unwrap().push(other["keys"][0].take()));
    }
}

/// The refusal after an edit of the keyring, and proof that the fault is the edit.
fn refusal_after(edit: impl FnOnce(&mut Value)) -> String {
    let installation = Installation::new();
    installation.load().unwrap();
    installation.edit_keyring(edit);
    installation.refusal()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn place() -> Place<'static> {
    Place { table: "t", column: "c", user: "u", row: "r", context: ContextHash::NONE, generation: 0 }
}

fn vault(keys: Keys) -> Vault {
    Vault::new(keys, Random::system())
}

#[test]
fn a_new_installation_has_two_private_files_and_nothing_else() {
    let installation = Installation::new();
    assert_eq!(mode(&installation.root_path()), 0o400);
    assert_eq!(mode(&installation.keyring_path()), 0o600);
    assert_eq!(fs::read_dir(installation.folder.path()).unwrap().count(), 2);
    let keys = installation.load().unwrap();
    assert!(keys.active.iter().map(|key| key.ring).eq(Ring::ALL));
    assert!(keys.active.iter().all(|key| (key.version, key.created_at) == (1, 1_700_000_000)));
}

#[test]
fn the_keyring_holds_no_key_in_the_clear() {
    let installation = Installation::new();
    let keyring = fs::read_to_string(installation.keyring_path()).unwrap();
    let root = installation.root().read().unwrap();
    let keys = installation.load().unwrap();
    for secret in keys.active.iter().map(|key| &key.secret).chain([&root.0]) {
        assert!(!keyring.contains(&STANDARD.encode(**secret)[..40]));
        assert!(!keyring.contains(&hash::hex(&**secret)));
        let wrapped: Value = serde_json::from_str(&keyring).unwrap();
        for entry in wrapped["keys"].as_array().unwrap() {
            let wrapped = STANDARD.decode(entry["wrapped"].as_str().unwrap()).unwrap();
            assert!(!wrapped.windows(8).any(|window| window == &secret[..8]));
        }
    }
}

#[test]
fn creating_again_keeps_the_keys() {
    let installation = Installation::new();
    let record = vault(installation.load().unwrap()).seal(Ring::Settings, &place(), b"kept");
    let opened = vault(installation.create().unwrap()).open(Ring::Settings, &place(), &record);
    assert_eq!(opened.ok().unwrap().expose(), b"kept");
}

#[test]
fn processes_that_create_at_the_same_time_end_with_the_same_keys() {
    for _ in 0..20 {
        let installation = Installation { folder: tempfile::tempdir().unwrap() };
        let start = Barrier::new(8);
        let create = || {
            start.wait();
            vault(installation.create().unwrap())
        };
        let vaults: Vec<Vault> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let record = vaults[0].seal(Ring::AccessTokens, &place(), b"shared");
        assert!(vaults.iter().all(|vault| vault.open(Ring::AccessTokens, &place(), &record).is_ok()));
        assert_eq!(fs::read_dir(installation.folder.path()).unwrap().count(), 2);
    }
}

#[test]
fn a_keyring_without_its_root_key_is_not_given_a_new_one() {
    let installation = Installation::new();
    fs::remove_file(installation.root_path()).unwrap();
    assert!(matches!(installation.create(), Err(KeysError::RootMissing(_))));
    assert!(!installation.root_path().exists());
}

#[test]
fn a_root_key_as_a_value_opens_the_same_keyring() {
    let installation = Installation::new();
    let line = fs::read_to_string(installation.root_path()).unwrap();
    let value = SecretString::new(line);
    let root = RootKeySource::Value { setting: "TAIKU_ROOT_KEY".into(), value };
    Keyring::open(&root, &installation.keyring_path()).unwrap();

    let value = SecretString::new(String::new());
    let root = RootKeySource::Value { setting: "TAIKU_ROOT_KEY".into(), value };
    let refusal = Keyring::open(&root, &installation.keyring_path()).err().unwrap().to_string();
    assert!(refusal.starts_with("the root key in TAIKU_ROOT_KEY has 0 bytes and must have 32"), "{refusal}");
}

#[test]
fn loading_makes_no_file() {
    let installation = Installation { folder: tempfile::tempdir().unwrap() };
    assert!(installation.load().is_err());
    assert_eq!(fs::read_dir(installation.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_root_key_is_named() {
    let installation = Installation::new();
    fs::remove_file(installation.root_path()).unwrap();
    insta::assert_snapshot!(installation.refusal(), @"the root key file /root.key is missing; put the file back that was made with this database (a new key could not open what is stored)");
}

#[test]
fn a_wrong_root_key_is_named_with_what_is_wrong() {
    let installation = Installation::new();
    installation.write_root(&STANDARD.encode([1; 31]));
    insta::assert_snapshot!(installation.refusal(), @"the root key in /root.key has 31 bytes and must have 32; put back the key that was made with this database");
    installation.write_root(&STANDARD.encode([0; 32]));
    insta::assert_snapshot!(installation.refusal(), @"the root key in /root.key is all zeros, which protects nothing; put back the key that was made with this database");
    installation.write_root("not base64!");
    insta::assert_snapshot!(installation.refusal(), @"the root key in /root.key is not base64 with padding; it must be one line of 44 characters");
    installation.write_root("");
    insta::assert_snapshot!(installation.refusal(), @"the root key in /root.key has 0 bytes and must have 32; put back the key that was made with this database");
    installation.write_root(&STANDARD.encode([1; 32]));
    insta::assert_snapshot!(installation.refusal(), @"the root key in /root.key is not the one that wrapped the keyring /keyring.json; put both back from the same installation");
}

#[test]
fn files_that_others_can_read_are_refused() {
    let installation = Installation::new();
    for path in [installation.root_path(), installation.keyring_path()] {
        let own = mode(&path);
        for open in [0o644, 0o640, 0o604, 0o620, 0o401] {
            set_mode(&path, open);
            assert!(matches!(installation.load(), Err(KeysError::OpenToOthers { .. })), "{open:o}");
        }
        set_mode(&path, own);
        installation.load().unwrap();
    }
    set_mode(&installation.root_path(), 0o644);
    insta::assert_snapshot!(installation.refusal(), @"/root.key has mode 0644, so that others can read or write it; run: chmod 0600 /root.key");
}

#[test]
fn a_missing_keyring_is_named() {
    let installation = Installation::new();
    fs::remove_file(installation.keyring_path()).unwrap();
    insta::assert_snapshot!(installation.refusal(), @"the keyring /keyring.json is missing; put the file back that was made with this database (new keys could not open what is stored)");
}

#[test]
fn a_keyring_of_the_wrong_shape_is_named_with_the_field() {
    insta::assert_snapshot!(refusal_after(|keyring| keyring["format"] = json!(2)), @"the keyring /keyring.json has format 2, and this version of taiku knows format 1; use the version that wrote it");
    insta::assert_snapshot!(refusal_after(|keyring| keyring["keys"][1]["version"] = json!(-1)), @"the keyring /keyring.json is damaged at `keys[1].version`: invalid value: integer `-1`, expected u32 at line 1 column 264; put it back from your copy");
    insta::assert_snapshot!(refusal_after(|keyring| keyring["extra"] = json!(1)), @"the keyring /keyring.json is damaged at `extra`: unknown field `extra`, expected one of `format`, `root`, `keys` at line 1 column 634; put it back from your copy");
    insta::assert_snapshot!(refusal_after(|keyring| *keyring = json!([])), @"the keyring /keyring.json is damaged at `.`: invalid length 0, expected struct FormatOnly with 1 element at line 1 column 2; put it back from your copy");
    let installation = Installation::new();
    fs::write(installation.keyring_path(), "").unwrap();
    insta::assert_snapshot!(installation.refusal(), @"the keyring /keyring.json is damaged at `.`: EOF while parsing a value at line 1 column 0; put it back from your copy");
}

#[test]
fn a_keyring_with_wrong_keys_is_named_with_the_key() {
    insta::assert_snapshot!(refusal_after(|keyring| keyring["keys"][0]["ring"] = json!("zz")), @"the keyring /keyring.json has a key of the unknown ring `zz`; the rings are at, rt and cfg");
    insta::assert_snapshot!(refusal_after(|keyring| keyring["keys"][0]["state"] = json!("Active")), @"version 1 of ring `at` in /keyring.json has the unknown state `Active`; the states are active, decrypt-only and retired");
    insta::assert_snapshot!(refusal_after(|keyring| keyring["keys"][2]["state"] = json!("decrypt-only")), @"ring `cfg` in /keyring.json has no active key; put the keyring back from your copy");
    insta::assert_snapshot!(refusal_after(|keyring| keyring["keys"] = json!([])), @"ring `at` in /keyring.json has no active key; put the keyring back from your copy");
    insta::assert_snapshot!(refusal_after(|keyring| {
        let first = keyring["keys"][0].clone();
        keyring["keys"].as_array_mut().unwrap().push(first);
    }), @"version 1 of ring `at` is in /keyring.json twice; put the keyring back from your copy");
}

#[test]
fn two_active_keys_of_a_ring_are_refused() {
    let installation = Installation::new();
    let key = RingKey { version: 2, ..RingKey::generate(Ring::Settings, &Random::system(), 0) };
    installation.add_key(&key);
    insta::assert_snapshot!(installation.refusal(), @"ring `cfg` in /keyring.json has more than one active key; put the keyring back from your copy");
}

#[test]
fn a_blank_ring_key_is_refused() {
    let installation = Installation::new();
    let secret = Zeroizing::new([0; 32]);
    let (ring, version, state) = (Ring::Settings, 2, KeyState::DecryptOnly);
    let fingerprint = key_fingerprint(&secret);
    installation.add_key(&RingKey { ring, version, state, fingerprint, secret, created_at: 0 });
    insta::assert_snapshot!(installation.refusal(), @"version 2 of ring `cfg` in /keyring.json is damaged: its wrapped key does not open; put the keyring back from your copy");
}

#[test]
fn a_wrapped_key_is_bound_to_its_ring_version_and_fingerprint() {
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 6] = [
        ("another version", |keyring| keyring["keys"][0]["version"] = json!(2)),
        ("another fingerprint", |keyring| keyring["keys"][0]["fingerprint"] = json!("00112233aabbccdd")),
        ("a short fingerprint", |keyring| keyring["keys"][0]["fingerprint"] = json!("00")),
        ("another ring's key", |keyring| {
            let (own, other) = (keyring["keys"][0]["wrapped"].take(), keyring["keys"][1]["wrapped"].take());
            (keyring["keys"][0]["wrapped"], keyring["keys"][1]["wrapped"]) = (other, own);
        }),
        ("another ring's key and fingerprint", |keyring| {
            for field in ["wrapped", "fingerprint"] {
                keyring["keys"][0][field] = keyring["keys"][1][field].clone();
            }
        }),
        ("31 bytes", |keyring| keyring["keys"][0]["wrapped"] = json!(STANDARD.encode([1; 59]))),
    ];
    for (what, edit) in edits {
        let refusal = refusal_after(edit);
        assert!(refusal.contains(" of ring `at` in /keyring.json is damaged"), "{what}: {refusal}");
    }
}

#[test]
fn an_older_key_opens_until_it_is_retired() {
    let installation = Installation::new();
    let older = vault(installation.load().unwrap()).seal(Ring::AccessTokens, &place(), b"old");
    let next = RingKey { version: 2, ..RingKey::generate(Ring::AccessTokens, &Random::system(), 0) };
    installation.edit_keyring(|keyring| keyring["keys"][0]["state"] = json!("decrypt-only"));
    installation.add_key(&next);
    let rotated = vault(installation.load().unwrap());
    assert_eq!(rotated.open(Ring::AccessTokens, &place(), &older).ok().unwrap().expose(), b"old");
    let newer = rotated.seal(Ring::AccessTokens, &place(), b"new");
    assert_eq!(newer[7..11], 2_u32.to_be_bytes(), "the active key seals");

    installation.edit_keyring(|keyring| keyring["keys"][0]["state"] = json!("retired"));
    let retired = vault(installation.load().unwrap());
    let expected = super::super::VaultError::KeyUnknown { ring: Ring::AccessTokens, version: 1 };
    assert_eq!(retired.open(Ring::AccessTokens, &place(), &older).err(), Some(expected));
    assert!(retired.open(Ring::AccessTokens, &place(), &newer).is_ok());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_as_a_keyring_panics(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let installation = Installation::new();
        fs::write(installation.keyring_path(), text).unwrap();
        proptest::prop_assert!(installation.load().is_err());
    }
}

mod edits;
