use super::{on_both_engines, sql, write};
use crate::store::{Store, replicas};
use crate::vault::{KeyId, KeyInfo, KeyState, Ring};

on_both_engines!(migrated:
    who_speaks_lives_and_who_ends_is_gone
    who_is_silent_for_long_does_not_live
    what_a_process_has_loaded_is_told_by_fingerprint
    the_database_tells_the_time
);

fn key(ring: Ring, version: u32, state: KeyState) -> KeyInfo {
    let fingerprint = u64::from(version).to_be_bytes();
    KeyInfo { id: KeyId { ring, version, fingerprint }, state, created_at: 0 }
}

async fn who_speaks_lives_and_who_ends_is_gone(store: Store) {
    let mut tx = write(&store).await;
    let keys = [key(Ring::AccessTokens, 1, KeyState::Active)];
    for id in ["rep_a", "rep_b"] {
        replicas::beat(&mut tx, id, "broker", &keys).await.unwrap();
    }
    let keys = [keys[0], key(Ring::AccessTokens, 2, KeyState::DecryptOnly)];
    replicas::beat(&mut tx, "rep_a", "broker", &keys).await.unwrap();
    let live = replicas::live(&mut tx).await.unwrap();
    let counts: Vec<_> = live.iter().map(|replica| (replica.id.as_str(), replica.keys.len())).collect();
    assert_eq!(counts, [("rep_a", 2), ("rep_b", 1)]);
    assert!(live.iter().all(|replica| replica.role == "broker" && replica.silent_for < replicas::LIVE));
    replicas::end(&mut tx, "rep_a").await.unwrap();
    let live = replicas::live(&mut tx).await.unwrap();
    assert_eq!(live.iter().map(|replica| replica.id.as_str()).collect::<Vec<_>>(), ["rep_b"]);
}

async fn who_is_silent_for_long_does_not_live(store: Store) {
    let mut tx = write(&store).await;
    replicas::beat(&mut tx, "rep_a", "broker", &[]).await.unwrap();
    sql(&mut tx, "update replicas set seen_at = seen_at - 14000").await.unwrap();
    assert_eq!(replicas::live(&mut tx).await.unwrap().len(), 1);
    sql(&mut tx, "update replicas set seen_at = seen_at - 1000").await.unwrap();
    assert!(replicas::live(&mut tx).await.unwrap().is_empty());
    replicas::beat(&mut tx, "rep_a", "broker", &[]).await.unwrap();
    assert_eq!(replicas::live(&mut tx).await.unwrap().len(), 1, "it was only slow");
    sql(&mut tx, "update replicas set seen_at = seen_at - 660000").await.unwrap();
    replicas::end(&mut tx, "rep_other").await.unwrap();
    assert_eq!(sql(&mut tx, "delete from replicas").await.unwrap(), 0, "it was forgotten");
}

async fn what_a_process_has_loaded_is_told_by_fingerprint(store: Store) {
    let mut tx = write(&store).await;
    let (old, new) =
        (key(Ring::Settings, 1, KeyState::Active), key(Ring::Settings, 2, KeyState::DecryptOnly));
    replicas::beat(&mut tx, "rep_a", "http", &[old, new]).await.unwrap();
    let live = replicas::live(&mut tx).await.unwrap().remove(0);
    assert!(live.holds(old.id) && live.holds(new.id));
    assert!(live.seals_under(old.id) && !live.seals_under(new.id));
    assert!(live.holds_ring(Ring::Settings) && !live.holds_ring(Ring::RefreshTokens));
    assert!(!live.holds(KeyId { fingerprint: [9; 8], ..old.id }), "another installation's key");
    assert!(!live.holds(KeyId { ring: Ring::AccessTokens, ..old.id }));
    sql(&mut tx, "update replicas set keys = 'x'").await.unwrap();
    let error = replicas::live(&mut tx).await.unwrap_err().to_string();
    assert!(error.contains("table replicas, column keys, row rep_a"), "{error}");
}

async fn the_database_tells_the_time(store: Store) {
    let mut tx = write(&store).await;
    let (first, ours) = (replicas::database_time(&mut tx).await.unwrap(), crate::clock::Clock::System.now());
    assert!((first - ours).abs() < 60_000, "{first} and {ours}");
    let mut later = first;
    while later == first {
        later = replicas::database_time(&mut tx).await.unwrap();
    }
    assert!(later > first, "it goes on within a transaction");
}
