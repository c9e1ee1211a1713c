//! The key that backups are encrypted to: a file of its own, of no use for anything else.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::random::Random;

/// A backup key.
pub struct BackupKey(pub(super) Zeroizing<[u8; 32]>);

/// Why a backup key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupKeyError {
    /// It is not there.
    #[error("the backup key {} is missing: bring the one that the backup was made with", .0.display())]
    Missing(PathBuf),
    /// It cannot be read or written.
    #[error("the backup key {}: {error}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others may read it.
    #[error("the backup key {} may be read by others: chmod 0400 it", .0.display())]
    Open(PathBuf),
    /// It is no key.
    #[error("the backup key {} is not base64 of 32 bytes", .0.display())]
    Malformed(PathBuf),
}

impl BackupKey {
    /// Reads the key, or makes one. Returns whether it is new.
    ///
    /// # Errors
    /// When it can be neither read nor written.
    pub fn read_or_make(path: &Path, random: &Random) -> Result<(Self, bool), BackupKeyError> {
        match Self::read(path) {
            Err(BackupKeyError::Missing(_)) => {}
            read => return read.map(|key| (key, false)),
        }
        let failed = |error| BackupKeyError::File { path: path.to_owned(), error };
        let key = Zeroizing::new(random.bytes::<32>());
        let line = Zeroizing::new(STANDARD.encode(*key) + "\n");
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o400).open(path).map_err(failed)?;
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok((Self(key), true))
    }

    /// Reads the key.
    ///
    /// # Errors
    /// When it is missing, may be read by others or is no key.
    pub fn read(path: &Path) -> Result<Self, BackupKeyError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => BackupKeyError::Missing(path.to_owned()),
            _ => BackupKeyError::File { path: path.to_owned(), error },
        };
        let mut file = OpenOptions::new().read(true).open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(BackupKeyError::Open(path.to_owned()));
        }
        let mut line = Zeroizing::new(String::new());
        file.read_to_string(&mut line).map_err(failed)?;
        let malformed = || BackupKeyError::Malformed(path.to_owned());
        let bytes = STANDARD.decode(line.trim()).map(Zeroizing::new).map_err(|_| malformed())?;
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| malformed())?;
        if key == [0; 32] { Err(malformed()) } else { Ok(Self(Zeroizing::new(key))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.key");
        assert!(matches!(BackupKey::read(&path), Err(BackupKeyError::Missing(_))));
        let (made, is_new) = BackupKey::read_or_make(&path, &Random::system()).unwrap();
        let (read, again) = BackupKey::read_or_make(&path, &Random::system()).unwrap();
        assert_eq!((is_new, again), (true, false));
        assert_eq!(made.0, read.0);
        let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        set(0o644);
        assert!(matches!(BackupKey::read(&path), Err(BackupKeyError::Open(_))));
        set(0o600);
        for wrong in ["", "short", &STANDARD.encode([0; 32]), &STANDARD.encode([1; 31])] {
            std::fs::write(&path, wrong).unwrap();
            assert!(matches!(BackupKey::read(&path), Err(BackupKeyError::Malformed(_))), "{wrong}");
        }
    }
}
