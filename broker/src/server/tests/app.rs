//! A broker with a database, keys, users and a demo provider of its own.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use serde_json::json;
use taiku_bridge::api::Role;
use taiku_demo::{Client, Config as DemoConfig, Demo};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use super::{Answer, User};
use crate::accounts::{self, NewUser, Prepared};
use crate::broker::{Broker, Start};
use crate::clock::{Clock, Millis};
use crate::config::{Config, Source};
use crate::custody::{self, Custody};
use crate::random::Random;
use crate::store::{sessions, users};
use crate::vault::hash::sha256;

/// When every test begins.
pub(crate) const BEGINNING: Millis = 1_800_000_000_000;
pub(crate) const PORT: u16 = 8080;
pub(crate) const ORIGIN: &str = "http://localhost:8080";
pub(crate) const HOST: &str = "localhost:8080";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const CLIENT_ID: &str = "the-client";
pub(crate) const CLIENT_SECRET: &str = "the-client's secret: é&+";

/// Everything that a test talks to. Clones share it.
#[derive(Clone)]
pub(crate) struct TestApp(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) broker: Broker,
    pub(crate) custody: Custody,
    pub(crate) demo: Demo,
    router: Router,
    variables: Vec<(String, String)>,
    dir: Arc<TempDir>,
}

impl std::ops::Deref for TestApp {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl TestApp {
    /// A server where the toolkit `demo` works, with the admin ada and the member bob signed in.
    pub(crate) async fn start() -> (Self, User, User) {
        Self::start_with(&[]).await
    }

    /// The same with these variables set.
    pub(crate) async fn start_with(variables: &[(&str, &str)]) -> (Self, User, User) {
        let app = Self::empty(variables).await;
        let ada = app.add_user("ada@example.test", "Ada", Role::Admin).await;
        let bob = app.add_user("bob@example.test", "Bob", Role::Member).await;
        app.enable_demo(&ada).await;
        (app, ada, bob)
    }

    /// A server without users, on which nothing is enabled.
    pub(crate) async fn empty(variables: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            path.display().to_string()
        };
        let plugin_dir = folder("plugins");
        let own = [("TAIKU_DATA_DIR", folder("data")), ("TAIKU_PLUGIN_DIRS", plugin_dir)];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        let given = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self::of(own.chain(given).collect(), demo().await, Arc::new(dir)).await
    }

    async fn of(variables: Vec<(String, String)>, demo: Demo, dir: Arc<TempDir>) -> Self {
        let source = Source::load(None, variables.iter().cloned()).unwrap();
        let start = Start {
            config: Config::read(&source, false).unwrap(),
            source,
            port: PORT,
            loopback_by_default: true,
            clock: Clock::manual(BEGINNING),
            random: Random::system(),
        };
        let custody = Custody::start(&start).await.unwrap();
        let broker = Broker::start(start, custody::Client::here(custody.clone())).await.unwrap();
        let router = crate::server::app(broker.clone());
        Self(Arc::new(Parts { demo, router, broker, custody, variables, dir }))
    }

    /// Another broker on the same database.
    pub(crate) async fn replica(&self) -> Self {
        self.replica_with(&[]).await
    }

    /// The same with other variables.
    pub(crate) async fn replica_with(&self, variables: &[(&str, &str)]) -> Self {
        let given = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables = self.variables.iter().cloned().chain(given).collect();
        Self::of(variables, self.demo.clone(), Arc::clone(&self.dir)).await
    }

