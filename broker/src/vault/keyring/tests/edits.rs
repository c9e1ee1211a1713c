//! Changing the keyring: states, what is refused, and that no change is half a change.

use super::*;
use crate::vault::keyring::EditError;

const LATER: i64 = 1_800_000_000;

impl Installation {
    fn keyring(&self) -> Keyring {
        Keyring::open(&self.root(), &self.keyring_path()).unwrap()
    }

    /// Changes the file as one command does.
    fn change<T>(&self, change: impl FnOnce(&mut Edit<'_>) -> Result<T, EditError>) -> Result<T, EditError> {
        let keyring = self.keyring();
        let mut edit = keyring.edit()?;
        let result = change(&mut edit)?;
        edit.save(&Random::system())?;
        Ok(result)
    }

    fn add(&self, ring: Ring) -> Result<KeyId, EditError> {
        self.change(|edit| edit.add(ring, &Random::system(), LATER))
    }

    fn rotated(ring: Ring) -> (Self, KeyId) {
        let installation = Self::new();
        let id = installation.add(ring).unwrap();
        installation.change(|edit| edit.promote(id)).unwrap();
        (installation, id)
    }

    /// Every key as ring, version and state.
    fn states(&self) -> Vec<String> {
        let keyring = self.keyring();
        let keys = keyring.edit().unwrap().keys().unwrap();
        let line = |key: &KeyInfo| format!("{} {} {}", key.id.ring, key.id.version, key.state.name());
        keys.iter().map(line).collect()
    }

    fn seals_and_opens(&self, ring: Ring, version: u32) {
        let vault = vault(self.load().unwrap());
        let record = vault.seal(ring, &place(), b"secret");
        assert_eq!(record[7..11], version.to_be_bytes());
        assert!(vault.open(ring, &place(), &record).is_ok());
    }
}

fn sentence<T>(result: Result<T, EditError>) -> String {
    result.err().expect("it is refused").to_string()
}

#[test]
fn a_key_goes_from_waiting_to_active_to_retired() {
    let installation = Installation::new();
    let id = installation.add(Ring::RefreshTokens).unwrap();
    assert_eq!((id.ring, id.version), (Ring::RefreshTokens, 2));
    assert_eq!(installation.states(), ["at 1 active", "rt 1 active", "rt 2 decrypt-only", "cfg 1 active"]);
    installation.seals_and_opens(Ring::RefreshTokens, 1);
    let older = vault(installation.load().unwrap()).seal(Ring::RefreshTokens, &place(), b"old");

    installation.change(|edit| edit.promote(id)).unwrap();
    assert_eq!(installation.states()[1..3], ["rt 1 decrypt-only", "rt 2 active"]);
    installation.seals_and_opens(Ring::RefreshTokens, 2);
    assert!(vault(installation.load().unwrap()).open(Ring::RefreshTokens, &place(), &older).is_ok());

    let wrapped_before = fs::read_to_string(installation.keyring_path()).unwrap();
    let first = installation.change(|edit| {
        let first = edit.retirable(Ring::RefreshTokens, 1)?.id;
        edit.retire(first).map(|()| first)
    });
    assert_eq!(first.unwrap().version, 1);
    assert_eq!(installation.states()[1..3], ["rt 1 retired", "rt 2 active"]);
    let retired = vault(installation.load().unwrap()).open(Ring::RefreshTokens, &place(), &older);
    let expected = crate::vault::VaultError::KeyUnknown { ring: Ring::RefreshTokens, version: 1 };
    assert_eq!(retired.err(), Some(expected));

    let before: Value = serde_json::from_str(&wrapped_before).unwrap();
    let text = fs::read_to_string(installation.keyring_path()).unwrap();
    let wrapped = before["keys"][1]["wrapped"].as_str().unwrap();
    assert!(wrapped.len() == 80 && !text.contains(wrapped), "the bytes of a retired key are gone");
    assert_eq!(mode(&installation.keyring_path()), 0o600);
    assert_eq!(installation.add(Ring::RefreshTokens).unwrap().version, 3, "a version is given once");
}

#[test]
fn what_would_leave_a_ring_without_its_key_is_refused() {
    let (installation, id) = Installation::rotated(Ring::AccessTokens);
    let retire = |ring, version| installation.change(|edit| edit.retirable(ring, version));
    insta::assert_snapshot!(sentence(retire(Ring::AccessTokens, 2)), @"version 2 of ring `at` is active; promote a newer one first");
    insta::assert_snapshot!(sentence(retire(Ring::AccessTokens, 9)), @"there is no version 9 of ring `at`; `taiku key status` lists all");
    let waiting = installation.add(Ring::AccessTokens).unwrap();
    insta::assert_snapshot!(sentence(retire(Ring::AccessTokens, 3)), @"version 3 of ring `at` waits to be promoted; it has sealed nothing");
    insta::assert_snapshot!(sentence(installation.add(Ring::AccessTokens)), @"version 3 of ring `at` was added before and waits; promote it with `taiku key promote at`");
    insta::assert_snapshot!(sentence(installation.change(|edit| edit.promote(id))), @"version 2 of ring `at` is older than the active key or retired; only a newer key can be promoted");
    let first = KeyId { version: 1, ..id };
    assert!(matches!(installation.change(|edit| edit.promote(first)), Err(EditError::NotNewer { .. })));
    let foreign = KeyId { fingerprint: [0; 8], ..waiting };
    assert!(matches!(installation.change(|edit| edit.promote(foreign)), Err(EditError::NotNewer { .. })));
    insta::assert_snapshot!(sentence(installation.change(|edit| edit.waiting(Ring::Settings))), @"ring `cfg` has no newer key than its active one; make one with `taiku key add cfg`");
}

#[test]
fn a_change_that_is_not_saved_is_none() {
    let installation = Installation::new();
    let before = fs::read(installation.keyring_path()).unwrap();
    let keyring = installation.keyring();
    let mut edit = keyring.edit().unwrap();
    edit.add(Ring::Settings, &Random::system(), LATER).unwrap();
    drop(edit);
    assert_eq!(fs::read(installation.keyring_path()).unwrap(), before);
}

#[test]
fn a_file_that_cannot_be_written_is_as_it_was() {
    let installation = Installation::new();
    let before = fs::read(installation.keyring_path()).unwrap();
    // The name of the temporary file is taken, whatever it is: the same random bytes make the same name.
    let random = Random::from_fn(|bytes| bytes.fill(7));
    let mut taken = installation.keyring_path().into_os_string();
    taken.push(random.id(".new-"));
    fs::create_dir(&taken).unwrap();
    let keyring = installation.keyring();
    let mut edit = keyring.edit().unwrap();
    edit.add(Ring::Settings, &Random::system(), LATER).unwrap();
    assert!(matches!(edit.save(&random), Err(KeysError::Write { .. })));
    assert_eq!(fs::read(installation.keyring_path()).unwrap(), before);
}

#[test]
fn commands_at_the_same_time_take_turns() {
    let installation = Installation::new();
    let done = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..3 {
                    let rotate = |edit: &mut Edit<'_>| {
                        let id = edit.add(Ring::Settings, &Random::system(), LATER)?;
                        edit.promote(id)
                    };
                    installation.change(rotate).unwrap();
                    done.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
        // Whoever reads meanwhile sees one state or the next, never half a file.
        while done.load(std::sync::atomic::Ordering::SeqCst) < 24 {
            installation.load().unwrap();
        }
    });
    let keyring = installation.keyring();
    let keys = keyring.edit().unwrap().keys().unwrap();
    assert_eq!(keys.iter().filter(|key| key.id.ring == Ring::Settings).count(), 25, "no change was lost");
    assert_eq!(keys.iter().filter(|key| key.state == KeyState::Active).count(), 3);
    // Root key, keyring and lock.
    assert_eq!(fs::read_dir(installation.folder.path()).unwrap().count(), 3);
    let mut lock = installation.keyring_path().into_os_string();
    lock.push(".lock");
    assert_eq!(mode(Path::new(&lock)), 0o600);
}

