//! Why the keys cannot be used. The process refuses to start with the sentence and exit code 78.

use std::io;
use std::path::PathBuf;

use super::super::{Ring, VaultError};

/// A fault of the root key or the keyring. Every sentence names the file or setting, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// There is a database but no root key.
    #[error("the root key file {} is missing; put the file back that was made with this database \
             (a new key could not open what is stored)", .0.display())]
    RootMissing(PathBuf),
    /// The root key decodes to another number of bytes.
    #[error(
        "the root key in {at} has {found} bytes and must have 32; put back the key that was made with this database"
    )]
    RootLength {
        /// The file or setting.
        at: String,
        /// How many bytes there are.
        found: usize,
    },
    /// The root key is 32 zero bytes.
    #[error(
        "the root key in {0} is all zeros, which protects nothing; put back the key that was made with this database"
    )]
    RootBlank(String),
    /// The root key is not base64.
    #[error("the root key in {0} is not base64 with padding; it must be one line of 44 characters")]
    RootEncoding(String),
    /// The keyring was wrapped by another root key.
    #[error("the root key in {root} is not the one that wrapped the keyring {}; put both back from the same installation",
            keyring.display())]
    WrongRoot {
        /// The file or setting of the root key.
        root: String,
        /// The keyring file.
        keyring: PathBuf,
    },
    /// Others may read a file with keys.
    #[error("{} has mode {mode:04o}, so that others can read or write it; run: chmod {advice:04o} {}",
            path.display(), path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it should have.
        advice: u32,
    },
    /// There is a database but no keyring.
    #[error("the keyring {} is missing; put the file back that was made with this database \
             (new keys could not open what is stored)", .0.display())]
    KeyringMissing(PathBuf),
    /// The keyring is not JSON of the right shape.
    #[error("the keyring {} is damaged at {at}: {reason}; put it back from your copy", keyring.display())]
    KeyringShape {
        /// The keyring file.
        keyring: PathBuf,
        /// The path of the wrong field.
        at: String,
        /// What is wrong.
        reason: String,
    },
    /// The keyring has another format version.
    #[error("the keyring {} has format {found}, and this version of taiku knows format 1; use the version that wrote it",
            keyring.display())]
    KeyringFormat {
        /// The keyring file.
        keyring: PathBuf,
        /// Its format.
        found: u32,
    },
    /// A key belongs to no known ring.
    #[error("the keyring {} has a key of the unknown ring `{ring}`; the rings are at, rt and cfg", keyring.display())]
    UnknownRing {
        /// The keyring file.
        keyring: PathBuf,
        /// The name found.
        ring: String,
    },
    /// A key is in no known state.
    #[error("version {version} of ring `{ring}` in {} has the unknown state `{state}`; \
             the states are active, decrypt-only and retired", keyring.display())]
    UnknownState {
        /// The keyring file.
        keyring: PathBuf,
        /// The key's ring.
        ring: Ring,
        /// The key's version.
        version: u32,
        /// The state found.
        state: String,
    },
    /// A version is there twice.
    #[error("version {version} of ring `{ring}` is in {} twice; put the keyring back from your copy", keyring.display())]
    DuplicateVersion {
        /// The keyring file.
        keyring: PathBuf,
        /// The key's ring.
        ring: Ring,
        /// The version.
        version: u32,
    },
    /// No key of a ring may seal.
    #[error("ring `{ring}` in {} has no active key; put the keyring back from your copy", keyring.display())]
    NoActiveKey {
        /// The keyring file.
        keyring: PathBuf,
        /// The ring.
        ring: Ring,
    },
    /// More than one key of a ring would seal.
    #[error("ring `{ring}` in {} has more than one active key; put the keyring back from your copy", keyring.display())]
    TwoActiveKeys {
        /// The keyring file.
        keyring: PathBuf,
        /// The ring.
        ring: Ring,
    },
    /// A wrapped key does not unwrap, or is not the key its entry says.
    #[error("version {version} of ring `{ring}` in {} is damaged: its wrapped key does not open; \
             put the keyring back from your copy", keyring.display())]
    KeyDamaged {
        /// The keyring file.
        keyring: PathBuf,
        /// The key's ring.
        ring: Ring,
        /// The key's version.
        version: u32,
    },
    /// The keys are sound and belong to another database.
    #[error("ring `{ring}` of the keyring {} does not belong to this database ({reason}); \
             start with the keyring and root key that were made with it", keyring.display())]
    OtherDatabase {
        /// The ring.
        ring: Ring,
        /// The keyring file.
        keyring: PathBuf,
        /// What happened to the check record.
        reason: VaultError,
    },
    /// A file is there and cannot be read.
    #[error("cannot read {}: {source}; check its owner and the disk", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}; check the folder's owner and the disk", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
