use serde_json::{Value, json};

use super::{NOW, on_both_engines, sql, write};
use crate::clock::rfc3339;
use crate::store::audit::{self, Actor, PAGE, Verdict};
use crate::store::{Store, Tx};

on_both_engines!(migrated:
    what_was_done_is_listed_newest_first
    pages_follow_each_other
    an_untouched_log_is_sound
    every_edit_is_found
    every_deletion_is_found
    reordering_is_found
    an_entry_that_was_put_in_is_found
    an_entry_in_anothers_place_is_found_though_its_own_hash_fits
    an_entry_is_undone_with_its_action
    writers_at_once_make_one_chain
);

/// Appends so many entries, and commits.
async fn log(store: &Store, entries: i64) {
    let mut tx = write(store).await;
    for number in 0..entries {
        let detail = json!({ "number": number });
        audit::add(&mut tx, NOW + number, Actor::User("usr_a"), "toolkit.enable", "github", &detail)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

async fn verdict(tx: &mut Tx) -> Verdict {
    audit::verify(tx).await.unwrap()
}

async fn what_was_done_is_listed_newest_first(store: Store) {
    let mut tx = write(&store).await;
    audit::add(&mut tx, NOW, Actor::System, "user.add", "usr_a", &Value::Null).await.unwrap();
    let detail = json!({ "from": "a\0b", "to": ["ö"] });
    audit::add(&mut tx, NOW + 1000, Actor::User("usr_a"), "toolkit.enable", "github", &detail).await.unwrap();
    let (page, next) = audit::page(&mut tx, None).await.unwrap();
    assert_eq!((page.len(), next), (2, None));
    assert_eq!(
        (page[0].seq, page[0].actor.as_str(), page[0].action.as_str()),
        (2, "usr_a", "toolkit.enable")
    );
    assert_eq!((page[0].subject.as_str(), &page[0].detail), ("github", &detail));
    assert_eq!((page[1].seq, page[1].actor.as_str(), &page[1].detail), (1, "system", &Value::Null));
    assert_eq!(page[0].at, rfc3339(NOW + 1000));
}

async fn pages_follow_each_other(store: Store) {
    let length = i64::try_from(PAGE).unwrap();
    log(&store, 2 * length).await;
    let mut tx = write(&store).await;
    let (first, next) = audit::page(&mut tx, None).await.unwrap();
    assert_eq!((first.len(), first[0].seq, next), (PAGE, 2 * length, Some(length + 1)));
    let (second, next) = audit::page(&mut tx, next).await.unwrap();
    assert_eq!((second.len(), second[0].seq, next), (PAGE, length, None));
}

async fn an_untouched_log_is_sound(store: Store) {
    let mut tx = write(&store).await;
    assert_eq!(verdict(&mut tx).await, Verdict::Sound { entries: 0 });
    drop(tx);
    // More than what is read at once.
    log(&store, 501).await;
    log(&store, 2).await;
    assert_eq!(verdict(&mut write(&store).await).await, Verdict::Sound { entries: 503 });
}

/// Each change is undone by dropping its transaction.
async fn broken_by(store: &Store, statement: &'static str) -> Verdict {
    let mut tx = write(store).await;
    assert!(sql(&mut tx, statement).await.unwrap() > 0, "{statement}");
    verdict(&mut tx).await
}

async fn every_edit_is_found(store: Store) {
    log(&store, 5).await;
    for statement in [
        "update audit set at = at + 1 where seq = 3",
        "update audit set actor = 'system' where seq = 3",
        "update audit set action = 'toolkit.disable' where seq = 3",
        "update audit set subject = 'linear' where seq = 3",
        "update audit set detail = '{}' where seq = 3",
        "update audit set action = 'toolkit.enablegit', subject = 'hub' where seq = 3",
        "update audit set hash = (select hash from audit where seq = 2) where seq = 3",
    ] {
        assert_eq!(broken_by(&store, statement).await, Verdict::Broken { seq: 3 }, "{statement}");
    }
    let first_and_last = "update audit set subject = 'linear' where seq in (1, 5)";
    assert_eq!(broken_by(&store, first_and_last).await, Verdict::Broken { seq: 1 });
    let last = "update audit set subject = 'linear' where seq = 5";
    assert_eq!(broken_by(&store, last).await, Verdict::Broken { seq: 5 });
    assert_eq!(verdict(&mut write(&store).await).await, Verdict::Sound { entries: 5 });
}

async fn every_deletion_is_found(store: Store) {
    log(&store, 5).await;
    for (statement, seq) in [
        ("delete from audit where seq = 1", 1),
        ("delete from audit where seq = 3", 3),
        ("delete from audit where seq in (2, 4)", 2),
        ("delete from audit where seq = 5", 5),
        ("delete from audit where seq > 2", 3),
        ("delete from audit", 1),
    ] {
        assert_eq!(broken_by(&store, statement).await, Verdict::Broken { seq }, "{statement}");
    }
}

async fn reordering_is_found(store: Store) {
    log(&store, 5).await;
    let mut tx = write(&store).await;
    for statement in [
        "update audit set seq = 100 where seq = 2",
        "update audit set seq = 2 where seq = 4",
        "update audit set seq = 4 where seq = 100",
    ] {
        assert_eq!(sql(&mut tx, statement).await.unwrap(), 1);
    }
    assert_eq!(verdict(&mut tx).await, Verdict::Broken { seq: 2 });
    drop(tx);
    // The entries after a deleted one move up.
    let mut tx = write(&store).await;
    sql(&mut tx, "delete from audit where seq = 4").await.unwrap();
    sql(&mut tx, "update audit set seq = 4 where seq = 5").await.unwrap();
    assert_eq!(verdict(&mut tx).await, Verdict::Broken { seq: 4 });
}

async fn an_entry_that_was_put_in_is_found(store: Store) {
    log(&store, 2).await;
    let copy =
        "insert into audit select 3, at, actor, action, subject, detail, hash from audit where seq = 2";
    assert_eq!(broken_by(&store, copy).await, Verdict::Broken { seq: 3 });
    let before =
        "insert into audit select 0, at, actor, action, subject, detail, hash from audit where seq = 2";
    assert_eq!(broken_by(&store, before).await, Verdict::Broken { seq: 0 });
}

/// An entry's hash covers the one before, so what follows does not fit to an entry that was exchanged.
async fn an_entry_in_anothers_place_is_found_though_its_own_hash_fits(store: Store) {
    log(&store, 2).await;
    let mut tx = write(&store).await;
    audit::add(&mut tx, NOW, Actor::System, "user.add", "usr_other", &Value::Null).await.unwrap();
    for statement in [
        "create table exchanged as select * from audit where seq = 3",
        "delete from audit where seq = 3",
        "update audit_head set seq = 2, hash = (select hash from audit where seq = 2)",
    ] {
        sql(&mut tx, statement).await.unwrap();
    }
    for subject in ["usr_a", "usr_b"] {
        audit::add(&mut tx, NOW, Actor::System, "user.add", subject, &Value::Null).await.unwrap();
    }
    assert_eq!(verdict(&mut tx).await, Verdict::Sound { entries: 4 });
    sql(&mut tx, "delete from audit where seq = 3").await.unwrap();
    sql(&mut tx, "insert into audit select * from exchanged").await.unwrap();
    assert_eq!(verdict(&mut tx).await, Verdict::Broken { seq: 4 });
}

async fn an_entry_is_undone_with_its_action(store: Store) {
    log(&store, 1).await;
    let mut tx = write(&store).await;
    audit::add(&mut tx, NOW, Actor::System, "user.add", "usr_a", &Value::Null).await.unwrap();
    drop(tx);
    log(&store, 1).await;
    assert_eq!(verdict(&mut write(&store).await).await, Verdict::Sound { entries: 2 });
}

async fn writers_at_once_make_one_chain(store: Store) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        tasks.spawn(async move { log(&store, 3).await });
    }
    tasks.join_all().await;
    assert_eq!(verdict(&mut write(&store).await).await, Verdict::Sound { entries: 48 });
}
