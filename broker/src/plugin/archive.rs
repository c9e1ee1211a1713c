//! Packed plugins: a plain `.zip` of the plugin's folder.
//!
//! ```text
//! bytes ──container──▶ entries ──names──▶ checked paths ──inflate──▶ Files
//! ```
//!
//! Nothing touches the disk. The container is read here and not by a library, because libraries are lenient where
//! a stranger's archive needs rigour: they find archives within other files, let the last of two entries with one
//! name win, and build a table of all entries before anybody has counted them. Deflate itself is `flate2`'s.
//!
//! An archive is accepted only if it has one meaning: its entries follow each other from the first byte to the
//! central directory without gap or overlap, every entry says the same of itself in both places where it is
//! described, and no two names fall together on any common file system.
//!
//! Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 to 4.5. ZIP64, several disks and encryption are refused: a
//! plugin is too small for the first two and has nothing to hide.

mod container;
mod inflate;
mod names;
mod write;

use std::collections::BTreeMap;

use bytes::Bytes;

use self::container::Entry;
pub use self::write::write;
use super::catalog::MANIFEST;
use super::files::{Files, MAX_BYTES, MAX_FILES};

/// Largest archive, in bytes: a plugin of the largest size that could not be compressed at all, and its names.
pub const MAX_ARCHIVE: usize = MAX_BYTES + 2 * 1024 * 1024;

/// Most entries of an archive. Folders, and what an operating system adds beside each file, are entries too.
const MAX_ENTRIES: usize = 2 * MAX_FILES;
/// Most bytes of all names together: comparing them costs more than anything else that is not content.
const MAX_NAMES: usize = 512 * 1024;

/// Why an archive is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It is larger than any plugin.
    #[error("the archive has {0} bytes; at most {MAX_ARCHIVE} are allowed, so ship less")]
    TooLarge(usize),
    /// There is no end record at its end.
    #[error("this is not a .zip archive, or it was cut off: pack the plugin's folder again")]
    NotZip,
    /// The end record speaks of ZIP64 or of several disks.
    #[error("the archive uses ZIP64 or several disks; pack the plugin's folder as one plain .zip")]
    Unsupported,
    /// Bytes that belong to no entry.
    #[error("the archive has bytes {0}, which belong to no file; pack the plugin's folder again")]
    Stray(&'static str),
    /// More entries than any plugin has, or longer names.
    #[error(
        "the archive has more than {MAX_ENTRIES} entries, or names of more than {MAX_NAMES} bytes together; \
         ship fewer files"
    )]
    TooManyEntries,
    /// The end record counts other entries than there are.
    #[error("the archive's list of files is damaged; pack the plugin's folder again")]
    Directory,
    /// More files and folders than a plugin may have.
    #[error("the archive has more than {MAX_FILES} files and folders; ship fewer")]
    TooManyFiles,
    /// More content than a plugin may have.
    #[error("the archive's files have more than {MAX_BYTES} bytes together, from `{0}` on; ship less")]
    TooMuch(String),
    /// There is nothing in it that could be a plugin.
    #[error("manifest.json is missing from the top of the archive, or from the one folder in it")]
    NoManifest,
    /// One entry is wrong.
    #[error("`{name}` {fault}")]
    Entry {
        /// The entry's name, shortened and without control characters.
        name: String,
        /// What is wrong with it.
        fault: EntryFault,
    },
}

/// What is wrong with an entry: a sentence without its subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Its name is no path of a file in a plugin.
    #[error("cannot be unpacked: the path {0}; rename it")]
    Name(&'static str),
    /// Its name falls together with another one.
    #[error("has the same name as `{0}` where letter case or Unicode form do not count; rename one")]
    Collides(String),
    /// It stands twice.
    #[error("stands twice in the archive; pack the plugin's folder again")]
    Twice,
    /// Its name is that of a folder.
    #[error("is a file and a folder at once; rename one")]
    FileAndFolder,
    /// It is no file.
    #[error("is {0}; put the file itself there")]
    Special(&'static str),
    /// It needs a password.
    #[error("is encrypted; pack the plugin's folder without a password")]
    Encrypted,
    /// It is compressed in another way.
    #[error("is compressed by method {0}; only stored and deflated entries are read")]
    Method(u16),
    /// Its header and the list of files differ.
    #[error("is described differently in the archive's two places; pack the plugin's folder again")]
    Differs,
    /// It shares bytes with another entry, or leaves some between.
    #[error("overlaps another entry or leaves bytes unused before it; pack the plugin's folder again")]
    Overlaps,
    /// Its content is longer than it says.
    #[error("unpacks to more than the {0} bytes that it declares")]
    Longer(usize),
    /// Its content cannot be unpacked, is shorter than it says, or has another checksum.
    #[error("is damaged; pack the plugin's folder again")]
    Damaged,
}

/// Unpacks an archive into memory.
///
/// What a folder of the same files would leave out is left out here too: names that begin with a dot, and the
/// `__MACOSX` folder that one operating system adds. If everything lies in one folder, that folder is the plugin.
///
/// # Errors
/// The first thing that is wrong. Not more than the content itself is ever held in memory.
pub fn read(bytes: &[u8]) -> Result<Files, ArchiveError> {
    if bytes.len() > MAX_ARCHIVE {
        return Err(ArchiveError::TooLarge(bytes.len()));
    }
    let mut entries = container::entries(bytes)?;
    names::distinct(entries.iter().map(|entry| (entry.path.as_str(), entry.is_folder)))?;
    fits(&entries)?;
    entries.retain(|entry| !names::is_left_out(&entry.path));
    if entries.len() > MAX_FILES {
        return Err(ArchiveError::TooManyFiles);
    }
    let top = top(&entries)?;
    let mut files = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.is_folder) {
        let path = entry.path[top.len()..].to_owned();
        let content = inflate::content(entry).map_err(|fault| refuse(&entry.path, fault))?;
        files.insert(path, Bytes::from(content));
    }
    Ok(Files::new(files))
}

/// Refuses by what is declared, before a byte is unpacked; unpacking holds every entry to what it declared.
fn fits(entries: &[Entry<'_>]) -> Result<(), ArchiveError> {
    let mut left = MAX_BYTES;
    for entry in entries {
        left =
            left.checked_sub(entry.size).ok_or_else(|| ArchiveError::TooMuch(names::shown(&entry.path)))?;
    }
    Ok(())
}

/// What every path begins with and the plugin's paths do not: empty, or one folder and its slash.
fn top(entries: &[Entry<'_>]) -> Result<String, ArchiveError> {
    let is_manifest = |path: &str| entries.iter().any(|entry| entry.path == path && !entry.is_folder);
    if is_manifest(MANIFEST) {
        return Ok(String::new());
    }
    let first = entries.first().map_or("", |entry| entry.path.as_str());
    let folder = first.split('/').next().unwrap_or_default();
    let top = format!("{folder}/");
    let within = |entry: &Entry<'_>| entry.path.starts_with(&top) || entry.path == folder;
    if entries.iter().all(within) && is_manifest(&format!("{top}{MANIFEST}")) {
        return Ok(top);
    }
    Err(ArchiveError::NoManifest)
}

fn refuse(path: &str, fault: EntryFault) -> ArchiveError {
    ArchiveError::Entry { name: names::shown(path), fault }
}

#[cfg(test)]
mod tests;
