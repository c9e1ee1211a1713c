//! How far sealing records again has come, and since when a key is needed no longer.

use super::replicas::database_time;
use super::{Result, Tx, execute, one, row, with};
use crate::clock::Millis;
use crate::vault::KeyId;

/// How far sealing again has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The keys that it seals under, as a text that changes with them.
    pub target: String,
    /// The place that it is at, as [`super::records::RecordPlace::name`] says.
    pub place: String,
    /// The primary key of the last row that was looked at there.
    pub after: (String, String),
    /// How many records it has sealed.
    pub sealed: i64,
    /// When it began.
    pub started_at: Millis,
    /// When nothing was left to do.
    pub finished_at: Option<Millis>,
}

row! {
    struct Row {
        target: String,
        place: String,
        after_first: String,
        after_second: String,
        sealed: i64,
        started_at: i64,
        finished_at: Option<i64>,
    }
}

/// What is known of the last time.
///
/// # Errors
/// When the database fails.
pub async fn progress(tx: &mut Tx) -> Result<Option<Progress>> {
    let row: Option<Row> = with!(tx, |conn| sqlx::query_as(
        "select target, place, after_first, after_second, sealed, started_at, finished_at from key_rewrap"
    )
    .fetch_optional(conn))?;
    Ok(row.map(|row| Progress {
        target: row.target,
        place: row.place,
        after: (row.after_first, row.after_second),
        sealed: row.sealed,
        started_at: row.started_at,
        finished_at: row.finished_at,
    }))
}

/// Keeps how far it has come.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &mut Tx, progress: &Progress) -> Result<()> {
    let query = "insert into key_rewrap (id, target, place, after_first, after_second, sealed, started_at, \
                 finished_at) values (1, $1, $2, $3, $4, $5, $6, $7) \
                 on conflict (id) do update set target = excluded.target, place = excluded.place, \
                 after_first = excluded.after_first, after_second = excluded.after_second, \
                 sealed = excluded.sealed, started_at = excluded.started_at, finished_at = excluded.finished_at";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(&progress.target)
            .bind(&progress.place)
            .bind(&progress.after.0)
            .bind(&progress.after.1)
            .bind(progress.sealed)
            .bind(progress.started_at)
            .bind(progress.finished_at)
    )?;
    one("keeping how far sealing again has come", done)
}

/// Notes that no record needs a key: the first time counts.
///
/// # Errors
/// When the database fails.
pub async fn drained(tx: &mut Tx, key: KeyId) -> Result<()> {
    let now = database_time(tx).await?;
    let query = "insert into key_drained (ring, version, at) values ($1, $2, $3) \
                 on conflict (ring, version) do nothing";
    execute!(tx, sqlx::query(query).bind(key.ring.name()).bind(i64::from(key.version)).bind(now))?;
    Ok(())
}

/// Since when no record needs a key.
///
/// # Errors
/// When the database fails.
pub async fn drained_since(tx: &mut Tx, key: KeyId) -> Result<Option<Millis>> {
    Ok(with!(tx, |conn| sqlx::query_scalar("select at from key_drained where ring = $1 and version = $2")
        .bind(key.ring.name())
        .bind(i64::from(key.version))
        .fetch_optional(conn))?)
}

/// Notes that records need a key after all.
///
/// # Errors
/// When the database fails.
pub async fn in_use(tx: &mut Tx, key: KeyId) -> Result<()> {
    let query = "delete from key_drained where ring = $1 and version = $2";
    execute!(tx, sqlx::query(query).bind(key.ring.name()).bind(i64::from(key.version)))?;
    Ok(())
}
