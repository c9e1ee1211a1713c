//! What every request needs: the configuration, the store, the keys and the catalogs.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::broadcast;

use crate::clock::Clock;
use crate::common::Common;
use crate::config::{Config, ConfigError, Source};
use crate::custody::journal::JournalError;
use crate::custody::keys::Hand;
use crate::custody::{self, News};
use crate::egress::{Egress, EgressSetupError, Policy};
use crate::events;
use crate::install::registry::Lists;
use crate::installed::Loaded;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::plugin::{Registry, Watched, WatchedPlugins};
use crate::random::Random;
use crate::rotation::watch::{self, Watch};
use crate::setup::SetupLink;
use crate::store::{self, Store, StoreError};
use crate::toolkit::{self, LoopbackHttp};
use crate::trials::Trials;
use crate::vault::{Keyring, Keys, KeysError, Ring, RootKeySource, SecretString, Vault};

/// The broker. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

/// What a [`Broker`] holds.
pub struct Inner {
    /// The configuration.
    pub config: Config,
    common: Common,
    /// Asks for what only the vault process may do.
    pub custody: custody::Client,
    /// The plugins of the registry and the folders.
    pub plugins: WatchedPlugins,
    /// The plugins of the database.
    pub loaded: Loaded,
    /// What further registries offer.
    pub registries: Lists,
    /// Plugins that their authors are trying out.
    pub trials: Trials,
    /// What is bounded per user.
    pub limits: Limits,
    /// Tells open pages what has changed.
    pub events: events::Hub,
    /// What is counted for Prometheus.
    pub metrics: Metrics,
    /// The one-time link that makes the first admin.
    pub setup: SetupLink,
}

impl Deref for Broker {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Deref for Inner {
    type Target = Common;
    fn deref(&self) -> &Common {
        &self.common
    }
}

/// Why the broker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keys are missing or wrong.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Outbound HTTP cannot be set up.
    #[error("outbound HTTP cannot be set up: {0}")]
    Egress(#[from] EgressSetupError),
    /// New tokens could not be kept safe.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A folder or an address cannot be used.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: std::io::Error,
    },
    /// Anything else, in a sentence.
    #[error("{0}")]
    Other(String),
}

impl StartError {
    /// The exit status: 78 (`EX_CONFIG` of sysexits.h) when only the admin can mend it.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Keys(_) => 78,
            Self::Store(_) | Self::Egress(_) | Self::Journal(_) | Self::Io { .. } | Self::Other(_) => 1,
        }
    }
}

/// The parts that a command line without a server needs, too: the opened database and its keys.
pub struct Opened {
    /// The database.
    pub store: Store,
    /// Seals and opens secrets.
    pub vault: Vault,
    /// Where its keys come from.
    pub keyring: Arc<Keyring>,
}

/// Opens the database and the keys, and checks that they belong together before anything is written.
///
/// # Errors
/// When either cannot be used.
pub async fn open(config: &Config, clock: &Clock, random: &Random) -> Result<Opened, StartError> {
    make_data_dir(config)?;
    let store = Store::open(&config.database_url).await?;
    let root = root_key(config);
    let keyring = if store.is_new().await? {
        Keyring::create(&root, &config.keyring, random, clock.now() / 1000)?
    } else {
        Keyring::open(&root, &config.keyring)?
    };
    let vault = Vault::new(keyring.keys()?, random.clone());
    verify(&store, &vault).await?;
    store.migrate().await?;
    enrol(&store, &vault).await?;
    Ok(Opened { store, vault, keyring: Arc::new(keyring) })
}

/// Makes the data folder where it is missing, for its owner alone.
///
/// # Errors
/// When it cannot be made.
pub fn make_data_dir(config: &Config) -> Result<(), StartError> {
    let data_dir = &config.data_dir;
    let what = || format!("making the data folder {}", data_dir.display());
    make_private_dir(data_dir).map_err(|error| StartError::Io { what: what(), error })
}

fn root_key(config: &Config) -> RootKeySource {
    match &config.root_key {
        Some(key) => RootKeySource::Value {
            setting: "TAIKU_ROOT_KEY".into(),
            value: SecretString::new(key.0.expose().to_owned()),
        },
        None => RootKeySource::File(config.root_key_file.clone()),
    }
}

/// The keys that a backup's secrets were sealed with: they must be there before the database is.
///
/// # Errors
/// When the root key or the keyring is missing or wrong.
pub fn keys_of_backup(config: &Config, random: &Random) -> Result<(Vault, Keyring), StartError> {
    let keyring = Keyring::open(&root_key(config), &config.keyring)?;
    Ok((Vault::new(keyring.keys()?, random.clone()), keyring))
}