    /// The folder of the database and the keys.
    pub(crate) fn data_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    /// Adds a user whose password is [`PASSWORD`], signed in.
    pub(crate) async fn add_user(&self, email: &str, name: &str, role: Role) -> User {
        let user = taiku_bridge::api::User {
            id: self.broker.random.id("usr_"),
            email: email.into(),
            name: name.into(),
            role,
        };
        let prepared = Prepared { user, password_hash: password_hash().await };
        let mut tx = self.broker.store.write().await.unwrap();
        accounts::add(&mut tx, &prepared, self.broker.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        self.browser_of(&prepared.user.id, email).await
    }

    /// Another browser in which a user is signed in.
    pub(crate) async fn browser_of(&self, user_id: &str, email: &str) -> User {
        let cookie = self.broker.random.token();
        let public_id = self.broker.random.id("ses_");
        let mut tx = self.broker.store.write().await.unwrap();
        let hash = sha256(cookie.as_bytes());
        sessions::begin(&mut tx, &hash, &public_id, user_id, self.broker.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let user = User::new(self, user_id, email);
        user.set_cookie("__Host-taiku-8080", &cookie);
        user
    }

    /// A browser in which nobody is signed in.
    pub(crate) fn visitor(&self) -> User {
        User::new(self, "", "")
    }

    /// Registers this server at the demo provider and enables the toolkit, as an admin would.
    pub(crate) async fn enable_demo(&self, admin: &User) {
        let toolkit = admin.get("/api/v1/admin/toolkits/demo").await;
        if toolkit.code() == "integrations_disabled" {
            return;
        }
        let redirect_uri = toolkit.ok()["redirectUri"].as_str().unwrap().to_owned();
        let client = Client {
            id: CLIENT_ID.into(),
            secret: CLIENT_SECRET.into(),
            name: "taiku".into(),
            redirect_uris: vec![redirect_uri],
        };
        self.demo.register_client(client).unwrap();
        let body = json!({
            "enabled": true, "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET,
            "settings": {"DEMO_URL": self.demo.issuer()},
        });
        admin.put("/api/v1/admin/toolkits/demo", &body).await.ok();
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Sends a request and leaves the body of the answer to the caller.
    pub(crate) async fn open(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Moves the broker's clock.
    pub(crate) fn advance(&self, by: Millis) {
        self.broker.clock.advance(by);
    }

    /// How often the token endpoint was asked, in vain or not.
    pub(crate) fn token_calls(&self) -> usize {
        self.demo.seen().iter().filter(|seen| seen.path == "/token").count()
    }

    /// How often the API was asked.
    pub(crate) fn api_calls(&self) -> usize {
        self.demo.seen().iter().filter(|seen| seen.path.starts_with("/api/")).count()
    }

    /// Waits until the provider has seen as many requests to a path.
    pub(crate) async fn until_seen(&self, path: &str, times: usize) {
        let seen = || self.demo.seen().iter().filter(|seen| seen.path == path).count() >= times;
        let wait = async {
            while !seen() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    }

    /// Runs a statement that no version of this program runs.
    pub(crate) async fn sql(&self, statement: &'static str, values: &[&str]) -> u64 {
        let mut tx = self.broker.store.write().await.unwrap();
        let mut query = sqlx::query(statement);
        let crate::store::Tx::Sqlite(transaction) = &mut tx else { panic!("tests run on SQLite") };
        for value in values {
            query = query.bind((*value).to_owned());
        }
        let rows = query.execute(&mut **transaction).await.unwrap().rows_affected();
        tx.commit().await.unwrap();
        rows
    }

    /// Runs a statement with one value of bytes.
    pub(crate) async fn sql_bytes(&self, statement: &'static str, value: &[u8]) {
        let mut tx = self.broker.store.write().await.unwrap();
        let crate::store::Tx::Sqlite(transaction) = &mut tx else { panic!("tests run on SQLite") };
        sqlx::query(statement).bind(value.to_vec()).execute(&mut **transaction).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Lets a user sign in no longer.
    pub(crate) async fn disable(&self, user: &User) {
        let mut tx = self.broker.store.write().await.unwrap();
        users::disable(&mut tx, &user.id, self.broker.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The folder in which plugin folders are found.
    pub(crate) fn plugin_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("plugins")
    }

    /// Writes a plugin folder with one panel, in place of an older one, and looks at the folders at once.
    pub(crate) async fn write_plugin(&self, manifest: &serde_json::Value, panel: &str) {
        let folder = self.plugin_dir().join(manifest["id"].as_str().unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        write(&folder.join("panel.html"), panel);
        write(&folder.join("manifest.json"), &manifest.to_string());
        self.broker.plugins.on_disk().await;
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

/// One hash for all: computing them takes longer than the tests.
async fn password_hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return hash.clone();
    }
    let new = NewUser {
        email: "a@b.c".into(),
        name: String::new(),
        role: Role::Member,
        password: PASSWORD.to_owned(),
    };
    let prepared = accounts::prepare(&Random::system(), new).await.map_err(|_| "no hash").unwrap();
    HASH.get_or_init(|| prepared.password_hash).clone()
}

async fn demo() -> Demo {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let demo = Demo::new(listener.local_addr().unwrap(), DemoConfig::default()).unwrap();
    tokio::spawn(demo.clone().serve(listener, std::future::pending()));
    demo
}
