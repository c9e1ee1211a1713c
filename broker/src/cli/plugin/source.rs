//! Where the files of a plugin are read from.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use crate::plugin::{Files, archive};

use super::report::{Finding, Level};

/// Why there is nothing to look at.
pub(super) enum Unread {
    /// There is no such folder or file, or it cannot be opened.
    Missing(String),
    /// It is there, and is no plugin.
    Faults(Vec<Finding>),
}

/// Reads a plugin's folder, or a packed plugin.
pub(super) fn read(place: &Path) -> Result<Files, Unread> {
    let missing = |error: std::io::Error| Unread::Missing(format!("{}: {error}", place.display()));
    let faults = |whats: Vec<String>| {
        Unread::Faults(whats.into_iter().map(|what| Finding::of_folder(Level::Fault, what)).collect())
    };
    if fs::metadata(place).map_err(missing)?.is_dir() {
        let read = Files::read(place);
        return read.map_err(|found| faults(found.into_iter().map(|fault| fault.what).collect()));
    }
    let mut bytes = Vec::new();
    // One byte more than the largest archive, so that one that is too large is seen to be.
    let most = archive::MAX_ARCHIVE as u64 + 1;
    File::open(place).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(missing)?;
    archive::read(&bytes).map_err(|error| faults(vec![error.to_string()]))
}
