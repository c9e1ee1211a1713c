//! `taiku backup` and `taiku restore`

use std::path::{Path, PathBuf};

use clap::Args;

use super::{CommandError, say};
use crate::backup::key::{BackupKey, BackupKeyError};
use crate::backup::{self, BackupError, Summary};
use crate::broker;
use crate::clock::Clock;
use crate::config::Config;
use crate::random::Random;
use crate::store::Store;

#[derive(Args)]
pub(super) struct Arguments {
    /// The backup.
    file: PathBuf,
    /// The key that it is encrypted to; `backup.key` in the data folder otherwise.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl Arguments {
    fn key(&self, config: &Config) -> PathBuf {
        self.key.clone().unwrap_or_else(|| config.data_dir.join("backup.key"))
    }
}

impl From<BackupError> for CommandError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Keys(error) => Self::Start(error.into()),
            BackupError::Store(error) => Self::Start(error.into()),
            other => Self::Said(other.to_string()),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn said(error: BackupKeyError) -> CommandError {
    CommandError::Said(error.to_string())
}

/// Writes a backup. Brokers may go on serving, and no key of theirs is needed.
pub(super) async fn create(arguments: &Arguments, config: &Config) -> Result<(), CommandError> {
    let (clock, random) = (Clock::System, Random::system());
    let key_file = arguments.key(config);
    let store = existing(config).await?;
    let (key, is_new) = BackupKey::read_or_make(&key_file, &random).map_err(said)?;
    let summary = backup::create(&store, &key, &arguments.file, &random, clock.now()).await?;
    store.close().await;
    if is_new {
        say(&format!("made the backup key {}", key_file.display()))?;
    }
    let Summary { tables, rows, .. } = summary;
    say(&format!("wrote {}: {rows} rows of {tables} tables", arguments.file.display()))?;
    say(&format!("encrypted to {}; keep a copy of it away from this machine", key_file.display()))?;
    say(&format!(
        "not in it: the keyring {} and the root key {}. Without them nothing sealed in this backup can be opened: \
         keep copies of both, apart from the backup and from each other",
        config.keyring.display(),
        root_key(config).display(),
    ))
}

fn root_key(config: &Config) -> &Path {
    if config.root_key.is_some() { Path::new("TAIKU_ROOT_KEY") } else { &config.root_key_file }
}

/// Opens the database, and makes none.
async fn existing(config: &Config) -> Result<Store, CommandError> {
    let missing = config.database_url.strip_prefix("sqlite://").filter(|path| {
        let path = path.split('?').next().unwrap_or_default();
        !Path::new(path).exists()
    });
    if let Some(path) = missing {
        return Err(CommandError::Said(format!("there is no database {path} to back up")));
    }
    let store = Store::open(&config.database_url).await?;
    if store.is_new().await? {
        return Err(CommandError::Said("the database is empty: there is nothing to back up".into()));
    }
    Ok(store)
}

/// Brings a backup into an empty database.
pub(super) async fn restore(arguments: &Arguments, config: &Config) -> Result<(), CommandError> {
    let key = BackupKey::read(&arguments.key(config)).map_err(said)?;
    let random = Random::system();
    let (vault, _) = broker::keys_of_backup(config, &random)?;
    broker::make_data_dir(config)?;
    let store = Store::open(&config.database_url).await?;
    let summary = backup::restore(&store, &vault, &key, &arguments.file, Clock::System.now()).await;
    store.close().await;
    let summary = summary?;
    let Summary { rows, tables, marked, .. } = summary;
    say(&format!("restored {rows} rows of {tables} tables, as of {}", backup::made_at(&summary)))?;
    say(&format!(
        "{marked} connections will be looked at when they are next used. One whose refresh token may have been used \
         since the backup asks its user to connect again, where the provider would take the old token for a theft"
    ))?;
    say("everybody has to sign in again")?;
    say(
        "look through what has changed since the backup: users who were disabled, API keys that were revoked and \
         plugins that were blocked then are as they were before (`taiku user list`, `taiku api-key list`)",
    )
}
