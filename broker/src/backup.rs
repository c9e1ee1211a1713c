//! Backups: one consistent file of the whole database, of either engine and for either engine, encrypted to a key of
//! its own.
//!
//! A backup holds no ring key and no root key: what it says is of use only together with keyring and root key, which
//! belong somewhere else. Inside [`envelope`] and deflate it is text: a line that says what it is, a line for each
//! row, and a last line that counts them.

pub mod envelope;
pub mod key;
mod lines;
mod tables;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::DeflateDecoder;
use flate2::write::DeflateEncoder;

use self::envelope::{EnvelopeError, Opener, Sealer};
use self::key::BackupKey;
use self::lines::{Header, Line};
use crate::clock::{Millis, rfc3339};
use crate::random::Random;
use crate::store::{self, Store, StoreError, restored, vault_checks};
use crate::vault::{KeysError, Ring, Vault};

/// The kinds of file that this version writes and reads.
const FORMAT: u32 = 1;

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be written or read.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file does not open.
    #[error("{}: {error}", path.display())]
    Envelope {
        /// Which.
        path: PathBuf,
        /// Why.
        error: EnvelopeError,
    },
    /// What is inside is not what this version writes.
    #[error("the backup cannot be read: {0}")]
    Content(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keyring is not the one that the backup's secrets were sealed with.
    #[error("the keyring does not belong to this backup: {0}")]
    Keys(#[from] KeysError),
    /// There is something already.
    #[error(
        "the database is not empty: a backup is restored into an empty one. Name another in TAIKU_DATABASE_URL, or move this one away"
    )]
    NotEmpty,
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What was written or restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// When the backup was made.
    pub made_at: Millis,
    /// Tables.
    pub tables: usize,
    /// Rows.
    pub rows: u64,
    /// Connections whose refresh tokens may have been used since the backup; of a restore only.
    pub marked: u64,
}

/// Writes a backup while brokers serve. The file appears under its name when it is complete.
///
/// # Errors
/// When the database or the file fails, or the file is there already.
pub async fn create(
    store: &Store,
    key: &BackupKey,
    path: &Path,
    random: &Random,
    now: Millis,
) -> Result<Summary, BackupError> {
    let failed = |error| BackupError::File { path: path.to_owned(), error };
    if path.exists() {
        return Err(failed(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "is there already; name another file",
        )));
    }
    let partial = path.with_extension(format!("partial-{}", random.id("")));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial).map_err(failed)?;
    let written = write(store, key, file, random, now).await;
    let placed = written.and_then(|summary| {
        fs::rename(&partial, path).map_err(failed)?;
        sync_folder(path).map_err(failed)?;
        Ok(summary)
    });
    if placed.is_err() {
        // What is there of it is of no use; the first error is the one to tell.
        let _ = fs::remove_file(&partial);
    }
    placed.map_err(|error| match error {
        BackupError::File { error, .. } => failed(error),
        other => other,
    })
}

async fn write(
    store: &Store,
    key: &BackupKey,
    file: File,
    random: &Random,
    now: Millis,
) -> Result<Summary, BackupError> {
    let failed = |error| BackupError::File { path: PathBuf::new(), error };
    let sealer = Sealer::new(BufWriter::new(file), key, random).map_err(failed)?;
    let mut out = DeflateEncoder::new(sealer, Compression::default());
    let mut tx = tables::snapshot(store).await?;
    let tables = tables::all(&mut tx).await?;
    let header = Header {
        taiku: FORMAT,
        made_at: now,
        migrations: store::applied(&mut tx).await?,
        tables: tables.clone(),
    };
    line(&mut out, &Line::Header(header)).map_err(failed)?;
    let mut rows = 0;
    for (number, table) in tables.iter().enumerate() {
        rows +=
            tables::read(&mut tx, table, |values| line(&mut out, &Line::Row(number, values)).map_err(failed))
                .await?;
    }
    line(&mut out, &Line::End { rows }).map_err(failed)?;
    let file = out.finish().and_then(Sealer::finish).map_err(failed)?;
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(Summary { made_at: now, tables: tables.len(), rows, marked: 0 })
}

