//! The real binary with everything of its own: data, ports, demo provider.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use taiku_bridge::api;
use tempfile::TempDir;
use url::Url;

use crate::client::Client;
use crate::demo::DemoControl;
use crate::plugin::PluginFolders;
use crate::process::Process;

/// Signs in as the admin of `--demo`.
const ADA: &str = "ada@example.test";
/// Signs in as the other user of `--demo`.
const BOB: &str = "bob@example.test";

/// A running taiku.
pub struct TestApp {
    /// Origin of the app.
    pub url: Url,
    /// Origin of the panels.
    pub panel_url: Url,
    /// What can be told to, and asked of, the demo provider.
    pub demo: DemoControl,
    passwords: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    process: Process,
    data: TempDir,
}

/// A taiku before it starts.
#[must_use]
pub struct Launch {
    environment: BTreeMap<String, String>,
    data: TempDir,
}

/// A taiku that did not start.
#[derive(Debug)]
pub struct Refused {
    /// The exit code.
    pub code: Option<i32>,
    /// All that it said.
    pub said: String,
    /// Its data folder.
    pub data: TempDir,
}

impl TestApp {
    /// Starts `taiku serve --demo`.
    pub async fn start() -> Self {
        Self::launch().start().await
    }

    /// A taiku that is told more before it starts.
    pub fn launch() -> Launch {
        Launch::in_folder(TempDir::new().expect("a folder can be made for temporary files"))
    }

    /// A user agent that nobody has signed in with.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url)
    }

    /// The admin, signed in.
    pub async fn ada(&self) -> Client {
        self.signed_in(ADA).await
    }

    /// A user who is no admin, signed in.
    pub async fn bob(&self) -> Client {
        self.signed_in(BOB).await
    }

    /// The admin's address and password.
    #[must_use]
    pub fn ada_credentials(&self) -> (&str, &str) {
        (ADA, self.password(ADA))
    }

    /// A script with an API key of the admin.
    pub async fn script(&self) -> Client {
        let created: api::CreatedApiKey = self
            .ada()
            .await
            .post(api::API_KEYS, &serde_json::json!({ "name": "a test" }))
            .await
            .expect(201)
            .read();
        Client::with_key(&self.url, &created.key)
    }

    /// Lets a user allow a plugin all that its manifest asks for.
    pub async fn grant_all(&self, user: &Client, plugin: &str) {
        user.grant_all(plugin).await;
    }

    /// Where the database and the keys are.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Another command of the program over the same data.
    #[must_use]
    pub fn taiku(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.environment, self.data.path());
        command.args(arguments);
        command
    }

    /// The id of the process that was started.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// All that the program has said, its log included.
    #[must_use]
    pub fn said(&self) -> String {
        self.process.said()
    }

    /// Kills the program as a power cut would, and gives its data folder.
    #[must_use]
    pub fn kill(self) -> TempDir {
        self.data
    }

    /// Asks the program to end, as a service manager does, and gives its data folder.
    ///
    /// # Panics
    /// When it does not end well.
    #[must_use]
    pub fn stop(self) -> TempDir {
        let (status, said) = self.process.terminate();
        assert!(status.success(), "{status}: {said}");
        self.data
    }

    async fn signed_in(&self, email: &str) -> Client {
        let client = self.anonymous();
        let _ = client.sign_in(email, self.password(email)).await;
        client
    }

    fn password(&self, email: &str) -> &str {
        self.passwords.get(email).unwrap_or_else(|| panic!("nobody printed a password of {email}"))
    }
}

impl Launch {
    /// A taiku over an existing data folder.
    pub fn in_folder(data: TempDir) -> Self {
        let mut launch = Self { environment: BTreeMap::new(), data };
        let folder = launch.data.path().display().to_string();
        let basics = [
            ("TAIKU_LISTEN", "127.0.0.1:0"),
            ("TAIKU_DEMO_LISTEN", "127.0.0.1:0"),
            ("TAIKU_DATA_DIR", &folder),
            ("TAIKU_LOG_FORMAT", "json"),
        ];
        for (name, value) in basics {
            launch = launch.env(name, value);
        }
        launch
    }

    /// Sets a variable of the environment; nothing else of this process reaches the program.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Adds the plugins of a folder.
    pub fn plugins(self, folders: &PluginFolders) -> Self {
        self.env("TAIKU_PLUGIN_DIRS", &folders.path().display().to_string())
    }

    /// Starts it with the demo provider and waits until it is ready.
    pub async fn start(self) -> TestApp {
        let mut process = Process::start("taiku", self.command().args(["serve", "--demo"]));
        let mut passwords = BTreeMap::new();
        // The lines come in any order; each is kept until all are there.
        let (mut url, mut demo) = (None, None);
        while url.is_none() || demo.is_none() || passwords.len() < 2 {
            process.line("where it listens and who can sign in", Announced::read).keep(
                &mut url,
                &mut demo,
                &mut passwords,
            );
        }
        let (url, demo) = (url.expect("it was waited for"), demo.expect("it was waited for"));
        let mut panel_url = url.clone();
        panel_url.set_host(Some("127.0.0.1")).expect("an address can be a host");
        let demo = DemoControl::new(demo);
        TestApp { url, panel_url, demo, passwords, environment: self.environment, process, data: self.data }
    }

    /// Starts it in the hope that it refuses.
    ///
    /// # Panics
    /// When it starts all the same.
    #[must_use]
    pub fn refuse(self) -> Refused {
        let (status, said) = Process::start("taiku", self.command().arg("serve")).end();
        Refused { code: status.code(), said, data: self.data }
    }

    fn command(&self) -> Command {
        command(&self.environment, self.data.path())
    }
}

fn command(environment: &BTreeMap<String, String>, folder: &Path) -> Command {
    let mut command = Command::new(binary());
    let kept = ["PATH", "HOME", "LLVM_PROFILE_FILE"].into_iter();
    let kept = kept.filter_map(|name| std::env::var(name).ok().map(|value| (name, value)));
    command.env_clear().envs(kept).envs(environment).current_dir(folder);
    command
}

enum Announced {
    App(Url),
    Demo(Url),
    User(String, String),
}

impl Announced {
    fn read(line: &str) -> Option<Self> {
        let url = |text: &str| Url::parse(text.split_whitespace().next()?).ok();
        if let Some((_, rest)) = line.split_once("demo provider on ") {
            return url(rest).map(Self::Demo);
        }
        if let Some((_, rest)) = line.split_once("listening on ") {
            return url(rest).map(Self::App);
        }
        let (_, rest) = line.split_once("sign in as ")?;
        let (email, password) = rest.split_once(" with ")?;
        Some(Self::User(email.trim().to_owned(), password.trim().to_owned()))
    }

    fn keep(self, app: &mut Option<Url>, demo: &mut Option<Url>, users: &mut BTreeMap<String, String>) {
        match self {
            Self::App(url) => *app = Some(url),
            Self::Demo(url) => *demo = Some(url),
            Self::User(email, password) => {
                users.insert(email, password);
            }
        }
    }
}

/// The program under test: `TAIKU_BIN`, or what `cargo build` made.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("TAIKU_BIN") {
        return path.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let path = target.join("debug/taiku");
    assert!(
        path.exists(),
        "{} is not there: run `cargo xtask test`, or `cargo build -p taiku-broker`, or set TAIKU_BIN",
        path.display()
    );
    path
}
