//! The database: one set of queries over SQLite and Postgres.
//!
//! A [`Tx`] is the repository: functions of the modules below take one, look-ups return `Option`, a write that
//! touched the wrong number of rows is an error, [`Tx::commit`] is explicit and dropping undoes.

pub mod activity;
pub mod allowances;
pub mod api_keys;
pub mod audit;
pub mod bulletins;
pub mod compromise;
pub mod connections;
pub mod flows;
pub mod grants;
pub mod idempotency;
pub mod installs;
pub mod integrations;
pub mod known_browsers;
pub mod plugin_data;
pub mod plugin_policy;
pub mod records;
pub mod refresh;
pub mod replicas;
pub mod restored;
pub mod revocations;
pub mod rewraps;
pub mod sessions;
pub mod users;
pub mod vault_checks;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteError, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, PgPool, Postgres, SqlStr, Sqlite, SqlitePool, Transaction};

use crate::clock::Millis;

/// Each migration in order: version, name, text.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "core", include_str!("../../migrations/0001_core.sql")),
    (2, "plugin data", include_str!("../../migrations/0002_plugin_data.sql")),
    (3, "plugin installs", include_str!("../../migrations/0003_plugin_installs.sql")),
    (4, "reconnect", include_str!("../../migrations/0004_reconnect.sql")),
    (5, "refresh", include_str!("../../migrations/0005_refresh.sql")),
    (6, "connections", include_str!("../../migrations/0006_connections.sql")),
    (8, "keys", include_str!("../../migrations/0008_keys.sql")),
    (9, "replicas", include_str!("../../migrations/0009_replicas.sql")),
];

/// Whether this program has a migration.
#[must_use]
pub fn knows(version: i64) -> bool {
    MIGRATIONS.iter().any(|(known, ..)| *known == version)
}

/// The migrations that this program has.
pub fn known() -> impl Iterator<Item = i64> {
    MIGRATIONS.iter().map(|(version, ..)| *version)
}

/// What an SQLite file has lost, if anything; Postgres looks after its own.
///
/// # Errors
/// When it cannot be asked.
pub async fn damage(tx: &mut Tx) -> Result<Option<String>> {
    let Tx::Sqlite(tx) = tx else { return Ok(None) };
    let found: String = sqlx::query_scalar("pragma quick_check(1)").fetch_one(&mut **tx).await?;
    Ok(Some(found).filter(|found| found != "ok"))
}

/// The migrations that a database has.
///
/// # Errors
/// When it cannot be asked, or has none.
pub async fn applied(tx: &mut Tx) -> Result<Vec<i64>> {
    let query = "select version from _sqlx_migrations order by version";
    Ok(with!(tx, |conn| sqlx::query_scalar(query).fetch_all(conn))?)
}

/// How long a writer waits for another before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs a query on whichever engine a transaction is of; the body is type-checked for both.
macro_rules! with {
    ($tx:expr, |$conn:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body.await
            }
            $crate::store::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body.await
            }
        }
    };
}
pub(crate) use with;

/// Runs a statement and tells how many rows it touched.
macro_rules! execute {
    ($tx:expr, $query:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => $query.execute(&mut **tx).await.map(|done| done.rows_affected()),
            $crate::store::Tx::Postgres(tx) => {
                $query.execute(&mut **tx).await.map(|done| done.rows_affected())
            }
        }
    };
}
pub(crate) use execute;

/// Declares a row that both engines decode by column name.
macro_rules! row {
    ($visible:vis struct $name:ident { $($field:ident: $type:ty,)+ }) => {
        $visible struct $name { $($field: $type,)+ }
        $crate::store::row!(@engine $name, sqlx::sqlite::SqliteRow, $($field)+);
        $crate::store::row!(@engine $name, sqlx::postgres::PgRow, $($field)+);
    };
    (@engine $name:ident, $row:ty, $($field:ident)+) => {
        impl sqlx::FromRow<'_, $row> for $name {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get(stringify!($field))?,)+ })
            }
        }
    };
}
pub(crate) use row;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
    /// A migration failed, or the database is newer than this program.
    #[error("the database could not be migrated: {0}")]
    Migrate(#[from] MigrateError),
    /// The address of the database is none that we know.
    #[error("TAIKU_DATABASE_URL must begin with `sqlite://` or `postgres://`")]
    Url,
    /// The file of an SQLite database, or its folder, could not be made.
    #[error("the database file {} could not be made: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A text with a NUL character. Postgres stores none; SQLite would, so the store refuses it for both.
    #[error("a text holds a NUL character, which cannot be stored")]
    Nul,
    /// A write touched the wrong number of rows.
    #[error("{what} changed {rows} rows instead of one")]
    Rows {
        /// The write.
        what: &'static str,
        /// How many.
        rows: u64,
    },
    /// A row that no version of this program writes.
    #[error("table {table}, column {column}, row {id}: {what}")]
    Inconsistent {
        /// Where.
        table: &'static str,
        /// Where.
        column: &'static str,
        /// Where.
        id: String,
        /// What is wrong.
        what: String,
    },
}

