//! Links, names and sizes that are refused, and the hash of content.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use sha2::{Digest, Sha256};

use super::*;

#[test]
fn links_are_no_files_of_a_plugin() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("secret"), "x").unwrap();
    let dir = root.path().join("plugins");
    let folder = write(&dir, "x", "x", "1.0.0", "<p>");
    symlink("../../secret", folder.join("file")).unwrap();
    symlink("/etc", folder.join("folder")).unwrap();
    assert_eq!(
        faults(&load(&dir)),
        ": `file` is a link or a device; put the file itself there\n\
         : `folder` is a link or a device; put the file itself there"
    );
}

#[test]
fn a_linked_folder_must_stay_among_the_plugins() {
    let root = tempfile::tempdir().unwrap();
    let elsewhere = write(root.path(), "elsewhere", "x", "1.0.0", "<p>");
    let dir = root.path().join("plugins");
    fs::create_dir(&dir).unwrap();
    symlink(&elsewhere, dir.join("x")).unwrap();
    assert!(faults(&load(&dir)).contains("leads out of the folder of plugins"));
}

#[test]
fn names_that_cannot_be_in_a_url_are_refused() {
    for name in ["a%2e", "a\\b", "a:b", "a?", "a#", "a\nb"] {
        let root = tempfile::tempdir().unwrap();
        let folder = write(root.path(), "x", "x", "1.0.0", "<p>");
        fs::write(folder.join(name), "").unwrap();
        assert!(faults(&load(root.path())).contains("cannot be served"), "{name:?}");
    }
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), "x", "x", "1.0.0", "<p>");
    fs::write(folder.join(OsStr::from_bytes(b"caf\xE9")), "").unwrap();
    assert!(faults(&load(root.path())).contains("cannot be served"));
}

#[test]
fn bytes_are_capped_over_all_files() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), "x", "x", "1.0.0", "<p>");
    let manifest = fs::metadata(folder.join("manifest.json")).unwrap().len();
    let left = MAX_BYTES as u64 - manifest - 3;
    let big = |name: &str, length: u64| {
        fs::File::create(folder.join(name)).unwrap().set_len(length).unwrap();
    };
    big("a", left / 2);
    big("b", left - left / 2);
    assert_eq!(load(root.path()).failed(), []);
    big("b", left - left / 2 + 1);
    assert!(faults(&load(root.path())).contains("more than 33554432 bytes together"));
}

#[test]
fn files_and_folders_are_counted() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), "x", "x", "1.0.0", "<p>");
    let within = folder.join("d");
    fs::create_dir(&within).unwrap();
    for index in 3..MAX_FILES {
        fs::write(within.join(index.to_string()), "").unwrap();
    }
    assert_eq!(load(root.path()).failed(), []);
    fs::create_dir(within.join("more")).unwrap();
    assert!(faults(&load(root.path())).contains("more than 2000 files and folders"));
}

fn files(list: &[(&str, &str)]) -> Files {
    Files::new(list.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned().into())).collect())
}

#[test]
fn the_hash_is_of_every_path_and_content_with_their_lengths() {
    let mut input = Vec::new();
    for part in ["a", "xy", "b", ""] {
        input.extend((part.len() as u64).to_be_bytes());
        input.extend(part.as_bytes());
    }
    assert_eq!(files(&[("b", ""), ("a", "xy")]).hash(), hex(&Sha256::digest(&input)));
    let mut hashes: Vec<_> = [
        &[("a", "xy"), ("b", "")][..],
        &[("a", "x"), ("b", "y")],
        &[("ax", "y"), ("b", "")],
        &[("a", "xyb")],
        &[],
    ]
    .iter()
    .map(|list| files(list).hash().to_owned())
    .collect();
    assert!(hashes.iter().all(|hash| hash.len() == 64));
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 5);
}
