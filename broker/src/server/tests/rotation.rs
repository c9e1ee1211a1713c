//! Keys that change under a running server. Cases E3, E6, E15 and L17.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Click, TestApp, User};
use crate::clock::MINUTE;
use crate::rotation::{Census, active_keys, rebind, rewrap};
use crate::vault::{KeyId, Ring};

/// Within which a server that did not have a key yet heals.
const HEALS_WITHIN: Duration = Duration::from_secs(5);

impl TestApp {
    /// Lets a new key of these rings seal, as the commands do, and the roles of this server load it.
    fn rotate(&self, rings: &[Ring]) -> Vec<KeyId> {
        let mut edit = self.custody.keyring.edit().unwrap();
        let promoted = rings.iter().map(|ring| {
            let id = edit.add(*ring, &self.broker.random, 0).unwrap();
            edit.promote(id).unwrap();
            id
        });
        let promoted = promoted.collect();
        edit.save(&self.broker.random).unwrap();
        for vault in [&self.custody.vault, &self.broker.vault] {
            vault.replace(self.custody.keyring.keys().unwrap());
        }
        promoted
    }

    /// Keeps the keys of both roles those of their keyring, as a running server does.
    fn watch_keys(&self) -> watch::Sender<bool> {
        let (stop, stopped) = watch::channel(false);
        for watch in [self.custody.watch_keys(), self.broker.watch_keys()] {
            tokio::spawn(watch.run(stopped.clone()));
        }
        stop
    }

    /// The sealed access token of a connection.
    async fn sealed(&self, id: &str) -> Vec<u8> {
        let mut tx = self.broker.store.read().await.unwrap();
        let crate::store::Tx::Sqlite(transaction) = &mut tx else { panic!("tests run on SQLite") };
        let query = sqlx::query_scalar("select access_token from connections where id = ?").bind(id);
        query.fetch_one(&mut **transaction).await.unwrap()
    }

    async fn rewrap(&self) -> rewrap::Outcome {
        let work =
            rewrap::Work { store: &self.custody.store, vault: &self.custody.vault, per_second: 1_000_000 };
        rewrap::run(work, |_| {}).await.unwrap()
    }
}

async fn list(user: &User) -> super::Answer {
    user.run("DEMO_LIST_ISSUES", &json!({})).await
}

async fn status(user: &User, id: &str) -> (Value, Value) {
    let connection = user.connection(id).await;
    (connection["status"].clone(), connection["why"].clone())
}

fn works() -> (Value, Value) {
    (json!("ACTIVE"), Value::Null)
}

#[tokio::test]
async fn everything_works_on_under_new_keys() {
    let (app, ada, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let flow = ada.begin().await;
    let create = json!({"arguments": {"title": "once"}});
    let once = |user: &User| {
        let path = "/api/v1/toolkits/demo/tools/DEMO_CREATE_AN_ISSUE";
        user.ask(http::Method::POST, path).header("idempotency-key", "k").json(&create).send()
    };
    let first = once(&bob).await.text().to_owned();
    let old = active_keys(&app.custody.vault).unwrap();
    app.rotate(&Ring::ALL);
    let outcome = app.rewrap().await;
    assert_eq!((outcome.left, outcome.unreadable.len()), (0, 0), "{outcome:?}");
    let census = Census::take(&app.custody.store).await.unwrap();
    assert_eq!(old.map(|key| census.of(key)), [0, 0, 0]);
    assert_eq!(census.of_others(&active_keys(&app.custody.vault).unwrap()), 0);

    // Nothing may still need the old keys: they are destroyed.
    let mut edit = app.custody.keyring.edit().unwrap();
    for key in old {
        edit.retire(key).unwrap();
    }
    edit.save(&app.broker.random).unwrap();
    for vault in [&app.custody.vault, &app.broker.vault] {
        vault.replace(app.custody.keyring.keys().unwrap());
    }
    list(&bob).await.ok();
    assert_eq!(once(&bob).await.text(), first, "the kept answer of an Idempotency-Key opens");
    assert_eq!(app.demo.counts().issues_created, 1);
    app.advance(5 * MINUTE);
    list(&bob).await.ok();
    assert_eq!(app.demo.counts().refreshes, 1, "the refresh token and the client's secret open");
    let authorize_url = ada.start_page(&flow).await;
    let back = app.click(&authorize_url, Click::Allow("robin")).await;
    assert_eq!(ada.follow(&back).await.status, 200, "a flow under way is finished");
    assert_eq!(status(&bob, &id).await, works());
}

#[tokio::test]
async fn a_server_without_a_new_key_waits_for_it_and_breaks_nothing() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    // Another machine, whose copy of the keyring comes later.
    let theirs = app.data_dir().join("keyring-of-b.json");
    std::fs::copy(app.custody.keyring.path(), &theirs).unwrap();
    let b = app.replica_with(&[("TAIKU_KEYRING", &theirs.display().to_string())]).await;
    let at_b = bob.clone().at(&b);
    let _watching = b.watch_keys();
    list(&at_b).await.ok();

    app.rotate(&[Ring::AccessTokens, Ring::RefreshTokens]);
    app.advance(5 * MINUTE);
    list(&bob).await.ok();
    assert_eq!(app.demo.counts().refreshes, 1, "the tokens are sealed by new keys");
    b.broker.clock.advance(5 * MINUTE);
    for _ in 0..3 {
        let refused = list(&at_b).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (503, "key_unknown".into()));
        assert!(refused.header("retry-after").is_some_and(|wait| wait != "0"), "it may be tried again");
    }
    assert_eq!(status(&at_b, &id).await, works(), "it is not the connection's fault");

    let copied = Instant::now();
    std::fs::copy(app.custody.keyring.path(), &theirs).unwrap();
    while list(&at_b).await.status != 200 {
        assert!(copied.elapsed() < HEALS_WITHIN, "it did not heal");
        tokio::task::yield_now().await;
    }
    assert_eq!(status(&at_b, &id).await, works());
    assert_eq!(app.demo.counts().refreshes, 1, "nobody refreshed because of it");
}

