//! Every plugin that there is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use taiku_bridge::api::{FailedFolder, OWN_PUBLISHER, Source};
use taiku_bridge::manifest::{Fault, Loaded};
use taiku_bridge::{Manifest, PluginId};

use super::files::{Files, fault};
use super::registry::Registry;
use crate::panel::content_type;
use crate::store::installs::Install;

/// Name of the manifest within a plugin's folder.
pub(crate) const MANIFEST: &str = "manifest.json";

/// A plugin that can be opened.
#[derive(Debug)]
pub struct Plugin {
    /// What it asks for and shows.
    pub manifest: Manifest,
    /// What its author should know.
    pub warnings: Vec<Fault>,
    /// Where it comes from.
    pub found: Found,
    /// Hash of its files, the same as [`Files::hash`].
    pub hash: String,
    /// Its files.
    pub files: Arc<Files>,
}

/// Where a plugin was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Within the binary, in the folder of that name.
    Shipped(String),
    /// A folder of `TAIKU_PLUGIN_DIRS`.
    Folder(PathBuf),
    /// In the database.
    Installed(Install),
    /// With its author, who is trying it out.
    Trial,
}

impl Found {
    /// The kind of place, as the API names it.
    #[must_use]
    pub fn source(&self) -> Source {
        match self {
            Self::Shipped(_) => Source::Registry,
            Self::Folder(_) => Source::Folder,
            Self::Installed(install) => install.origin.source(),
            Self::Trial => Source::Trial,
        }
    }

    /// Who publishes it, as the API names them.
    #[must_use]
    pub fn publisher(&self) -> &str {
        match self {
            Self::Shipped(_) => OWN_PUBLISHER,
            Self::Folder(_) => Source::Folder.as_str(),
            Self::Installed(install) => install.origin.shown(),
            Self::Trial => Source::Trial.as_str(),
        }
    }

    /// The place, as an admin knows it.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Shipped(folder) => format!("registry: {folder}"),
            Self::Folder(path) => path.display().to_string(),
            Self::Installed(install) => format!("installed: {}", install.plugin),
            Self::Trial => Source::Trial.as_str().to_owned(),
        }
    }

    /// The row of what was installed while the server ran.
    #[must_use]
    pub fn install(&self) -> Option<&Install> {
        match self {
            Self::Shipped(_) | Self::Folder(_) | Self::Trial => None,
            Self::Installed(install) => Some(install),
        }
    }
}

/// The plugins of the registry and of the configured folders.
#[derive(Clone, Debug, Default)]
pub struct PluginCatalog {
    pub(super) plugins: BTreeMap<String, Arc<Plugin>>,
    pub(super) failed: Vec<FailedFolder>,
}

impl PluginCatalog {
    /// Loads the registry and every folder within `dirs`. Reads the disk, so call it where blocking is allowed.
    ///
    /// A folder that is wrong is left out and told of in [`PluginCatalog::failed`]; it never stops the others.
    #[must_use]
    pub fn load(registry: &Registry, dirs: &[PathBuf]) -> Self {
        let mut catalog = Self::default();
        catalog.add_registry(registry);
        for dir in dirs {
            match folders_in(dir) {
                Ok(folders) => folders.iter().for_each(|folder| catalog.add_folder(dir, folder)),
                Err(fault) => catalog.fail(dir.display().to_string(), vec![fault]),
            }
        }
        catalog
    }

    fn add_registry(&mut self, registry: &Registry) {
        let entries = registry.entries().unwrap_or_else(|fault| {
            self.fail("registry".into(), vec![fault]);
            Vec::new()
        });
        for entry in entries {
            let found = Found::Shipped(entry.folder.clone());
            let read = Plugin::check(registry.files(&entry.folder), found.clone()).and_then(|plugin| {
                if plugin.manifest.id.as_str() == entry.id {
                    return Ok(plugin);
                }
                let what = format!("must be `{}`, as in registry.json", entry.id);
                Err(vec![Fault { pointer: "/id".into(), what }])
            });
            self.add(&found, read);
        }
    }

    fn add_folder(&mut self, dir: &Path, folder: &Path) {
        let found = Found::Folder(folder.to_owned());
        let inside = folder.canonicalize().ok().zip(dir.canonicalize().ok());
        let read = if inside.is_some_and(|(folder, dir)| folder.starts_with(dir)) {
            Files::read(folder).and_then(|files| Plugin::check(files, found.clone()))
        } else {
            Err(vec![fault("is a link that leads out of the folder of plugins; name its real place instead")])
        };
        self.add(&found, read);
    }

