//! Ring keys are changed while a broker serves: nobody's call fails, and it is over soon. Case L16.

use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use taiku_bridge::api::{Role, User};
use taiku_broker::api_key::{self, Wish};
use taiku_broker::clock::Clock;
use taiku_broker::random::Random;
use taiku_broker::store::connections::{self, Connection, State};
use taiku_broker::store::rewraps;
use taiku_broker::store::{Store, Tx, users};
use taiku_broker::vault::{ContextHash, Keyring, Place, Ring, RootKeySource, Vault};
use taiku_tests::{Client, Goal, Scale, TestApp, connect, eventually, figure};
use tokio::task::JoinSet;
use url::Url;

const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";
/// Each has as many connections as the others.
const USERS: usize = 20;
/// Longer than any run.
const HOUR: u64 = 3600;

/// What is done, at the two sizes.
struct Size {
    connections: usize,
    requests_a_second: u32,
    kills: usize,
}

fn size() -> Size {
    let (connections, requests_a_second, kills) = Scale::now().pick((500, 20, 2), (50_000, 300, 50));
    Size { connections, requests_a_second, kills }
}

#[tokio::test(flavor = "multi_thread")]
async fn ring_keys_change_while_a_broker_serves_sqlite() {
    let app = TestApp::launch().start().await;
    let url = format!("sqlite://{}", app.data().join("taiku.db").display());
    measure(&app, &url, "sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ring_keys_change_while_a_broker_serves_postgres() {
    let Ok(server) = std::env::var("TAIKU_TEST_POSTGRES_URL") else {
        assert!(std::env::var_os("CI").is_none(), "TAIKU_TEST_POSTGRES_URL is not set");
        return eprintln!("skipped: TAIKU_TEST_POSTGRES_URL is not set");
    };
    let schema = Random::system().id("rotation_");
    let mut url = Url::parse(&server).expect("the address of the tests' server is one");
    url.query_pairs_mut().append_pair("options", &format!("-c search_path={schema}"));
    statement(&server, format!("create schema {schema}")).await;
    let app = TestApp::launch().env("TAIKU_DATABASE_URL", url.as_str()).start().await;
    measure(&app, url.as_str(), "postgres").await;
    drop(app);
    statement(&server, format!("drop schema {schema} cascade")).await;
}

async fn statement(server: &str, statement: String) {
    let mut conn = PgConnection::connect(server).await.expect("the tests' server answers");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut conn).await.expect("a schema is made or dropped");
}

async fn measure(app: &TestApp, url: &str, engine: &str) {
    let Size { connections, requests_a_second, kills } = size();
    app.demo.set(&json!({ "accessTokenSeconds": HOUR })).await;
    let own = connect(app, &app.ada().await).await;
    let store = Store::open(url).await.expect("the database can be opened");
    let callers = seed(app, &store, &own.id, connections).await;
    let callers = Arc::new(callers);
    let rate = sustained(app, &callers, requests_a_second).await;
    let load = Load::start(app, &callers, rate);

    let began = Instant::now();
    change_keys(app);
    said(app, &["key", "rewrap"]);
    let took = began.elapsed();
    nothing_is_left(app, 1);

    change_keys(app);
    for _ in 0..kills {
        kill_one(app, &store).await;
    }
    said(app, &["key", "rewrap"]);
    nothing_is_left(app, 2);

    let (sent, failed) = load.stop().await;
    eprintln!("{sent} calls in {:.1} s, {rate} a second, {kills} kills", began.elapsed().as_secs_f64());
    assert!(sent > 0, "nothing was asked meanwhile");
    store.close().await;
    let records = 2 * connections;
    let (failed, seconds) = (f64::from(u32::try_from(failed).expect("few")), took.as_secs_f64());
    figure("requests that failed while ring keys changed", engine, failed, "", Goal::Exactly(0.0));
    figure(
        &format!("change of ring keys over {records} records while serving"),
        engine,
        seconds,
        "s",
        Goal::AtMost(60.0),
    );
}

/// What a machine can do that has other things to do as well, while no key changes: at most what is asked for.
async fn sustained(app: &TestApp, callers: &Arc<Vec<Caller>>, at_most: u32) -> u32 {
    let mut rate = at_most;
    loop {
        let load = Load::start(app, callers, rate);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let began = Instant::now();
        let (_, failed) = load.stop().await;
        // What is behind after the last call has been begun was too much.
        if failed == 0 && began.elapsed() < Duration::from_secs(1) {
            return rate;
        }
        rate /= 2;
        assert!(rate > 0, "this machine answers no calls at all");
    }
}