#[tokio::test]
async fn a_running_server_says_which_keys_it_has_and_when_it_ends() {
    use crate::rotation::{is_ready_for, live_but, seals_under};

    let (app, ..) = TestApp::start().await;
    let stop = app.watch_keys();
    let store = &app.custody.store;
    let waiting = {
        let mut edit = app.custody.keyring.edit().unwrap();
        let id = edit.add(Ring::Settings, &app.broker.random, 0).unwrap();
        edit.save(&app.broker.random).unwrap();
        id
    };
    let until =
        async |what: &str, count: usize, passes: &dyn Fn(&crate::store::replicas::Replica) -> bool| {
            let end = Instant::now() + Duration::from_secs(30);
            while live_but(store, |replica| !passes(replica)).await.unwrap().len() != count {
                assert!(Instant::now() < end, "{what}");
                tokio::task::yield_now().await;
            }
        };
    until("both roles load what was added", 2, &|replica| is_ready_for(replica, waiting)).await;
    until("it only opens", 0, &|replica| seals_under(replica, waiting)).await;
    let mut edit = app.custody.keyring.edit().unwrap();
    edit.promote(waiting).unwrap();
    edit.save(&app.broker.random).unwrap();
    until("both roles seal under what was promoted", 2, &|replica| seals_under(replica, waiting)).await;
    stop.send(true).unwrap();
    until("who ends in order is gone at once", 0, &|_| true).await;
}

#[tokio::test]
async fn a_keyring_that_breaks_while_serving_changes_nothing() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    let _watching = app.watch_keys();
    let path = app.custody.keyring.path().to_owned();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    app.custody.vault.open(Ring::Settings, &crate::vault::check_place(Ring::Settings), b"").err().unwrap();
    list(&bob).await.ok();
    std::fs::remove_file(&path).unwrap();
    list(&bob).await.ok();
    std::fs::write(&path, &whole).unwrap();
    list(&bob).await.ok();
}

#[tokio::test]
async fn a_record_of_an_unknown_key_or_format_never_ends_a_connection() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let calls = (app.api_calls(), app.token_calls());
    let sealed = app.sealed(&id).await;
    let cases: [(usize, u8, u16, &str); 5] = [
        (10, 9, 503, "key_unknown"),
        (11, sealed[11] ^ 1, 503, "key_unknown"),
        (4, 2, 500, "vault_integrity"),
        (5, 2, 500, "vault_integrity"),
        (6, 3, 500, "vault_integrity"),
    ];
    for (at, byte, status_code, code) in cases {
        let mut other = sealed.clone();
        other[at] = byte;
        app.sql_bytes("update connections set access_token = ?", &other).await;
        let answer = list(&bob).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status_code, code.into()), "byte {at} = {byte}");
        assert_eq!(status(&bob, &id).await, works());
    }
    assert_eq!((app.api_calls(), app.token_calls()), calls, "no other key was tried, and nothing was sent");
    app.sql_bytes("update connections set access_token = ?", &sealed).await;
    list(&bob).await.ok();
}

#[tokio::test]
async fn a_record_of_another_column_or_table_does_not_open() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let calls = (app.api_calls(), app.token_calls());
    for moved in [
        "update connections set access_token = refresh_token",
        "update connections set access_token = (select client_secret from integrations where toolkit = 'demo')",
        "update connections set access_token = (select record from vault_checks where ring = 'at')",
    ] {
        let before = app.sealed(&id).await;
        app.sql(moved, &[]).await;
        let answer = list(&bob).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (500, "vault_integrity".into()), "{moved}");
        app.sql_bytes("update connections set access_token = ?", &before).await;
    }
    assert_eq!((app.api_calls(), app.token_calls()), calls, "nothing was sent");
    // A refresh with the client's secret, or the access token, in place of the refresh token.
    for moved in [
        "update connections set refresh_token = access_token",
        "update connections set refresh_token = (select client_secret from integrations where toolkit = 'demo')",
    ] {
        app.sql(moved, &[]).await;
        app.advance(5 * MINUTE);
        let answer = list(&bob).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (500, "vault_integrity".into()), "{moved}");
    }
    assert_eq!((app.api_calls(), app.token_calls()), calls, "nothing was sent");
    assert_eq!(status(&bob, &id).await, works());
}

#[tokio::test]
async fn a_row_that_was_given_to_another_user_fails_closed_until_it_is_bound_anew() {
    let (app, ada, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let before = app.api_calls();
    app.sql("update connections set user_id = ? where id = ?", &[&ada.id, &id]).await;
    let answer = list(&ada).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (500, "vault_integrity".into()));
    assert_eq!(app.api_calls(), before, "nothing was sent");
    let bound = rebind::run(&app.custody.store, &app.custody.vault, &id, &bob.id).await.unwrap();
    assert_eq!(bound, 2);
    list(&ada).await.ok();
}