    fn add(&mut self, found: &Found, read: Result<Plugin, Vec<Fault>>) {
        let plugin = match read {
            Ok(plugin) => plugin,
            Err(faults) => return self.fail(found.place(), faults),
        };
        let key = plugin.manifest.id.key();
        if let Some(first) = self.plugins.get(&key) {
            return self.fail(found.place(), vec![taken(&plugin, first)]);
        }
        self.plugins.insert(key, Arc::new(plugin));
    }

    /// The catalog with what was installed while the server ran. It goes before a folder with the same id: users
    /// allowed something to what is installed. What is shipped goes before both.
    #[must_use]
    pub fn with_installed(self: Arc<Self>, installed: &[Result<Arc<Plugin>, FailedFolder>]) -> Arc<Self> {
        if installed.is_empty() {
            return self;
        }
        let mut catalog = (*self).clone();
        for read in installed {
            match read {
                Ok(plugin) => catalog.add_installed(plugin),
                Err(failed) => catalog.failed.push(failed.clone()),
            }
        }
        Arc::new(catalog)
    }

    fn add_installed(&mut self, plugin: &Arc<Plugin>) {
        let key = plugin.manifest.id.key();
        match self.plugins.get(&key).cloned() {
            Some(first) if matches!(first.found, Found::Shipped(_)) => {
                return self.fail(plugin.found.place(), vec![taken(plugin, &first)]);
            }
            Some(first) => self.fail(first.found.place(), vec![taken(&first, plugin)]),
            None => {}
        }
        self.plugins.insert(key, Arc::clone(plugin));
    }

    pub(super) fn fail(&mut self, folder: String, errors: Vec<Fault>) {
        self.failed.push(FailedFolder { folder, errors, reload: None });
    }

    /// The catalog with these plugins in the place of those that have the same ids.
    #[must_use]
    pub fn with(self: Arc<Self>, plugins: Vec<Arc<Plugin>>) -> Arc<Self> {
        if plugins.is_empty() {
            return self;
        }
        let mut catalog = (*self).clone();
        catalog.plugins.extend(plugins.into_iter().map(|plugin| (plugin.manifest.id.key(), plugin)));
        Arc::new(catalog)
    }

    /// The plugin of that id, without regard to case.
    #[must_use]
    pub fn get(&self, id: &PluginId) -> Option<&Arc<Plugin>> {
        self.plugins.get(&id.key())
    }

    /// The files with that hash.
    #[must_use]
    pub fn by_hash(&self, hash: &str) -> Option<Arc<Files>> {
        self.iter().find(|plugin| plugin.hash == hash).map(|plugin| Arc::clone(&plugin.files))
    }

    /// Every plugin, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.plugins.values()
    }

    /// The folders that could not be loaded.
    #[must_use]
    pub fn failed(&self) -> &[FailedFolder] {
        &self.failed
    }
}

/// The folders in a folder, by name. Files and names that begin with a dot are not plugins.
fn folders_in(dir: &Path) -> Result<Vec<PathBuf>, Fault> {
    let unreadable =
        |error: std::io::Error| fault(format!("cannot be read: {error}; correct TAIKU_PLUGIN_DIRS"));
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

fn taken(plugin: &Plugin, first: &Plugin) -> Fault {
    let what =
        format!("`{}` is the id of {} already; choose another", plugin.manifest.id, first.found.place());
    Fault { pointer: "/id".into(), what }
}

impl Plugin {
    /// Checks that files are a plugin.
    ///
    /// # Errors
    /// Every fault of the manifest, and every panel that is not there.
    pub fn check(files: Files, found: Found) -> Result<Self, Vec<Fault>> {
        let Loaded { manifest, mut warnings } = manifest(&files)?;
        let mut faults = Vec::new();
        for (index, panel) in manifest.panels.iter().enumerate() {
            let pointer = format!("/panels/{index}/htmlUrl");
            if files.get(&panel.html_url).is_none() {
                faults
                    .push(Fault { pointer, what: format!("names `{}`, which is not there", panel.html_url) });
            } else if !content_type::is_html(&panel.html_url) {
                let what = "is not served as HTML, so that the panel will not start; name it `….html`".into();
                warnings.push(Fault { pointer, what });
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self { manifest, warnings, found, hash: files.hash().to_owned(), files: Arc::new(files) })
    }
}

/// The manifest among files.
pub(crate) fn manifest(files: &Files) -> Result<Loaded, Vec<Fault>> {
    let text = files.get(MANIFEST).ok_or_else(|| vec![fault(format!("{MANIFEST} is missing"))])?;
    let text = std::str::from_utf8(text).map_err(|_| vec![fault(format!("{MANIFEST} is not UTF-8"))])?;
    Manifest::parse(text)
}
