use super::{NOW, add_member, on_both_engines, with_members, write};
use crate::clock::DAY;
use crate::store::idempotency::{self, Known};
use crate::store::{Store, StoreError, Tx};

on_both_engines!(migrated:
    the_first_claims_and_the_second_is_told_what_is_known
    of_16_claims_at_once_one_succeeds
    keys_are_a_users_own
    an_answer_is_kept_once
    a_key_that_was_given_back_can_be_claimed
    an_answer_is_never_given_back
    a_key_is_known_for_24_hours
    sweeping_forgets_after_24_hours
);

async fn claim(tx: &mut Tx, user: &str, key: &str) -> Option<Known> {
    idempotency::claim(tx, user, key, b"request", NOW).await.unwrap()
}

async fn the_first_claims_and_the_second_is_told_what_is_known(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    assert_eq!(claim(&mut tx, "usr_a", "k").await, None);
    let running = Known { request_hash: b"request".to_vec(), record: None, created_at: NOW };
    let again = idempotency::claim(&mut tx, "usr_a", "k", b"other", NOW + 1).await.unwrap();
    assert_eq!(again, Some(running.clone()));
    idempotency::keep(&mut tx, "usr_a", "k", b"\x00answer").await.unwrap();
    let answered = Known { record: Some(b"\x00answer".to_vec()), ..running };
    assert_eq!(claim(&mut tx, "usr_a", "k").await, Some(answered.clone()));
    assert_eq!(idempotency::find(&mut tx, "usr_a", "k").await.unwrap(), Some(answered));
}

async fn of_16_claims_at_once_one_succeeds(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut tx = write(&store).await;
            let known = claim(&mut tx, "usr_a", "k").await;
            tx.commit().await.unwrap();
            known.is_none()
        });
    }
    let claimed = tasks.join_all().await;
    assert_eq!(claimed.iter().filter(|claimed| **claimed).count(), 1, "{claimed:?}");
}

async fn keys_are_a_users_own(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    add_member(&mut tx, "usr_b").await;
    assert_eq!(claim(&mut tx, "usr_a", "k").await, None);
    assert_eq!(idempotency::find(&mut tx, "usr_b", "k").await.unwrap(), None);
    assert_eq!(claim(&mut tx, "usr_b", "k").await, None);
    assert_eq!(claim(&mut tx, "usr_a", "K").await, None);
    idempotency::keep(&mut tx, "usr_a", "k", b"answer").await.unwrap();
    assert_eq!(idempotency::find(&mut tx, "usr_b", "k").await.unwrap().unwrap().record, None);
    idempotency::release(&mut tx, "usr_b", "k").await.unwrap();
    assert!(idempotency::find(&mut tx, "usr_a", "k").await.unwrap().is_some());
}

async fn an_answer_is_kept_once(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    let unclaimed = idempotency::keep(&mut tx, "usr_a", "k", b"answer").await;
    assert!(matches!(unclaimed, Err(StoreError::Rows { rows: 0, .. })), "{unclaimed:?}");
    claim(&mut tx, "usr_a", "k").await;
    idempotency::keep(&mut tx, "usr_a", "k", b"answer").await.unwrap();
    let twice = idempotency::keep(&mut tx, "usr_a", "k", b"another").await;
    assert!(matches!(twice, Err(StoreError::Rows { rows: 0, .. })), "{twice:?}");
}

async fn a_key_that_was_given_back_can_be_claimed(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    claim(&mut tx, "usr_a", "k").await;
    idempotency::release(&mut tx, "usr_a", "k").await.unwrap();
    assert_eq!(claim(&mut tx, "usr_a", "k").await, None);
}

async fn an_answer_is_never_given_back(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    claim(&mut tx, "usr_a", "k").await;
    idempotency::keep(&mut tx, "usr_a", "k", b"answer").await.unwrap();
    idempotency::release(&mut tx, "usr_a", "k").await.unwrap();
    assert_eq!(claim(&mut tx, "usr_a", "k").await.unwrap().record.as_deref(), Some(&b"answer"[..]));
}

async fn a_key_is_known_for_24_hours(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    claim(&mut tx, "usr_a", "k").await;
    idempotency::keep(&mut tx, "usr_a", "k", b"answer").await.unwrap();
    assert!(idempotency::claim(&mut tx, "usr_a", "k", b"request", NOW + DAY).await.unwrap().is_some());
    assert!(idempotency::claim(&mut tx, "usr_a", "k", b"next", NOW + DAY + 1).await.unwrap().is_none());
    let known = idempotency::find(&mut tx, "usr_a", "k").await.unwrap().unwrap();
    assert_eq!(known, Known { request_hash: b"next".to_vec(), record: None, created_at: NOW + DAY + 1 });
}

async fn sweeping_forgets_after_24_hours(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    claim(&mut tx, "usr_a", "k").await;
    assert_eq!(idempotency::sweep(&mut tx, NOW + DAY).await.unwrap(), 0);
    assert_eq!(idempotency::sweep(&mut tx, NOW + DAY + 1).await.unwrap(), 1);
}
