//! Several brokers over one database, as behind a load balancer: one public address, each reached on its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use taiku_bridge::api::{Connecting, Connection};
use taiku_demo::{Client as DemoClient, Config as DemoConfig, Demo};
use tempfile::TempDir;
use url::Url;

use crate::app::binary;
use crate::client::Client;
use crate::consent;
use crate::demo::DemoControl;
use crate::fleet::Engine;
use crate::process::Process;

/// Where the address of a Postgres server for tests is; `cargo xtask test` starts one.
const SERVER: &str = "TAIKU_TEST_POSTGRES_URL";
/// Where one of these is set, a test of Postgres may not be left out.
const STRICT: [&str; 2] = ["CI", "TAIKU_REQUIRE_POSTGRES"];
/// The public addresses. Nothing listens there: clients go to the brokers themselves and name it.
const SITE: &str = "http://localhost:18080";
const PANELS: &str = "http://127.0.0.1:18080";
const ADMIN: &str = "ada@example.test";
const MEMBER: &str = "bob@example.test";
const PASSWORD: &str = "correct horse battery";
const CLIENT_ID: &str = "the-client";
const CLIENT_SECRET: &str = "the-clients-secret";

/// Brokers over one database, with a demo provider that outlives them, the admin ada and the member bob.
pub struct Cluster {
    /// What can be told to, and asked of, the demo provider.
    pub demo: DemoControl,
    /// The demo provider itself.
    pub provider: Demo,
    brokers: Vec<Option<(Process, Url)>>,
    environment: Vec<(String, String)>,
    /// What a shell does before it becomes a broker.
    before: Option<String>,
    data: TempDir,
    schema: Option<(String, String)>,
}

impl Cluster {
    /// Starts them, with the toolkit `demo` enabled. None where there is no Postgres and may be none.
    pub async fn start(engine: Engine, brokers: usize) -> Option<Self> {
        Self::start_with(engine, brokers, &[]).await
    }

    /// The same with more in the environment of each.
    pub async fn start_with(engine: Engine, brokers: usize, variables: &[(&str, &str)]) -> Option<Self> {
        Self::start_under(engine, brokers, variables, None).await
    }

