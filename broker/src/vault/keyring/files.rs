//! Reading and writing files with keys.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::KeysError;
use crate::random::Random;

/// No file with keys is larger; what a mistaken path names might be endless.
const LARGEST: u64 = 1024 * 1024;
const OTHERS: u32 = 0o077;
/// The mode of a keyring.
pub(super) const KEYRING_MODE: u32 = 0o600;

/// The content of a file that only its owner can read, or nothing where there is no file.
///
/// # Errors
/// The file is open to others, or cannot be read.
pub(super) fn read_private(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeysError> {
    let read_error = |source| KeysError::Read { path: path.into(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(read_error(error)),
    };
    // Asked of the open file, so that no other one can take its place between the question and the reading.
    let metadata = file.metadata().map_err(read_error)?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(KeysError::OpenToOthers { path: path.into(), mode, advice: mode & !OTHERS });
    }
    // Reserved at once: a vector that grows leaves copies of the key behind.
    let mut content = Zeroizing::new(Vec::with_capacity(size_hint(metadata.len())));
    file.take(LARGEST).read_to_end(&mut content).map_err(read_error)?;
    Ok(Some(content))
}

fn size_hint(length: u64) -> usize {
    usize::try_from(length.min(LARGEST)).unwrap_or(0) + 64
}

/// Writes a file that is not there yet, whole or not at all, even over a power cut.
/// A file that another process has made meanwhile is kept.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write_new(path: &Path, content: &[u8], mode: u32, random: &Random) -> Result<(), KeysError> {
    let temporary = temporary_path(path, random);
    let result = write_and_link(path, &temporary, content, mode);
    // Left over only if removing fails, and then with the file's own mode.
    let removed = fs::remove_file(&temporary);
    result
        .and(removed)
        .and_then(|()| sync_folder(path))
        .map_err(|source| KeysError::Write { path: path.into(), source })
}

/// Links instead of renaming: a rename would replace the key that another process has made a moment ago.
fn write_and_link(path: &Path, temporary: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    match fs::hard_link(temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Puts a file in the place of another one, whole or not at all, even over a power cut.
///
/// # Errors
/// The file cannot be written; the old one is then as it was.
pub(super) fn replace(path: &Path, content: &[u8], mode: u32, random: &Random) -> Result<(), KeysError> {
    let temporary = temporary_path(path, random);
    let result = write_and_rename(path, &temporary, content, mode);
    if result.is_err() {
        // It may not have been made at all.
        let _ = fs::remove_file(&temporary);
    }
    result.and_then(|()| sync_folder(path)).map_err(|source| KeysError::Write { path: path.into(), source })
}

fn write_and_rename(path: &Path, temporary: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(temporary, path)
}

/// A lock that one process at a time holds, beside the file that it guards: that file is replaced with each change,
/// and a lock on it would be one on a file that is gone. The system frees it when its holder ends in any way.
///
/// # Errors
/// The lock's file cannot be made or locked.
pub(super) fn lock(path: &Path) -> Result<File, KeysError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let open = OpenOptions::new().write(true).create(true).truncate(false).mode(KEYRING_MODE).open(&path);
    open.and_then(|file| file.lock().map(|()| file)).map_err(|source| KeysError::Write { path, source })
}

/// What differs between a file and another one that took its place or was written over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
    mode: u32,
}

impl Stamp {
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            mode: metadata.mode(),
        })
    }
}

fn temporary_path(path: &Path, random: &Random) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(random.id(".new-"));
    name.into()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
