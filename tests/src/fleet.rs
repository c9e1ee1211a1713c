//! Several brokers over one database, with a demo provider in this process that outlives them all.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use taiku_bridge::Slug;
use taiku_bridge::api::{self, AdminToolkit, Connection, Connections, Status};
use taiku_demo::{Config, Demo};
use tempfile::TempDir;
use url::Url;

use crate::app::binary;
use crate::client::{Client, http};
use crate::consent::{Decision, connect_at, consent_at, find};
use crate::process::Process;
use crate::roles::{Role, children, running};
use crate::wait::eventually;

const ADMIN: &str = "ada@example.test";
const PASSWORD: &str = "correct horse battery staple";
const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

/// What a fleet stores in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// One file.
    Sqlite,
    /// A schema of the server that `TAIKU_TEST_POSTGRES_URL` names.
    Postgres,
}

impl Engine {
    /// The word in figures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Several brokers over one database.
pub struct Fleet {
    /// The provider.
    pub demo: Demo,
    members: Vec<Member>,
    database: String,
    folder: TempDir,
    admin: Option<Client>,
    key: String,
    http: reqwest::Client,
}

struct Member {
    port: u16,
    process: Option<Process>,
}

/// How a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// A call with it was answered.
    Works,
    /// It has ended, and says that an answer was lost.
    InDoubt,
    /// It has ended for another reason.
    Ended,
}

impl Fleet {
    /// Starts as many brokers, with the toolkit `demo` enabled. Nothing where there is no such engine.
    pub async fn start(engine: Engine, members: usize) -> Option<Self> {
        let folder = TempDir::new().expect("a folder can be made for temporary files");
        let database = match engine {
            Engine::Sqlite => format!("sqlite://{}/taiku.db", folder.path().display()),
            Engine::Postgres => schema().await?,
        };
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let demo = Demo::new(address, Config::default()).expect("there is no client yet that could be wrong");
        tokio::spawn(demo.clone().serve(listener, std::future::pending()));
        let members = (0..members).map(|_| Member { port: free_port(), process: None }).collect();
        let (key, http) = (String::new(), http());
        let mut fleet = Self { demo, members, database, folder, admin: None, key, http };
        for member in 0..fleet.members.len() {
            fleet.spawn(member);
            // The first one makes the keys that all share.
            fleet.ready(member);
        }
        fleet.set_up().await;
        Some(fleet)
    }

    /// How many brokers there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// Kills a broker as a power cut would: all of its processes, which hold its port until the last one is gone.
    pub async fn kill(&mut self, member: usize) {
        let Some(process) = self.members[member].process.take() else { return };
        let roles: Vec<u32> = children(process.id()).collect();
        drop(process);
        for role in &roles {
            // They end with their supervisor, and may have been faster.
            let _ = Command::new("kill").args(["-9", &role.to_string()]).stderr(Stdio::null()).status();
        }
        eventually("the processes to be gone", async || {
            roles.iter().all(|role| is_gone(*role)).then_some(())
        })
        .await;
    }

    /// Asks a broker to end, as a service manager does.
    ///
    /// # Panics
    /// When it does not end well.
    pub fn terminate(&mut self, member: usize) {
        if let Some(process) = self.members[member].process.take() {
            let (status, said) = process.terminate();
            assert!(status.success(), "{status}: {said}");
        }
    }

    /// Kills the process of a broker that answers requests, as soon as it runs. The others go on and start it again.
    pub async fn kill_http(&self, member: usize) {
        let process = self.members[member].process.as_ref().expect("it runs").id();
        let http =
            eventually("the process that answers requests", async || running(process, Role::Http)).await;
        http.kill();
    }

    /// Stops a broker without its knowing, or lets it go on.
    ///
    /// # Panics
    /// When it is not running.
    pub fn stop(&self, member: usize, stopped: bool) {
        let process = self.members[member].process.as_ref().expect("it runs");
        let signal = if stopped { "-STOP" } else { "-CONT" };
        let all = std::iter::once(process.id()).chain(children(process.id()));
        let sent = Command::new("kill").arg(signal).args(all.map(|id| id.to_string())).status();
        assert!(sent.is_ok_and(|status| status.success()), "the signal could not be sent");
    }

    /// Starts a broker again and waits until it listens.
    pub fn revive(&mut self, member: usize) {
        self.spawn(member);
        self.ready(member);
    }

    /// Connects an account at the first broker.
    pub async fn connect(&self, decision: Decision) -> Connection {
        let admin = self.admin();
        let begun = connect_at(admin, "demo").await;
        let provider = Url::parse(self.demo.issuer()).expect("an issuer is an address");
        let callback = consent_at(&provider, admin, &begun, decision).await;
        let _ = admin.bare(reqwest::Method::GET, callback.as_str()).send().await.expect(200);
        find(admin, &begun.connection_id).await
    }

    /// Calls a tool through a broker. The status, the code of a refusal, and zero if there is no answer.
    pub async fn call(&self, member: usize, connection: &str) -> (u16, String) {
        call(&self.http, &self.url(member), &self.key, connection).await
    }

    /// What calls a tool through any broker, for tasks.
    #[must_use]
    pub fn caller(&self, connection: &str) -> Caller {
        let urls = (0..self.size()).map(|member| self.url(member)).collect();
        Caller { http: self.http.clone(), urls, key: self.key.clone(), connection: connection.to_owned() }
    }

    /// The connections as the user sees them.
    pub async fn connections(&self) -> Vec<Connection> {
        let found: Connections = self.admin().get(api::CONNECTIONS).await.read();
        found.connections
    }