    /// The same with lines of shell before each broker, such as `ulimit -n 256`; the data folder is `$TAIKU_DATA_DIR`.
    pub async fn start_under(
        engine: Engine,
        brokers: usize,
        variables: &[(&str, &str)],
        before: Option<&str>,
    ) -> Option<Self> {
        let data = TempDir::new().expect("a folder can be made for temporary files");
        let (provider, address) = demo().await;
        let mut environment: Vec<(String, String)> = [
            ("TAIKU_LISTEN", "127.0.0.1:0"),
            ("TAIKU_PUBLIC_URL", SITE),
            ("TAIKU_PANEL_URL", PANELS),
            ("TAIKU_DATA_DIR", &data.path().display().to_string()),
            ("TAIKU_ALLOW_LOOPBACK_HTTP", "true"),
            ("TAIKU_LOG_FORMAT", "json"),
            ("TAIKU_ADMIN_EMAIL", ADMIN),
            ("TAIKU_ADMIN_PASSWORD", PASSWORD),
        ]
        .into_iter()
        .chain(variables.iter().copied())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        let schema = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(schema(&data).await?),
        };
        if let Some((server, name)) = &schema {
            environment.push(("TAIKU_DATABASE_URL".into(), in_schema(server, name)));
        }
        let demo = DemoControl::new(address);
        let before = before.map(str::to_owned);
        let mut cluster = Self { demo, provider, brokers: Vec::new(), environment, before, data, schema };
        for number in 0..brokers {
            cluster.brokers.push(None);
            cluster.restart(number);
        }
        let _ = cluster.taiku(&["user", "add", MEMBER], PASSWORD);
        cluster.enable_demo().await;
        Some(cluster)
    }

    /// The public address.
    #[must_use]
    pub fn site(&self) -> Url {
        SITE.parse().expect("the address of the tests is one")
    }

    /// A user agent that nobody has signed in with, at one of the brokers.
    ///
    /// # Panics
    /// When that broker does not run.
    #[must_use]
    pub fn anonymous(&self, broker: usize) -> Client {
        Client::at(self.address(broker), &self.site())
    }

    /// The admin, signed in at one of the brokers.
    pub async fn ada(&self, broker: usize) -> Client {
        let client = self.anonymous(broker);
        let _ = client.sign_in(ADMIN, PASSWORD).await;
        client
    }

    /// The member, signed in at one of the brokers.
    pub async fn bob(&self, broker: usize) -> Client {
        let client = self.anonymous(broker);
        let _ = client.sign_in(MEMBER, PASSWORD).await;
        client
    }

    /// The same browser, as the load balancer sends it to another broker.
    #[must_use]
    pub fn moved(&self, client: &Client, broker: usize) -> Client {
        let moved = self.anonymous(broker);
        client.cookies().iter().for_each(|cookie| moved.set_cookie(&cookie.name, &cookie.value));
        moved
    }

    /// Connects the demo account of a user.
    pub async fn connect(&self, user: &Client) -> Connection {
        let begun = consent::connect_at(user, "demo").await;
        let callback = self.consent_address(user, &begun).await;
        let _ = user.bare(reqwest::Method::GET, callback.as_str()).send().await.expect(200);
        consent::find(user, &begun.connection_id).await
    }

    /// Consents, and gives the address that the provider sends the browser back to.
    pub async fn consent_address(&self, user: &Client, begun: &Connecting) -> Url {
        consent::consent_at(&self.demo.url, user, begun, consent::Decision::Allow).await
    }

    /// Kills a broker as a power cut would.
    pub fn kill(&mut self, broker: usize) {
        self.brokers[broker] = None;
    }

    /// Starts a broker that was killed, over the same data.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self, broker: usize) {
        self.brokers[broker] = None;
        let mut process = Process::start("taiku", self.serve().arg("serve"));
        let address = process.line("where it listens", |line| {
            let (_, address) = line.split_once("listening on ")?.1.split_once(" at ")?;
            Url::parse(&format!("http://{}", address.trim())).ok()
        });
        self.brokers[broker] = Some((process, address));
    }

    /// All that a broker has said.
    #[must_use]
    pub fn said(&self, broker: usize) -> String {
        self.brokers[broker].as_ref().map(|(process, _)| process.said()).unwrap_or_default()
    }

    /// Where a broker listens.
    ///
    /// # Panics
    /// When that broker does not run.
    #[must_use]
    pub fn socket(&self, broker: usize) -> std::net::SocketAddr {
        let authority = self.address(broker).authority().to_owned();
        authority.parse().expect("a broker of the tests listens at an address")
    }

    /// The id of a broker's process.
    ///
    /// # Panics
    /// When that broker does not run.
    #[must_use]
    pub fn process_id(&self, broker: usize) -> u32 {
        self.brokers[broker].as_ref().expect("the broker runs").0.id()
    }

    /// Where the data folder is.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Runs another command of the program over the same data.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn taiku(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        // A command that reads nothing may have ended by now.
        let _ = child.stdin.take().expect("the input is piped").write_all(format!("{input}\n").as_bytes());
        child.wait_with_output().expect("a child can be waited for")
    }

    /// Loses the database, as a machine that burns down; keys and backups are elsewhere.
    ///
    /// # Panics
    /// When it cannot be removed.
    pub async fn empty_database(&self) {
        match &self.schema {
            Some((server, name)) => {
                sql(server, format!("drop schema {name} cascade")).await;
                sql(server, format!("create schema {name}")).await;
            }
            None => {
                for file in ["taiku.db", "taiku.db-wal", "taiku.db-shm"] {
                    // The journal may have been taken into the database.
                    let _ = std::fs::remove_file(self.data.path().join(file));
                }
            }
        }
    }

    fn address(&self, broker: usize) -> &Url {
        &self.brokers[broker].as_ref().expect("the broker runs").1
    }

    /// Starts a broker and kills it after so long, wherever it is then.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_and_kill(&self, after: Duration) {
        let mut command = self.command();
        let mut child = command.arg("serve").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.as_mut().expect("the program can be started");
        std::thread::sleep(after);
        let _ended_already = child.kill();
        let _status = child.wait();
    }

    /// The address of the database.
    #[must_use]
    pub fn database(&self) -> String {
        let found = self.environment.iter().find(|(name, _)| name == "TAIKU_DATABASE_URL");
        let file = || format!("sqlite://{}", self.data.path().join("taiku.db").display());
        found.map_or_else(file, |(_, url)| url.clone())
    }

    fn serve(&self) -> Command {
        let Some(before) = &self.before else { return self.command() };
        let mut command = self.of("sh".into());
        command.args(["-c", &format!("{before}\nexec \"$0\" \"$@\"")]).arg(binary());
        command
    }

    fn command(&self) -> Command {
        self.of(binary())
    }

    fn of(&self, program: PathBuf) -> Command {
        let mut command = Command::new(program);
        let kept = ["PATH", "HOME", "LLVM_PROFILE_FILE"].into_iter();
        let kept = kept.filter_map(|name| std::env::var(name).ok().map(|value| (name, value)));
        let own = self.environment.iter().map(|(name, value)| (name, value));
        command.env_clear().envs(kept).envs(own).current_dir(self.data.path());
        command
    }

    async fn enable_demo(&self) {
        let ada = self.ada(0).await;
        let toolkit: Value = ada.get("/api/v1/admin/toolkits/demo").await.read();
        let redirect_uri = toolkit["redirectUri"].as_str().expect("a toolkit has one").to_owned();
        let client = DemoClient {
            id: CLIENT_ID.into(),
            secret: CLIENT_SECRET.into(),
            name: "taiku".into(),
            redirect_uris: vec![redirect_uri],
        };
        self.provider.register_client(client).expect("the client of the tests is one");
        let settings = json!({ "DEMO_URL": self.demo.url.as_str().trim_end_matches('/') });
        let body = json!({
            "enabled": true, "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "settings": settings,
        });
        let _ = ada.put("/api/v1/admin/toolkits/demo", &body).await.expect(200);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.brokers.clear();
        let Some((server, name)) = self.schema.take() else { return };
        // Of a failing test, too, so it cannot be waited for where the test runs.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(sql(&server, format!("drop schema {name} cascade"))))
        });
        let _left_behind = dropping.join();
    }
}

