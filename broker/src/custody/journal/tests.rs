use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::vault::{Keyring, RootKeySource};

fn vault(folder: &Path) -> Vault {
    let random = Random::system();
    let root = RootKeySource::File(folder.join("root.key"));
    let keyring = Keyring::create(&root, &folder.join("keyring.json"), &random, 0).unwrap();
    Vault::new(keyring.keys().unwrap(), random)
}

fn folder() -> (TempDir, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    (folder, vault)
}

fn open(folder: &TempDir, vault: &Vault) -> Journal {
    Journal::open(folder.path(), vault.clone(), &Random::system()).unwrap()
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("escrow-0.journal")
}

fn entry(number: u8) -> Entry {
    Entry {
        connection: format!("con_{number}"),
        user: "usr_a".into(),
        toolkit: Slug::parse("github").unwrap(),
        context: [number; 32],
        owner: "own_a".into(),
        fence: 3,
        generation: i64::from(number),
        tokens: SealedTokens {
            access: vec![number; 300],
            refresh: number.is_multiple_of(2).then(|| vec![number, 0, 255]),
            lifetime: Some(3_600_000),
            expires_at: None,
        },
        scopes: number.is_multiple_of(3).then(|| vec!["read".into()]),
        repeated: number.is_multiple_of(5),
    }
}

fn outstanding(journal: &Journal) -> Vec<Entry> {
    journal.outstanding().into_iter().map(|(_, entry)| entry).collect()
}

#[test]
fn what_was_appended_and_not_crossed_out_is_there_after_a_crash() {
    let (folder, vault) = folder();
    let journal = open(&folder, &vault);
    let owner = journal.owner().to_owned();
    let places: Vec<Place> = (0..6).map(|number| journal.append(&entry(number)).unwrap()).collect();
    journal.done(places[1]).unwrap();
    journal.done(places[4]).unwrap();
    drop(journal);
    let journal = open(&folder, &vault);
    assert_eq!(outstanding(&journal), [entry(0), entry(2), entry(3), entry(5)]);
    assert_eq!((journal.owner(), journal.dead()), (owner.as_str(), vec![owner.clone()]));
    let again = journal.append(&entry(7)).unwrap();
    assert!(places.iter().all(|place| *place < again));
}

#[test]
fn once_all_is_crossed_out_the_file_begins_anew() {
    let (folder, vault) = folder();
    let journal = open(&folder, &vault);
    let size = fs::metadata(file(&folder)).unwrap().len();
    for round in 0..200_u8 {
        drop(journal.reserve().unwrap());
        let places = [journal.append(&entry(round)).unwrap(), journal.append(&entry(1)).unwrap()];
        places.into_iter().for_each(|place| journal.done(place).unwrap());
        journal.done(places[0]).unwrap();
    }
    assert!(fs::metadata(file(&folder)).unwrap().len() <= size.max(1024 * 1024));
    drop(journal);
    assert!(outstanding(&open(&folder, &vault)).is_empty());
}

#[test]
fn a_shorter_round_leaves_nothing_of_a_longer_one() {
    let (folder, vault) = folder();
    let journal = open(&folder, &vault);
    let places: Vec<Place> = (0..5).map(|number| journal.append(&entry(number)).unwrap()).collect();
    places.into_iter().for_each(|place| journal.done(place).unwrap());
    let last = journal.append(&entry(9)).unwrap();
    drop(journal);
    let journal = open(&folder, &vault);
    assert_eq!(outstanding(&journal), [entry(9)]);
    journal.done(last).unwrap();
    assert!(outstanding(&journal).is_empty());
}

#[test]
fn each_living_process_has_a_file_of_its_own() {
    let (folder, vault) = folder();
    let (first, second) = (open(&folder, &vault), open(&folder, &vault));
    assert_ne!(first.owner(), second.owner());
    assert_eq!(second.dead(), [second.owner()], "a living one is not taken for dead");
    first.append(&entry(1)).unwrap();
    let second_owner = second.owner().to_owned();
    second.append(&entry(2)).unwrap();
    drop(second);
    let third = open(&folder, &vault);
    assert_eq!(third.owner(), second_owner);
    assert_eq!(outstanding(&third), [entry(2)]);
}

