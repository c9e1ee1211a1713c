use super::{NOW, add_member, connections, on_both_engines, sql, write};
use crate::clock::MINUTE;
use crate::store::flows::{self, Flow};
use crate::store::{Store, StoreError, Tx, users};

on_both_engines!(migrated:
    a_flow_is_found_by_its_id_and_by_its_state
    a_flow_is_consumed_once
    what_a_flow_keeps_is_replaced_until_it_ends
    of_16_callbacks_at_once_one_passes
    a_flow_that_has_expired_is_not_consumed
    what_is_pending_is_counted_by_user
    sweeping_removes_flows_that_ended_some_time_ago
    two_flows_never_share_a_state
    a_flow_goes_with_its_connection
    disabling_a_user_ends_their_flows
    scopes_that_no_version_writes_are_refused
);

/// A flow that has just begun.
pub(super) fn flow(id: &str, user: &str, connection: &str) -> Flow {
    Flow {
        id: id.to_owned(),
        cookie_hash: b"cookie".to_vec(),
        session_hash: b"session".to_vec(),
        user_id: user.to_owned(),
        connection_id: connection.to_owned(),
        toolkit: "github".to_owned(),
        context_id: "ctx".to_owned(),
        context_hash: b"context".to_vec(),
        plugin: Some("example.integrations".to_owned()),
        callback_url: "https://taiku.example.org/connections".to_owned(),
        scopes: vec!["repo".to_owned()],
        secrets: vec![0, 255],
        expires_at: NOW + flows::LIFETIME,
        used_at: None,
    }
}

async fn begun(tx: &mut Tx) {
    add_member(tx, "usr_a").await;
    connections::begin(tx, "con_a", "usr_a", "github").await;
    flows::begin(tx, &flow("flw_a", "usr_a", "con_a"), b"state", NOW).await.unwrap();
}

async fn a_flow_is_found_by_its_id_and_by_its_state(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    let expected = format!("{:?}", flow("flw_a", "usr_a", "con_a"));
    let by_id = flows::by_id(&mut tx, "flw_a").await.unwrap().unwrap();
    let by_state = flows::by_state(&mut tx, b"state").await.unwrap().unwrap();
    assert_eq!(format!("{by_id:?}"), expected);
    assert_eq!(format!("{by_state:?}"), expected);
    assert!(flows::by_id(&mut tx, "state").await.unwrap().is_none());
    assert!(flows::by_state(&mut tx, b"State").await.unwrap().is_none());
    assert!(flows::by_state(&mut tx, b"cookie").await.unwrap().is_none());
}

async fn what_a_flow_keeps_is_replaced_until_it_ends(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    assert!(flows::keep_secrets(&mut tx, "flw_a", &[7, 0, 8]).await.unwrap());
    assert_eq!(flows::by_id(&mut tx, "flw_a").await.unwrap().unwrap().secrets, [7, 0, 8]);
    assert!(!flows::keep_secrets(&mut tx, "flw_b", &[9]).await.unwrap());
    assert!(flows::consume(&mut tx, "flw_a", NOW).await.unwrap());
    assert!(!flows::keep_secrets(&mut tx, "flw_a", &[9]).await.unwrap());
}

async fn a_flow_is_consumed_once(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    assert!(!flows::consume(&mut tx, "flw_b", NOW).await.unwrap());
    assert!(flows::consume(&mut tx, "flw_a", NOW + 1).await.unwrap());
    assert!(!flows::consume(&mut tx, "flw_a", NOW + 2).await.unwrap());
    assert_eq!(flows::by_id(&mut tx, "flw_a").await.unwrap().unwrap().used_at, Some(NOW + 1));
}

async fn of_16_callbacks_at_once_one_passes(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    tx.commit().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut tx = write(&store).await;
            let flow = flows::by_state(&mut tx, b"state").await.unwrap().unwrap();
            let passed = flows::consume(&mut tx, &flow.id, NOW).await.unwrap();
            tx.commit().await.unwrap();
            passed
        });
    }
    let passed = tasks.join_all().await;
    assert_eq!(passed.iter().filter(|passed| **passed).count(), 1, "{passed:?}");
}

async fn a_flow_that_has_expired_is_not_consumed(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    assert!(!flows::consume(&mut tx, "flw_a", NOW + 10 * MINUTE).await.unwrap());
    assert_eq!(flows::by_id(&mut tx, "flw_a").await.unwrap().unwrap().used_at, None);
    assert!(flows::consume(&mut tx, "flw_a", NOW + 10 * MINUTE - 1).await.unwrap());
}

async fn what_is_pending_is_counted_by_user(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    add_member(&mut tx, "usr_b").await;
    flows::begin(&mut tx, &flow("flw_b", "usr_a", "con_a"), b"state 2", NOW).await.unwrap();
    assert_eq!(flows::pending(&mut tx, "usr_a", NOW).await.unwrap(), 2);
    assert_eq!(flows::pending(&mut tx, "usr_b", NOW).await.unwrap(), 0);
    flows::consume(&mut tx, "flw_b", NOW).await.unwrap();
    assert_eq!(flows::pending(&mut tx, "usr_a", NOW).await.unwrap(), 1);
    assert_eq!(flows::pending(&mut tx, "usr_a", NOW + flows::LIFETIME).await.unwrap(), 0);
}

async fn sweeping_removes_flows_that_ended_some_time_ago(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    assert_eq!(flows::sweep(&mut tx, NOW + 2 * flows::LIFETIME).await.unwrap(), 0);
    assert_eq!(flows::sweep(&mut tx, NOW + 2 * flows::LIFETIME + 1).await.unwrap(), 1);
    assert!(flows::by_id(&mut tx, "flw_a").await.unwrap().is_none());
}

async fn two_flows_never_share_a_state(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    assert!(flows::begin(&mut tx, &flow("flw_b", "usr_a", "con_a"), b"state", NOW).await.is_err());
}

async fn a_flow_goes_with_its_connection(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    assert!(crate::store::connections::remove(&mut tx, "usr_a", "con_a").await.unwrap());
    assert!(flows::by_id(&mut tx, "flw_a").await.unwrap().is_none());
}

async fn disabling_a_user_ends_their_flows(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    users::disable(&mut tx, "usr_a", NOW).await.unwrap();
    assert!(flows::by_id(&mut tx, "flw_a").await.unwrap().is_none());
}

async fn scopes_that_no_version_writes_are_refused(store: Store) {
    let mut tx = write(&store).await;
    begun(&mut tx).await;
    sql(&mut tx, "update flows set scopes = '[1]'").await.unwrap();
    let error = flows::by_id(&mut tx, "flw_a").await.unwrap_err();
    let expected = matches!(&error, StoreError::Inconsistent { table: "flows", column: "scopes", id, .. } if id == "flw_a");
    assert!(expected, "{error}");
}
