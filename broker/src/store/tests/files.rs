//! The file of an SQLite database: nobody but its owner reads it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::add_member;
use crate::store::{Store, StoreError};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

#[tokio::test]
async fn what_is_made_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let data = folder.path().join("new/data");
    let store = Store::open(&url(&data.join("taiku.db"))).await.unwrap();
    store.migrate().await.unwrap();
    let mut tx = store.write().await.unwrap();
    add_member(&mut tx, "usr_a").await;
    tx.commit().await.unwrap();
    for name in ["taiku.db", "taiku.db-wal", "taiku.db-shm"] {
        assert_eq!(format!("{:o}", mode(&data.join(name))), "600", "{name}");
    }
    assert_eq!((mode(&data), mode(data.parent().unwrap())), (0o700, 0o700));
    assert_eq!(mode(folder.path()), 0o755, "a folder that was there is left as it was");
    store.close().await;
    assert!(!data.join("taiku.db-wal").exists(), "closing leaves a journal");
}

#[tokio::test]
async fn opening_again_keeps_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(&folder.path().join("taiku.db"));
    for (new, members) in [(true, 1), (false, 2)] {
        let store = Store::open(&url).await.unwrap();
        assert_eq!(store.is_new().await.unwrap(), new);
        store.migrate().await.unwrap();
        let mut tx = store.write().await.unwrap();
        add_member(&mut tx, &format!("usr_{members}")).await;
        assert_eq!(crate::store::users::all(&mut tx).await.unwrap().len(), members);
        tx.commit().await.unwrap();
        store.close().await;
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let path = file.join("taiku.db");
    let error = Store::open(&url(&path)).await.unwrap_err();
    assert!(matches!(&error, StoreError::File { path: named, .. } if *named == path), "{error}");
    assert!(error.to_string().starts_with(&format!("the database file {} ", path.display())), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("taiku.db");
    fs::write(&path, "this is not a database, however long it is read").unwrap();
    let error = Store::open(&url(&path)).await.unwrap_err();
    assert!(matches!(error, StoreError::Database(_)), "{error}");
    assert!(fs::read_to_string(&path).unwrap().starts_with("this is not a database"));
}
