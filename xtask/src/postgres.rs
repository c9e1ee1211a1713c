//! A PostgreSQL server that lives as long as one test run.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Result},
    packages, process,
    progress::step,
};

/// Where Debian puts the servers, one folder per version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The version that the tests are written for.
const VERSION: &str = "15";
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder with `initdb` and `postgres`: version 15 if it is there, else the newest, else the one on PATH.
pub(crate) fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> =
        fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    versions.push(Path::new(DEBIAN).join(VERSION).join("bin"));
    let debian = versions.into_iter().rev().find(|bin| bin.join("initdb").is_file());
    debian.or_else(|| Some(process::find("initdb")?.parent()?.to_path_buf()))
}

/// A running server; dropping it stops it and removes its files.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Server {
    /// Makes a cluster in a temporary folder and starts it on a free port of the loopback.
    ///
    /// # Errors
    /// When PostgreSQL is missing or does not come up; its own words are part of the error.
    pub(crate) fn start() -> Result<Self> {
        step("Start a PostgreSQL server for this run", || {
            let bin = programs().ok_or_else(|| Error::MissingTool {
                tool: "the server of PostgreSQL 15".to_owned(),
                remedy: "install the package postgresql-15".to_owned(),
            })?;
            let owner = Owner::find()?;
            let folder = create_folder(&owner)?;
            let data = folder.join("data");
            process::output(
                owner
                    .command(&bin.join("initdb"))
                    .args([
                        "--auth=trust",
                        "--username=postgres",
                        "--encoding=UTF8",
                        "--no-locale",
                        "--no-sync",
                    ])
                    .arg("--pgdata")
                    .arg(&data)
                    .current_dir(&folder),
            )?;
            let port = free_port().map_err(Error::io("find a free port for", &folder))?;
            let child = spawn(&owner, &bin, &folder, port)?;
            let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
            let mut server = Self { child, folder, url };
            server.wait_until_ready(&bin, port)?;
            Ok(server)
        })
    }

    /// For `TAIKU_TEST_POSTGRES_URL`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn wait_until_ready(&mut self, bin: &Path, port: u16) -> Result<()> {
        let start = Instant::now();
        let port = port.to_string();
        loop {
            let mut ask = Command::new(bin.join("pg_isready"));
            if process::output(ask.args(["--host", "127.0.0.1", "--port", &port])).is_ok() {
                return Ok(());
            }
            let gone = self.child.try_wait().map_err(Error::io("watch", bin))?.is_some();
            if gone || start.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                let last_words = log.lines().rev().take(3).collect::<Vec<_>>().join(" / ");
                let seconds = start.elapsed().as_secs();
                return Err(Error::NotReady { what: "PostgreSQL".to_owned(), seconds, last_words });
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing of it is needed again, so it need not shut down in order.
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
        let _kept = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(owner: &Owner, bin: &Path, folder: &Path, port: u16) -> Result<Child> {
    let log = folder.join("log");
    let log = fs::File::create(&log).map_err(Error::io("create", &log))?;
    let log_too = log.try_clone().map_err(Error::io("share the log in", folder))?;
    // What a crash would lose is of no worth here, so nothing waits for the disk.
    let settings = [
        "listen_addresses=127.0.0.1",
        "max_connections=400",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
    ];
    let mut command = owner.command(&bin.join("postgres"));
    command.arg("-D").arg(folder.join("data")).arg("-p").arg(port.to_string()).arg("-k").arg(folder);
    command.args(settings.iter().flat_map(|setting| ["-c", setting]));
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_too)
        .spawn()
        .map_err(|source| Error::Start { command: process::describe(&command), source })
}

/// In the system's temporary folder, which other users can enter when our home is closed to them.
fn create_folder(owner: &Owner) -> Result<PathBuf> {
    let folder = env::temp_dir().join(format!("taiku-postgres-{}", std::process::id()));
    fs::DirBuilder::new().mode(0o700).create(&folder).map_err(Error::io("create", &folder))?;
    if let Owner::Other { user, group } = *owner {
        chown(&folder, Some(user), Some(group)).map_err(Error::io("give away", &folder))?;
    }
    Ok(folder)
}

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Who runs the server: PostgreSQL refuses to run as root.
#[derive(Debug)]
enum Owner {
    Ourselves,
    Other { user: u32, group: u32 },
}

impl Owner {
    fn find() -> Result<Self> {
        if !packages::is_root()? {
            return Ok(Self::Ourselves);
        }
        let file = Path::new("/etc/passwd");
        let users = fs::read_to_string(file).map_err(Error::io("read", file))?;
        ["postgres", "nobody"].into_iter().find_map(|name| account(&users, name)).ok_or_else(|| {
            Error::MissingTool {
                tool: "a user `postgres` or `nobody`".to_owned(),
                remedy: "PostgreSQL refuses to run as root, so run the tests as another user".to_owned(),
            }
        })
    }

    /// A program of the server. On Linux it ends with us even when we are killed.
    fn command(&self, program: &Path) -> Command {
        if process::find("setpriv").is_none() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]);
        if let Self::Other { user, group } = self {
            command.args([
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".to_owned(),
            ]);
        }
        command.arg("--").arg(program);
        command
    }
}

/// The ids of a user in the text of `/etc/passwd`.
fn account(users: &str, name: &str) -> Option<Owner> {
    let line = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let mut fields = line.split(':').skip(1);
    let user = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    Some(Owner::Other { user, group })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let users = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:8:::\npostgres:x:105:113:,,,:/var:/bin/bash\n";
        assert!(matches!(account(users, "postgres"), Some(Owner::Other { user: 105, group: 113 })));
        assert!(account(users, "nobody").is_none());
    }
}
