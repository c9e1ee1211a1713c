//! The role that answers requests. `taiku serve` starts it, with the configuration in its environment and the listener as
//! its standard input.

use std::net::TcpListener as StdListener;
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use clap::Args;
use tokio::net::TcpListener;

use super::serve::{Host, signal};
use super::{CommandError, say};
use crate::broker::Start;
use crate::clock::Clock;
use crate::config::{Config, Source};
use crate::custody::Client;
use crate::random::Random;
use crate::sandbox::{self, Allowed, Gaps};

/// What stands before the address that the pages are served on.
pub(super) const LISTENING: &str = "listening on ";

/// Folders and files of the system that are read while requests are answered: name resolution, certificates, time
/// zones.
const SYSTEM: &[&str] =
    &["/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve", "/dev/urandom", "/dev/null"];
/// Variables that name further certificates.
const CERTIFICATES: &[&str] = &["SSL_CERT_FILE", "SSL_CERT_DIR"];

#[derive(Args)]
pub(super) struct Http {
    /// The socket of the vault.
    #[arg(long, value_name = "FILE")]
    socket: PathBuf,
    /// Let toolkits point at plain http on loopback.
    #[arg(long)]
    demo: bool,
    /// End with this process.
    #[arg(long, value_name = "PID")]
    pub(super) supervisor: Option<i32>,
}

impl Http {
    /// Gives up what answering requests does not need. Runs before there are threads.
    pub(super) fn confine(config: &Config, source: &Source) -> Gaps {
        let given = CERTIFICATES.iter().filter_map(|name| source.environment(name)).map(PathBuf::from);
        let folders = config.plugin_dirs.iter().chain(&config.toolkit_dirs).cloned();
        let read =
            SYSTEM.iter().map(PathBuf::from).chain(given).chain(folders).chain(crate::assets::on_disk());
        let never = [&config.data_dir, &config.root_key_file, &config.keyring].into_iter().cloned();
        let allowed =
            Allowed { read: read.collect(), write: config.database_files(), never: never.collect() };
        sandbox::confine(&allowed)
    }

    pub(super) async fn run(self, source: Source, config: Config, gaps: Gaps) -> Result<(), CommandError> {
        gaps.tell("http");
        let listener = StdListener::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let start = Start {
            port: listener.local_addr()?.port(),
            config,
            source,
            loopback_by_default: self.demo,
            clock: Clock::System,
            random: Random::system(),
        };
        let host = Host::start(start, listener, Client::of_socket(self.socket)).await?;
        say(&format!("{LISTENING}{} at {}", host.broker.origins.app.as_str(), host.address))?;
        signal().await;
        tracing::info!("stopping");
        host.stop().await
    }
}