/// A user's API key and connections.
type Caller = (String, Vec<String>);

/// Fills the database with connections of many users, each with its own records of a token that works.
async fn seed(app: &TestApp, store: &Store, own: &str, connections: usize) -> Vec<Caller> {
    let root = RootKeySource::File(app.data().join("root.key"));
    let keyring = Keyring::open(&root, &app.data().join("keyring.json")).expect("the keys of the program");
    let vault = Vault::new(keyring.keys().expect("the keys of the program"), Random::system());
    let template = Template::read(store, &vault, own).await;
    let (random, now) = (Random::system(), Clock::System.now());
    let mut callers = Vec::new();
    for number in 0..USERS {
        let mut tx = store.write().await.expect("the database can be written");
        let id = random.id("usr_");
        let email = format!("caller-{number}@example.test");
        let user = User { id: id.clone(), email, name: String::new(), role: Role::Member };
        assert!(users::add(&mut tx, &user, "none", now).await.expect("a user is added"));
        let wish = Wish { user_id: &id, name: "load", scopes: None, expires_at: None };
        let (_, key) = api_key::add(&mut tx, &random, &wish, now).await.expect("a key is made");
        let mut ids = Vec::new();
        for place in 0..connections / USERS {
            let connection = random.id("con_");
            template.insert(&mut tx, &vault, &id, &connection, place == 0).await;
            ids.push(connection);
        }
        tx.commit().await.expect("the database can be written");
        callers.push((key, ids));
    }
    callers
}

/// A connection that works, to make others after.
struct Template {
    context: [u8; 32],
    scopes: String,
    token: Vec<u8>,
}

impl Template {
    async fn read(store: &Store, vault: &Vault, id: &str) -> Self {
        let mut tx = store.read().await.expect("the database can be read");
        let all = users::all(&mut tx).await.expect("the users can be read");
        let mut found = None;
        for account in all {
            let own = connections::find(&mut tx, &account.user.id, id).await.expect("it can be read");
            found = found.or(own);
        }
        let connection: Connection = found.expect("the connection is there");
        let context: [u8; 32] = connection.context_hash.as_slice().try_into().expect("32 bytes");
        let State::Active(sealed) = &connection.state else { panic!("it is active") };
        let place = place(&connection.user_id, id, "access_token", context.into(), connection.generation);
        let token =
            vault.open(Ring::AccessTokens, &place, &sealed.access).map(|token| token.expose().to_vec());
        let scopes = json!(connection.scopes).to_string();
        Self { context, scopes, token: token.unwrap_or_else(|error| panic!("{error}")) }
    }

    async fn insert(&self, tx: &mut Tx, vault: &Vault, user: &str, id: &str, default: bool) {
        let seal = |ring, column, secret: &[u8]| {
            vault.seal(ring, &place(user, id, column, self.context.into(), 1), secret)
        };
        let query = sqlx_insert();
        let (access, refresh) = (
            seal(Ring::AccessTokens, "access_token", &self.token),
            seal(Ring::RefreshTokens, "refresh_token", b"never sent"),
        );
        macro_rules! run {
            ($tx:expr) => {
                sqlx::query(query)
                    .bind(id)
                    .bind(user)
                    .bind(self.context.to_vec())
                    .bind(default)
                    .bind(&self.scopes)
                    .bind(access)
                    .bind(refresh)
                    .execute(&mut **$tx)
                    .await
                    .map(|done| done.rows_affected())
            };
        }
        let done = match tx {
            Tx::Sqlite(tx) => run!(tx),
            Tx::Postgres(tx) => run!(tx),
        };
        assert_eq!(done.expect("a row is added"), 1);
    }
}

fn sqlx_insert() -> &'static str {
    "insert into connections (id, user_id, toolkit, context_hash, status, is_default, scopes, generation, \
     created_at, access_token, refresh_token) values ($1, $2, 'demo', $3, 'ACTIVE', $4, $5, 1, 0, $6, $7)"
}

