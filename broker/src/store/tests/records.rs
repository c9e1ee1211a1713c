//! Where vault records are, and putting new ones in their place.

use std::collections::BTreeSet;

use super::{add_member, on_both_engines, sql, write};
use crate::random::Random;
use crate::rotation::rewrap::{self, Outcome, Work};
use crate::rotation::{Census, active_keys, rebind};
use crate::store::records::{self, PLACES, RecordPlace};
use crate::store::rewraps::{self, Progress};
use crate::store::{Store, Tx, execute, replicas, with};
use crate::vault::{ContextHash, KeyId, KeyState, Keyring, Place, Ring, RootKeySource, Vault, check_place};

on_both_engines!(migrated:
    every_column_of_bytes_is_listed
    a_page_leaves_out_what_is_sealed_by_these_keys
    a_record_is_replaced_only_if_it_is_the_one_that_was_read
    all_records_are_sealed_again_and_open_where_they_did
    it_goes_on_where_it_was_cut_off
    a_new_target_begins_anew
    a_record_that_does_not_open_is_named_and_left
    two_at_once_do_no_harm
    who_writes_meanwhile_wins
    a_key_is_drained_when_no_record_and_no_process_needs_it
    tokens_are_bound_to_a_new_owner
);

/// Columns of bytes that hold no records.
const OTHER_BYTES: [&str; 15] = [
    "api_keys.key_hash",
    "audit.hash",
    "audit_head.hash",
    "connections.context_hash",
    "flows.context_hash",
    "flows.cookie_hash",
    "flows.session_hash",
    "flows.state_hash",
    "idempotency.request_hash",
    "known_browsers.cookie_hash",
    "plugin_contents.archive",
    "plugin_entries.name",
    "plugin_entries.value",
    "revocation_items.context_hash",
    "sessions.id_hash",
];

/// A keyring whose keys a test changes.
struct Keys {
    keyring: Keyring,
    vault: Vault,
    _folder: tempfile::TempDir,
}

impl Keys {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = RootKeySource::File(folder.path().join("root.key"));
        let path = folder.path().join("keyring.json");
        let keyring = Keyring::create(&root, &path, &Random::system(), 0).unwrap();
        let vault = Vault::new(keyring.keys().unwrap(), Random::system());
        Self { keyring, vault, _folder: folder }
    }

    /// Lets a new key of each ring seal.
    fn rotate(&self) {
        let mut edit = self.keyring.edit().unwrap();
        for ring in Ring::ALL {
            let id = edit.add(ring, &Random::system(), 0).unwrap();
            edit.promote(id).unwrap();
        }
        assert!(self.vault.replace(edit.save(&Random::system()).unwrap()));
    }

    fn active(&self) -> [KeyId; 3] {
        active_keys(&self.vault).unwrap()
    }
}

/// What tokens are bound to.
fn context() -> ContextHash {
    ContextHash::of("github", "", "https://a/token", "id")
}

