use taiku_bridge::api::{Revoked, Status};

use super::connections::{begin as begin_connection, connect};
use super::{NOW, add_member, count, on_both_engines, slug, write};
use crate::clock::{MINUTE, SECOND};
use crate::store::revocations::{self, Item, LEASE, New, Next};
use crate::store::{Store, Tx, connections};

on_both_engines!(migrated:
    beginning_ends_what_holds_tokens_and_keeps_the_tokens
    one_broker_at_a_time_has_the_turn_and_keeps_the_rate
    what_was_not_noted_is_asked_again
    putting_off_waits_and_pauses_the_job
    what_could_not_be_taken_back_is_listed
    a_job_without_connections_is_done_at_once
);

/// Begins a job of 60 connections in a minute.
async fn begin(tx: &mut Tx, id: &str) -> usize {
    let toolkit = slug("github");
    let new = New { id, toolkit: &toolkit, asked_by: "usr_a", per_minute: 60 };
    revocations::begin(tx, &new, NOW).await.unwrap().len()
}

async fn item(tx: &mut Tx, now: i64) -> Item {
    match revocations::next(tx, now).await.unwrap() {
        Next::Ask(item) => *item,
        next => panic!("{next:?}"),
    }
}

/// Takes the next one out, past the turns in which a job only finds out what is due.
async fn until(tx: &mut Tx, now: i64) -> Next {
    for _ in 0..3 {
        match revocations::next(tx, now).await.unwrap() {
            Next::At(at) if at <= now => {}
            next => return next,
        }
    }
    panic!("the job goes round in circles");
}

fn outcome(outcome: &str) -> Vec<Revoked> {
    vec![Revoked { token: "refresh_token".into(), outcome: outcome.into() }]
}

/// Three accounts at the toolkit, one that has expired, and one elsewhere.
async fn connected(store: &Store) -> Tx {
    let mut tx = write(store).await;
    add_member(&mut tx, "usr_a").await;
    add_member(&mut tx, "usr_b").await;
    for (id, user, toolkit) in [
        ("con_1", "usr_a", "github"),
        ("con_2", "usr_a", "github"),
        ("con_3", "usr_b", "github"),
        ("con_4", "usr_b", "github"),
        ("con_5", "usr_b", "linear"),
    ] {
        connect(&mut tx, id, user, toolkit, id).await;
    }
    assert!(connections::expire(&mut tx, "con_4", 1, "revoked").await.unwrap());
    begin_connection(&mut tx, "con_6", "usr_a", "github").await;
    tx
}

async fn beginning_ends_what_holds_tokens_and_keeps_the_tokens(store: Store) {
    let mut tx = connected(&store).await;
    assert_eq!(begin(&mut tx, "rev_a").await, 3);
    for (user, id, status) in [
        ("usr_a", "con_1", Status::Revoked),
        ("usr_a", "con_2", Status::Revoked),
        ("usr_b", "con_3", Status::Revoked),
        ("usr_b", "con_4", Status::Expired),
        ("usr_b", "con_5", Status::Active),
        ("usr_a", "con_6", Status::Initiated),
    ] {
        let connection = connections::find(&mut tx, user, id).await.unwrap().unwrap();
        assert_eq!(connection.status(), status, "{id}");
    }
    let ended = connections::find(&mut tx, "usr_a", "con_1").await.unwrap().unwrap();
    assert_eq!((ended.generation, ended.view().why.as_deref()), (2, Some("by_admin")));
    assert!(ended.is_default, "it is the same connection when the user connects again");
    let kept = "select count(*) from connections where access_token is not null or refresh_token is not null";
    assert_eq!(count(&mut tx, kept).await, 1);
    // A refresh that was under way comes too late.
    let tokens = super::connections::tokens(9);
    assert!(!connections::refreshed(&mut tx, "con_1", 1, &tokens).await.unwrap());
    let taken = item(&mut tx, NOW).await;
    assert_eq!((taken.connection_id.as_str(), taken.user_id.as_str()), ("con_1", "usr_a"));
    assert_eq!((taken.generation, taken.tries, taken.toolkit.as_str()), (1, 1, "github"));
    assert_eq!(taken.context_hash, b"context");
    let sealed = super::connections::tokens(1);
    assert_eq!((taken.access_token, taken.refresh_token), (Some(sealed.access), sealed.refresh));
    // Connecting again revives it.
    assert!(begin(&mut tx, "rev_b").await == 0);
}

async fn one_broker_at_a_time_has_the_turn_and_keeps_the_rate(store: Store) {
    let mut tx = connected(&store).await;
    begin(&mut tx, "rev_a").await;
    tx.commit().await.unwrap();
    let mut given = Vec::new();
    // Ten brokers look ten times a second.
    for tenth in 0..30 {
        let now = NOW + tenth * (SECOND / 10);
        for _ in 0..10 {
            let mut tx = write(&store).await;
            if let Next::Ask(item) = revocations::next(&mut tx, now).await.unwrap() {
                given.push((tenth, item.connection_id));
            }
            tx.commit().await.unwrap();
        }
    }
    let expected = [(0, "con_1"), (10, "con_2"), (20, "con_3")];
    assert_eq!(given, expected.map(|(at, id)| (at, id.to_owned())));
}

