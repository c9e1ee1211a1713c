use serde_json::Value;

use super::{NOW, add_member, count, on_both_engines, sql, write};
use crate::store::audit::{self, Actor};
use crate::store::{MIGRATIONS, Store, StoreError, execute, users, vault_checks};

on_both_engines!(migrated:
    of_64_tasks_that_read_and_then_write_all_succeed
    dropping_undoes_and_committing_keeps
    known_answers_are_kept_by_ring
    migrating_again_is_harmless
    a_migration_that_was_changed_is_refused
    a_database_that_is_newer_is_refused
    the_database_answers
    what_failed_is_told_from_what_is_busy
);

async fn of_64_tasks_that_read_and_then_write_all_succeed(store: Store) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut tx = store.write().await?;
            let id = format!("usr_{number}");
            assert!(users::by_email(&mut tx, &format!("{id}@example.org")).await?.is_none());
            add_member(&mut tx, &id).await;
            audit::add(&mut tx, NOW, Actor::System, "user.add", &id, &Value::Null).await?;
            tx.commit().await
        });
    }
    for result in tasks.join_all().await {
        result.unwrap();
    }
    let mut tx = write(&store).await;
    assert_eq!(users::all(&mut tx).await.unwrap().len(), 64);
    assert_eq!(audit::verify(&mut tx).await.unwrap(), audit::Verdict::Sound { entries: 64 });
}

async fn dropping_undoes_and_committing_keeps(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    drop(tx);
    let mut tx = write(&store).await;
    assert!(users::all(&mut tx).await.unwrap().is_empty());
    add_member(&mut tx, "usr_b").await;
    let mut reader = store.read().await.unwrap();
    assert!(users::all(&mut reader).await.unwrap().is_empty(), "nobody sees what is not committed");
    drop(reader);
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(users::all(&mut reader).await.unwrap().len(), 1);
}

async fn known_answers_are_kept_by_ring(store: Store) {
    let mut tx = write(&store).await;
    assert!(vault_checks::all(&mut tx).await.unwrap().is_empty());
    for (ring, record) in [("rt", b"\x00\xff"), ("at", b"\x00\x01")] {
        vault_checks::add(&mut tx, ring, record).await.unwrap();
    }
    let expected = [("at".to_owned(), vec![0, 1]), ("rt".to_owned(), vec![0, 255])];
    assert_eq!(vault_checks::all(&mut tx).await.unwrap(), expected);
    tx.commit().await.unwrap();
    let mut tx = write(&store).await;
    assert!(vault_checks::add(&mut tx, "at", b"other").await.is_err());
    drop(tx);
    assert_eq!(vault_checks::all(&mut write(&store).await).await.unwrap(), expected);
}

async fn migrating_again_is_harmless(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    tx.commit().await.unwrap();
    store.migrate().await.unwrap();
    let mut tx = write(&store).await;
    assert_eq!(users::all(&mut tx).await.unwrap().len(), 1);
    let applied = count(&mut tx, "select count(*) from _sqlx_migrations").await;
    assert_eq!(usize::try_from(applied).unwrap(), MIGRATIONS.len());
}

async fn a_migration_that_was_changed_is_refused(store: Store) {
    let mut tx = write(&store).await;
    let query = "update _sqlx_migrations set checksum = $1";
    execute!(&mut tx, sqlx::query(query).bind(b"other".as_slice())).unwrap();
    tx.commit().await.unwrap();
    let error = store.migrate().await.unwrap_err();
    assert!(matches!(error, StoreError::Migrate(_)), "{error}");
}

async fn a_database_that_is_newer_is_refused(store: Store) {
    let mut tx = write(&store).await;
    sql(&mut tx, "update _sqlx_migrations set version = 9999 where version = 1").await.unwrap();
    tx.commit().await.unwrap();
    let error = store.migrate().await.unwrap_err();
    assert!(error.to_string().contains("9999"), "{error}");
}

async fn the_database_answers(store: Store) {
    store.ping().await.unwrap();
    store.close().await;
    assert!(store.ping().await.is_err());
}

async fn what_failed_is_told_from_what_is_busy(store: Store) {
    let mut tx = write(&store).await;
    let error = sql(&mut tx, "select nothing from nowhere").await.unwrap_err();
    assert!(!error.is_busy(), "{error}");
    drop(tx);
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    let error = sql(&mut tx, "insert into users select * from users").await.unwrap_err();
    assert!(!error.is_busy(), "{error}");
}

#[tokio::test]
async fn an_address_of_another_kind_is_refused() {
    for url in ["", "taiku.db", "mysql://localhost/taiku", "sqlite:taiku.db"] {
        let error = Store::open(url).await.unwrap_err();
        assert!(matches!(error, StoreError::Url), "{url}: {error}");
    }
}