impl StoreError {
    /// Whether waiting a moment and trying again may help.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::PoolTimedOut) => true,
            Self::Database(sqlx::Error::Database(error)) => engine_is_busy(error.as_ref()),
            Self::Database(_)
            | Self::Migrate(_)
            | Self::Url
            | Self::File { .. }
            | Self::Nul
            | Self::Rows { .. }
            | Self::Inconsistent { .. } => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // What Postgres says of a NUL is `character_not_in_repertoire`.
        match error.as_database_error().and_then(DatabaseError::code).as_deref() {
            Some("22021") => Self::Nul,
            _ => Self::Database(error),
        }
    }
}

fn engine_is_busy(error: &dyn DatabaseError) -> bool {
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    if error.try_downcast_ref::<SqliteError>().is_some() {
        // The lower byte of an extended code is its kind: SQLITE_BUSY, SQLITE_LOCKED and SQLITE_FULL.
        return code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 13));
    }
    // Serialisation failure, deadlock, lock not available, disk full, too many connections, starting or stopping.
    matches!(code, "40001" | "40P01" | "55P03" | "53100" | "53300" | "57P01" | "57P02" | "57P03")
}

/// A result of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A pool of connections to one of the two engines.
#[derive(Clone, Debug)]
pub enum Store {
    /// Embedded.
    Sqlite(SqlitePool),
    /// For several brokers.
    Postgres(PgPool),
}

/// A transaction.
#[derive(Debug)]
pub enum Tx {
    /// Of SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// Of Postgres.
    Postgres(Transaction<'static, Postgres>),
}

impl Store {
    /// Opens a database by its URL. An SQLite file is made if it is missing.
    ///
    /// # Errors
    /// When the URL is not understood or the database cannot be opened.
    pub async fn open(url: &str) -> Result<Self> {
        match url.split_once("://") {
            Some(("sqlite", _)) => {
                let options = SqliteConnectOptions::from_str(url)?
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    // Whoever answers requests can make no files.
                    .pragma("temp_store", "memory")
                    .busy_timeout(BUSY_TIMEOUT);
                make_private_file(options.get_filename())?;
                let pool = SqlitePoolOptions::new()
                    .max_connections(8)
                    // The journal's files are gone with the last connection, and cannot be made again by whoever can
                    // make no files: the one that is opened here stays.
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .acquire_timeout(BUSY_TIMEOUT);
                Ok(Self::Sqlite(pool.connect_with(options).await?))
            }
            Some(("postgres" | "postgresql", _)) => {
                // Without it a writer waits for another one for ever.
                let lock_timeout = [("lock_timeout", BUSY_TIMEOUT.as_millis())];
                let options = PgConnectOptions::from_str(url)?.options(lock_timeout);
                let pool = PgPoolOptions::new().max_connections(16).acquire_timeout(BUSY_TIMEOUT);
                Ok(Self::Postgres(pool.connect_with(options).await?))
            }
            _ => Err(StoreError::Url),
        }
    }

    /// Whether nothing was ever stored: the one time that keys may be generated.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn is_new(&self) -> Result<bool> {
        let mut tx = self.read().await?;
        let tables: i64 = match &mut tx {
            Tx::Sqlite(tx) => {
                sqlx::query_scalar("select count(*) from sqlite_master where name = 'users'")
                    .fetch_one(&mut **tx)
                    .await?
            }
            Tx::Postgres(tx) => {
                sqlx::query_scalar(
                    "select count(*) from information_schema.tables \
                     where table_name = 'users' and table_schema = current_schema()",
                )
                .fetch_one(&mut **tx)
                .await?
            }
        };
        Ok(tables == 0)
    }

