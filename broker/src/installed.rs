//! The plugins of this server with what the database knows of them: content that was installed while it runs,
//! pins, and what admins allow.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use taiku_bridge::api::FailedFolder;
use taiku_bridge::manifest::Fault;
use taiku_bridge::{Code, Grant, PluginId};

use crate::broker::Broker;
use crate::events::Event;
use crate::failure::Failure;
use crate::plugin::{Files, Found, Plugin, PluginCatalog, archive};
use crate::store::grants::{self, Pin};
use crate::store::installs::{self, Install, Origin};
use crate::store::plugin_policy::{self, Policy};

/// How long content that could not be loaded is not tried again.
const RETRY: Duration = Duration::from_secs(10);

/// What there is and what of it may be used.
pub struct Current {
    /// Every plugin, those included that are blocked.
    pub catalog: Arc<PluginCatalog>,
    /// What admins allow.
    pub policy: Policy,
}

impl Current {
    /// The plugin of that id, if it may be used.
    ///
    /// # Errors
    /// `not_found` when there is none, `plugin_blocked` when the policy forbids it.
    pub fn find(&self, id: &PluginId) -> Result<&Arc<Plugin>, Failure> {
        let plugin = self.catalog.get(id).ok_or_else(|| Failure::not_found("plugin"))?;
        if self.policy.permits(id) { Ok(plugin) } else { Err(blocked(id)) }
    }

    /// The plugins that may be used, in the order of the ids.
    pub fn usable(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.catalog.iter().filter(|plugin| self.policy.permits(&plugin.manifest.id))
    }

    /// Whether a user finds a plugin on the page: what a folder or this server brings, what admins have
    /// pre-installed and what the user allowed, unless the user uninstalled it.
    #[must_use]
    pub fn is_added(&self, plugin: &Plugin, granted: bool, removed: bool) -> bool {
        let brought = !matches!(plugin.found, Found::Installed(_));
        granted
            || plugin.found == Found::Trial
            || (!removed && (brought || self.policy.rule(&plugin.manifest.id).preinstalled))
    }

    /// Whether an id is free for, or already of, a plugin that is installed while the server runs.
    ///
    /// # Errors
    /// `plugin_blocked` when the policy forbids it, `conflict` when this server or a folder brings it.
    pub fn can_be_installed(&self, id: &PluginId) -> Result<(), Failure> {
        if !self.policy.permits(id) {
            return Err(blocked(id));
        }
        match self.catalog.get(id).map(|plugin| &plugin.found) {
            None | Some(Found::Installed(_) | Found::Trial) => Ok(()),
            Some(Found::Shipped(_)) => {
                Err(Failure::new(Code::Conflict, format!("{id} comes with this server; choose another id.")))
            }
            Some(Found::Folder(_)) => Err(Failure::new(
                Code::Conflict,
                format!("{id} is in a folder of this server; remove the folder first, or choose another id."),
            )),
        }
    }
}

fn blocked(id: &PluginId) -> Failure {
    Failure::new(Code::PluginBlocked, format!("The admins of this server do not allow {id}."))
}

/// Who publishes what is installed, as the end of a sentence.
#[must_use]
pub fn publisher(origin: &Origin) -> String {
    match origin {
        Origin::Registry { url } => format!("from the registry {url}"),
        Origin::Url { origin, .. } => format!("from {origin}"),
        Origin::File { name, .. } => format!("from a file that {name} uploaded"),
    }
}

/// The plugins as they are now: folders whose content changed under a granted version are refused in it.
///
/// # Errors
/// When the database fails.
pub async fn current(broker: &Broker) -> Result<Current, Failure> {
    let mut tx = broker.store.read().await?;
    let pins = grants::pins(&mut tx).await?;
    let policy = plugin_policy::load(&mut tx).await?;
    let rows = installs::all(&mut tx).await?;
    drop(tx);
    let installed = load(broker, rows).await?;
    Ok(Current { catalog: broker.plugins.current(&pins, &installed).await, policy })
}

/// The same as a user finds them, with what the user is trying out in the place of what it replaces.
///
/// # Errors
/// When the database fails.
pub async fn current_of(broker: &Broker, user: Option<&str>) -> Result<Current, Failure> {
    let trials = user.map(|user| broker.trials.of_user(user)).unwrap_or_default();
    let Current { catalog, policy } = current(broker).await?;
    Ok(Current { catalog: catalog.with(trials), policy })
}

/// Finds a plugin that a user may use.
///
/// # Errors
/// When the database fails, there is no such plugin, or the policy forbids it.
pub async fn find(broker: &Broker, user: Option<&str>, id: &PluginId) -> Result<Arc<Plugin>, Failure> {
    current_of(broker, user).await?.find(id).cloned()
}

