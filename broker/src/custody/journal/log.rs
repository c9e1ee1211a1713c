//! One file of the journal.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | magic `TKEJ`, format 1, zeros |
//! | 8 | 16 | the owner, random |
//! | 24 | … | frames, then a zero byte |
//!
//! A frame is its kind (1 entry, 2 crossed out), its number (64 bits), the length of its body (32 bits, both big
//! endian) and the body: for an entry a vault record that is bound to owner and number, so that bytes that were left
//! behind or moved open nowhere. The file is larger than its content: room is taken before it is needed. Once all is
//! crossed out, writing begins anew at offset 24.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::{Entry, JournalError};
use crate::random::Random;
use crate::vault::{ContextHash, Place, Ring, Vault};

const MAGIC: &[u8; 8] = b"TKEJ\x01\0\0\0";
const HEADER: u64 = 24;
const FRAME: usize = 13;
const ENTRY: u8 = 1;
const DONE: u8 = 2;
/// Room for one entry; a token answer is at most as large, and most are a hundredth of it.
const ROOM: u64 = 64 * 1024;
/// By how much the file grows.
const CHUNK: u64 = 1024 * 1024;

pub(super) struct Log {
    file: File,
    path: PathBuf,
    owner: String,
    /// Where the next frame goes.
    end: u64,
    /// Bytes of the file.
    size: u64,
    /// Rooms that were taken.
    reserved: u64,
    next: u64,
    entries: BTreeMap<u64, Entry>,
}

impl Log {
    /// Reads a file, or begins it.
    pub(super) fn read(
        file: File,
        path: PathBuf,
        vault: &Vault,
        random: &Random,
    ) -> Result<Self, JournalError> {
        let failed = |what| {
            let path = path.clone();
            move |source| JournalError::Io { what, path, source }
        };
        let size = file.metadata().map_err(failed("read"))?.len();
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        file.read_exact_at(&mut bytes, 0).map_err(failed("read"))?;
        let owner = match bytes.split_first_chunk::<8>() {
            // A crash while it was made leaves it shorter than its header, or all zeros.
            None => None,
            Some((magic, _)) if magic == &[0; 8] => None,
            Some((magic, rest)) if magic == MAGIC => rest.first_chunk::<16>().copied(),
            Some(_) => return Err(JournalError::Foreign(path)),
        };
        let Some(owner) = owner else { return Self::begin(file, path, random) };
        let mut log = Self {
            file,
            path,
            owner: owner_name(owner),
            end: HEADER,
            size,
            reserved: 0,
            next: 1,
            entries: BTreeMap::new(),
        };
        log.scan(bytes.get(24..).unwrap_or_default(), vault);
        Ok(log)
    }

    fn begin(file: File, path: PathBuf, random: &Random) -> Result<Self, JournalError> {
        let owner: [u8; 16] = random.bytes();
        let mut log = Self {
            file,
            path,
            owner: owner_name(owner),
            end: HEADER,
            size: 0,
            reserved: 0,
            next: 1,
            entries: BTreeMap::new(),
        };
        log.grow(HEADER + 1)?;
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&owner);
        log.write("begun", &header, 0)?;
        log.synchronise()?;
        Ok(log)
    }

    /// Reads frames up to the first that is none. What follows it was never acted upon.
    fn scan(&mut self, mut bytes: &[u8], vault: &Vault) {
        while let Some((kind, seq, body, rest)) = frame(bytes) {
            match kind {
                ENTRY => {
                    let opened = vault.open(Ring::RefreshTokens, &place(&self.owner, seq), body);
                    match opened.ok().and_then(|text| Entry::read(text.expose())) {
                        Some(entry) => drop(self.entries.insert(seq, entry)),
                        // The last one may be half written: then nothing was done with it yet.
                        None => {
                            tracing::error!(journal = %self.path.display(), seq, "an escrow entry does not open");
                        }
                    }
                }
                _ => drop(self.entries.remove(&seq)),
            }
            self.next = self.next.max(seq + 1);
            self.end += u64::try_from(FRAME + body.len()).unwrap_or_default();
            bytes = rest;
        }
    }

    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&u64, &Entry)> {
        self.entries.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Sees to it that there is room for one more entry.
    pub(super) fn reserve(&mut self) -> Result<(), JournalError> {
        let needed = self.end + (self.reserved + 1) * ROOM;
        if needed > self.size {
            self.grow(needed.next_multiple_of(CHUNK))?;
            self.synchronise()?;
        }
        self.reserved += 1;
        Ok(())
    }

    pub(super) fn give_back(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }

    pub(super) fn append(&mut self, vault: &Vault, entry: &Entry) -> Result<u64, JournalError> {
        let seq = self.next;
        let body = vault.seal(Ring::RefreshTokens, &place(&self.owner, seq), &entry.write());
        self.put(ENTRY, seq, &body)?;
        self.synchronise()?;
        self.next += 1;
        self.entries.insert(seq, entry.clone());
        Ok(seq)
    }

    /// Crosses out. It is not synchronised: an entry that comes back is found to be stored already.
    pub(super) fn done(&mut self, seq: u64) -> Result<(), JournalError> {
        if self.entries.remove(&seq).is_none() {
            return Ok(());
        }
        self.put(DONE, seq, &[])?;
        if self.entries.is_empty() {
            self.end = HEADER;
        }
        Ok(())
    }

    fn put(&mut self, kind: u8, seq: u64, body: &[u8]) -> Result<(), JournalError> {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&seq.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(body);
        let length = bytes.len() as u64;
        // What an earlier round left behind must not be read as a frame.
        bytes.push(0);
        self.write("written", &bytes, self.end)?;
        self.end += length;
        self.size = self.size.max(self.end + 1);
        Ok(())
    }

    /// Fills with zeros, because a hole takes no room on the disk.
    fn grow(&mut self, size: u64) -> Result<(), JournalError> {
        let zeros = vec![0; usize::try_from(size - self.size).unwrap_or_default()];
        self.write("enlarged", &zeros, self.size)?;
        self.size = size;
        Ok(())
    }

    fn write(&self, what: &'static str, bytes: &[u8], at: u64) -> Result<(), JournalError> {
        self.file.write_all_at(bytes, at).map_err(self.failed(what))
    }

    fn synchronise(&self) -> Result<(), JournalError> {
        self.file.sync_data().map_err(self.failed("synchronised"))
    }

    fn failed(&self, what: &'static str) -> impl Fn(io::Error) -> JournalError + use<'_> {
        move |source| JournalError::Io { what, path: self.path.clone(), source }
    }
}

fn place(owner: &str, seq: u64) -> Place<'_> {
    Place {
        table: "escrow",
        column: "entry",
        user: "",
        row: owner,
        context: ContextHash::NONE,
        generation: seq.cast_signed(),
    }
}

/// The first frame of some bytes and what follows it.
fn frame(bytes: &[u8]) -> Option<(u8, u64, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<FRAME>()?;
    let [kind, a, b, c, d, e, f, g, h, rest_of_head @ ..] = head;
    if !matches!(*kind, ENTRY | DONE) {
        return None;
    }
    let seq = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
    let length = usize::try_from(u32::from_be_bytes(*rest_of_head)).ok()?;
    let (body, rest) = rest.split_at_checked(length)?;
    Some((*kind, seq, body, rest))
}

fn owner_name(owner: [u8; 16]) -> String {
    format!("own_{:032x}", u128::from_be_bytes(owner))
}
