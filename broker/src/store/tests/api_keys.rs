use super::{NOW, add_member, on_both_engines, sql, write};
use crate::clock::{MINUTE, rfc3339};
use crate::store::api_keys::{self, NewKey};
use crate::store::{Store, StoreError, Tx};

on_both_engines!(migrated:
    a_key_is_found_by_its_hash_and_tells_whose_it_is
    a_key_works_until_it_expires
    the_key_of_a_disabled_user_does_not_work
    its_use_is_noted_once_a_minute
    a_user_sees_and_revokes_own_keys_alone
    scopes_that_no_version_writes_are_refused
    the_same_key_is_not_stored_twice
);

fn key<'a>(id: &'a str, user_id: &'a str) -> NewKey<'a> {
    NewKey { id, key_hash: id.as_bytes(), user_id, name: "script", scopes: None, expires_at: None }
}

async fn two_users(tx: &mut Tx) {
    add_member(tx, "usr_a").await;
    add_member(tx, "usr_b").await;
}

async fn a_key_is_found_by_its_hash_and_tells_whose_it_is(store: Store) {
    let mut tx = write(&store).await;
    two_users(&mut tx).await;
    let scopes = ["tools:read".to_owned(), "tools:run".to_owned()];
    api_keys::add(&mut tx, &NewKey { scopes: Some(&scopes), ..key("key_a", "usr_a") }, NOW).await.unwrap();
    api_keys::add(&mut tx, &key("key_b", "usr_b"), NOW).await.unwrap();
    let found = api_keys::find(&mut tx, b"key_a", NOW).await.unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.user), ("key_a", super::member("usr_a")));
    assert_eq!(found.scopes.as_deref(), Some(&scopes[..]));
    let found = api_keys::find(&mut tx, b"key_b", NOW).await.unwrap().unwrap();
    assert_eq!((found.user.id.as_str(), found.scopes), ("usr_b", None));
    assert!(api_keys::find(&mut tx, b"key_c", NOW).await.unwrap().is_none());
}

async fn a_key_works_until_it_expires(store: Store) {
    let mut tx = write(&store).await;
    two_users(&mut tx).await;
    api_keys::add(&mut tx, &NewKey { expires_at: Some(NOW + 10), ..key("key_a", "usr_a") }, NOW)
        .await
        .unwrap();
    assert!(api_keys::find(&mut tx, b"key_a", NOW + 9).await.unwrap().is_some());
    assert!(api_keys::find(&mut tx, b"key_a", NOW + 10).await.unwrap().is_none());
}

async fn the_key_of_a_disabled_user_does_not_work(store: Store) {
    let mut tx = write(&store).await;
    two_users(&mut tx).await;
    api_keys::add(&mut tx, &key("key_a", "usr_a"), NOW).await.unwrap();
    api_keys::add(&mut tx, &key("key_b", "usr_b"), NOW).await.unwrap();
    crate::store::users::disable(&mut tx, "usr_a", NOW).await.unwrap();
    assert!(api_keys::find(&mut tx, b"key_a", NOW).await.unwrap().is_none());
    assert!(api_keys::find(&mut tx, b"key_b", NOW).await.unwrap().is_some());
}

async fn its_use_is_noted_once_a_minute(store: Store) {
    let mut tx = write(&store).await;
    two_users(&mut tx).await;
    api_keys::add(&mut tx, &key("key_a", "usr_a"), NOW).await.unwrap();
    assert!(api_keys::find(&mut tx, b"key_a", NOW).await.unwrap().unwrap().used_is_due);
    api_keys::used(&mut tx, "key_a", NOW).await.unwrap();
    assert!(!api_keys::find(&mut tx, b"key_a", NOW + MINUTE - 1).await.unwrap().unwrap().used_is_due);
    assert!(api_keys::find(&mut tx, b"key_a", NOW + MINUTE).await.unwrap().unwrap().used_is_due);
    let listed = api_keys::of_user(&mut tx, "usr_a").await.unwrap();
    assert_eq!(listed[0].last_used_at, Some(rfc3339(NOW)));
}

async fn a_user_sees_and_revokes_own_keys_alone(store: Store) {
    let mut tx = write(&store).await;
    two_users(&mut tx).await;
    let end = Some(NOW + MINUTE);
    api_keys::add(&mut tx, &NewKey { expires_at: end, ..key("key_2", "usr_a") }, NOW + 1).await.unwrap();
    api_keys::add(&mut tx, &key("key_1", "usr_a"), NOW).await.unwrap();
    api_keys::add(&mut tx, &key("key_3", "usr_b"), NOW).await.unwrap();
    let listed = api_keys::of_user(&mut tx, "usr_a").await.unwrap();
    assert_eq!(listed.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["key_1", "key_2"]);
    assert_eq!((listed[0].name.as_str(), &listed[0].created_at), ("script", &rfc3339(NOW)));
    assert_eq!((&listed[0].expires_at, &listed[1].expires_at), (&None, &end.map(rfc3339)));

    assert!(!api_keys::revoke(&mut tx, "usr_a", "key_3").await.unwrap(), "another user's key");
    assert!(api_keys::find(&mut tx, b"key_3", NOW).await.unwrap().is_some());
    assert!(api_keys::revoke(&mut tx, "usr_b", "key_3").await.unwrap());
    assert!(api_keys::find(&mut tx, b"key_3", NOW).await.unwrap().is_none());
    assert!(!api_keys::revoke(&mut tx, "usr_b", "key_3").await.unwrap());
}

async fn scopes_that_no_version_writes_are_refused(store: Store) {
    let mut tx = write(&store).await;
    two_users(&mut tx).await;
    api_keys::add(&mut tx, &key("key_a", "usr_a"), NOW).await.unwrap();
    sql(&mut tx, "update api_keys set scopes = '{}'").await.unwrap();
    // To read them as no scopes at all would let the key do everything.
    for error in [
        api_keys::find(&mut tx, b"key_a", NOW).await.unwrap_err(),
        api_keys::of_user(&mut tx, "usr_a").await.unwrap_err(),
    ] {
        let expected = matches!(&error, StoreError::Inconsistent { table: "api_keys", column: "scopes", id, .. } if id == "key_a");
        assert!(expected, "{error}");
    }
}

async fn the_same_key_is_not_stored_twice(store: Store) {
    let mut tx = write(&store).await;
    two_users(&mut tx).await;
    api_keys::add(&mut tx, &key("key_a", "usr_a"), NOW).await.unwrap();
    let again = NewKey { key_hash: b"key_a", ..key("key_b", "usr_b") };
    assert!(api_keys::add(&mut tx, &again, NOW).await.is_err());
}
