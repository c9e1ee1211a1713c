//! When taiku must not start. Cases E8, E9 and E10: exit code 78, a sentence, and an untouched database.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use taiku_tests::{Launch, Refused, TestApp};
use tempfile::TempDir;

/// The data folder of a taiku that has been running and has ended as it should.
async fn used() -> TempDir {
    let app = TestApp::start().await;
    let _ = app.ada().await;
    app.stop()
}

fn database(folder: &Path) -> Vec<(String, Vec<u8>)> {
    ["taiku.db", "taiku.db-wal"]
        .map(|name| (name.to_owned(), fs::read(folder.join(name)).unwrap_or_default()))
        .into()
}

/// Starts in a folder that something was done to, and gives what it said.
fn refused(data: TempDir, word: &str) {
    let before = database(data.path());
    let Refused { code, said, data } = Launch::in_folder(data).refuse();
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains(word), "it names {word}: {said}");
    assert!(database(data.path()) == before, "the database is untouched");
}

fn write(path: &Path, bytes: &[u8]) {
    // Key files are read-only.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("our own file");
    fs::write(path, bytes).expect("our own file");
}

#[tokio::test]
async fn without_the_root_key() {
    let data = used().await;
    fs::remove_file(data.path().join("root.key")).expect("there is a root key");
    refused(data, "root.key");
}

#[tokio::test]
async fn without_the_keyring() {
    let data = used().await;
    fs::remove_file(data.path().join("keyring.json")).expect("there is a keyring");
    refused(data, "keyring.json");
}

#[tokio::test]
async fn with_a_root_key_of_another_installation() {
    let (data, other) = (used().await, used().await);
    let key = fs::read(other.path().join("root.key")).expect("there is a root key");
    write(&data.path().join("root.key"), &key);
    fs::set_permissions(data.path().join("root.key"), fs::Permissions::from_mode(0o400))
        .expect("our own file");
    refused(data, "root");
}

#[tokio::test]
async fn with_both_keys_of_another_installation() {
    let (data, other) = (used().await, used().await);
    for name in ["root.key", "keyring.json"] {
        let (from, to) = (other.path().join(name), data.path().join(name));
        let mode = fs::metadata(&from).expect("it is there").permissions();
        write(&to, &fs::read(&from).expect("it is there"));
        fs::set_permissions(&to, mode).expect("our own file");
    }
    refused(data, "does not belong to this database");
}

#[tokio::test]
async fn with_a_root_key_of_the_wrong_length() {
    let data = used().await;
    let path = data.path().join("root.key");
    // 31 bytes.
    write(&path, b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("our own file");
    refused(data, "32");
}

#[tokio::test]
async fn with_a_root_key_of_zeros() {
    let data = used().await;
    let path = data.path().join("root.key");
    write(&path, b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("our own file");
    refused(data, "root key");
}

#[tokio::test]
async fn with_keys_that_others_can_read() {
    for name in ["root.key", "keyring.json"] {
        let data = used().await;
        fs::set_permissions(data.path().join(name), fs::Permissions::from_mode(0o644)).expect("our own file");
        refused(data, "chmod");
    }
}

#[tokio::test]
async fn with_a_keyring_that_was_cut() {
    let data = used().await;
    let path = data.path().join("keyring.json");
    let whole = fs::read(&path).expect("there is a keyring");
    let mode = fs::metadata(&path).expect("it is there").permissions();
    write(&path, &whole[..whole.len() / 2]);
    fs::set_permissions(&path, mode).expect("our own file");
    refused(data, "damaged");
}

#[tokio::test]
async fn what_was_there_is_there_after_a_power_cut() {
    let app = TestApp::start().await;
    let _ = app.ada().await;
    let app = Launch::in_folder(app.kill()).start().await;
    assert_eq!(app.ada().await.get("/api/v1/session").await.json()["user"]["email"], "ada@example.test");
}
