//! One contract for both engines: each test is written once, over a [`Store`], and runs on SQLite and on Postgres.

use std::env;
use std::future::Future;

use sqlx::{AssertSqlSafe, PgConnection};
use taiku_bridge::Slug;
use taiku_bridge::api::{Role, User};
use url::Url;

use super::*;
use crate::clock::Millis;
use crate::random::Random;

mod activity;
mod allowances;
mod api_keys;
mod audit;
mod bulletins;
mod compromise;
mod connections;
mod empty;
mod engine;
mod files;
mod flows;
mod grants;
mod idempotency;
mod installs;
mod integrations;
mod machine;
mod plugin_data;
mod plugin_policy;
mod races;
mod records;
mod refresh;
mod replicas;
mod restored;
mod revocations;
mod rows;
mod sessions;
mod text;
mod users;

/// The address of a server on which a test may make schemas; `cargo xtask test` starts one.
const SERVER: &str = "TAIKU_TEST_POSTGRES_URL";
/// Where one of these is set, a test of Postgres may not be left out.
const STRICT: [&str; 2] = ["CI", "TAIKU_REQUIRE_POSTGRES"];

/// When the tests take place.
const NOW: Millis = 1_700_000_000_000;

/// Makes two tests of each function: over a migrated database, or over an empty one.
macro_rules! on_both_engines {
    (migrated: $($name:ident)+) => { $crate::store::tests::on_both_engines!(@tests true, $($name)+); };
    (empty: $($name:ident)+) => { $crate::store::tests::on_both_engines!(@tests false, $($name)+); };
    (@tests $migrated:literal, $($name:ident)+) => {
        mod sqlite {
            $(#[test] fn $name() { $crate::store::tests::on_sqlite($migrated, super::$name); })+
        }
        mod postgres {
            $(#[test] fn $name() { $crate::store::tests::on_postgres($migrated, super::$name); })+
        }
    };
}
use on_both_engines;

/// Runs a test over a file that is gone afterwards.
fn on_sqlite<F: Future<Output = ()> + Send + 'static>(migrated: bool, test: impl FnOnce(Store) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/taiku.db", folder.path().display());
    runtime().block_on(async { run(&url, migrated, test).await.unwrap() });
}

/// Runs a test in a schema that is gone afterwards, whatever becomes of the test.
fn on_postgres<F: Future<Output = ()> + Send + 'static>(migrated: bool, test: impl FnOnce(Store) -> F) {
    let Ok(server) = env::var(SERVER) else {
        assert!(
            STRICT.iter().all(|name| env::var_os(name).is_none()),
            "{SERVER} is not set: `cargo xtask test` sets it; or give the address of a Postgres server",
        );
        return eprintln!("skipped: {SERVER} is not set");
    };
    let schema = Random::system().id("test_");
    let mut url = Url::parse(&server).unwrap();
    url.query_pairs_mut().append_pair("options", &format!("-c search_path={schema}"));
    runtime().block_on(async {
        on_server(&server, format!("create schema {schema}")).await;
        let result = run(url.as_str(), migrated, test).await;
        on_server(&server, format!("drop schema {schema} cascade")).await;
        result.unwrap();
    });
}

async fn on_server(server: &str, statement: String) {
    let mut conn = PgConnection::connect(server).await.unwrap();
    sqlx::query("set client_min_messages = warning").execute(&mut conn).await.unwrap();
    sqlx::query(AssertSqlSafe(statement)).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

/// The test is a task of its own, so that its panic is a value and the database can be cleaned up.
async fn run<F: Future<Output = ()> + Send + 'static>(
    url: &str,
    migrated: bool,
    test: impl FnOnce(Store) -> F,
) -> std::result::Result<(), tokio::task::JoinError> {
    let store = Store::open(url).await.unwrap();
    if migrated {
        store.migrate().await.unwrap();
    }
    let result = tokio::spawn(test(store.clone())).await;
    store.close().await;
    result
}

/// A transaction that writes.
async fn write(store: &Store) -> Tx {
    store.write().await.unwrap()
}

/// Runs a statement as it stands, as somebody with access to the database would.
async fn sql(tx: &mut Tx, statement: &'static str) -> Result<u64> {
    Ok(execute!(tx, sqlx::query(statement))?)
}

/// How many rows a statement counts.
async fn count(tx: &mut Tx, statement: &'static str) -> i64 {
    with!(tx, |conn| sqlx::query_scalar(statement).fetch_one(conn)).unwrap()
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

/// A member whose address is made of the id.
fn member(id: &str) -> User {
    User { id: id.to_owned(), email: format!("{id}@example.org"), name: id.to_owned(), role: Role::Member }
}

/// Adds a member.
async fn add_member(tx: &mut Tx, id: &str) {
    assert!(super::users::add(tx, &member(id), "$argon2id$", NOW).await.unwrap());
}

/// Adds members in a transaction of their own.
async fn with_members(store: &Store, ids: &[&str]) {
    let mut tx = write(store).await;
    for id in ids {
        add_member(&mut tx, id).await;
    }
    tx.commit().await.unwrap();
}