    /// Brings the schema up to this program's version.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn migrate(&self) -> Result<()> {
        self.migrate_to(&known().collect::<Vec<_>>()).await
    }

    /// Brings the schema to these migrations, as it was when a backup was made.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn migrate_to(&self, versions: &[i64]) -> Result<()> {
        let migrations = MIGRATIONS
            .iter()
            .filter(|(version, ..)| versions.contains(version))
            .map(|(version, name, sql)| {
                let sql = SqlStr::from_static(sql);
                Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql, false)
            })
            .collect();
        let migrator = Migrator { migrations, ..Migrator::DEFAULT };
        match self {
            Self::Sqlite(pool) => {
                // Two processes that start at once: the second waits, and finds everything done.
                let mut tx = pool.begin_with("begin immediate").await?;
                migrator.run_direct(None, &mut *tx, false).await?;
                tx.commit().await?;
            }
            Self::Postgres(pool) => {
                // The same by an advisory lock, for which a broker waits as long as another one migrates.
                let mut conn = pool.acquire().await?.detach();
                sqlx::query("set lock_timeout = 0").execute(&mut conn).await?;
                migrator.run_direct(None, &mut conn, false).await?;
                conn.close().await?;
            }
        }
        Ok(())
    }

    /// Begins a transaction that only reads.
    ///
    /// # Errors
    /// When no connection is free.
    pub async fn read(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that writes. On SQLite it takes the write lock at once: of 64 tasks that read and
    /// then write, a deferred `begin` lets 6 succeed.
    ///
    /// # Errors
    /// When no connection is free or another writer holds the lock for too long.
    pub async fn write(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin_with("begin immediate").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        let mut tx = self.read().await?;
        execute!(&mut tx, sqlx::query("select 1"))?;
        Ok(())
    }

    /// The time of the database, where that has a clock of its own.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn clock(&self) -> Result<Option<Millis>> {
        let Self::Postgres(pool) = self else { return Ok(None) };
        let query = "select (extract(epoch from clock_timestamp()) * 1000)::bigint";
        Ok(Some(sqlx::query_scalar(query).fetch_one(pool).await?))
    }

    /// Closes every connection, so that an SQLite file is left without its journal.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// The file of an SQLite database with those of its journal; none for another engine.
#[must_use]
pub fn files(url: &str) -> Vec<PathBuf> {
    let Some(options) = SqliteConnectOptions::from_str(url).ok().filter(|_| url.starts_with("sqlite:"))
    else {
        return Vec::new();
    };
    let name = |end: &str| {
        let mut name = options.get_filename().as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    ["", "-wal", "-shm"].map(name).into()
}

impl Tx {
    /// Makes what was written last.
    ///
    /// # Errors
    /// When the database refuses; then nothing was written.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// Makes the file of a database that is not there yet, for its owner alone; so is a folder that is made for it.
/// SQLite gives its journal the mode of the database.
fn make_private_file(path: &Path) -> Result<()> {
    if path.to_string_lossy().starts_with("file:") {
        // The name that sqlx gives to a database in memory.
        return Ok(());
    }
    let failed = |source| StoreError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
        Err(_) | Ok(_) => Ok(()),
    }
}

/// Refuses a text with a NUL character before an engine sees it: what comes from outside is bound through this.
fn text(text: &str) -> Result<&str> {
    if text.contains('\0') { Err(StoreError::Nul) } else { Ok(text) }
}

/// The same for a text that may be missing.
fn optional_text(value: Option<&str>) -> Result<Option<&str>> {
    value.map(text).transpose()
}

/// Insists that a write touched exactly one row.
fn one(what: &'static str, rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Rows { what, rows }) }
}

/// Reads a list that is stored as JSON text.
fn list<T: serde::de::DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    id: &str,
    text: &str,
) -> Result<Vec<T>> {
    serde_json::from_str(text).map_err(|error| StoreError::Inconsistent {
        table,
        column,
        id: id.to_owned(),
        what: error.to_string(),
    })
}

/// Writes a list as JSON text.
fn list_text<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}