/// Refuses a keyring that does not open the known answers of the database. Writes nothing.
pub(crate) async fn verify(store: &Store, vault: &Vault) -> Result<(), StartError> {
    if store.is_new().await? {
        return Ok(());
    }
    let mut tx = store.read().await?;
    for (name, record) in store::vault_checks::all(&mut tx).await? {
        let Some(ring) = Ring::from_name(&name) else {
            return Err(StartError::Other(format!(
                "table vault_checks: `{name}` is no ring of this version"
            )));
        };
        vault.verify_check(ring, &record)?;
    }
    Ok(())
}

/// Stores the known answers of a new database.
async fn enrol(store: &Store, vault: &Vault) -> Result<(), StartError> {
    let mut tx = store.write().await?;
    if store::vault_checks::all(&mut tx).await?.is_empty() {
        for ring in Ring::ALL {
            store::vault_checks::add(&mut tx, ring.name(), &vault.check_value(ring)).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

#[cfg(unix)]
pub(crate) fn make_private_dir(path: &PathBuf) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
pub(crate) fn make_private_dir(path: &PathBuf) -> std::io::Result<()> {
    std::fs::create_dir_all(path)
}

/// What differs between one way to run taiku and another; the same for both roles.
#[derive(Clone)]
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// The environment, for the settings of toolkits.
    pub source: Source,
    /// The port that the listener got.
    pub port: u16,
    /// Whether toolkits may point at plain http on loopback, where the configuration does not say.
    pub loopback_by_default: bool,
    /// The time.
    pub clock: Clock,
    /// Random bytes.
    pub random: Random,
}

impl Start {
    /// What either role works with, over an opened database.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub(crate) fn common(&self, store: Store, vault: Vault) -> Result<Common, StartError> {
        let allow_loopback_http = self.config.allow_loopback_http.unwrap_or(self.loopback_by_default);
        let toolkits = Watched::new(self.config.toolkit_dirs.clone(), |dirs| {
            toolkit::Catalog::load(toolkit::embedded(), dirs)
        });
        Ok(Common {
            toolkits: Arc::new(toolkits),
            egress: Egress::new(Policy { allow_loopback_http })?,
            loopback: if allow_loopback_http { LoopbackHttp::Allowed } else { LoopbackHttp::Refused },
            source: Arc::new(self.source.clone()),
            origins: self.config.origins(self.port)?,
            clock: self.clock.clone(),
            random: self.random.clone(),
            store,
            vault,
        })
    }
}

impl Broker {
    /// Puts a broker together that asks `custody` for what only the vault process may do.
    ///
    /// # Errors
    /// When the configuration, the keys or the database cannot be used.
    pub async fn start(start: Start, custody: custody::Client) -> Result<Self, StartError> {
        let store = Store::open(&start.config.database_url).await?;
        let vault = Vault::new(handed_keys(&custody).await?, start.random.clone());
        let common = start.common(store, vault)?;
        let broker = Self(Arc::new(Inner {
            plugins: WatchedPlugins::new(Registry::embedded(), start.config.plugin_dirs.clone()),
            loaded: Loaded::default(),
            registries: Lists::default(),
            trials: Trials::default(),
            limits: Limits::default(),
            events: events::Hub::new(common.random.id("")),
            metrics: Metrics::default(),
            setup: SetupLink::default(),
            config: start.config,
            custody,
            common,
        }));
        tokio::spawn(pass_on(broker.custody.news(), broker.events.clone()));
        crate::integration::reconcile(&broker).await?;
        Ok(broker)
    }

    /// What keeps the keys of this role those that the vault has.
    #[must_use]
    pub fn watch_keys(&self) -> Watch {
        Watch::new(&self.common, watch::Source::Vault(self.custody.clone()), "http")
    }
}

/// The keys that the vault hands over, once it answers.
async fn handed_keys(custody: &custody::Client) -> Result<Keys, StartError> {
    let handed = custody.ask(Hand { known: None }).await;
    let handed =
        handed.map_err(|failure| StartError::Other(format!("the vault gives no keys: {failure:?}")))?;
    let handed = handed.ok_or_else(|| StartError::Other("the vault gives no keys".into()))?;
    handed.take().map_err(|error| StartError::Other(error.to_string()))
}

/// Tells open pages what the vault has told.
async fn pass_on(mut news: broadcast::Receiver<News>, events: events::Hub) {
    loop {
        match news.recv().await {
            Ok(News { user_id, event }) => events.tell(&user_id, &event),
            // Who misses an event reads again with the next one.
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "news of the vault came faster than they could be told");
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