    /// Waits until a connection works or has ended.
    pub async fn settle(&self, member: usize, id: &str) -> Held {
        eventually("a connection to work or end", async || match self.call(member, id).await {
            (200, _) => Some(Held::Works),
            (409, _) => {
                let all = self.connections().await;
                let connection = all.iter().find(|connection| connection.id == id)?;
                let doubt = connection.why.as_deref() == Some("in_doubt");
                (connection.status == Status::Expired).then_some(if doubt {
                    Held::InDoubt
                } else {
                    Held::Ended
                })
            }
            _ => None,
        })
        .await
    }

    fn admin(&self) -> &Client {
        self.admin.as_ref().expect("it is set up")
    }

    fn url(&self, member: usize) -> Url {
        let url = format!("http://localhost:{}/", self.members[member].port);
        Url::parse(&url).expect("a port makes an address")
    }

    fn spawn(&mut self, member: usize) {
        let shared = self.folder.path();
        let own = shared.join(format!("broker-{member}"));
        let mut command = Command::new(binary());
        let kept = ["PATH", "HOME", "LLVM_PROFILE_FILE"].into_iter();
        let kept = kept.filter_map(|name| std::env::var(name).ok().map(|value| (name, value)));
        command.env_clear().envs(kept).current_dir(shared).arg("serve");
        command.env("TAIKU_LISTEN", format!("127.0.0.1:{}", self.members[member].port));
        command.env("TAIKU_DATABASE_URL", &self.database).env("TAIKU_DATA_DIR", own);
        command.env("TAIKU_KEYRING", shared.join("keyring.json"));
        command.env("TAIKU_ROOT_KEY_FILE", shared.join("root.key"));
        command.env("TAIKU_ADMIN_EMAIL", ADMIN).env("TAIKU_ADMIN_PASSWORD", PASSWORD);
        command.env("TAIKU_ALLOW_LOOPBACK_HTTP", "true").env("TAIKU_REFRESH_RATE", "10000");
        command.env("TAIKU_LOG_FORMAT", "json");
        self.members[member].process = Some(Process::start("taiku", &mut command));
    }

    fn ready(&mut self, member: usize) {
        let process = self.members[member].process.as_mut().expect("it was started");
        process.line("where it listens", |line| line.contains("listening on ").then_some(()));
    }

    /// Registers the first broker at the provider and enables the toolkit, as an admin would.
    async fn set_up(&mut self) {
        let admin = Client::new(&self.url(0));
        let _ = admin.sign_in(ADMIN, PASSWORD).await.expect(200);
        let slug = Slug::parse("demo").expect("it is a slug");
        let path = api::admin_toolkit(&slug);
        let toolkit: AdminToolkit = admin.get(&path).await.read();
        let client = taiku_demo::Client {
            id: "fleet".into(),
            secret: "a secret".into(),
            name: "taiku".into(),
            redirect_uris: vec![toolkit.redirect_uri],
        };
        self.demo.register_client(client).expect("the client is right");
        let body = json!({
            "enabled": true, "clientId": "fleet", "clientSecret": "a secret",
            "settings": { "DEMO_URL": self.demo.issuer() },
        });
        let _ = admin.put(&path, &body).await.expect(200);
        let key: Value = admin.post(api::API_KEYS, &json!({ "name": "fleet" })).await.expect(201).json();
        self.key = key["key"].as_str().expect("a key is shown once").to_owned();
        self.admin = Some(admin);
    }
}

/// Calls a tool with one connection through any broker.
#[derive(Clone, Debug)]
pub struct Caller {
    http: reqwest::Client,
    urls: Vec<Url>,
    key: String,
    connection: String,
}

impl Caller {
    /// Calls through a broker.
    pub async fn call(&self, member: usize) -> (u16, String) {
        call(&self.http, &self.urls[member % self.urls.len()], &self.key, &self.connection).await
    }
}

async fn call(http: &reqwest::Client, url: &Url, key: &str, connection: &str) -> (u16, String) {
    let body = json!({ "arguments": {}, "connectionId": connection }).to_string();
    let url = url.join(LIST).expect("a path is one");
    let request = http.post(url).bearer_auth(key).header("content-type", "application/json").body(body);
    let Ok(answer) = request.timeout(Duration::from_secs(60)).send().await else { return (0, String::new()) };
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_str(&answer.text().await.unwrap_or_default()).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// Whether a process is not there any more, or only waits to be counted.
fn is_gone(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    status.is_empty() || status.lines().any(|line| line.starts_with("State:\tZ"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("a listener has an address").port()
}

/// A schema of its own on the server of this run; the server goes with the run.
async fn schema() -> Option<String> {
    let Ok(server) = std::env::var("TAIKU_TEST_POSTGRES_URL") else {
        assert!(std::env::var_os("CI").is_none(), "TAIKU_TEST_POSTGRES_URL is not set");
        eprintln!("skipped: TAIKU_TEST_POSTGRES_URL is not set");
        return None;
    };
    let name = format!("fleet_{}_{}", std::process::id(), free_port());
    let mut connection = PgConnection::connect(&server).await.expect("the server answers");
    let statement = AssertSqlSafe(format!("create schema {name}"));
    sqlx::query(statement).execute(&mut connection).await.expect("a schema can be made");
    let mut url = Url::parse(&server).expect("it is an address");
    url.query_pairs_mut().append_pair("options", &format!("-c search_path={name}"));
    Some(url.into())
}
