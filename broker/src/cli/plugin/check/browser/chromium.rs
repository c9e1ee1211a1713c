//! Finds and starts Chromium.

use std::env;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

/// Names the browser; it comes before what is on the path.
const VARIABLE: &str = "CHROME";
/// Names of browsers that speak the DevTools protocol.
const NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "brave-browser",
];
/// Where macOS has it, which is on no path.
const ELSEWHERE: &[&str] = &[
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const FLAGS: &[&str] = &[
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    // What is checked reaches nothing, even where the headers had a hole.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "about:blank",
];
/// How long a browser may take to say where it listens.
const START: Duration = Duration::from_secs(30);

/// A running browser with a profile of its own; it ends with this value.
pub(super) struct Chromium {
    /// Address of its DevTools, `ws://…`.
    pub(super) address: String,
    _child: Child,
    _profile: TempDir,
}

/// Why there is no browser.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum LaunchError {
    /// None was found.
    #[error(
        "there is no Chromium or Chrome on the path; install one, name it in CHROME, or pass --no-browser"
    )]
    NotFound,
    /// It does not start.
    #[error("{0} does not start: {1}")]
    Start(String, std::io::Error),
    /// It starts and cannot be driven.
    #[error("{0} did not say where its DevTools listen: {1}")]
    Silent(String, String),
}

impl Chromium {
    pub(super) async fn start() -> Result<Self, LaunchError> {
        let program = find().ok_or(LaunchError::NotFound)?;
        let name = program.display().to_string();
        let cannot = |error| LaunchError::Start(name.clone(), error);
        let profile = TempDir::new().map_err(cannot)?;
        let mut command = Command::new(&program);
        command.args(FLAGS).arg(format!("--user-data-dir={}", profile.path().display()));
        if is_root() {
            // Chromium refuses to use its sandbox as root.
            command.arg("--no-sandbox");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(cannot)?;
        let address = match child.stderr.take() {
            Some(output) => timeout(START, listening(BufReader::new(output).lines())).await,
            None => Ok(Err(String::new())),
        };
        let silent = |said: String| LaunchError::Silent(name.clone(), said);
        let address = address.map_err(|_| silent("it took too long".into()))?.map_err(silent)?;
        Ok(Self { address, _child: child, _profile: profile })
    }
}

/// The address that it prints, or the last that it said. What it says afterwards is read and dropped, so that it never
/// waits for a reader.
async fn listening(mut lines: Lines<BufReader<ChildStderr>>) -> Result<String, String> {
    let mut last = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some((_, address)) = line.split_once("DevTools listening on ") {
            let address = address.trim().to_owned();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(address);
        }
        last = line;
    }
    Err(last)
}

fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        return Some(named.into());
    }
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let on_path = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    on_path.chain(ELSEWHERE.iter().map(PathBuf::from)).find(|path| path.is_file())
}

/// Who this process is, where the system tells.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
