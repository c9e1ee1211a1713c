//! `taiku plugin dev`: a plugin in a running host, loaded again when its files change, with every call shown.
//!
//! ```text
//! folder ──watched──▶ PUT /trials/{id} ──▶ host ──plugins_changed──▶ its author's open panels load again
//! terminal, /dev/{id} ◀── GET /trials/{id}/calls ◀── what those panels asked for
//! ```
//!
//! The host is one that is running, or a demo host that this command starts; it is spoken to in the same way.

mod client;
mod demo;
mod show;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use taiku_bridge::Manifest;
use url::Url;

use self::client::{Client, ClientError};
use self::demo::Demo;
use super::check::{self, Checked};
use super::report::Level;
use crate::cli::{CommandError, say, serve};
use crate::plugin::{Files, MANIFEST, Watched};

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long to wait before a host that cannot be reached is asked again.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub(in crate::cli) struct Dev {
    /// The plugin's folder.
    folder: PathBuf,
    /// A host that is running, such as `http://localhost:8080`; without it a demo host is started.
    #[arg(long, requires = "api_key")]
    url: Option<Url>,
    /// API key of an admin of that host, whose browser then shows the plugin.
    #[arg(long, env = "TAIKU_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: Option<String>,
    /// Where the demo host keeps its data; a folder of its own in your home if this is left out.
    #[arg(long, value_name = "FOLDER", conflicts_with = "url")]
    data: Option<PathBuf>,
}

impl Dev {
    pub(super) async fn run(self) -> Result<(), CommandError> {
        let changes = Changes::of(&self.folder).await;
        let Some(begun) = self.look().await? else {
            return Err(CommandError::Said("mend the faults first; then this can begin".into()));
        };
        if let (Some(url), Some(key)) = (&self.url, &self.api_key) {
            return self.serve(Client::new(url, key)?, begun, changes).await;
        }
        let demo = Demo::start(self.data.as_deref()).await?;
        let client = demo.client().await?;
        let served = self.serve(client, begun, changes).await;
        demo.stop().await?;
        served
    }

    /// The plugin in the folder if it has no faults; what was found is printed.
    async fn look(&self) -> Result<Option<Plugin>, CommandError> {
        // The author's own browser shows what a browser would complain of.
        let Checked { report, files } = check::examine(&self.folder, false).await?;
        if !report.findings.is_empty() {
            say(&report.text(&self.folder.display().to_string()))?;
        }
        Ok(files.filter(|_| report.count(Level::Fault) == 0).and_then(Plugin::of))
    }

    /// Serves the folder until the author ends it.
    async fn serve(&self, client: Client, plugin: Plugin, changes: Changes) -> Result<(), CommandError> {
        let session = Session { manifest: plugin.manifest.clone(), client, plugin: Mutex::new(plugin) };
        session.put().await?;
        say(&session.welcome()?)?;
        let ended = tokio::select! {
            ended = self.follow(&session, changes) => ended,
            ended = session.listen() => ended,
            () = serve::signal() => Ok(()),
        };
        // A host that is gone has nothing left of the plugin.
        let _ = session.client.remove(&session.manifest.id).await;
        ended
    }

    /// Gives the host what is in the folder, whenever that changes.
    async fn follow(&self, session: &Session, mut changes: Changes) -> Result<(), CommandError> {
        loop {
            changes.next().await;
            if let Some(plugin) = self.look().await? {
                session.change(plugin).await?;
            }
        }
    }
}

/// The changes of a folder from one moment on, which is before its files are read for the first time.
struct Changes {
    watched: Watched<()>,
    seen: Arc<()>,
}

impl Changes {
    async fn of(folder: &Path) -> Self {
        let watched = Watched::with_interval(vec![folder.to_owned()], LOOK, |_| ());
        let seen = watched.current().await;
        Self { watched, seen }
    }

    /// Waits for the next one.
    async fn next(&mut self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.watched.current().await;
            if !Arc::ptr_eq(&self.seen, &now) {
                self.seen = now;
                return;
            }
        }
    }
}

/// A plugin without faults.
struct Plugin {
    manifest: Manifest,
    files: Arc<Files>,
}

impl Plugin {
    fn of(files: Arc<Files>) -> Option<Self> {
        let text = std::str::from_utf8(files.get(MANIFEST)?).ok()?;
        Some(Self { manifest: Manifest::parse(text).ok()?.manifest, files })
    }
}

/// A plugin in a host.
struct Session {
    /// As it was at the start: the id stays.
    manifest: Manifest,
    client: Client,
    /// As it is now.
    plugin: Mutex<Plugin>,
}

impl Session {
    fn files(&self) -> Arc<Files> {
        Arc::clone(&self.plugin.lock().unwrap_or_else(PoisonError::into_inner).files)
    }

    async fn put(&self) -> Result<(), ClientError> {
        self.client.put(&self.manifest.id, &self.files()).await
    }

    async fn change(&self, plugin: Plugin) -> Result<(), CommandError> {
        if plugin.manifest.id != self.manifest.id {
            let message = format!("the id is {} now: start this command again", plugin.manifest.id);
            return Err(CommandError::Said(message));
        }
        if plugin.files.hash() == self.files().hash() {
            return Ok(());
        }
        *self.plugin.lock().unwrap_or_else(PoisonError::into_inner) = plugin;
        match self.put().await {
            Ok(()) => say(&show::note("reloaded")),
            Err(error) => say(&show::note(&format!("not reloaded: {error}"))),
        }
    }

    /// Prints the calls of the plugin's panels as they come.
    async fn listen(&self) -> Result<(), CommandError> {
        let mut newest = 0;
        loop {
            match self.client.calls(&self.manifest.id, newest).await {
                Ok(calls) => {
                    newest = calls.last().map_or(newest, |call| call.number);
                    calls.iter().try_for_each(|call| say(&show::call(&call.call)))?;
                }
                // The host was started again, or this tool was not heard for too long.
                Err(ClientError::NotThere) => {
                    newest = 0;
                    match self.put().await {
                        Ok(()) => say(&show::note("the host has the plugin again"))?,
                        Err(error) => self.wait(&error).await?,
                    }
                }
                Err(error) => self.wait(&error).await?,
            }
        }
    }

    async fn wait(&self, error: &ClientError) -> Result<(), CommandError> {
        if let ClientError::Refused { .. } = error {
            return Err(CommandError::Said(error.to_string()));
        }
        tokio::time::sleep(AGAIN).await;
        Ok(())
    }

    fn welcome(&self) -> Result<String, CommandError> {
        let Manifest { id, name, version, panels, .. } = &self.manifest;
        let panels: Vec<String> = panels
            .iter()
            .map(|panel| format!("  {}", self.client.page(&["panel", id.as_str(), &panel.id])))
            .collect();
        Ok(format!(
            "{name} ({id} {version}) is in the host, for you alone. Its panels:\n{}\n\
             Every call is shown here, and can be searched at\n  {}\n\
             Save a file, and open panels load again. Ctrl+C ends.",
            panels.join("\n"),
            self.client.page(&["dev", id.as_str()]),
        ))
    }
}

impl From<ClientError> for CommandError {
    fn from(error: ClientError) -> Self {
        Self::Said(error.to_string())
    }
}