async fn what_was_not_noted_is_asked_again(store: Store) {
    let mut tx = connected(&store).await;
    begin(&mut tx, "rev_a").await;
    let mut now = NOW;
    for id in ["con_1", "con_2", "con_3"] {
        let item = item(&mut tx, now).await;
        assert_eq!(item.connection_id, id);
        if id == "con_2" {
            revocations::done(&mut tx, &item, &outcome("revoked"), false).await.unwrap();
        }
        now += SECOND;
    }
    let records = "select count(*) from revocation_items where refresh_token is not null";
    assert_eq!(count(&mut tx, records).await, 2, "what was taken back is destroyed here");
    assert!(matches!(until(&mut tx, now).await, Next::At(at) if at == NOW + LEASE));
    let again = item(&mut tx, NOW + LEASE).await;
    assert_eq!((again.connection_id.as_str(), again.tries), ("con_1", 2));
    revocations::done(&mut tx, &again, &outcome("revoked"), false).await.unwrap();
    let last = item(&mut tx, NOW + LEASE + 2 * SECOND).await;
    assert_eq!(last.connection_id, "con_3");
    revocations::done(&mut tx, &last, &outcome("revoked"), false).await.unwrap();
    assert!(matches!(until(&mut tx, NOW + LEASE + MINUTE).await, Next::Nothing));
    let done = revocations::find(&mut tx, &slug("github"), "rev_a").await.unwrap().unwrap();
    assert_eq!((done.total, done.revoked, done.failed), (3, 3, 0));
    assert!(done.finished_at.is_some());
    assert!(revocations::find(&mut tx, &slug("linear"), "rev_a").await.unwrap().is_none());
    assert_eq!(revocations::of_toolkit(&mut tx, &slug("github")).await.unwrap(), [done]);
}

async fn putting_off_waits_and_pauses_the_job(store: Store) {
    let mut tx = connected(&store).await;
    begin(&mut tx, "rev_a").await;
    let first = item(&mut tx, NOW).await;
    revocations::later(&mut tx, &first, NOW + 10 * SECOND, None).await.unwrap();
    let second = item(&mut tx, NOW + SECOND).await;
    assert_eq!(second.connection_id, "con_2", "the others go on");
    revocations::later(&mut tx, &second, NOW + SECOND, Some(NOW + MINUTE)).await.unwrap();
    assert!(matches!(until(&mut tx, NOW + 59 * SECOND).await, Next::At(at) if at == NOW + MINUTE));
    assert!(matches!(until(&mut tx, NOW + MINUTE).await, Next::Ask(_)));
}

async fn what_could_not_be_taken_back_is_listed(store: Store) {
    let mut tx = connected(&store).await;
    begin(&mut tx, "rev_a").await;
    for (number, (word, failed)) in
        [("refused", true), ("revoked", false), ("unavailable", true)].iter().enumerate()
    {
        let item = item(&mut tx, NOW + i64::try_from(number).unwrap() * SECOND).await;
        revocations::done(&mut tx, &item, &outcome(word), *failed).await.unwrap();
    }
    let failed = revocations::failed(&mut tx, "rev_a", "").await.unwrap();
    let seen: Vec<_> = failed.iter().map(|one| (one.connection_id.as_str(), one.email.as_str())).collect();
    assert_eq!(seen, [("con_1", "usr_a@example.org"), ("con_3", "usr_b@example.org")]);
    assert_eq!(failed[0].account.as_deref(), Some("@con_1"));
    assert_eq!(failed[1].tokens, outcome("unavailable"));
    assert_eq!(revocations::failed(&mut tx, "rev_a", "con_1").await.unwrap().len(), 1, "the next page");
    assert!(matches!(until(&mut tx, NOW + MINUTE).await, Next::Nothing));
    let job = revocations::find(&mut tx, &slug("github"), "rev_a").await.unwrap().unwrap();
    assert_eq!((job.total, job.revoked, job.failed), (3, 1, 2));
    assert_eq!(revocations::sweep(&mut tx, NOW + MINUTE).await.unwrap(), 0);
    assert_eq!(revocations::sweep(&mut tx, i64::MAX).await.unwrap(), 1);
    assert_eq!(count(&mut tx, "select count(*) from revocation_items").await, 0);
}

async fn a_job_without_connections_is_done_at_once(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    assert_eq!(begin(&mut tx, "rev_a").await, 0);
    assert!(matches!(until(&mut tx, NOW).await, Next::Nothing));
}
