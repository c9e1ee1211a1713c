//! Results of calls that carry an idempotency key.

use super::{Result, Tx, execute, one, row, text, with};
use crate::clock::{DAY, Millis};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// SHA-256 of what was asked for.
    pub request_hash: Vec<u8>,
    /// The answer as a vault record; none while the call runs, or if it was cut off.
    pub record: Option<Vec<u8>>,
    /// When it began.
    pub created_at: Millis,
}

row! {
    struct Row {
        request_hash: Vec<u8>,
        record: Option<Vec<u8>>,
        created_at: i64,
    }
}

/// Claims a key before anything is sent. Returns what is known if somebody has claimed it within 24 h.
///
/// # Errors
/// When the database fails.
pub async fn claim(
    tx: &mut Tx,
    user_id: &str,
    key: &str,
    request_hash: &[u8],
    now: Millis,
) -> Result<Option<Known>> {
    let query = "delete from idempotency where user_id = $1 and key = $2 and created_at < $3";
    execute!(tx, sqlx::query(query).bind(user_id).bind(text(key)?).bind(now - DAY))?;
    loop {
        let query = "insert into idempotency (user_id, key, request_hash, created_at) values ($1, $2, $3, $4) \
                     on conflict (user_id, key) do nothing";
        let claimed = execute!(tx, sqlx::query(query).bind(user_id).bind(key).bind(request_hash).bind(now))?;
        if claimed == 1 {
            return Ok(None);
        }
        // On Postgres its holder may have given it back between the two statements; then it is to be had again.
        if let Some(known) = find(tx, user_id, key).await? {
            return Ok(Some(known));
        }
    }
}

/// What is known of a key.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, user_id: &str, key: &str) -> Result<Option<Known>> {
    let row: Option<Row> = with!(tx, |conn| sqlx::query_as(
        "select request_hash, record, created_at from idempotency where user_id = $1 and key = $2"
    )
    .bind(user_id)
    .bind(text(key)?)
    .fetch_optional(conn))?;
    Ok(row.map(|row| Known {
        request_hash: row.request_hash,
        record: row.record,
        created_at: row.created_at,
    }))
}

/// Keeps the answer of a claimed key.
///
/// # Errors
/// When the key was not claimed or the database fails.
pub async fn keep(tx: &mut Tx, user_id: &str, key: &str, record: &[u8]) -> Result<()> {
    let query = "update idempotency set record = $3 where user_id = $1 and key = $2 and record is null";
    let done = execute!(tx, sqlx::query(query).bind(user_id).bind(key).bind(record))?;
    one("keeping an answer", done)
}

/// Lets a claimed key that will get no answer look as old as those whose call was cut off.
///
/// # Errors
/// When the database fails.
pub async fn cut_off(tx: &mut Tx, user_id: &str, key: &str, began: Millis) -> Result<()> {
    let query = "update idempotency set created_at = $3 where user_id = $1 and key = $2 and record is null";
    execute!(tx, sqlx::query(query).bind(user_id).bind(key).bind(began))?;
    Ok(())
}

/// Gives a key back: nothing was sent.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &mut Tx, user_id: &str, key: &str) -> Result<()> {
    let query = "delete from idempotency where user_id = $1 and key = $2 and record is null";
    execute!(tx, sqlx::query(query).bind(user_id).bind(key))?;
    Ok(())
}

/// Forgets what is older than a day.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    Ok(execute!(tx, sqlx::query("delete from idempotency where created_at < $1").bind(now - DAY))?)
}
