//! The audit log: a chain of hashes, so that a row that was deleted, edited or moved shows.
//!
//! An entry is written in the transaction of the action that it is about: no entry, no action.

use serde_json::Value;
use taiku_bridge::api::AuditEntry;

use super::{Result, Tx, execute, one, row, text, with};
use crate::clock::{Millis, rfc3339};
use crate::vault::hash::sha256;

/// Entries on one page.
pub const PAGE: usize = 50;

/// Who did it.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// A user, by id.
    User(&'a str),
    /// The command line, or the server itself.
    System,
}

row! {
    struct Row {
        seq: i64,
        at: i64,
        actor: String,
        action: String,
        subject: String,
        detail: String,
        hash: Vec<u8>,
    }
}

/// Appends an entry.
///
/// # Errors
/// When the database fails.
pub async fn add(
    tx: &mut Tx,
    at: Millis,
    actor: Actor<'_>,
    action: &str,
    subject: &str,
    detail: &Value,
) -> Result<()> {
    if let Tx::Postgres(tx) = tx {
        // SQLite has one writer; on Postgres two of them must not both continue the same entry.
        sqlx::query("lock table audit in exclusive mode").execute(&mut **tx).await?;
    }
    let (last_seq, last_hash) = head(tx).await?;
    let actor = match actor {
        Actor::User(id) => id,
        Actor::System => "system",
    };
    let row = Row {
        seq: last_seq + 1,
        at,
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_string(),
        hash: Vec::new(),
    };
    let hash = chain(&last_hash, &row);
    let query = "insert into audit (seq, at, actor, action, subject, detail, hash) \
                 values ($1, $2, $3, $4, $5, $6, $7)";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(row.seq)
            .bind(row.at)
            .bind(&row.actor)
            .bind(&row.action)
            .bind(text(&row.subject)?)
            .bind(&row.detail)
            .bind(hash.as_slice())
    )?;
    one("appending to the audit log", done)?;
    let query = "insert into audit_head (id, seq, hash) values (1, $1, $2) \
                 on conflict (id) do update set seq = excluded.seq, hash = excluded.hash";
    one(
        "moving the head of the audit log",
        execute!(tx, sqlx::query(query).bind(row.seq).bind(hash.as_slice()))?,
    )
}

/// The last entry that was written: without it, deleting the newest entries would not show.
async fn head(tx: &mut Tx) -> Result<(i64, Vec<u8>)> {
    let head = with!(tx, |conn| sqlx::query_as("select seq, hash from audit_head").fetch_optional(conn))?;
    Ok(head.unwrap_or_default())
}

fn chain(previous: &[u8], row: &Row) -> [u8; 32] {
    let mut bytes = Vec::new();
    let fields = [
        previous,
        &row.seq.to_be_bytes(),
        &row.at.to_be_bytes(),
        row.actor.as_bytes(),
        row.action.as_bytes(),
        row.subject.as_bytes(),
        row.detail.as_bytes(),
    ];
    for field in fields {
        bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field);
    }
    sha256(&bytes)
}

/// A page, newest first, before the entry `before`.
///
/// # Errors
/// When the database fails.
pub async fn page(tx: &mut Tx, before: Option<i64>) -> Result<(Vec<AuditEntry>, Option<i64>)> {
    let mut rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(
        "select seq, at, actor, action, subject, detail, hash from audit where seq < $1 \
         order by seq desc limit 51"
    )
    .bind(before.unwrap_or(i64::MAX))
    .fetch_all(conn))?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|row| row.seq);
    Ok((rows.into_iter().map(entry).collect(), next))
}

fn entry(row: Row) -> AuditEntry {
    AuditEntry {
        seq: row.seq,
        at: rfc3339(row.at),
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        detail: serde_json::from_str(&row.detail).unwrap_or(Value::String(row.detail)),
    }
}

/// What verifying found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry follows from the one before.
    Sound {
        /// How many there are.
        entries: i64,
    },
    /// The first entry that does not.
    Broken {
        /// Its place.
        seq: i64,
    },
}

/// Follows the whole chain. On Postgres, writers wait meanwhile: a log that grows while it is read looks torn.
///
/// # Errors
/// When the database fails.
pub async fn verify(tx: &mut Tx) -> Result<Verdict> {
    if let Tx::Postgres(tx) = tx {
        sqlx::query("lock table audit in share mode").execute(&mut **tx).await?;
    }
    let end = head(tx).await?;
    let (mut from, mut last, mut hash) = (i64::MIN, 0, Vec::new());
    loop {
        let rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(
            "select seq, at, actor, action, subject, detail, hash from audit where seq > $1 \
             order by seq limit 500"
        )
        .bind(from)
        .fetch_all(conn))?;
        if rows.is_empty() {
            let sound = (last, hash) == end;
            let seq = last.min(end.0) + 1;
            return Ok(if sound { Verdict::Sound { entries: last } } else { Verdict::Broken { seq } });
        }
        for row in rows {
            if row.seq != last + 1 || chain(&hash, &row).as_slice() != row.hash {
                return Ok(Verdict::Broken { seq: row.seq.min(last + 1) });
            }
            (from, last, hash) = (row.seq, row.seq, row.hash);
        }
    }
}