/// The files that are served under a hash: of what is current, or was when a panel that is still open began. What
/// admins do not allow is not served, and neither is anything while the database cannot be asked.
pub async fn files(broker: &Broker, hash: &str) -> Option<Arc<Files>> {
    // Folders and the database are read when they are first asked for: after a restart, or on a broker that has
    // not listed them yet, a page may ask for a panel before that.
    let known = || broker.plugins.by_hash(hash).or_else(|| broker.trials.by_hash(hash));
    let plugin = match known() {
        Some(plugin) => plugin,
        None => {
            current(broker).await.ok()?;
            broker.plugins.by_hash(hash)?
        }
    };
    let mut tx = broker.store.read().await.ok()?;
    let policy = plugin_policy::load(&mut tx).await.ok()?;
    policy.permits(&plugin.manifest.id).then(|| Arc::clone(&plugin.files))
}

/// Stores what a user allows a plugin, and pins the content that the user looked at.
///
/// # Errors
/// `conflict` when another version was installed meanwhile, or when the database fails.
pub async fn grant(broker: &Broker, user_id: &str, plugin: &Plugin, grant: &Grant) -> Result<(), Failure> {
    let (id, version) = (&plugin.manifest.id, plugin.manifest.version.to_string());
    let mut tx = broker.store.write().await?;
    let now_installed = installs::find(&mut tx, id).await?.map(|install| install.hash);
    let on_trial = plugin.found == Found::Trial;
    if !on_trial && plugin.found.install().map(|install| &install.hash) != now_installed.as_ref() {
        return Err(changed(id));
    }
    grants::put(&mut tx, user_id, id, &version, grant, broker.clock.now()).await?;
    installs::add_for(&mut tx, user_id, id).await?;
    if matches!(plugin.found, Found::Folder(_)) {
        let pin = Pin { version, hash: plugin.hash.clone() };
        grants::pin(&mut tx, id, &pin).await?;
    }
    tx.commit().await?;
    broker.events.tell(user_id, &Event::GrantChanged { plugin: plugin.manifest.id.to_string() });
    Ok(())
}

/// What was looked at is not what is there.
#[must_use]
pub fn changed(id: &PluginId) -> Failure {
    let message = format!("{id} has changed since you looked. Look at what it asks for and decide again.");
    Failure::new(Code::Conflict, message)
}

/// What was loaded from the database, by [`PluginId::key`], with the row that it was loaded for.
#[derive(Default)]
pub struct Loaded(tokio::sync::Mutex<BTreeMap<String, (Install, Outcome)>>);

#[derive(Clone)]
enum Outcome {
    Sound(Arc<Plugin>),
    Refused(FailedFolder, Instant),
}

/// Loads what is installed, and keeps what was loaded before. Callers wait for each other: content is loaded once.
async fn load(
    broker: &Broker,
    rows: Vec<Install>,
) -> Result<Vec<Result<Arc<Plugin>, FailedFolder>>, Failure> {
    let mut loaded = broker.loaded.0.lock().await;
    let mut kept = BTreeMap::new();
    for row in rows {
        let outcome = match loaded.remove(&row.plugin) {
            Some((known, Outcome::Sound(plugin))) if known == row => Outcome::Sound(plugin),
            Some((known, Outcome::Refused(failed, at))) if known == row && at.elapsed() < RETRY => {
                Outcome::Refused(failed, at)
            }
            Some(_) | None => load_one(broker, &row).await?,
        };
        kept.insert(row.plugin.clone(), (row, outcome));
    }
    *loaded = kept;
    Ok(loaded.values().map(|(_, outcome)| outcome.clone().into()).collect())
}

impl From<Outcome> for Result<Arc<Plugin>, FailedFolder> {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Sound(plugin) => Ok(plugin),
            Outcome::Refused(failed, _) => Err(failed),
        }
    }
}

async fn load_one(broker: &Broker, row: &Install) -> Result<Outcome, Failure> {
    let mut tx = broker.store.read().await?;
    let content = installs::content(&mut tx, &row.hash).await?;
    drop(tx);
    let install = row.clone();
    let read = tokio::task::spawn_blocking(move || unpack(content, install)).await;
    let read = read.map_err(|error| Failure::Internal(format!("loading a plugin: {error}")))?;
    Ok(match read {
        Ok(plugin) => Outcome::Sound(Arc::new(plugin)),
        Err(errors) => {
            let folder = Found::Installed(row.clone()).place();
            tracing::error!(plugin = %row.plugin, ?errors, "an installed plugin is refused");
            Outcome::Refused(FailedFolder { folder, errors, reload: None }, Instant::now())
        }
    })
}

/// Unpacks content and holds it to its row: what is served is what was installed.
fn unpack(content: Option<Vec<u8>>, row: Install) -> Result<Plugin, Vec<Fault>> {
    let fault = |what: String| vec![Fault { pointer: String::new(), what }];
    let damaged = || fault("the stored files are not those that were installed; install it again".to_owned());
    let content = content.ok_or_else(damaged)?;
    let files = archive::read(&content).map_err(|error| fault(format!("the stored files: {error}")))?;
    if files.hash() != row.hash {
        return Err(damaged());
    }
    let (id, version) = (row.plugin.clone(), row.version.clone());
    let plugin = Plugin::check(files, Found::Installed(row))?;
    let is_it = plugin.manifest.id.key() == id && plugin.manifest.version.to_string() == version;
    if is_it { Ok(plugin) } else { Err(damaged()) }
}