/// Every place with as many records, sealed as the broker seals them. Returns what opens where.
async fn fill(store: &Store, vault: &Vault, rows: usize) -> Vec<(Ring, Vec<String>, String)> {
    let mut tx = write(store).await;
    add_member(&mut tx, "usr_a").await;
    let mut all = Vec::new();
    let mut keep =
        |ring: Ring, table: &str, column: &str, user: &str, row: &str, context, generation: i64| {
            let secret = format!("{table} {row}");
            let place = Place { table, column, user, row, context, generation };
            let names = [table, column, user, row].map(str::to_owned).to_vec();
            let record = vault.seal(ring, &place, secret.as_bytes());
            all.push((ring, [names, vec![generation.to_string()]].concat(), secret));
            record
        };
    for number in 0..rows {
        let (id, generation) = (format!("con_{number:06}"), i64::try_from(number % 7).unwrap());
        let access =
            keep(Ring::AccessTokens, "connections", "access_token", "usr_a", &id, context(), generation);
        let refresh =
            keep(Ring::RefreshTokens, "connections", "refresh_token", "usr_a", &id, context(), generation);
        let query = "insert into connections (id, user_id, toolkit, context_hash, status, is_default, scopes, \
                     generation, created_at, access_token, refresh_token) \
                     values ($1, 'usr_a', 'github', $2, 'ACTIVE', false, '[]', $3, 0, $4, $5)";
        let context_hash = context().as_bytes().to_vec();
        execute!(
            &mut tx,
            sqlx::query(query).bind(&id).bind(context_hash).bind(generation).bind(access).bind(refresh)
        )
        .unwrap();

        let key = format!("plugin/key-{number}");
        let record = keep(Ring::Settings, "idempotency", "record", "usr_a", &key, ContextHash::NONE, 0);
        let query = "insert into idempotency (user_id, key, request_hash, record, created_at) \
                     values ('usr_a', $1, $2, $3, 0)";
        execute!(&mut tx, sqlx::query(query).bind(&key).bind(b"hash".to_vec()).bind(record)).unwrap();
    }
    let secret =
        keep(Ring::RefreshTokens, "integrations", "client_secret", "", "github", ContextHash::NONE, 0);
    let query = "insert into integrations (toolkit, context_id, enabled, client_secret, generation, updated_at) \
                 values ('github', 'x', true, $1, 5, 0)";
    execute!(&mut tx, sqlx::query(query).bind(secret)).unwrap();
    for setting in ["A", "B"] {
        let row = format!("github/{setting}");
        let sealed = keep(Ring::Settings, "integration_settings", "sealed", "", &row, ContextHash::NONE, 0);
        let query = "insert into integration_settings (toolkit, key, sealed) values ('github', $1, $2)";
        execute!(&mut tx, sqlx::query(query).bind(setting).bind(sealed)).unwrap();
    }
    let access = keep(Ring::AccessTokens, "connections", "access_token", "usr_a", "con_gone", context(), 3);
    let refresh =
        keep(Ring::RefreshTokens, "connections", "refresh_token", "usr_a", "con_gone", context(), 3);
    let query = "insert into revocations (id, toolkit, asked_by, per_minute, next_at, created_at) \
                 values ('rev_a', 'github', 'usr_a', 1, 0, 0)";
    execute!(&mut tx, sqlx::query(query)).unwrap();
    let query = "insert into revocation_items (revocation_id, connection_id, user_id, context_hash, generation, \
                 access_token, refresh_token, tries, due_at, failed) \
                 values ('rev_a', 'con_gone', 'usr_a', $1, 3, $2, $3, 0, 0, false)";
    let context_hash = context().as_bytes().to_vec();
    execute!(&mut tx, sqlx::query(query).bind(context_hash).bind(access).bind(refresh)).unwrap();
    let secrets = keep(Ring::RefreshTokens, "flows", "secrets", "usr_a", "flo_a", context(), 0);
    let query = "insert into flows (id, state_hash, cookie_hash, session_hash, user_id, connection_id, toolkit, \
                 context_id, context_hash, callback_url, scopes, secrets, created_at, expires_at) \
                 values ('flo_a', $1, $1, $1, 'usr_a', 'con_000000', 'github', 'x', $2, '/', '[]', $3, 0, 0)";
    let context_hash = context().as_bytes().to_vec();
    execute!(&mut tx, sqlx::query(query).bind(b"hash".to_vec()).bind(context_hash).bind(secrets)).unwrap();
    for ring in Ring::ALL {
        crate::store::vault_checks::add(&mut tx, ring.name(), &vault.check_value(ring)).await.unwrap();
    }
    tx.commit().await.unwrap();
    all
}

/// All records of the database, read with keys that nothing is sealed by.
async fn stored(store: &Store) -> Vec<(&'static RecordPlace, records::Stored)> {
    let nothing = Keys::new().active();
    let mut all = Vec::new();
    for place in PLACES {
        let mut tx = store.read().await.unwrap();
        let page = records::page(&mut tx, place, &Default::default(), &nothing, 100_000).await.unwrap();
        all.extend(page.into_iter().map(|stored| (place, stored)));
    }
    all
}

/// Asserts that every record is sealed by the active keys and holds what it held.
async fn all_open(store: &Store, keys: &Keys, expected: &[(Ring, Vec<String>, String)]) {
    let stored = stored(store).await;
    assert_eq!(stored.len(), expected.len() + 3, "and the three known answers");
    let mut found = BTreeSet::new();
    for (_, stored) in &stored {
        let sealed_by = KeyId::from_bytes(&stored.record[6..19]).unwrap();
        assert!(keys.active().contains(&sealed_by), "{sealed_by}");
        let place = stored.place();
        let secret = keys.vault.open(stored.ring, &place, &stored.record).ok().unwrap();
        let names = [place.table, place.column, place.user, place.row].map(str::to_owned).to_vec();
        let names = [names, vec![place.generation.to_string()]].concat();
        found.insert((names, String::from_utf8(secret.expose().to_vec()).unwrap()));
    }
    for (_, names, secret) in expected {
        assert!(found.contains(&(names.clone(), secret.clone())), "{names:?}");
    }
    for ring in Ring::ALL {
        let check = stored.iter().find(|(_, stored)| stored.place() == check_place(ring)).unwrap();
        keys.vault.verify_check(ring, &check.1.record).unwrap();
    }
}

