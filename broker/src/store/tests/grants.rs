use std::collections::BTreeSet;

use taiku_bridge::{Grant, Permission, PluginId};

use super::{NOW, add_member, on_both_engines, slug, write};
use crate::clock::rfc3339;
use crate::store::grants::{self, Pin};
use crate::store::{Store, Tx};

on_both_engines!(migrated:
    what_is_granted_is_found
    a_grant_takes_the_place_of_the_one_before
    ids_that_differ_by_case_are_one_plugin
    a_grant_is_one_users
    taking_back_is_told
    a_pin_takes_the_place_of_the_one_before
);

fn plugin(id: &str) -> PluginId {
    PluginId::parse(id).unwrap()
}

fn grant(permissions: &[Permission], toolkits: &[&str]) -> Grant {
    Grant {
        permissions: permissions.iter().copied().collect(),
        integrations: toolkits.iter().map(|toolkit| slug(toolkit)).collect(),
    }
}

async fn put(tx: &mut Tx, user: &str, id: &str, version: &str, grant: &Grant) {
    grants::put(tx, user, &plugin(id), version, grant, NOW).await.unwrap();
}

async fn users(tx: &mut Tx) {
    add_member(tx, "usr_a").await;
    add_member(tx, "usr_b").await;
}

async fn what_is_granted_is_found(store: Store) {
    let mut tx = write(&store).await;
    users(&mut tx).await;
    let all = grant(Permission::ALL, &["github", "linear"]);
    put(&mut tx, "usr_a", "example.a", "1.0.0", &all).await;
    put(&mut tx, "usr_a", "example.b", "2.0.0", &Grant::default()).await;
    let found = grants::find(&mut tx, "usr_a", &plugin("example.a")).await.unwrap().unwrap();
    assert_eq!((found.version.as_str(), found.grant, found.granted_at), ("1.0.0", all, rfc3339(NOW)));
    let of_user = grants::of_user(&mut tx, "usr_a").await.unwrap();
    assert_eq!(of_user.keys().collect::<Vec<_>>(), ["example.a", "example.b"]);
    assert_eq!(of_user["example.b"].grant, Grant::default());
    assert!(grants::find(&mut tx, "usr_a", &plugin("example.c")).await.unwrap().is_none());
}

async fn a_grant_takes_the_place_of_the_one_before(store: Store) {
    let mut tx = write(&store).await;
    users(&mut tx).await;
    put(&mut tx, "usr_a", "example.a", "1.0.0", &grant(Permission::ALL, &["github"])).await;
    let narrower = grant(&[], &["linear"]);
    put(&mut tx, "usr_a", "example.a", "1.1.0", &narrower).await;
    let found = grants::of_user(&mut tx, "usr_a").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found["example.a"].version.as_str(), &found["example.a"].grant), ("1.1.0", &narrower));
    assert_eq!(found["example.a"].grant.permissions, BTreeSet::new());
}

async fn ids_that_differ_by_case_are_one_plugin(store: Store) {
    let mut tx = write(&store).await;
    users(&mut tx).await;
    put(&mut tx, "usr_a", "Example.A", "1.0.0", &grant(&[], &["github"])).await;
    let found = grants::find(&mut tx, "usr_a", &plugin("example.a")).await.unwrap();
    assert!(found.is_some());
}

async fn a_grant_is_one_users(store: Store) {
    let mut tx = write(&store).await;
    users(&mut tx).await;
    put(&mut tx, "usr_a", "example.a", "1.0.0", &grant(&[], &["github"])).await;
    assert!(grants::find(&mut tx, "usr_b", &plugin("example.a")).await.unwrap().is_none());
    assert!(grants::of_user(&mut tx, "usr_b").await.unwrap().is_empty());
    let of_plugin = grants::of_plugin(&mut tx, &plugin("Example.A")).await.unwrap();
    assert_eq!(of_plugin.into_keys().collect::<Vec<_>>(), ["usr_a"]);
    assert!(grants::of_plugin(&mut tx, &plugin("example.b")).await.unwrap().is_empty());
    assert!(!grants::remove(&mut tx, "usr_b", &plugin("example.a")).await.unwrap());
    put(&mut tx, "usr_b", "example.a", "2.0.0", &Grant::default()).await;
    assert_eq!(grants::of_user(&mut tx, "usr_a").await.unwrap()["example.a"].version, "1.0.0");
}

async fn taking_back_is_told(store: Store) {
    let mut tx = write(&store).await;
    users(&mut tx).await;
    put(&mut tx, "usr_a", "example.a", "1.0.0", &Grant::default()).await;
    put(&mut tx, "usr_a", "example.b", "1.0.0", &Grant::default()).await;
    assert!(grants::remove(&mut tx, "usr_a", &plugin("example.a")).await.unwrap());
    assert!(!grants::remove(&mut tx, "usr_a", &plugin("example.a")).await.unwrap());
    assert_eq!(
        grants::of_user(&mut tx, "usr_a").await.unwrap().into_keys().collect::<Vec<_>>(),
        ["example.b"]
    );
}

async fn a_pin_takes_the_place_of_the_one_before(store: Store) {
    let mut tx = write(&store).await;
    let pin = |version: &str, hash: &str| Pin { version: version.to_owned(), hash: hash.to_owned() };
    assert!(grants::pins(&mut tx).await.unwrap().is_empty());
    grants::pin(&mut tx, &plugin("example.a"), &pin("1.0.0", "aa")).await.unwrap();
    grants::pin(&mut tx, &plugin("example.b"), &pin("1.0.0", "bb")).await.unwrap();
    grants::pin(&mut tx, &plugin("Example.A"), &pin("1.1.0", "cc")).await.unwrap();
    let pins = grants::pins(&mut tx).await.unwrap();
    assert_eq!(pins.len(), 2);
    assert_eq!(pins["example.a"], pin("1.1.0", "cc"));
    assert_eq!(pins["example.b"], pin("1.0.0", "bb"));
}
