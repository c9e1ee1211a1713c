use std::collections::BTreeMap;

use super::{NOW, on_both_engines, slug, sql, write};
use crate::store::integrations::{self, Value};
use crate::store::{Store, StoreError, Tx};

on_both_engines!(migrated:
    an_integration_is_made_once_and_keeps_its_context
    what_is_saved_is_found
    saving_what_is_stale_is_an_error_and_changes_nothing
    saving_takes_settings_away
    each_toolkit_has_its_own_settings
    two_toolkits_never_share_a_context
    scopes_that_no_version_writes_are_refused
);

async fn make(tx: &mut Tx, toolkit: &str, context: &str) -> integrations::Integration {
    integrations::find_or_make(tx, &slug(toolkit), context, NOW).await.unwrap()
}

async fn an_integration_is_made_once_and_keeps_its_context(store: Store) {
    let mut tx = write(&store).await;
    assert!(integrations::find(&mut tx, &slug("github")).await.unwrap().is_none());
    let made = make(&mut tx, "github", "ctx_1").await;
    assert_eq!((made.enabled, made.context_id.as_str(), made.generation), (false, "ctx_1", 0));
    assert_eq!((made.client_id, made.client_secret, made.scopes), (None, None, None));
    assert!(made.settings.is_empty());
    assert_eq!(make(&mut tx, "github", "ctx_2").await.context_id, "ctx_1");

    let mut changed = make(&mut tx, "github", "ctx_3").await;
    changed.context_id = "ctx_4".to_owned();
    changed.enabled = true;
    integrations::save(&mut tx, &slug("github"), &changed, NOW).await.unwrap();
    let found = make(&mut tx, "github", "ctx_5").await;
    assert_eq!((found.context_id.as_str(), found.enabled), ("ctx_1", true));
}

async fn what_is_saved_is_found(store: Store) {
    let mut tx = write(&store).await;
    let mut integration = make(&mut tx, "github", "ctx_1").await;
    integration.enabled = true;
    integration.client_id = Some("id".to_owned());
    integration.client_secret = Some(vec![0, 255, 1]);
    integration.scopes = Some(vec!["repo".to_owned(), "a \"b\"".to_owned()]);
    integration.settings = BTreeMap::from([
        ("BASE_URL".to_owned(), Value::Plain("https://github.com".to_owned())),
        ("EMPTY".to_owned(), Value::Plain(String::new())),
        ("TOKEN".to_owned(), Value::Sealed(vec![1, 0, 2])),
    ]);
    integrations::save(&mut tx, &slug("github"), &integration, NOW).await.unwrap();
    let found = integrations::find(&mut tx, &slug("github")).await.unwrap().unwrap();
    assert!(found.enabled);
    assert_eq!(found.generation, 1);
    assert_eq!(found.client_id, integration.client_id);
    assert_eq!(found.client_secret, integration.client_secret);
    assert_eq!(found.scopes, integration.scopes);
    assert_eq!(found.settings, integration.settings);
}

async fn saving_what_is_stale_is_an_error_and_changes_nothing(store: Store) {
    let mut tx = write(&store).await;
    let mut first = make(&mut tx, "github", "ctx_1").await;
    let mut second = first.clone();
    first.client_id = Some("first".to_owned());
    first.settings.insert("KEY".to_owned(), Value::Plain("first".to_owned()));
    second.client_id = Some("second".to_owned());
    integrations::save(&mut tx, &slug("github"), &first, NOW).await.unwrap();
    let stale = integrations::save(&mut tx, &slug("github"), &second, NOW).await;
    assert!(matches!(stale, Err(StoreError::Rows { rows: 0, .. })), "{stale:?}");
    let found = integrations::find(&mut tx, &slug("github")).await.unwrap().unwrap();
    assert_eq!((found.client_id.as_deref(), found.generation), (Some("first"), 1));
    assert_eq!(found.settings, first.settings);
    let none = integrations::save(&mut tx, &slug("linear"), &second, NOW).await;
    assert!(matches!(none, Err(StoreError::Rows { rows: 0, .. })), "{none:?}");
}

async fn saving_takes_settings_away(store: Store) {
    let mut tx = write(&store).await;
    let mut integration = make(&mut tx, "github", "ctx_1").await;
    integration.settings.insert("A".to_owned(), Value::Plain("1".to_owned()));
    integration.settings.insert("B".to_owned(), Value::Plain("2".to_owned()));
    integrations::save(&mut tx, &slug("github"), &integration, NOW).await.unwrap();
    let mut integration = integrations::find(&mut tx, &slug("github")).await.unwrap().unwrap();
    integration.settings.remove("A");
    integration.settings.insert("B".to_owned(), Value::Sealed(b"2".to_vec()));
    integrations::save(&mut tx, &slug("github"), &integration, NOW).await.unwrap();
    let found = integrations::find(&mut tx, &slug("github")).await.unwrap().unwrap();
    assert_eq!(found.settings, BTreeMap::from([("B".to_owned(), Value::Sealed(b"2".to_vec()))]));
}

async fn each_toolkit_has_its_own_settings(store: Store) {
    let mut tx = write(&store).await;
    for toolkit in ["github", "linear"] {
        let mut integration = make(&mut tx, toolkit, toolkit).await;
        integration.settings.insert("NAME".to_owned(), Value::Plain(toolkit.to_owned()));
        integrations::save(&mut tx, &slug(toolkit), &integration, NOW).await.unwrap();
    }
    let all = integrations::all(&mut tx).await.unwrap();
    assert_eq!(all.len(), 2);
    for (toolkit, integration) in all {
        assert_eq!(integration.settings["NAME"], Value::Plain(toolkit.to_string()));
        let found = integrations::find(&mut tx, &toolkit).await.unwrap().unwrap();
        assert_eq!(found.settings, integration.settings);
        assert_eq!(found.context_id, toolkit.as_str());
    }
}

async fn two_toolkits_never_share_a_context(store: Store) {
    let mut tx = write(&store).await;
    make(&mut tx, "github", "ctx_1").await;
    assert!(integrations::find_or_make(&mut tx, &slug("linear"), "ctx_1", NOW).await.is_err());
}

async fn scopes_that_no_version_writes_are_refused(store: Store) {
    let mut tx = write(&store).await;
    make(&mut tx, "github", "ctx_1").await;
    sql(&mut tx, "update integrations set scopes = 'repo'").await.unwrap();
    let error = integrations::find(&mut tx, &slug("github")).await.unwrap_err();
    assert!(error.to_string().starts_with("table integrations, column scopes, row github: "), "{error}");
}
