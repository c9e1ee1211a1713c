use super::{NOW, add_member, on_both_engines, write};
use crate::clock::{DAY, Millis, rfc3339};
use crate::store::activity::{self, Entry, PAGE};
use crate::store::{Store, Tx};

on_both_engines!(migrated:
    what_is_noted_is_found
    pages_follow_each_other_without_gap_or_repetition
    a_page_that_ends_with_the_last_entry_has_no_next
    a_user_sees_own_entries_alone
    entries_are_forgotten_after_90_days
);

fn entry<'a>(id: &'a str, user_id: &'a str, at: Millis) -> Entry<'a> {
    Entry {
        id,
        user_id,
        at,
        plugin: None,
        toolkit: "github",
        action: "connect",
        connection_id: None,
        outcome: "ok",
        upstream_status: None,
        duration: 12,
    }
}

/// Adds so many entries; three at a time share a millisecond.
async fn add(tx: &mut Tx, entries: usize) {
    for number in 0..entries {
        let id = format!("act_{number:03}");
        let at = NOW + Millis::try_from(number / 3).unwrap();
        activity::add(tx, &entry(&id, "usr_a", at)).await.unwrap();
    }
}

async fn what_is_noted_is_found(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    let full = Entry {
        plugin: Some("example.a"),
        connection_id: Some("con_gone"),
        outcome: "upstream_error",
        upstream_status: Some(599),
        ..entry("act_1", "usr_a", NOW)
    };
    activity::add(&mut tx, &full).await.unwrap();
    let (page, next) = activity::page(&mut tx, "usr_a", None).await.unwrap();
    let found = &page[0];
    assert_eq!((found.id.as_str(), &found.at, next), ("act_1", &rfc3339(NOW), None));
    assert_eq!((found.plugin.as_deref(), found.toolkit.as_str()), (Some("example.a"), "github"));
    assert_eq!((found.action.as_str(), found.connection_id.as_deref()), ("connect", Some("con_gone")));
    assert_eq!((found.outcome.as_str(), found.upstream_status), ("upstream_error", Some(599)));
    assert_eq!(found.duration_ms, 12);
}

async fn pages_follow_each_other_without_gap_or_repetition(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    add(&mut tx, 2 * PAGE + 7).await;
    let (mut seen, mut lengths, mut before) = (Vec::new(), Vec::new(), None::<(Millis, String)>);
    loop {
        let from = before.as_ref().map(|(at, id)| (*at, id.as_str()));
        let (page, next) = activity::page(&mut tx, "usr_a", from).await.unwrap();
        lengths.push(page.len());
        seen.extend(page.into_iter().map(|entry| entry.id));
        let Some(next) = next else { break };
        before = Some(next);
    }
    assert_eq!(lengths, [PAGE, PAGE, 7]);
    let expected: Vec<_> = (0..2 * PAGE + 7).rev().map(|number| format!("act_{number:03}")).collect();
    assert_eq!(seen, expected);
}

async fn a_page_that_ends_with_the_last_entry_has_no_next(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    add(&mut tx, PAGE).await;
    let (page, next) = activity::page(&mut tx, "usr_a", None).await.unwrap();
    assert_eq!((page.len(), next), (PAGE, None));
    let (page, next) = activity::page(&mut tx, "usr_a", Some((NOW, "act_000"))).await.unwrap();
    assert_eq!((page.len(), next), (0, None));
}

async fn a_user_sees_own_entries_alone(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    add_member(&mut tx, "usr_b").await;
    activity::add(&mut tx, &entry("act_1", "usr_a", NOW)).await.unwrap();
    activity::add(&mut tx, &entry("act_2", "usr_b", NOW)).await.unwrap();
    let (page, _) = activity::page(&mut tx, "usr_a", None).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["act_1"]);
    let (page, _) = activity::page(&mut tx, "usr_a", Some((NOW + 1, "act_9"))).await.unwrap();
    assert_eq!(page.len(), 1);
}

async fn entries_are_forgotten_after_90_days(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    activity::add(&mut tx, &entry("act_1", "usr_a", NOW)).await.unwrap();
    activity::add(&mut tx, &entry("act_2", "usr_a", NOW + 1)).await.unwrap();
    assert_eq!(activity::sweep(&mut tx, NOW + 90 * DAY).await.unwrap(), 0);
    assert_eq!(activity::sweep(&mut tx, NOW + 90 * DAY + 1).await.unwrap(), 1);
    let (page, _) = activity::page(&mut tx, "usr_a", None).await.unwrap();
    assert_eq!(page[0].id, "act_2");
}