fn place<'a>(
    user: &'a str,
    row: &'a str,
    column: &'a str,
    context: ContextHash,
    generation: i64,
) -> Place<'a> {
    Place { table: "connections", column, user, row, context, generation }
}

/// Calls at a steady rate, each with another connection.
struct Load {
    stop: Arc<AtomicBool>,
    counts: Arc<(AtomicU64, AtomicU64)>,
    task: tokio::task::JoinHandle<()>,
}

impl Load {
    fn start(app: &TestApp, callers: &Arc<Vec<Caller>>, a_second: u32) -> Self {
        let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let client = |(key, _): &Caller| Arc::new(Client::with_key(&app.url, key));
        let clients: Vec<_> = callers.iter().map(client).collect();
        let callers = Arc::clone(callers);
        let (stopped, counted): (_, Arc<(AtomicU64, AtomicU64)>) = (Arc::clone(&stop), Arc::clone(&counts));
        let task = tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_secs(1) / a_second);
            let mut calls = JoinSet::new();
            for number in 0_usize.. {
                tick.tick().await;
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (client, ids) = (&clients[number % clients.len()], &callers[number % clients.len()].1);
                // A prime, so that all of them have their turn in an order of no meaning.
                let id = ids[number.wrapping_mul(7919) % ids.len()].clone();
                calls.spawn(call(Arc::clone(client), id, Arc::clone(&counted)));
                while let Some(ended) = calls.try_join_next() {
                    count_unanswered(ended.is_err(), &counted);
                }
            }
            while let Some(ended) = calls.join_next().await {
                count_unanswered(ended.is_err(), &counted);
            }
        });
        Self { stop, counts, task }
    }

    /// How many were sent and how many of them failed.
    async fn stop(self) -> (u64, u64) {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.expect("no call panics");
        (self.counts.0.load(Ordering::SeqCst), self.counts.1.load(Ordering::SeqCst))
    }
}

/// A client panics when nobody answers.
fn count_unanswered(unanswered: bool, counts: &(AtomicU64, AtomicU64)) {
    counts.0.fetch_add(u64::from(unanswered), Ordering::SeqCst);
    counts.1.fetch_add(u64::from(unanswered), Ordering::SeqCst);
}

async fn call(client: Arc<Client>, connection: String, counts: Arc<(AtomicU64, AtomicU64)>) {
    let answer = client.post(LIST, &json!({ "arguments": {}, "connectionId": connection })).await;
    counts.0.fetch_add(1, Ordering::SeqCst);
    if answer.status != 200 {
        eprintln!("{} {}", answer.status, answer.text);
        counts.1.fetch_add(1, Ordering::SeqCst);
    }
}

/// Adds a key to each ring and lets it seal.
fn change_keys(app: &TestApp) {
    said(app, &["key", "add", "all"]);
    said(app, &["key", "promote", "all"]);
}

fn said(app: &TestApp, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = app.taiku(arguments).output().expect("the program runs");
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "taiku {arguments:?}: {status} {out} {err}");
    out.into_owned()
}

/// Starts to seal again and kills the command once it has sealed something more.
async fn kill_one(app: &TestApp, store: &Store) {
    let before = sealed(store).await;
    let mut command: Command = app.taiku(&["key", "rewrap", "--per-second", "2000"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program runs");
    eventually("more is sealed, or nothing is left", async || {
        let over = child.try_wait().expect("a child can be asked").is_some();
        (over || sealed(store).await != before).then_some(())
    })
    .await;
    // It may have ended by itself; then there is nothing to kill.
    let _ = child.kill();
    let _ = child.wait();
}

async fn sealed(store: &Store) -> (i64, bool) {
    let mut tx = store.read().await.expect("the database can be read");
    let progress = rewraps::progress(&mut tx).await.expect("progress can be read");
    progress.map_or((0, true), |progress| (progress.sealed, progress.finished_at.is_some()))
}

/// No record needs the keys of this version any more.
fn nothing_is_left(app: &TestApp, version: u32) {
    let status = said(app, &["key", "status"]);
    for ring in ["at", "rt", "cfg"] {
        let line = format!("{ring}\t{version}\tdecrypt-only\t");
        let line = status.lines().find(|text| text.starts_with(&line));
        let line = line.unwrap_or_else(|| panic!("{status}"));
        assert_eq!(line.split('\t').nth(5), Some("0"), "{status}");
    }
}