async fn rewrap(store: &Store, keys: &Keys) -> Outcome {
    let work = Work { store, vault: &keys.vault, per_second: 1_000_000 };
    rewrap::run(work, |_| {}).await.unwrap()
}

async fn progress(store: &Store) -> Option<Progress> {
    rewraps::progress(&mut store.read().await.unwrap()).await.unwrap()
}

async fn every_column_of_bytes_is_listed(store: Store) {
    let mut tx = write(&store).await;
    let query = match &tx {
        Tx::Sqlite(_) => {
            "select m.name || '.' || p.name from sqlite_master m join pragma_table_info(m.name) p \
             where m.type = 'table' and lower(p.type) = 'bytea'"
        }
        Tx::Postgres(_) => {
            "select table_name || '.' || column_name from information_schema.columns \
             where table_schema = current_schema() and data_type = 'bytea'"
        }
    };
    let found: Vec<String> = with!(&mut tx, |conn| sqlx::query_scalar(query).fetch_all(conn)).unwrap();
    let found: BTreeSet<String> = found.into_iter().filter(|name| !name.starts_with('_')).collect();
    let listed: BTreeSet<String> =
        PLACES.iter().map(RecordPlace::name).chain(OTHER_BYTES.map(str::to_owned)).collect();
    assert_eq!(
        found, listed,
        "a new column of bytes holds records, and is in PLACES, or does not, and is here"
    );
}

async fn a_page_leaves_out_what_is_sealed_by_these_keys(store: Store) {
    let keys = Keys::new();
    fill(&store, &keys.vault, 5).await;
    let before = keys.active();
    keys.rotate();
    for place in PLACES {
        let mut tx = write(&store).await;
        let none = records::page(&mut tx, place, &Default::default(), &before, 100).await.unwrap();
        assert!(none.is_empty(), "{}", place.name());
        let (mut after, mut seen) = (Default::default(), BTreeSet::new());
        loop {
            let page = records::page(&mut tx, place, &after, &keys.active(), 2).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 2);
            after = last.key.clone();
            assert!(page.into_iter().all(|stored| seen.insert(stored.key)), "each is seen once");
        }
        let census = records::census(&mut tx, place).await.unwrap();
        let all: i64 = census.iter().map(|(_, count)| count).sum();
        assert_eq!(i64::try_from(seen.len()).unwrap(), all, "{}", place.name());
        assert!(all > 0 && census.iter().all(|(key, _)| before.contains(&key.unwrap())), "{}", place.name());
    }
}

async fn a_record_is_replaced_only_if_it_is_the_one_that_was_read(store: Store) {
    let keys = Keys::new();
    fill(&store, &keys.vault, 2).await;
    for (place, read) in stored(&store).await {
        let mut tx = write(&store).await;
        let stale = records::Stored { record: b"other".to_vec(), ..read.clone() };
        assert!(!records::replace(&mut tx, place, &stale, b"new").await.unwrap(), "other bytes");
        let stale = records::Stored { generation: read.generation + 1, ..read.clone() };
        assert!(!records::replace(&mut tx, place, &stale, b"new").await.unwrap(), "another generation");
        let gone = records::Stored { key: ("gone".into(), String::new()), ..read.clone() };
        assert!(!records::replace(&mut tx, place, &gone, b"new").await.unwrap(), "no such row");
        assert!(records::replace(&mut tx, place, &read, b"new").await.unwrap(), "{}", place.name());
        assert!(!records::replace(&mut tx, place, &read, b"new").await.unwrap(), "once");
        tx.commit().await.unwrap();
    }
    assert!(stored(&store).await.iter().all(|(_, stored)| stored.record == b"new"));
}

