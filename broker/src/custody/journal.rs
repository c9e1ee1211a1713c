//! The escrow journal: new tokens are on disk before anything else happens to them.
//!
//! A provider that rotates has forgotten the old refresh token when we get the new one. Between its answer and the
//! commit in the database a crash, a full disk or a database that is away would lose the grant; so the answer is
//! appended here first, sealed with ring `rt` and synchronised, and crossed out once the database has it. What is not
//! crossed out is stored when the process starts again, or when the database is back.
//!
//! A process has one file of its own, held by a lock that ends with the process. Whoever gets the lock of another file
//! knows that its writer is dead: its entries are stored, and its leases end at once instead of running out.

mod log;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use taiku_bridge::Slug;

use self::log::Log;
use crate::random::Random;
use crate::store::connections::SealedTokens;
use crate::vault::Vault;

/// Most processes that share a data folder.
const MOST: usize = 64;

/// What a refresh has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The connection.
    pub connection: String,
    /// Whose it is.
    pub user: String,
    /// At which toolkit.
    pub toolkit: Slug,
    /// What the tokens are bound to.
    pub context: [u8; 32],
    /// Under whose lease.
    pub owner: String,
    /// Under which claim.
    pub fence: i64,
    /// The generation whose refresh token gave them. They are sealed for the next one.
    pub generation: i64,
    /// The tokens, as they go into the row.
    pub tokens: SealedTokens,
    /// What the provider granted, where it said so.
    pub scopes: Option<Vec<String>>,
    /// Whether the request was a repetition.
    pub repeated: bool,
}

/// An entry as text. The tokens in it are vault records of their own.
#[derive(Serialize, Deserialize)]
struct Written {
    connection: String,
    user: String,
    toolkit: String,
    context: String,
    owner: String,
    fence: i64,
    generation: i64,
    access: String,
    refresh: Option<String>,
    lifetime: Option<i64>,
    expires_at: Option<i64>,
    scopes: Option<Vec<String>>,
    repeated: bool,
}

impl Entry {
    fn write(&self) -> Vec<u8> {
        let written = Written {
            connection: self.connection.clone(),
            user: self.user.clone(),
            toolkit: self.toolkit.to_string(),
            context: BASE64_STANDARD.encode(self.context),
            owner: self.owner.clone(),
            fence: self.fence,
            generation: self.generation,
            access: BASE64_STANDARD.encode(&self.tokens.access),
            refresh: self.tokens.refresh.as_ref().map(|record| BASE64_STANDARD.encode(record)),
            lifetime: self.tokens.lifetime,
            expires_at: self.tokens.expires_at,
            scopes: self.scopes.clone(),
            repeated: self.repeated,
        };
        // A struct of texts and numbers always has a form.
        serde_json::to_vec(&written).unwrap_or_default()
    }

    fn read(text: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(text).ok()?;
        let bytes = |text: &str| BASE64_STANDARD.decode(text).ok();
        Some(Self {
            toolkit: Slug::parse(&written.toolkit).ok()?,
            context: bytes(&written.context)?.try_into().ok()?,
            fence: written.fence,
            generation: written.generation,
            tokens: SealedTokens {
                access: bytes(&written.access)?,
                refresh: match &written.refresh {
                    Some(text) => Some(bytes(text)?),
                    None => None,
                },
                lifetime: written.lifetime,
                expires_at: written.expires_at,
            },
            connection: written.connection,
            user: written.user,
            owner: written.owner,
            scopes: written.scopes,
            repeated: written.repeated,
        })
    }
}

/// Why the journal cannot be used. Then nothing may be sent.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("the escrow journal {} could not be {what}: {source}; free space or mend its rights", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file is none of ours.
    #[error("{} is no escrow journal of this version; move it away after looking at it", .0.display())]
    Foreign(PathBuf),
    /// Too many processes use one folder.
    #[error("{} processes keep an escrow journal in {} already", MOST, .0.display())]
    TooMany(PathBuf),
}

/// The place of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    log: usize,
    seq: u64,
}