fn line(out: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Brings a backup into an empty database and up to this version's schema.
///
/// Sessions and consents under way end. Connections are marked: a refresh token that may have been used since is not
/// shown to a provider that takes that for theft.
///
/// # Errors
/// When the file does not open, the keyring is another one, the database is not empty or fails.
pub async fn restore(
    store: &Store,
    vault: &Vault,
    key: &BackupKey,
    path: &Path,
    now: Millis,
) -> Result<Summary, BackupError> {
    // Looked through to its end before anything is written: half a backup is none.
    let header = check(vault, key, path)?;
    if !store.is_new().await? && !tables::is_empty(store).await? {
        return Err(BackupError::NotEmpty);
    }
    store.migrate_to(&header.migrations).await?;
    let mut tx = store.write().await?;
    let here = tables::all(&mut tx).await?;
    tables::clear(&mut tx, &here).await?;
    let mut rows = 0;
    for line in Lines::open(key, path)? {
        if let Line::Row(number, values) = line? {
            let table = header.tables.get(number).ok_or_else(|| wrong("a row of no table"))?;
            tables::write(&mut tx, table, values).await?;
            rows += 1;
        }
    }
    tables::after_restore(&mut tx).await?;
    tx.commit().await?;
    store.migrate().await?;
    let mut tx = store.write().await?;
    let marked = restored::mark_all(&mut tx, now).await?;
    tx.commit().await?;
    Ok(Summary { made_at: header.made_at, tables: header.tables.len(), rows, marked })
}

fn wrong(what: &str) -> BackupError {
    BackupError::Content(what.to_owned())
}

/// Reads a backup from beginning to end, and holds the keyring to its known answers.
fn check(vault: &Vault, key: &BackupKey, path: &Path) -> Result<Header, BackupError> {
    let mut lines = Lines::open(key, path)?;
    let Some(Line::Header(header)) = lines.next().transpose()? else {
        return Err(wrong("it does not begin with what it is"));
    };
    if header.taiku != FORMAT {
        return Err(wrong("it is of another version of taiku"));
    }
    let unknown = header.migrations.iter().find(|version| !store::knows(**version));
    if let Some(version) = unknown {
        return Err(BackupError::Content(format!(
            "it was made by a newer taiku, whose schema {version} this one does not know"
        )));
    }
    let (mut rows, mut end) = (0, None);
    for line in lines {
        match line? {
            Line::Header(_) => return Err(wrong("it begins twice")),
            Line::Row(number, values) => {
                let table = header.tables.get(number).ok_or_else(|| wrong("a row of no table"))?;
                verify(vault, &table.name, &values)?;
                rows += 1;
            }
            Line::End { rows } => end = Some(rows),
        }
    }
    match end {
        Some(counted) if counted == rows => Ok(header),
        Some(_) | None => Err(wrong("its end is missing")),
    }
}

/// A row of the known answers must open with the keyring that is here.
fn verify(vault: &Vault, table: &str, values: &[tables::Value]) -> Result<(), BackupError> {
    if table != vault_checks::TABLE {
        return Ok(());
    }
    let text = values.iter().find_map(|value| match value {
        tables::Value::Text(text) => Ring::from_name(text),
        _ => None,
    });
    let record = values.iter().find_map(|value| match value {
        tables::Value::Bytes(bytes) => Some(bytes),
        _ => None,
    });
    match (text, record) {
        (Some(ring), Some(record)) => Ok(vault.verify_check(ring, &record.0)?),
        _ => Err(wrong("its known answers are of no ring of this version")),
    }
}

/// The text in a backup's file.
type Text = BufReader<DeflateDecoder<BufReader<Opener<BufReader<File>>>>>;

/// The lines of a backup, checked and opened as they are read.
struct Lines {
    path: PathBuf,
    lines: io::Lines<Text>,
}

impl Lines {
    fn open(key: &BackupKey, path: &Path) -> Result<Self, BackupError> {
        let failed = |error| BackupError::File { path: path.to_owned(), error };
        let file = File::open(path).map_err(failed)?;
        let opener = Opener::new(BufReader::new(file), key)
            .map_err(|error| BackupError::Envelope { path: path.to_owned(), error })?;
        let text = BufReader::new(DeflateDecoder::new(BufReader::new(opener)));
        Ok(Self { path: path.to_owned(), lines: text.lines() })
    }
}

impl Iterator for Lines {
    type Item = Result<Line, BackupError>;
    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        let failed = |error| BackupError::File { path: self.path.clone(), error };
        Some(line.map_err(failed).and_then(|line| {
            serde_json::from_str(&line).map_err(|error| BackupError::Content(error.to_string()))
        }))
    }
}

/// When a backup was made, for people.
#[must_use]
pub fn made_at(summary: &Summary) -> String {
    rfc3339(summary.made_at)
}