async fn all_records_are_sealed_again_and_open_where_they_did(store: Store) {
    let keys = Keys::new();
    let expected = fill(&store, &keys.vault, 450).await;
    let census = Census::take(&store).await.unwrap();
    assert_eq!(census.of_others(&keys.active()), 0);
    keys.rotate();
    let all = i64::try_from(expected.len() + 3).unwrap();
    assert_eq!(Census::take(&store).await.unwrap().of_others(&keys.active()), all);
    let outcome = rewrap(&store, &keys).await;
    assert_eq!((outcome.sealed, outcome.left, outcome.unreadable.len()), (all, 0, 0));
    all_open(&store, &keys, &expected).await;
    assert!(progress(&store).await.unwrap().finished_at.is_some());
    let again = rewrap(&store, &keys).await;
    assert_eq!((again.sealed, again.left), (0, 0), "nothing is left to do");
}

async fn it_goes_on_where_it_was_cut_off(store: Store) {
    let keys = Keys::new();
    let expected = fill(&store, &keys.vault, 650).await;
    keys.rotate();
    // As a kill: the work is dropped between two pages, wherever it is then.
    let work = Work { store: &store, vault: &keys.vault, per_second: 1_000_000 };
    let cut = std::sync::atomic::AtomicBool::new(false);
    let begun = async {
        rewrap::run(work, |step| cut.store(step.sealed >= 400, std::sync::atomic::Ordering::SeqCst)).await
    };
    let until = async {
        while !cut.load(std::sync::atomic::Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = until => {}
        _ = begun => panic!("it was not cut off"),
    }
    let middle = progress(&store).await.unwrap();
    assert!(middle.sealed >= 400 && middle.finished_at.is_none(), "{middle:?}");
    let outcome = rewrap(&store, &keys).await;
    let all = i64::try_from(expected.len() + 3).unwrap();
    assert_eq!((outcome.sealed, outcome.left), (all, 0), "each was sealed again once");
    let end = progress(&store).await.unwrap();
    assert_eq!(end.started_at, middle.started_at, "it is the same run");
    all_open(&store, &keys, &expected).await;
}

async fn a_new_target_begins_anew(store: Store) {
    let keys = Keys::new();
    let expected = fill(&store, &keys.vault, 3).await;
    keys.rotate();
    rewrap(&store, &keys).await;
    // Cut off at the last place; then the keys change once more.
    let mut tx = write(&store).await;
    let done = rewraps::progress(&mut tx).await.unwrap().unwrap();
    let cut = Progress { place: PLACES.last().unwrap().name(), finished_at: None, ..done };
    rewraps::keep(&mut tx, &cut).await.unwrap();
    tx.commit().await.unwrap();
    keys.rotate();
    let outcome = rewrap(&store, &keys).await;
    assert_eq!(outcome.sealed, i64::try_from(expected.len() + 3).unwrap());
    all_open(&store, &keys, &expected).await;
}

async fn a_record_that_does_not_open_is_named_and_left(store: Store) {
    let keys = Keys::new();
    fill(&store, &keys.vault, 3).await;
    let mut tx = write(&store).await;
    sql(&mut tx, "update connections set generation = 77 where id = 'con_000001'").await.unwrap();
    tx.commit().await.unwrap();
    let before: Vec<_> = stored(&store).await.into_iter().map(|(_, stored)| stored.record).collect();
    keys.rotate();
    let outcome = rewrap(&store, &keys).await;
    assert_eq!(outcome.left, 2);
    let named: Vec<_> =
        outcome.unreadable.iter().map(|row| (row.place.as_str(), row.key.0.as_str())).collect();
    assert_eq!(
        named,
        [("connections.access_token", "con_000001"), ("connections.refresh_token", "con_000001")]
    );
    let after = stored(&store).await;
    let untouched = after.iter().filter(|(_, stored)| before.contains(&stored.record)).count();
    assert_eq!(untouched, 2, "it was not written to");
}

async fn two_at_once_do_no_harm(store: Store) {
    let keys = Keys::new();
    let expected = fill(&store, &keys.vault, 300).await;
    keys.rotate();
    let (one, other) = tokio::join!(rewrap(&store, &keys), rewrap(&store, &keys));
    assert_eq!((one.left, other.left), (0, 0));
    all_open(&store, &keys, &expected).await;
}

async fn who_writes_meanwhile_wins(store: Store) {
    let keys = Keys::new();
    fill(&store, &keys.vault, 1).await;
    let (place, read) = stored(&store).await.remove(0);
    assert_eq!(place.name(), "connections.access_token");
    keys.rotate();
    let stale = keys.vault.reseal(read.ring, &read.place(), &read.record).unwrap().unwrap();
    // A refresh comes in between: another generation with another record.
    let place_of_next = Place { generation: 1, ..read.place() };
    let refreshed = keys.vault.seal(Ring::AccessTokens, &place_of_next, b"refreshed");
    let mut tx = write(&store).await;
    let query = "update connections set generation = 1, access_token = $1";
    execute!(&mut tx, sqlx::query(query).bind(&refreshed)).unwrap();
    tx.commit().await.unwrap();
    let mut tx = write(&store).await;
    assert!(!records::replace(&mut tx, place, &read, &stale).await.unwrap());
    tx.commit().await.unwrap();
    let now = &stored(&store).await[0].1;
    assert_eq!(now.record, refreshed);
    assert_eq!(
        keys.vault.open(Ring::AccessTokens, &now.place(), &now.record).ok().unwrap().expose(),
        b"refreshed"
    );
}

async fn since(store: &Store, key: KeyId) -> Option<i64> {
    rewraps::drained_since(&mut store.read().await.unwrap(), key).await.unwrap()
}

async fn a_key_is_drained_when_no_record_and_no_process_needs_it(store: Store) {
    let keys = Keys::new();
    fill(&store, &keys.vault, 2).await;
    let (old, before) = (keys.active(), keys.vault.keys());
    keys.rotate();
    let note = async || rewrap::note_drained(&store, &keys.vault, &keys.active()).await.unwrap();
    note().await;
    assert_eq!(since(&store, old[0]).await, None, "records need it");

    let mut tx = write(&store).await;
    replicas::beat(&mut tx, "rep_a", "broker", &before).await.unwrap();
    tx.commit().await.unwrap();
    rewrap(&store, &keys).await;
    assert_eq!(since(&store, old[0]).await, None, "a broker still seals under it");

    let mut tx = write(&store).await;
    replicas::beat(&mut tx, "rep_a", "broker", &keys.vault.keys()).await.unwrap();
    tx.commit().await.unwrap();
    note().await;
    let at = since(&store, old[0]).await.unwrap();
    note().await;
    assert_eq!(since(&store, old[0]).await, Some(at), "the first time counts");
    assert_eq!(since(&store, keys.active()[0]).await, None, "the active key is needed");

    // A backup is restored, or a row comes back in another way.
    let vault_of_old = Vault::new(keys.keyring.keys().unwrap(), Random::system());
    assert!(vault_of_old.keys().iter().any(|key| key.id == old[0] && key.state == KeyState::DecryptOnly));
    let mut tx = write(&store).await;
    let name = [b"TKVR\x01\x01".as_slice(), &old[0].bytes(), &[0; 400]].concat();
    execute!(&mut tx, sqlx::query("update connections set access_token = $1").bind(name)).unwrap();
    tx.commit().await.unwrap();
    note().await;
    assert_eq!(since(&store, old[0]).await, None);
}

async fn tokens_are_bound_to_a_new_owner(store: Store) {
    let keys = Keys::new();
    fill(&store, &keys.vault, 2).await;
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_b").await;
    sql(&mut tx, "update connections set user_id = 'usr_b' where id = 'con_000001'").await.unwrap();
    tx.commit().await.unwrap();
    let open = async || {
        let all = stored(&store).await;
        let rows =
            all.iter().filter(|(place, row)| place.table == "connections" && row.key.0 == "con_000001");
        rows.filter(|(_, row)| keys.vault.open(row.ring, &row.place(), &row.record).is_ok()).count()
    };
    assert_eq!(open().await, 0, "it fails closed");
    let run = async |id: &str, from: &str| rebind::run(&store, &keys.vault, id, from).await;
    let wrong = run("con_000001", "usr_c").await.unwrap_err().to_string();
    assert!(wrong.starts_with("the access_token of con_000001 was not sealed for usr_c"), "{wrong}");
    let missing = run("con_x", "usr_a").await.unwrap_err().to_string();
    assert_eq!(missing, "there is no connection con_x with tokens");
    assert_eq!(open().await, 0);
    assert_eq!(run("con_000001", "usr_a").await.unwrap(), 2);
    assert_eq!(open().await, 2);
    assert_eq!(run("con_000001", "usr_a").await.unwrap(), 0, "nothing is left to bind");
    assert_eq!(run("con_000000", "usr_c").await.unwrap(), 0, "what opens is left as it is");
}