/// The journal of one process, and those that it has taken over from dead ones. Clones share it.
#[derive(Clone)]
pub struct Journal(Arc<Shared>);

struct Shared {
    vault: Vault,
    owner: String,
    /// The first is this process's own; an empty one of a dead process is let go.
    logs: Mutex<Vec<Option<Log>>>,
}

/// Room for one entry, taken before anything is sent, so that a disk that fills up meanwhile does not lose the answer.
pub struct Room {
    journal: Journal,
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(Some(log)) = self.journal.lock().first_mut() {
            log.give_back();
        }
    }
}

impl Journal {
    /// Opens this process's journal in a folder, and takes over those of dead ones.
    ///
    /// # Errors
    /// When a file cannot be made or is none of ours.
    pub fn open(folder: &Path, vault: Vault, random: &Random) -> Result<Self, JournalError> {
        let mut logs = Vec::new();
        for number in 0..MOST {
            let path = folder.join(format!("escrow-{number}.journal"));
            if !logs.is_empty() && !path.exists() {
                break;
            }
            if let Some(file) = lock(&path)? {
                logs.push(Log::read(file, path, &vault, random)?);
            }
        }
        let owner = logs.first().ok_or_else(|| JournalError::TooMany(folder.to_owned()))?.owner().to_owned();
        let logs = Mutex::new(logs.into_iter().map(Some).collect());
        Ok(Self(Arc::new(Shared { vault, owner, logs })))
    }

    /// Who holds the leases that this process takes.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.0.owner
    }

    /// Whose leases are known to be nobody's any more when the journal has just been opened: those of this process's
    /// predecessor and of other dead ones.
    #[must_use]
    pub fn dead(&self) -> Vec<String> {
        self.lock().iter().flatten().map(|log| log.owner().to_owned()).collect()
    }

    /// Takes room for one entry.
    ///
    /// # Errors
    /// When the disk has none. Then nothing may be sent.
    pub fn reserve(&self) -> Result<Room, JournalError> {
        if let Some(Some(log)) = self.lock().first_mut() {
            log.reserve()?;
        }
        Ok(Room { journal: self.clone() })
    }

    /// Appends an entry; on disk when this returns.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn append(&self, entry: &Entry) -> Result<Place, JournalError> {
        match self.lock().first_mut() {
            Some(Some(log)) => Ok(Place { log: 0, seq: log.append(&self.0.vault, entry)? }),
            // The first one is never let go.
            Some(None) | None => Err(JournalError::TooMany(PathBuf::new())),
        }
    }

    /// Crosses an entry out: the database has it, or nobody wants it.
    ///
    /// # Errors
    /// When the disk fails. Then the entry is found again, which does no harm.
    pub fn done(&self, place: Place) -> Result<(), JournalError> {
        let mut logs = self.lock();
        let Some(slot) = logs.get_mut(place.log) else { return Ok(()) };
        if let Some(log) = slot {
            log.done(place.seq)?;
            if place.log > 0 && log.is_empty() {
                *slot = None;
            }
        }
        Ok(())
    }

    /// What the database does not have yet, the oldest first.
    #[must_use]
    pub fn outstanding(&self) -> Vec<(Place, Entry)> {
        let logs = self.lock();
        let of = |(log, entries): (usize, &Option<Log>)| {
            let entries = entries.iter().flat_map(Log::entries);
            entries.map(|(seq, entry)| (Place { log, seq: *seq }, entry.clone())).collect::<Vec<_>>()
        };
        logs.iter().enumerate().flat_map(of).collect()
    }

    /// Whether new tokens of a connection are here that the database does not have yet.
    #[must_use]
    pub fn holds(&self, connection: &str) -> bool {
        let is = |(_, entry): (&u64, &Entry)| entry.connection == connection;
        self.lock().iter().flatten().any(|log| log.entries().any(is))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Log>>> {
        self.0.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a file for its owner alone; nothing if another process holds it.
fn lock(path: &Path) -> Result<Option<File>, JournalError> {
    let failed = |what| move |source| JournalError::Io { what, path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).map_err(failed("opened"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed("locked")(source)),
    }
}

#[cfg(test)]
mod tests;
