//! The files of one plugin, in memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use taiku_bridge::manifest::{Fault, path_fault};

/// Most bytes of all files of a plugin together.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Most files of a plugin, and most folders within it.
pub const MAX_FILES: usize = 2000;

/// The files of one plugin and the hash of them all.
#[derive(Debug)]
pub struct Files {
    hash: String,
    files: BTreeMap<String, Bytes>,
}

impl Files {
    /// Takes files by their paths.
    #[must_use]
    pub fn new(files: BTreeMap<String, Bytes>) -> Self {
        Self { hash: hash(&files), files }
    }

    /// Reads a folder. Names that begin with a dot are no part of a plugin and are passed over.
    ///
    /// # Errors
    /// When the folder cannot be read, is too large or holds a link or a name that cannot be in a URL. The
    /// faults' pointers are empty, because they are not about the manifest.
    pub fn read(folder: &Path) -> Result<Self, Vec<Fault>> {
        let mut reading = Reading::default();
        match reading.folder(folder, "") {
            Ok(()) if reading.faults.is_empty() => Ok(Self::new(reading.files)),
            Ok(()) => Err(reading.faults),
            Err(stop) => Err(vec![stop]),
        }
    }

    /// SHA-256 of all paths and contents, 64 lower-case hex digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The content of a file by its exact path, such as `img/logo.svg`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Bytes> {
        self.files.get(path)
    }

    /// Every path with its content, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.files.iter().map(|(path, content)| (path.as_str(), content))
    }

    /// Bytes of all files together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.files.values().map(Bytes::len).sum()
    }

    /// Every path, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}

/// Lengths stand before what they measure, so that no two sets of files make the same input.
fn hash(files: &BTreeMap<String, Bytes>) -> String {
    let mut hasher = Sha256::new();
    for (path, content) in files {
        for part in [path.as_bytes(), content] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    hex(&hasher.finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn fault(what: impl Into<String>) -> Fault {
    Fault { pointer: String::new(), what: what.into() }
}

/// A folder that is being read. Faults of single files are gathered; one that is an `Err` ends the reading.
#[derive(Default)]
struct Reading {
    files: BTreeMap<String, Bytes>,
    bytes: usize,
    entries: usize,
    faults: Vec<Fault>,
}

impl Reading {
    fn folder(&mut self, folder: &Path, path: &str) -> Result<(), Fault> {
        for (name, at) in entries(folder).map_err(|error| unreadable(path, &error))? {
            self.entries += 1;
            if self.entries > MAX_FILES {
                return Err(fault(format!("has more than {MAX_FILES} files and folders; ship fewer")));
            }
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            self.entry(&at, path)?;
        }
        Ok(())
    }

    fn entry(&mut self, at: &Path, path: String) -> Result<(), Fault> {
        if let Some(why) = path_fault(&path) {
            self.faults.push(fault(format!("`{path}` cannot be served: the path {why}; rename it")));
            return Ok(());
        }
        let kind = match fs::symlink_metadata(at) {
            Ok(metadata) => metadata.file_type(),
            Err(error) => return Err(unreadable(&path, &error)),
        };
        if kind.is_dir() {
            return self.folder(at, &path);
        }
        if !kind.is_file() {
            self.faults.push(fault(format!("`{path}` is a link or a device; put the file itself there")));
            return Ok(());
        }
        let content = read(at, MAX_BYTES - self.bytes).map_err(|error| unreadable(&path, &error))?;
        self.bytes += content.len();
        if self.bytes > MAX_BYTES {
            return Err(fault(format!("its files have more than {MAX_BYTES} bytes together; ship less")));
        }
        self.files.insert(path, content.into());
        Ok(())
    }
}

/// The visible entries of a folder, by name. A name that is not UTF-8 keeps a mark that [`path_fault`] refuses.
fn entries(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name =
            entry.file_name().into_string().unwrap_or_else(|name| format!("{}\u{0}", name.to_string_lossy()));
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
        if entries.len() > MAX_FILES {
            break;
        }
    }
    entries.sort();
    Ok(entries)
}

/// One byte more than `left` at most, so that a file that is too large is seen to be.
fn read(at: &Path, left: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(at)?.take(left as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}

fn unreadable(path: &str, error: &io::Error) -> Fault {
    let path = if path.is_empty() { "the folder" } else { path };
    fault(format!("{path} cannot be read: {error}"))
}
