//! Connections that came from a backup and were not renewed since.

use super::{Result, Tx, execute, with};
use crate::clock::Millis;

/// Marks every connection that has a refresh token. Returns how many.
///
/// # Errors
/// When the database fails.
pub async fn mark_all(tx: &mut Tx, now: Millis) -> Result<u64> {
    execute!(tx, sqlx::query("delete from restored_connections"))?;
    let query = "insert into restored_connections (connection_id, generation, restored_at) \
                 select id, generation, $1 from connections where refresh_token is not null";
    Ok(execute!(tx, sqlx::query(query).bind(now))?)
}

/// Whether a connection is as it came from a backup: its refresh token may have been used since.
///
/// # Errors
/// When the database fails.
pub async fn is_as_restored(tx: &mut Tx, connection_id: &str, generation: i64) -> Result<bool> {
    let query = "select count(*) from restored_connections where connection_id = $1 and generation = $2";
    let count: i64 =
        with!(tx, |conn| sqlx::query_scalar(query).bind(connection_id).bind(generation).fetch_one(conn))?;
    Ok(count == 1)
}

/// How many connections are as they came from a backup.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    let query = "select count(*) from restored_connections r join connections c \
                 on c.id = r.connection_id and c.generation = r.generation where c.status = 'ACTIVE'";
    Ok(with!(tx, |conn| sqlx::query_scalar(query).fetch_one(conn))?)
}
