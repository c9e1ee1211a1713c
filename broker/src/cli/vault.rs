//! `taiku vault`: the role that keeps the refresh tokens and client secrets.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{CommandError, demo, say, serve};
use crate::broker::{Start, StartError};
use crate::clock::Clock;
use crate::config::{Config, Source};
use crate::custody::{Custody, refresh, revocation, server};
use crate::random::Random;
use crate::sandbox::Gaps;

/// What the supervisor reads on the output when questions are answered.
pub(super) const READY: &str = "ready";
/// What stands before the address that a demo's provider sends browsers back to.
pub(super) const REDIRECT: &str = "redirect ";

#[derive(Args)]
pub(super) struct Vault {
    /// The socket to answer on; `vault.sock` in the data folder if this is left out.
    #[arg(long, value_name = "FILE")]
    socket: Option<PathBuf>,
    /// The port of the listener that pages are served on; that of TAIKU_LISTEN if this is left out.
    #[arg(long)]
    port: Option<u16>,
    /// Let toolkits point at plain http on loopback, as `taiku serve --demo` does.
    #[arg(long)]
    demo: bool,
    /// End with this process.
    #[arg(long, value_name = "PID", hide = true)]
    pub(super) supervisor: Option<i32>,
}

impl Vault {
    pub(super) async fn run(self, source: Source, config: Config, gaps: Gaps) -> Result<(), CommandError> {
        gaps.tell("vault");
        let socket = self.socket.unwrap_or_else(|| config.data_dir.join("vault.sock"));
        let start = Start {
            port: self.port.unwrap_or(config.listen.port()),
            config,
            source,
            loopback_by_default: self.demo,
            clock: Clock::System,
            random: Random::system(),
        };
        let custody = Custody::start(&start).await?;
        if let Some(setup) = demo::Setup::handed()? {
            let redirect_uri = demo::prepare(&custody, &setup).await?;
            say(&format!("{REDIRECT}{redirect_uri}"))?;
        }
        let listener = listen(&socket)?;
        say(READY)?;
        let (stop, stopped) = watch::channel(false);
        let chores = chores(&custody, &stopped);
        server::serve(custody.clone(), listener, serve::signal()).await;
        // Nobody listens any more if every task has ended by itself.
        let _ = stop.send(true);
        settle(&custody).await;
        for chore in chores {
            if chore.await.is_err() {
                tracing::error!("something that the vault does unasked has ended unexpectedly");
            }
        }
        custody.store.close().await;
        // A supervisor that has ended already removes it, too.
        let _ = std::fs::remove_file(&socket);
        Ok(())
    }
}

/// What the vault does unasked until it is told to stop: it keeps its keys current, renews access in time and takes
/// back what an admin has ended.
pub(super) fn chores(custody: &Custody, stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(custody.watch_keys().run(stopped.clone())),
        tokio::spawn(refresh::background::run(custody.clone(), stopped.clone())),
        tokio::spawn(revocation::run(custody.clone(), stopped.clone())),
    ]
}

/// Waits for refreshes that are under way.
pub(super) async fn settle(custody: &Custody) {
    if tokio::time::timeout(serve::DRAIN, custody.settled()).await.is_err() {
        tracing::warn!("some refreshes did not end in time; they are in doubt until the next start");
    }
}

/// Opens the socket, for this user alone. One that a killed vault has left behind is replaced.
fn listen(path: &Path) -> Result<UnixListener, CommandError> {
    let failed = |error| StartError::Io { what: format!("listening on {}", path.display()), error };
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error).into()),
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}
