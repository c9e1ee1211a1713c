//! How connections end: expired, destroyed, forgotten.

use taiku_bridge::Slug;

use super::row::{self, Row};
use super::{Active, BY_ADMIN, Connection, Expired, Kind, Revoked, Step, Undecided};
use crate::clock::{DAY, Millis};
use crate::store::{Result, Tx, execute, text, with};

/// Ends a connection that needs the user again, if nobody else has changed it since. Returns whether it did.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, id: &str, generation: i64, why: &str) -> Result<bool> {
    let step = Step::of::<Active, Expired>();
    let query = "update connections set status = $4, why = $3, access_token = null, \
                 refresh_token = null, expires_at = null, generation = generation + 1 \
                 where id = $1 and generation = $2 and status = $5";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(id)
            .bind(generation)
            .bind(why)
            .bind(step.to().status())
            .bind(step.from().status())
    )?;
    Ok(done == 1)
}

/// Ends the active connections of a toolkit whose tokens were made with other endpoints or another client, and
/// returns them as they are then.
///
/// # Errors
/// When the database fails.
pub async fn expire_others(tx: &mut Tx, toolkit: &Slug, context_hash: &[u8]) -> Result<Vec<Connection>> {
    let step = Step::of::<Active, Expired>();
    let query = "update connections set status = $3, why = 'integration_changed', access_token = null, \
                 refresh_token = null, expires_at = null, generation = generation + 1 \
                 where toolkit = $1 and context_hash <> $2 and status = $4 returning *";
    let ended: Vec<Row> = with!(tx, |conn| sqlx::query_as(query)
        .bind(toolkit.as_str())
        .bind(context_hash)
        .bind(step.to().status())
        .bind(step.from().status())
        .fetch_all(conn))?;
    row::all(ended)
}

/// Keeps every connection of a toolkit as it is until the end of the transaction. SQLite has one writer anyway.
///
/// # Errors
/// When the database fails.
pub(in crate::store) async fn lock_all(tx: &mut Tx, toolkit: &Slug) -> Result<()> {
    if let Tx::Postgres(tx) = tx {
        let query = "select id from connections where toolkit = $1 order by id for update";
        sqlx::query(query).bind(toolkit.as_str()).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Ends every connection of a toolkit that holds tokens, and returns them as they are then.
///
/// # Errors
/// When the database fails.
pub(in crate::store) async fn revoke_all(tx: &mut Tx, toolkit: &Slug) -> Result<Vec<Connection>> {
    let mut ended = Vec::new();
    for step in [Step::of::<Active, Revoked>(), Step::of::<Undecided, Revoked>()] {
        let query = "update connections set status = $2, why = $3, access_token = null, refresh_token = null, \
                     expires_at = null, replaces = null, generation = generation + 1 \
                     where toolkit = $1 and status = $4 and (access_token is not null) = $5 returning *";
        let rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(query)
            .bind(toolkit.as_str())
            .bind(step.to().status())
            .bind(BY_ADMIN)
            .bind(step.from().status())
            .bind(step.from().holds_tokens())
            .fetch_all(conn))?;
        ended.extend(row::all(rows)?);
    }
    Ok(ended)
}

/// Destroys a connection of a user. Returns false if there is none.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, user_id: &str, id: &str) -> Result<bool> {
    let query = "delete from connections where id = $1 and user_id = $2";
    Ok(execute!(tx, sqlx::query(query).bind(text(id)?).bind(user_id))? == 1)
}

/// Forgets consents that failed a day ago.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    let query = "delete from connections where status = $2 and created_at < $1";
    Ok(execute!(tx, sqlx::query(query).bind(now - DAY).bind(Kind::Failed.status()))?)
}
