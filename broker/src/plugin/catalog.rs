//! Every plugin that there is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use taiku_bridge::api::{FailedFolder, Source};
use taiku_bridge::manifest::{Fault, Loaded};
use taiku_bridge::{Manifest, PluginId};

use super::files::{Files, fault};
use super::registry::Registry;
use crate::panel::content_type;

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
    pub source: Source,
    /// Where it is, as its admin knows it: the folder's path, or its name in the registry.
    pub place: String,
    /// Hash of its files, the same as [`Files::hash`].
    pub hash: String,
    /// Its files.
    pub files: Arc<Files>,
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
            let place = format!("registry: {}", entry.folder);
            let read = check(registry.files(&entry.folder), Source::Registry, place.clone());
            let read = read.and_then(|plugin| {
                if plugin.manifest.id.as_str() == entry.id {
                    return Ok(plugin);
                }
                let what = format!("must be `{}`, as in registry.json", entry.id);
                Err(vec![Fault { pointer: "/id".into(), what }])
            });
            self.add(place, read);
        }
    }

    fn add_folder(&mut self, dir: &Path, folder: &Path) {
        let place = folder.display().to_string();
        let inside = folder.canonicalize().ok().zip(dir.canonicalize().ok());
        let read = if inside.is_some_and(|(folder, dir)| folder.starts_with(dir)) {
            Files::read(folder).and_then(|files| check(files, Source::Folder, place.clone()))
        } else {
            Err(vec![fault("is a link that leads out of the folder of plugins; name its real place instead")])
        };
        self.add(place, read);
    }

    fn add(&mut self, place: String, read: Result<Plugin, Vec<Fault>>) {
        let plugin = match read {
            Ok(plugin) => plugin,
            Err(faults) => return self.fail(place, faults),
        };
        let key = plugin.manifest.id.key();
        if let Some(first) = self.plugins.get(&key) {
            let what =
                format!("`{}` is the id of {} already; choose another", plugin.manifest.id, first.place);
            return self.fail(place, vec![Fault { pointer: "/id".into(), what }]);
        }
        self.plugins.insert(key, Arc::new(plugin));
    }

    pub(super) fn fail(&mut self, folder: String, errors: Vec<Fault>) {
        self.failed.push(FailedFolder { folder, errors });
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

fn check(files: Files, source: Source, place: String) -> Result<Plugin, Vec<Fault>> {
    let text = files.get(MANIFEST).ok_or_else(|| vec![fault(format!("{MANIFEST} is missing"))])?;
    let text = std::str::from_utf8(text).map_err(|_| vec![fault(format!("{MANIFEST} is not UTF-8"))])?;
    let Loaded { manifest, mut warnings } = Manifest::parse(text)?;
    let mut faults = Vec::new();
    for (index, panel) in manifest.panels.iter().enumerate() {
        let pointer = format!("/panels/{index}/htmlUrl");
        if files.get(&panel.html_url).is_none() {
            faults.push(Fault { pointer, what: format!("names `{}`, which is not there", panel.html_url) });
        } else if !content_type::is_html(&panel.html_url) {
            let what = "is not served as HTML, so that the panel will not start; name it `….html`".into();
            warnings.push(Fault { pointer, what });
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Plugin { manifest, warnings, source, place, hash: files.hash().to_owned(), files: Arc::new(files) })
}
