//! What happens when two do at once what the rules allow to one.

use std::time::Duration;

use taiku_bridge::api::Account;
use tokio::task::JoinSet;

use super::connections::{begin, connect, tokens};
use super::{NOW, add_member, count, on_both_engines, slug, with_members, write};
use crate::store::connections::{self, Activation};
use crate::store::{Store, StoreError, idempotency, integrations, users};

on_both_engines!(migrated:
    of_8_accounts_connected_at_once_one_is_the_default
    of_8_connections_of_one_account_one_is_left
    defaults_chosen_at_once_leave_one
    of_8_users_with_one_address_one_is_added
    an_integration_made_at_once_has_one_context
    of_8_saves_of_one_generation_one_succeeds
    keys_claimed_and_given_back_at_once_are_never_held_twice
    a_writer_that_waits_too_long_is_told_that_the_database_is_busy
);

/// Begins 8 connections, then activates all at once.
async fn activate_8(store: &Store, account: fn(usize) -> Account) {
    let mut tx = write(store).await;
    add_member(&mut tx, "usr_a").await;
    for number in 0..8 {
        begin(&mut tx, &format!("con_{number}"), "usr_a", "github").await;
    }
    tx.commit().await.unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut tx = write(&store).await;
            let id = format!("con_{number}");
            let connection = connections::find(&mut tx, "usr_a", &id).await.unwrap().unwrap();
            let activation = Activation {
                connection: &connection,
                context_hash: b"context",
                tokens: &tokens(1),
                account: &account(number),
                requested: &[],
                scopes: &[],
            };
            connections::activate(&mut tx, &activation).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    tasks.join_all().await;
}

async fn of_8_accounts_connected_at_once_one_is_the_default(store: Store) {
    activate_8(&store, |number| Account { id: Some(number.to_string()), ..Account::default() }).await;
    let mut tx = write(&store).await;
    assert_eq!(count(&mut tx, "select count(*) from connections where status = 'ACTIVE'").await, 8);
    assert_eq!(count(&mut tx, "select count(*) from connections where is_default").await, 1);
}

async fn of_8_connections_of_one_account_one_is_left(store: Store) {
    activate_8(&store, |_| Account { id: Some("anna".to_owned()), ..Account::default() }).await;
    let mut tx = write(&store).await;
    let left = connections::of_user(&mut tx, "usr_a").await.unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].is_default);
}

async fn defaults_chosen_at_once_leave_one(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    let mut choices = Vec::new();
    for number in 0..8 {
        choices
            .push(connect(&mut tx, &format!("con_{number}"), "usr_a", "github", &number.to_string()).await);
    }
    tx.commit().await.unwrap();
    let mut tasks = JoinSet::new();
    for connection in choices {
        let store = store.clone();
        tasks.spawn(async move {
            let mut tx = write(&store).await;
            connections::make_default(&mut tx, &connection).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    tasks.join_all().await;
    let mut tx = write(&store).await;
    assert_eq!(count(&mut tx, "select count(*) from connections where is_default").await, 1);
}

async fn of_8_users_with_one_address_one_is_added(store: Store) {
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut tx = write(&store).await;
            let mut user = super::member(&format!("usr_{number}"));
            user.email = "Anna@example.org".to_owned();
            let added = users::add(&mut tx, &user, "$hash", NOW).await.unwrap();
            tx.commit().await.unwrap();
            added
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|added| *added).count(), 1);
}

async fn an_integration_made_at_once_has_one_context(store: Store) {
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut tx = write(&store).await;
            let context = format!("ctx_{number}");
            let made = integrations::find_or_make(&mut tx, &slug("github"), &context, NOW).await.unwrap();
            tx.commit().await.unwrap();
            made.context_id
        });
    }
    let mut contexts = tasks.join_all().await;
    contexts.dedup();
    assert_eq!(contexts.len(), 1, "{contexts:?}");
}

async fn of_8_saves_of_one_generation_one_succeeds(store: Store) {
    let mut tx = write(&store).await;
    let read = integrations::find_or_make(&mut tx, &slug("github"), "ctx", NOW).await.unwrap();
    tx.commit().await.unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let (store, mut changed) = (store.clone(), read.clone());
        changed.client_id = Some(number.to_string());
        tasks.spawn(async move {
            let mut tx = write(&store).await;
            let saved = integrations::save(&mut tx, &slug("github"), &changed, NOW).await;
            match saved {
                Ok(()) => tx.commit().await.map(|()| true).unwrap(),
                Err(StoreError::Rows { rows: 0, .. }) => false,
                Err(error) => panic!("{error}"),
            }
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|saved| *saved).count(), 1);
}

/// Each task claims until it holds the key, then answers or gives it back: an answer needs the row to be there.
async fn keys_claimed_and_given_back_at_once_are_never_held_twice(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut held = 0;
            for _ in 0..40 {
                let mut tx = write(&store).await;
                let known = idempotency::claim(&mut tx, "usr_a", "k", b"request", NOW).await.unwrap();
                tx.commit().await.unwrap();
                if known.is_some() {
                    continue;
                }
                held += 1;
                let mut tx = write(&store).await;
                let row = idempotency::find(&mut tx, "usr_a", "k").await.unwrap();
                assert!(row.is_some(), "claimed, but not held");
                idempotency::release(&mut tx, "usr_a", "k").await.unwrap();
                tx.commit().await.unwrap();
            }
            held
        });
    }
    assert!(tasks.join_all().await.into_iter().sum::<u32>() > 0);
}

async fn a_writer_that_waits_too_long_is_told_that_the_database_is_busy(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut holder = write(&store).await;
    users::set_password(&mut holder, "usr_a", "$first").await.unwrap();
    let waiting = async {
        let mut tx = store.write().await?;
        users::set_password(&mut tx, "usr_a", "$second").await
    };
    let Ok(result) = tokio::time::timeout(Duration::from_secs(20), waiting).await else {
        panic!("waits for ever");
    };
    let error = result.unwrap_err();
    assert!(error.is_busy(), "{error}");
    holder.commit().await.unwrap();
    let mut tx = write(&store).await;
    users::set_password(&mut tx, "usr_a", "$third").await.unwrap();
}
