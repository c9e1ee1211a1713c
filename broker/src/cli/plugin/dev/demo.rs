//! The demo host that a plugin is tried out in where there is no other.

use std::path::{Path, PathBuf};

use url::Url;

use super::client::Client;
use crate::api_key::{self, Wish};
use crate::broker::StartError;
use crate::cli::serve::Host;
use crate::cli::{CommandError, demo, log};
use crate::config::{Config, Source};
use crate::store::{api_keys, users};

/// What of the environment counts: no setting of another host of this machine may lead here to its data.
const KEPT: &[&str] = &["TAIKU_LISTEN", "TAIKU_DEMO_LISTEN", "TAIKU_LOG", "TAIKU_LOG_FORMAT"];
/// How long the tool's API key holds, in milliseconds, should the tool be killed before it revokes it: one day.
const KEY_HOLDS: i64 = 24 * 60 * 60 * 1000;

/// A running demo host.
pub(super) struct Demo {
    host: Host,
    user: String,
    key_id: String,
    key: String,
}

impl Demo {
    pub(super) async fn start(data: Option<&Path>) -> Result<Self, CommandError> {
        let data = data.map_or_else(own_folder, |data| Ok(data.to_owned()))?;
        let mut environment: Vec<(String, String)> =
            std::env::vars().filter(|(name, _)| KEPT.contains(&name.as_str())).collect();
        environment.push(("TAIKU_DATA_DIR".into(), data.display().to_string()));
        if !environment.iter().any(|(name, _)| name == "TAIKU_LOG") {
            environment.push(("TAIKU_LOG".into(), "warn".into()));
        }
        let source = Source::of(environment.into_iter());
        let config = Config::read(&source, true)?;
        log(&config)?;
        let host = Host::demo(source, config).await.map_err(in_use)?;
        let (user, key_id, key) = key(&host).await?;
        Ok(Self { host, user, key_id, key })
    }

    pub(super) async fn client(&self) -> Result<Client, CommandError> {
        let url = Url::parse(self.host.broker.origins.app.as_str());
        let url = url.map_err(|error| CommandError::Said(error.to_string()))?;
        Ok(Client::new(&url, &self.key)?)
    }

    pub(super) async fn stop(self) -> Result<(), CommandError> {
        let mut tx = self.host.broker.store.write().await?;
        api_keys::revoke(&mut tx, &self.user, &self.key_id).await?;
        tx.commit().await?;
        self.host.stop().await
    }
}

/// An API key of the demo's admin.
async fn key(host: &Host) -> Result<(String, String, String), CommandError> {
    let broker = &host.broker;
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    let found = users::by_email(&mut tx, demo::ADMIN).await?;
    let user = found.ok_or_else(|| CommandError::Said("the demo has no admin".into()))?.user.id;
    let wish =
        Wish { user_id: &user, name: "taiku plugin dev", scopes: None, expires_at: Some(now + KEY_HOLDS) };
    let (id, key) = api_key::add(&mut tx, &broker.random, &wish, now).await?;
    tx.commit().await?;
    Ok((user, id, key))
}

/// Where the demo's users, connections and consents stay between two runs.
fn own_folder() -> Result<PathBuf, CommandError> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")));
    let message = "there is no home to keep the demo's data in: name a folder with --data";
    state.map(|state| state.join("taiku/plugin-dev")).ok_or_else(|| CommandError::Said(message.into()))
}

/// Says what to do when the address is taken, which most often is another taiku.
fn in_use(error: CommandError) -> CommandError {
    match error {
        CommandError::Start(StartError::Io { what, error })
            if error.kind() == std::io::ErrorKind::AddrInUse =>
        {
            CommandError::Said(format!(
                "{what}: {error}. If it is a taiku, try the plugin out there: --url http://localhost:8080 --api-key …; \
                 otherwise set TAIKU_LISTEN=127.0.0.1:0 and TAIKU_DEMO_LISTEN=127.0.0.1:0"
            ))
        }
        other => other,
    }
}
