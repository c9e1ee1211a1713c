//! The current plugins, and the content that was current before.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use taiku_bridge::api::FailedFolder;

use super::catalog::{Found, Plugin, PluginCatalog};
use super::registry::Registry;
use super::watched::Watched;
use crate::store::grants::Pin;

/// How many former contents are kept for panels that are open.
const FORMER: usize = 64;

/// The plugins, kept current. Panels that are open keep the files they were opened with.
pub struct WatchedPlugins {
    watched: Watched<PluginCatalog>,
    kept: Mutex<Kept>,
}

/// What is or was current, what was current last at the back.
#[derive(Default)]
pub(super) struct Kept(VecDeque<Arc<Plugin>>);

impl WatchedPlugins {
    /// Loads the plugins for the first time. Reads the disk, so call it where blocking is allowed.
    #[must_use]
    pub fn new(registry: Registry, dirs: Vec<PathBuf>) -> Self {
        Self::of(Watched::new(dirs, move |dirs| PluginCatalog::load(&registry, dirs)))
    }

    pub(super) fn of(watched: Watched<PluginCatalog>) -> Self {
        let mut kept = Kept::default();
        // No pin can refuse these, so panels that are open over a restart find their files at once.
        watched.known().iter().filter(|plugin| matches!(plugin.found, Found::Shipped(_))).for_each(
            |plugin| {
                kept.0.push_back(Arc::clone(plugin));
            },
        );
        Self { watched, kept: Mutex::new(kept) }
    }

    /// The plugins that there are; `pins` are all of [`crate::store::grants::pins`], and `installed` is what was
    /// loaded from the database.
    pub async fn current(
        &self,
        pins: &BTreeMap<String, Pin>,
        installed: &[Result<Arc<Plugin>, FailedFolder>],
    ) -> Arc<PluginCatalog> {
        let catalog = self.watched.current().await.with_installed(installed);
        self.held_to(catalog, pins)
    }

    /// The content that lies in the folders now, whatever was pinned: what an admin who reloads a plugin pins
    /// next. It is not served until it is [`WatchedPlugins::current`].
    pub async fn on_disk(&self) -> Arc<PluginCatalog> {
        self.watched.reload().await
    }

    /// The plugin that is or was [`WatchedPlugins::current`] with that content, and those of the registry.
    #[must_use]
    pub fn by_hash(&self, hash: &str) -> Option<Arc<Plugin>> {
        self.kept().find(hash).cloned()
    }

    fn held_to(&self, catalog: Arc<PluginCatalog>, pins: &BTreeMap<String, Pin>) -> Arc<PluginCatalog> {
        let mut kept = self.kept();
        let catalog = catalog.pinned(pins, |hash| kept.find(hash).cloned());
        kept.keep(&catalog);
        catalog
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    pub(super) fn find(&self, hash: &str) -> Option<&Arc<Plugin>> {
        self.0.iter().rev().find(|plugin| plugin.hash == hash)
    }

    pub(super) fn keep(&mut self, catalog: &PluginCatalog) {
        self.0.retain(|kept| catalog.by_hash(&kept.hash).is_none());
        let surplus = self.0.len().saturating_sub(FORMER);
        self.0.drain(..surplus);
        self.0.extend(catalog.iter().cloned());
    }
}
