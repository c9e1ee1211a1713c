//! Postgres stores no NUL and SQLite does, so the store refuses it for both, with one error.

use std::collections::BTreeMap;

use taiku_bridge::api::{Account, User};
use taiku_bridge::{Grant, PluginId};

use super::connections::{begin, tokens};
use super::flows::flow;
use super::{NOW, add_member, member, on_both_engines, slug, write};
use crate::store::activity::{self, Entry};
use crate::store::api_keys::{self, NewKey};
use crate::store::audit::{self, Actor};
use crate::store::connections::{self, Activation};
use crate::store::integrations::{self, Value};
use crate::store::{Result, Store, StoreError, flows, grants, idempotency, users};

on_both_engines!(migrated:
    a_nul_is_refused_wherever_text_comes_from_outside
    every_other_character_is_kept
);

#[track_caller]
fn refused<T>(result: Result<T>) {
    match result {
        Err(StoreError::Nul) => {}
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("a NUL is accepted"),
    }
}

async fn a_nul_is_refused_wherever_text_comes_from_outside(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, "con_a", "usr_a", "github").await;
    let connection = connections::find(&mut tx, "usr_a", "con_a").await.unwrap().unwrap();
    let integration = integrations::find_or_make(&mut tx, &slug("github"), "ctx", NOW).await.unwrap();
    let nul = || "a\0b".to_owned();

    refused(users::add(&mut tx, &User { email: nul(), ..member("usr_b") }, "$hash", NOW).await);
    refused(users::add(&mut tx, &User { name: nul(), ..member("usr_b") }, "$hash", NOW).await);
    refused(users::by_email(&mut tx, "a\0b").await);

    let key =
        NewKey { id: "key", key_hash: b"k", user_id: "usr_a", name: "a\0b", scopes: None, expires_at: None };
    refused(api_keys::add(&mut tx, &key, NOW).await);
    refused(api_keys::revoke(&mut tx, "usr_a", "a\0b").await);

    refused(connections::find(&mut tx, "usr_a", "con_a\0").await);
    refused(connections::remove(&mut tx, "usr_a", "con_a\0").await);
    refused(connections::set_alias(&mut tx, "usr_a", "con_a", Some("a\0b")).await);
    for account in [
        Account { id: Some(nul()), ..Account::default() },
        Account { label: Some(nul()), ..Account::default() },
        Account { avatar: Some(nul()), ..Account::default() },
    ] {
        let activation = Activation {
            connection: &connection,
            context_hash: b"context",
            tokens: &tokens(1),
            account: &account,
            requested: &[],
            scopes: &[],
        };
        refused(connections::activate(&mut tx, &activation).await);
    }

    let returning = flows::Flow { callback_url: nul(), ..flow("flw_a", "usr_a", "con_a") };
    refused(flows::begin(&mut tx, &returning, b"state", NOW).await);
    refused(flows::by_id(&mut tx, "flw\0").await);

    let grant = Grant::default();
    refused(grants::put(&mut tx, "usr_a", &PluginId::parse("a.b").unwrap(), "1\0", &grant, NOW).await);
    refused(idempotency::claim(&mut tx, "usr_a", "a\0b", b"request", NOW).await);

    let client = integrations::Integration { client_id: Some(nul()), ..integration.clone() };
    refused(integrations::save(&mut tx, &slug("github"), &client, NOW).await);
    let setting = integrations::Integration {
        settings: BTreeMap::from([("KEY".to_owned(), Value::Plain(nul()))]),
        ..integration
    };
    refused(integrations::save(&mut tx, &slug("github"), &setting, NOW).await);

    let entry = Entry {
        id: "act_a",
        user_id: "usr_a",
        at: NOW,
        plugin: None,
        toolkit: "github",
        action: "a\0b",
        connection_id: None,
        outcome: "ok",
        upstream_status: None,
        duration: 0,
    };
    refused(activity::add(&mut tx, &entry).await);
    refused(audit::add(&mut tx, NOW, Actor::System, "a", "a\0b", &serde_json::Value::Null).await);

    // Nothing of it has reached the database, which on Postgres would have ended the transaction.
    tx.commit().await.unwrap();
}

async fn every_other_character_is_kept(store: Store) {
    let mut tx = write(&store).await;
    let name = "\u{1}\u{7f}\u{fffe}\u{10ffff}\r\n\t'\"\\%_$1?ä🏠e\u{301}";
    let user = User { name: name.to_owned(), ..member("usr_a") };
    assert!(users::add(&mut tx, &user, "$hash", NOW).await.unwrap());
    let found = users::by_email(&mut tx, "usr_a@example.org").await.unwrap().unwrap();
    assert_eq!(found.user.name, name);
}
