use super::{NOW, add_member, count, flows::flow, on_both_engines, sql, write};
use crate::clock::{HOUR, MINUTE, Millis};
use crate::store::{Store, Tx, connections, flows, sessions, users};

on_both_engines!(migrated:
    a_session_is_found_by_its_hash_alone
    a_session_ends_when_it_is_not_used_for_12_hours
    a_session_ends_after_7_days_however_much_it_is_used
    its_use_is_noted_once_a_minute
    a_disabled_user_has_no_session
    ending_a_session_ends_its_flows_alone
    ending_all_of_a_user_leaves_the_others
    sweeping_removes_what_find_no_longer_finds
);

async fn begin(tx: &mut Tx, hash: &[u8], user: &str) {
    sessions::begin(tx, hash, "ses_public", user, NOW).await.unwrap();
}

async fn alive(tx: &mut Tx, hash: &[u8], now: Millis) -> bool {
    sessions::find(tx, hash, now).await.unwrap().is_some()
}

async fn a_session_is_found_by_its_hash_alone(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, b"\x00\xffhash", "usr_a").await;
    let session = sessions::find(&mut tx, b"\x00\xffhash", NOW).await.unwrap().unwrap();
    assert_eq!(
        (session.id_hash.as_slice(), session.public_id.as_str()),
        (&b"\x00\xffhash"[..], "ses_public")
    );
    assert_eq!(session.user, super::member("usr_a"));
    assert!(!alive(&mut tx, b"ses_public", NOW).await);
    assert!(!alive(&mut tx, b"", NOW).await);
}

async fn a_session_ends_when_it_is_not_used_for_12_hours(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, b"s", "usr_a").await;
    assert!(alive(&mut tx, b"s", NOW + 12 * HOUR - 1).await);
    assert!(!alive(&mut tx, b"s", NOW + 12 * HOUR).await);
    sessions::seen(&mut tx, b"s", NOW + 11 * HOUR).await.unwrap();
    assert!(alive(&mut tx, b"s", NOW + 22 * HOUR).await);
}

async fn a_session_ends_after_7_days_however_much_it_is_used(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, b"s", "usr_a").await;
    let end = NOW + 7 * 24 * HOUR;
    sessions::seen(&mut tx, b"s", end - 1).await.unwrap();
    assert!(alive(&mut tx, b"s", end - 1).await);
    assert!(!alive(&mut tx, b"s", end).await);
}

async fn its_use_is_noted_once_a_minute(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, b"s", "usr_a").await;
    let session = sessions::find(&mut tx, b"s", NOW).await.unwrap().unwrap();
    assert!(!session.seen_is_due(NOW + MINUTE - 1));
    assert!(session.seen_is_due(NOW + MINUTE));
    sessions::seen(&mut tx, b"s", NOW + MINUTE).await.unwrap();
    let session = sessions::find(&mut tx, b"s", NOW + MINUTE).await.unwrap().unwrap();
    assert!(!session.seen_is_due(NOW + MINUTE));
}

async fn a_disabled_user_has_no_session(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, b"s", "usr_a").await;
    // As if signing in and disabling had crossed: the row is there, and must not be of use.
    sql(&mut tx, "update users set disabled_at = 1").await.unwrap();
    assert!(!alive(&mut tx, b"s", NOW).await);
    users::disable(&mut tx, "usr_a", NOW).await.unwrap();
    assert_eq!(count(&mut tx, "select count(*) from sessions").await, 0);
}

async fn two_sessions_with_flows(tx: &mut Tx) {
    for (user, hash) in [("usr_a", b"s"), ("usr_b", b"t")] {
        add_member(tx, user).await;
        begin(tx, hash, user).await;
        let connection = format!("con_{user}");
        super::connections::begin(tx, &connection, user, "github").await;
        let flow =
            flows::Flow { session_hash: hash.to_vec(), ..flow(&format!("flw_{user}"), user, &connection) };
        flows::begin(tx, &flow, user.as_bytes(), NOW).await.unwrap();
    }
}

async fn ending_a_session_ends_its_flows_alone(store: Store) {
    let mut tx = write(&store).await;
    two_sessions_with_flows(&mut tx).await;
    sessions::end(&mut tx, b"s").await.unwrap();
    assert!(!alive(&mut tx, b"s", NOW).await);
    assert!(flows::by_id(&mut tx, "flw_usr_a").await.unwrap().is_none());
    assert!(alive(&mut tx, b"t", NOW).await);
    assert!(flows::by_id(&mut tx, "flw_usr_b").await.unwrap().is_some());
    assert_eq!(connections::of_user(&mut tx, "usr_a").await.unwrap().len(), 1);
    // Signing out twice is harmless.
    sessions::end(&mut tx, b"s").await.unwrap();
}

async fn ending_all_of_a_user_leaves_the_others(store: Store) {
    let mut tx = write(&store).await;
    two_sessions_with_flows(&mut tx).await;
    begin(&mut tx, b"second", "usr_a").await;
    sessions::end_all(&mut tx, "usr_a").await.unwrap();
    assert!(!alive(&mut tx, b"s", NOW).await);
    assert!(!alive(&mut tx, b"second", NOW).await);
    assert!(flows::by_id(&mut tx, "flw_usr_a").await.unwrap().is_none());
    assert!(alive(&mut tx, b"t", NOW).await);
    assert!(flows::by_id(&mut tx, "flw_usr_b").await.unwrap().is_some());
}

async fn sweeping_removes_what_find_no_longer_finds(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, b"idle", "usr_a").await;
    begin(&mut tx, b"used", "usr_a").await;
    sessions::seen(&mut tx, b"used", NOW + HOUR).await.unwrap();
    assert_eq!(sessions::sweep(&mut tx, NOW + 12 * HOUR - 1).await.unwrap(), 0);
    assert_eq!(sessions::sweep(&mut tx, NOW + 12 * HOUR).await.unwrap(), 1);
    assert!(alive(&mut tx, b"used", NOW + 12 * HOUR).await);
    sessions::seen(&mut tx, b"used", NOW + 7 * 24 * HOUR).await.unwrap();
    assert_eq!(sessions::sweep(&mut tx, NOW + 7 * 24 * HOUR).await.unwrap(), 1);
}
