use super::{NOW, on_both_engines, sql, with_members, write};
use crate::store::{Store, restored};

on_both_engines!(migrated: a_connection_is_as_restored_until_it_is_renewed);

async fn a_connection_is_as_restored_until_it_is_renewed(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut tx = write(&store).await;
    for (id, refresh_token) in [("con_a", "'r'"), ("con_b", "null")] {
        let insert = format!(
            "insert into connections (id, user_id, toolkit, context_hash, status, is_default, scopes, generation, \
             access_token, refresh_token, created_at) \
             values ('{id}', 'usr_a', 'demo', 'c', 'ACTIVE', false, '[]', 3, 'a', {refresh_token}, 1)"
        );
        sql(&mut tx, Box::leak(insert.into_boxed_str())).await.unwrap();
    }
    assert_eq!(restored::mark_all(&mut tx, NOW).await.unwrap(), 1);
    assert_eq!(restored::mark_all(&mut tx, NOW).await.unwrap(), 1, "restored again");
    assert!(restored::is_as_restored(&mut tx, "con_a", 3).await.unwrap());
    assert!(!restored::is_as_restored(&mut tx, "con_b", 3).await.unwrap());
    assert_eq!(restored::count(&mut tx).await.unwrap(), 1);
    sql(&mut tx, "update connections set generation = 4").await.unwrap();
    assert!(!restored::is_as_restored(&mut tx, "con_a", 4).await.unwrap());
    assert_eq!(restored::count(&mut tx).await.unwrap(), 0);
}
