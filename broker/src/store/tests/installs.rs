//! Plugins that were installed while the server ran.

use taiku_bridge::{Grant, PluginId};

use super::{NOW, add_member, on_both_engines, sql, with_members, write};
use crate::store::installs::{self, Install, Origin};
use crate::store::{Store, StoreError, grants};

on_both_engines!(migrated:
    what_is_installed_is_found
    a_version_takes_the_place_of_the_one_before
    an_install_needs_its_content
    uninstalling_takes_every_grant
    content_is_kept_byte_by_byte
    content_that_nothing_names_goes_after_a_day
    a_user_uninstalls_for_nobody_else
    a_source_that_does_not_fit_its_location_is_refused
);

fn id(text: &str) -> PluginId {
    PluginId::parse(text).unwrap()
}

fn install(plugin: &str, version: &str, hash: &str, origin: Origin) -> Install {
    Install {
        plugin: id(plugin).key(),
        version: version.to_owned(),
        hash: hash.to_owned(),
        origin,
        installed_by: "usr_a".to_owned(),
        installed_at: NOW,
        updated_at: NOW + 5,
    }
}

fn file() -> Origin {
    Origin::File { user_id: "usr_a".into(), name: "Ada".into() }
}

async fn what_is_installed_is_found(store: Store) {
    let mut tx = write(&store).await;
    let origins = [
        file(),
        Origin::Url { origin: "https://a.test".into(), location: "https://a.test/x/manifest.json".into() },
        Origin::Registry { url: "https://r.test/registry.json".into() },
    ];
    for (index, origin) in origins.into_iter().enumerate() {
        let hash = format!("hash{index}");
        installs::put_content(&mut tx, &hash, b"zip", NOW).await.unwrap();
        let row = install(&format!("Example.{index}"), "1.0.0", &hash, origin);
        installs::put(&mut tx, &row).await.unwrap();
        let found = installs::find(&mut tx, &id(&format!("eXAMPLE.{index}"))).await.unwrap();
        assert_eq!(found, Some(row));
    }
    let all = installs::all(&mut tx).await.unwrap();
    let ids: Vec<&str> = all.iter().map(|row| row.plugin.as_str()).collect();
    assert_eq!(ids, ["example.0", "example.1", "example.2"]);
    assert_eq!(installs::find(&mut tx, &id("example.3")).await.unwrap(), None);
}

async fn a_version_takes_the_place_of_the_one_before(store: Store) {
    let mut tx = write(&store).await;
    for hash in ["one", "two"] {
        installs::put_content(&mut tx, hash, b"zip", NOW).await.unwrap();
    }
    installs::put(&mut tx, &install("example.a", "1.0.0", "one", file())).await.unwrap();
    let next = Install { installed_at: NOW + 9, ..install("example.a", "1.1.0", "two", file()) };
    installs::put(&mut tx, &next).await.unwrap();
    let found = installs::all(&mut tx).await.unwrap();
    assert_eq!(found, [Install { installed_at: NOW, ..next }], "when it came first is not forgotten");
}

async fn an_install_needs_its_content(store: Store) {
    let mut tx = write(&store).await;
    let refused = installs::put(&mut tx, &install("example.a", "1.0.0", "none", file())).await;
    assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
}

async fn uninstalling_takes_every_grant(store: Store) {
    with_members(&store, &["usr_a", "usr_b"]).await;
    let mut tx = write(&store).await;
    installs::put_content(&mut tx, "one", b"zip", NOW).await.unwrap();
    installs::put(&mut tx, &install("example.a", "1.0.0", "one", file())).await.unwrap();
    for user in ["usr_a", "usr_b"] {
        for plugin in ["Example.A", "example.b"] {
            grants::put(&mut tx, user, &id(plugin), "1.0.0", &Grant::default(), NOW).await.unwrap();
        }
    }
    assert_eq!(grants::users_by_plugin(&mut tx).await.unwrap()["example.a"], 2);
    assert!(installs::delete(&mut tx, &id("example.A")).await.unwrap());
    assert!(!installs::delete(&mut tx, &id("example.A")).await.unwrap());
    let left = grants::users_by_plugin(&mut tx).await.unwrap();
    assert_eq!(left.into_iter().collect::<Vec<_>>(), [("example.b".to_owned(), 2)]);
}

async fn content_is_kept_byte_by_byte(store: Store) {
    let mut tx = write(&store).await;
    let archive: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    installs::put_content(&mut tx, "one", &archive, NOW).await.unwrap();
    assert_eq!(installs::content(&mut tx, "one").await.unwrap(), Some(archive));
    installs::put_content(&mut tx, "one", b"mended", NOW).await.unwrap();
    assert_eq!(installs::content(&mut tx, "one").await.unwrap().as_deref(), Some(&b"mended"[..]));
    assert_eq!(installs::content(&mut tx, "two").await.unwrap(), None);
}

async fn content_that_nothing_names_goes_after_a_day(store: Store) {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let mut tx = write(&store).await;
    for hash in ["used", "former"] {
        installs::put_content(&mut tx, hash, b"zip", NOW).await.unwrap();
    }
    installs::put(&mut tx, &install("example.a", "1.0.0", "used", file())).await.unwrap();
    assert_eq!(installs::sweep(&mut tx, NOW + DAY).await.unwrap(), 0);
    assert_eq!(installs::sweep(&mut tx, NOW + DAY + 1).await.unwrap(), 1);
    assert!(installs::content(&mut tx, "used").await.unwrap().is_some());
    assert!(installs::content(&mut tx, "former").await.unwrap().is_none());
}

async fn a_user_uninstalls_for_nobody_else(store: Store) {
    let mut tx = write(&store).await;
    for user in ["usr_a", "usr_b"] {
        add_member(&mut tx, user).await;
        grants::put(&mut tx, user, &id("example.a"), "1.0.0", &Grant::default(), NOW).await.unwrap();
    }
    assert!(installs::remove_for(&mut tx, "usr_a", &id("Example.A"), NOW).await.unwrap());
    assert!(!installs::remove_for(&mut tx, "usr_a", &id("example.a"), NOW).await.unwrap());
    let removed = installs::removed_by(&mut tx, "usr_a").await.unwrap();
    assert_eq!(removed.into_iter().collect::<Vec<_>>(), ["example.a"]);
    assert!(installs::removed_by(&mut tx, "usr_b").await.unwrap().is_empty());
    assert!(grants::find(&mut tx, "usr_b", &id("example.a")).await.unwrap().is_some());
    installs::add_for(&mut tx, "usr_a", &id("EXAMPLE.a")).await.unwrap();
    assert!(installs::removed_by(&mut tx, "usr_a").await.unwrap().is_empty());
}

async fn a_source_that_does_not_fit_its_location_is_refused(store: Store) {
    let mut tx = write(&store).await;
    installs::put_content(&mut tx, "one", b"zip", NOW).await.unwrap();
    installs::put(&mut tx, &install("example.a", "1.0.0", "one", file())).await.unwrap();
    for statement in [
        "update plugin_installs set location = 'https://a.test/'",
        "update plugin_installs set source = 'url'",
        "update plugin_installs set source = 'folder'",
    ] {
        drop(tx);
        tx = write(&store).await;
        installs::put_content(&mut tx, "one", b"zip", NOW).await.unwrap();
        installs::put(&mut tx, &install("example.a", "1.0.0", "one", file())).await.unwrap();
        assert!(sql(&mut tx, statement).await.is_err(), "{statement}");
    }
}
