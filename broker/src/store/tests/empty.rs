//! Databases that nothing was stored in.

use super::on_both_engines;
use crate::store::Store;

on_both_engines!(empty:
    a_database_is_new_until_it_is_migrated
    brokers_that_start_at_once_migrate_once
);

async fn a_database_is_new_until_it_is_migrated(store: Store) {
    assert!(store.is_new().await.unwrap());
    assert!(store.is_new().await.unwrap(), "asking changes nothing");
    store.migrate().await.unwrap();
    assert!(!store.is_new().await.unwrap());
}

async fn brokers_that_start_at_once_migrate_once(store: Store) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = store.clone();
        tasks.spawn(async move { store.migrate().await });
    }
    for result in tasks.join_all().await {
        result.unwrap();
    }
    assert!(!store.is_new().await.unwrap());
}