#[test]
fn a_changed_file_has_another_stamp() {
    let installation = Installation::new();
    let keyring = installation.keyring();
    let before = keyring.stamp().unwrap();
    assert_eq!(keyring.stamp(), Some(before));
    installation.add(Ring::Settings).unwrap();
    assert_ne!(keyring.stamp(), Some(before));
    fs::remove_file(installation.keyring_path()).unwrap();
    assert_eq!(keyring.stamp(), None);
}

#[test]
fn a_vault_goes_on_with_the_keys_it_is_given() {
    let installation = Installation::new();
    let vault = vault(installation.load().unwrap());
    let clone = vault.clone();
    assert!(!vault.replace(installation.load().unwrap()), "nothing has changed");
    let older = vault.seal(Ring::AccessTokens, &place(), b"secret");
    let id = installation.add(Ring::AccessTokens).unwrap();
    assert!(vault.replace(installation.load().unwrap()));
    assert_eq!(clone.reseal(Ring::AccessTokens, &place(), &older), Ok(None), "it waits");
    installation.change(|edit| edit.promote(id)).unwrap();
    assert!(vault.replace(installation.load().unwrap()));
    let newer = clone.reseal(Ring::AccessTokens, &place(), &older).unwrap().unwrap();
    assert_eq!(newer[7..11], 2_u32.to_be_bytes());
    assert_eq!(clone.open(Ring::AccessTokens, &place(), &newer).ok().unwrap().expose(), b"secret");
    assert_eq!(clone.reseal(Ring::AccessTokens, &place(), &newer), Ok(None));
    let elsewhere = Place { user: "somebody else", ..place() };
    assert_eq!(
        clone.reseal(Ring::AccessTokens, &elsewhere, &older),
        Err(crate::vault::VaultError::Integrity),
        "what does not open is not sealed again"
    );
}