/// A schema of its own, named like the data folder.
async fn schema(data: &TempDir) -> Option<(String, String)> {
    let Ok(server) = std::env::var(SERVER) else {
        let strict = STRICT.iter().any(|name| std::env::var_os(name).is_some());
        assert!(!strict, "{SERVER} is not set: `cargo xtask test` sets it");
        eprintln!("skipped: {SERVER} is not set");
        return None;
    };
    let folder = data.path().file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name: String = folder.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!("cluster_{name}_{}", std::process::id());
    sql(&server, format!("create schema {name}")).await;
    Some((server, name))
}

fn in_schema(server: &str, name: &str) -> String {
    let mut url = Url::parse(server).expect("the address of the tests' server is one");
    url.query_pairs_mut().append_pair("options", &format!("-c search_path={name}"));
    url.into()
}

async fn sql(server: &str, statement: String) {
    let mut conn = PgConnection::connect(server).await.expect("the tests' server answers");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut conn).await.expect("a schema is made or dropped");
    let _ = conn.close().await;
}

async fn demo() -> (Demo, Url) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let demo = Demo::new(address, DemoConfig::default()).expect("the demo provider can be made");
    tokio::spawn(demo.clone().serve(listener, std::future::pending()));
    let url = format!("http://{address}").parse().expect("an address makes a URL");
    (demo, url)
}
