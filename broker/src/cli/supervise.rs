//! `taiku serve`: starts the vault and what answers requests, and starts either again when it ends.
//!
//! The listener is opened here and handed on, so that it has the same port for ever and connections wait in it while
//! the role behind it is being started. The root key goes to the vault alone.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::http::LISTENING;
use super::role::{Output, Role};
use super::serve::signal;
use super::vault::{READY, REDIRECT};
use super::{CommandError, demo, say};
use crate::broker::{StartError, make_private_dir};
use crate::config::{Config, Source};
use crate::random::Random;
use crate::sandbox::Gaps;

/// How long a role may take to end. It gives requests under way 30 seconds itself.
const DRAIN: Duration = Duration::from_secs(35);
/// How long to wait for an address that is taken.
const TAKEN: Duration = Duration::from_secs(2);
/// How soon to look again whether it is free.
const AGAIN: Duration = Duration::from_millis(20);

/// Starts everything, and ends it again when it is told to.
pub(super) async fn run(
    source: Source,
    config: Config,
    file: Option<PathBuf>,
    with_demo: bool,
    gaps: Gaps,
) -> Result<(), CommandError> {
    gaps.tell("supervisor");
    let plan = Plan::new(&source, &config, file, with_demo).await?;
    let demo = match with_demo {
        true => Some(demo::Provider::bind(config.demo_listen, &Random::system()).await?),
        false => None,
    };
    let (stop, stopped) = watch::channel(false);
    let setup = demo.as_ref().map(|demo| demo.setup.clone());
    let (mut vault, output) = Role::start("vault", plan.vault(setup)?)?;
    let redirect_uri = vault_ready(&mut vault, output).await?;
    let demo = match (demo, redirect_uri) {
        (Some(demo), Some(redirect_uri)) => Some(demo.serve(redirect_uri, stopped)?),
        _ => None,
    };
    let (mut http, output) = Role::start("http", plan.http()?)?;
    if let Err(error) = http_ready(&mut http, output).await {
        vault.stop(DRAIN).await;
        return Err(error);
    }
    tokio::select! {
        biased;
        () = signal() => {}
        () = vault.keep() => {}
        () = http.keep() => {}
    }
    tracing::info!("stopping");
    http.stop(DRAIN).await;
    vault.stop(DRAIN).await;
    let _ = stop.send(true);
    demo.iter().for_each(JoinHandle::abort);
    plan.clean_up();
    Ok(())
}

/// Waits until the vault answers. Gives the address that a demo's provider sends browsers back to.
async fn vault_ready(vault: &mut Role, mut output: Output) -> Result<Option<String>, CommandError> {
    let mut redirect_uri = None;
    while let Some(line) = output.line().await {
        if line == READY {
            output.ignore();
            return Ok(redirect_uri);
        }
        redirect_uri = line.strip_prefix(REDIRECT).map(str::to_owned).or(redirect_uri);
    }
    Err(failed(vault).await)
}

/// Waits until requests are answered, and passes on what is said until then.
async fn http_ready(http: &mut Role, mut output: Output) -> Result<(), CommandError> {
    while let Some(line) = output.line().await {
        say(&line)?;
        if line.starts_with(LISTENING) {
            output.ignore();
            return Ok(());
        }
    }
    Err(failed(http).await)
}

/// A role that did not come up has said why; its exit status is what is left to say.
async fn failed(role: &mut Role) -> CommandError {
    match role.end().await {
        Ok(status) => {
            let code = status.and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
            CommandError::Found(code.filter(|code| *code != 0).unwrap_or(1))
        }
        Err(error) => error,
    }
}

/// What the two roles are started with.
struct Plan {
    listener: TcpListener,
    port: u16,
    socket: PathBuf,
    file: Option<PathBuf>,
    /// The configuration and the environment without the root key.
    environment: Vec<(String, String)>,
    with_demo: bool,
}

impl Plan {
    async fn new(
        source: &Source,
        config: &Config,
        file: Option<PathBuf>,
        with_demo: bool,
    ) -> Result<Self, CommandError> {
        let data = &config.data_dir;
        let io = |what: String| move |error| StartError::Io { what, error };
        make_private_dir(data).map_err(io(format!("making the data folder {}", data.display())))?;
        let address = config.listen;
        let listening = || io(format!("TAIKU_LISTEN: listening on {address}"));
        let listener = listen(address).await.map_err(listening())?;
        let port = listener.local_addr().map_err(listening())?.port();
        // Whoever shares the folder has a socket of another name.
        let socket = data.join(format!("vault-{}.sock", &Random::system().id("")[..8]));
        remove_stale(data);
        Ok(Self { listener, port, socket, file, environment: source.without_root_key(), with_demo })
    }

    fn vault(
        &self,
        setup: Option<demo::Setup>,
    ) -> Result<impl Fn() -> std::io::Result<Command> + Send + 'static, CommandError> {
        let (socket, port, file, demo) = (self.socket.clone(), self.port, self.file.clone(), self.with_demo);
        // A demo is set up once; a vault that is started again finds it.
        let setup = std::sync::Mutex::new(setup.map(|setup| setup.to_variable()).transpose()?);
        Ok(move || {
            let mut command = role("vault", &socket, demo);
            command.args(["--port", &port.to_string()]).stdin(Stdio::null());
            if let Some(file) = &file {
                command.arg("--config").arg(file);
            }
            let setup = setup.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            command.envs(setup);
            Ok(command)
        })
    }

    fn http(&self) -> Result<impl Fn() -> std::io::Result<Command> + Send + 'static, CommandError> {
        let (socket, environment, demo) = (self.socket.clone(), self.environment.clone(), self.with_demo);
        let listener = self.listener.try_clone()?;
        Ok(move || {
            let mut command = role("http", &socket, demo);
            command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
            command.stdin(Stdio::from(OwnedFd::from(listener.try_clone()?)));
            Ok(command)
        })
    }

    /// Removes what the vault has left behind if it was killed.
    fn clean_up(&self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Opens the listener. The roles of a supervisor that was killed hold its listener for a moment longer.
async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let end = Instant::now() + TAKEN;
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && Instant::now() < end => {
                sleep(AGAIN).await;
            }
            listener => return listener,
        }
    }
}

/// This program in a role. It is a process group of its own, so that Ctrl-C reaches the supervisor alone.
fn role(name: &str, socket: &Path, demo: bool) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(name).arg("--socket").arg(socket);
    command.args(["--supervisor", &std::process::id().to_string()]);
    if demo {
        command.arg("--demo");
    }
    command.process_group(0).kill_on_drop(true);
    command
}

/// Removes sockets that nobody answers on any more.
fn remove_stale(data: &Path) {
    let Ok(entries) = std::fs::read_dir(data) else { return };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ours = name.starts_with("vault-") && name.ends_with(".sock");
        if ours && std::os::unix::net::UnixStream::connect(&path).is_err() {
            // Somebody else may have been faster.
            let _ = std::fs::remove_file(&path);
        }
    }
}
