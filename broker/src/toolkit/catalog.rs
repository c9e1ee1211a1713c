//! Every toolkit that there is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use taiku_bridge::Slug;

use super::fault::Fault;
use super::folder::Folder;
use super::{Toolkit, read};

/// The toolkits of the binary and of the configured folders.
#[derive(Debug, Default)]
pub struct Catalog {
    toolkits: BTreeMap<Slug, Arc<Toolkit>>,
    faults: Vec<FolderFault>,
}

/// A folder that could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderFault {
    /// The folder's path, or the name of a built-in toolkit.
    pub folder: String,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

impl Catalog {
    /// Loads the embedded folders (see [`super::embedded`]) and every folder within `dirs`. A folder that is wrong
    /// is left out and told of in [`Catalog::faults`]; it never stops the others.
    #[must_use]
    pub fn load(embedded: impl IntoIterator<Item = Folder>, dirs: &[PathBuf]) -> Self {
        let mut catalog = Self::default();
        for folder in embedded {
            // What is inside the binary was checked by its tests, so its schemas wait until they are needed.
            catalog.add(&folder, read(&folder));
        }
        for dir in dirs {
            match folders_in(dir) {
                Ok(paths) => paths.into_iter().for_each(|path| catalog.add_from_disk(dir, path)),
                Err(fault) => catalog.note(dir.display().to_string(), vec![fault]),
            }
        }
        catalog
    }

    fn add_from_disk(&mut self, dir: &Path, path: PathBuf) {
        let inside = path.canonicalize().ok().zip(dir.canonicalize().ok());
        if !inside.is_some_and(|(path, dir)| path.starts_with(dir)) {
            let why = "is a link that leads out of the folder of toolkits; name its real place instead";
            return self.note(path.display().to_string(), vec![Fault::new("", "", why)]);
        }
        let folder = Folder::on_disk(path);
        self.add(&folder, super::check_folder(&folder));
    }

    fn add(&mut self, folder: &Folder, read: Result<Toolkit, Vec<Fault>>) {
        match read {
            Ok(toolkit) if self.toolkits.contains_key(&toolkit.slug) => {
                let why = format!("there is a toolkit {} already; rename this folder", toolkit.slug);
                self.note(folder.place(), vec![Fault::new("", "", why)]);
            }
            Ok(toolkit) => {
                self.toolkits.insert(toolkit.slug.clone(), Arc::new(toolkit));
            }
            Err(faults) => self.note(folder.place(), faults),
        }
    }

    fn note(&mut self, folder: String, faults: Vec<Fault>) {
        self.faults.push(FolderFault { folder, faults });
    }

    /// The toolkit of that slug.
    #[must_use]
    pub fn get(&self, slug: &Slug) -> Option<&Arc<Toolkit>> {
        self.toolkits.get(slug)
    }

    /// Every toolkit, in the order of the slugs.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Toolkit>> {
        self.toolkits.values()
    }

    /// The folders that could not be loaded.
    #[must_use]
    pub fn faults(&self) -> &[FolderFault] {
        &self.faults
    }
}

/// The folders in a folder, by name. Files and names that begin with a dot are not toolkits.
fn folders_in(dir: &Path) -> Result<Vec<PathBuf>, Fault> {
    let unreadable = |error: std::io::Error| {
        Fault::new("", "", format!("cannot be read: {error}; correct TAIKU_TOOLKIT_DIRS"))
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_dir() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}