#[test]
fn the_files_of_all_the_dead_are_taken_over_and_let_go_when_they_are_empty() {
    let (folder, vault) = folder();
    let (first, second) = (open(&folder, &vault), open(&folder, &vault));
    let owners = [first.owner().to_owned(), second.owner().to_owned()];
    first.append(&entry(1)).unwrap();
    second.append(&entry(2)).unwrap();
    drop((first, second));
    let heir = open(&folder, &vault);
    assert_eq!(heir.dead(), owners);
    assert_eq!(outstanding(&heir), [entry(1), entry(2)]);
    let other = open(&folder, &vault);
    assert!(!owners.contains(&other.owner().to_owned()));
    heir.outstanding().into_iter().for_each(|(place, _)| heir.done(place).unwrap());
    assert!(outstanding(&heir).is_empty());
    assert_eq!(open(&folder, &vault).owner(), owners[1], "it is free again");
}

#[test]
fn nothing_of_a_token_is_readable_and_the_file_is_its_owners_alone() {
    let (folder, vault) = folder();
    let journal = open(&folder, &vault);
    journal.append(&entry(65)).unwrap();
    let bytes = fs::read(file(&folder)).unwrap();
    assert!(!bytes.windows(6).any(|part| part == b"con_65" || part == b"usr_a\""));
    assert_eq!(fs::metadata(file(&folder)).unwrap().permissions().mode() & 0o777, 0o600);
    drop(journal);
    let (stranger_folder, stranger) = self::folder();
    fs::copy(file(&folder), file(&stranger_folder)).unwrap();
    assert!(outstanding(&open(&stranger_folder, &stranger)).is_empty(), "it needs the ring");
}

#[test]
fn room_is_on_the_disk_before_it_is_needed() {
    let (folder, vault) = folder();
    let journal = open(&folder, &vault);
    let rooms: Vec<Room> = (0..20).map(|_| journal.reserve().unwrap()).collect();
    let size = fs::metadata(file(&folder)).unwrap().len();
    assert!(size > 20 * 64 * 1024);
    for number in 0..20 {
        journal.append(&entry(number)).unwrap();
    }
    assert_eq!(fs::metadata(file(&folder)).unwrap().len(), size);
    drop(rooms);
}

#[test]
fn a_file_of_something_else_is_refused_and_left_alone() {
    let (folder, vault) = folder();
    let text = "a diary, which is longer than a header is";
    fs::write(file(&folder), text).unwrap();
    let refused = Journal::open(folder.path(), vault, &Random::system()).err().unwrap();
    assert!(refused.to_string().contains("is no escrow journal"), "{refused}");
    assert_eq!(fs::read_to_string(file(&folder)).unwrap(), text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A crash can leave any end of the file as it was before; what was complete before that stays.
    #[test]
    fn a_torn_end_loses_nothing_before_it(cut in 24_usize..4000, noise in proptest::collection::vec(any::<u8>(), 0..64)) {
        let (folder, vault) = folder();
        let journal = open(&folder, &vault);
        for number in 0..4 {
            journal.append(&entry(number)).unwrap();
        }
        drop(journal);
        let mut bytes = fs::read(file(&folder)).unwrap();
        let frames = frame_ends(&bytes);
        let cut = cut.min(bytes.len());
        bytes[cut..].fill(0);
        for (byte, noise) in bytes[cut..].iter_mut().zip(&noise) {
            *byte = *noise;
        }
        fs::write(file(&folder), &bytes).unwrap();
        let whole = frames.iter().filter(|end| **end <= cut).count();
        let journal = open(&folder, &vault);
        let found = outstanding(&journal);
        prop_assert!(found.len() >= whole);
        for (number, found) in found.iter().take(whole).enumerate() {
            prop_assert_eq!(found, &entry(u8::try_from(number).unwrap()));
        }
        journal.append(&entry(77)).unwrap();
        drop(journal);
        prop_assert!(outstanding(&open(&folder, &vault)).contains(&entry(77)));
    }

    #[test]
    fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (folder, vault) = folder();
        if let Some(magic) = bytes.first_chunk_mut::<8>() {
            *magic = *b"TKEJ\x01\0\0\0";
        }
        fs::write(file(&folder), &bytes).unwrap();
        if let Ok(journal) = Journal::open(folder.path(), vault, &Random::system()) {
            prop_assert!(outstanding(&journal).is_empty());
        }
    }
}

/// Where the frames of a file end.
fn frame_ends(bytes: &[u8]) -> Vec<usize> {
    let (mut ends, mut at) = (Vec::new(), 24);
    while bytes[at] != 0 {
        let length = u32::from_be_bytes(bytes[at + 9..at + 13].try_into().unwrap());
        at += 13 + usize::try_from(length).unwrap();
        ends.push(at);
    }
    ends
}
