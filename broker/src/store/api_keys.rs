//! API keys. Only the SHA-256 of a key is stored.

use taiku_bridge::api::{ApiKey, User};

use super::{Result, Tx, execute, list, list_text, one, row, text, with};
use crate::clock::{MINUTE, Millis, rfc3339};

/// A key that may be used.
#[derive(Clone, Debug)]
pub struct LiveKey {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user: User,
    /// What it may do; everything its user may when `None`.
    pub scopes: Option<Vec<String>>,
    /// When it stops to work.
    pub expires_at: Option<Millis>,
    /// Whether [`used`] is due.
    pub used_is_due: bool,
}

row! {
    struct Row {
        id: String,
        name: String,
        scopes: Option<String>,
        created_at: i64,
        expires_at: Option<i64>,
        last_used_at: Option<i64>,
    }
}

row! {
    struct LiveRow {
        id: String,
        scopes: Option<String>,
        expires_at: Option<i64>,
        last_used_at: Option<i64>,
        user_id: String,
        email: String,
        name: String,
        role: String,
    }
}

/// A key to be stored.
pub struct NewKey<'a> {
    /// Its id.
    pub id: &'a str,
    /// SHA-256 of the key.
    pub key_hash: &'a [u8],
    /// Whose it is.
    pub user_id: &'a str,
    /// What it is for.
    pub name: &'a str,
    /// What it may do.
    pub scopes: Option<&'a [String]>,
    /// When it stops to work.
    pub expires_at: Option<Millis>,
}

/// Stores a key.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &mut Tx, key: &NewKey<'_>, now: Millis) -> Result<()> {
    let query = "insert into api_keys (id, key_hash, user_id, name, scopes, created_at, expires_at) \
                 values ($1, $2, $3, $4, $5, $6, $7)";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(key.id)
            .bind(key.key_hash)
            .bind(key.user_id)
            .bind(text(key.name)?)
            .bind(key.scopes.map(list_text))
            .bind(now)
            .bind(key.expires_at)
    )?;
    one("adding an API key", done)
}

/// Finds a key that may be used, of a user who may sign in.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, key_hash: &[u8], now: Millis) -> Result<Option<LiveKey>> {
    let row: Option<LiveRow> = with!(tx, |conn| sqlx::query_as(
        "select k.id, k.scopes, k.expires_at, k.last_used_at, u.id as user_id, u.email, u.name, u.role \
         from api_keys k join users u on u.id = k.user_id \
         where k.key_hash = $1 and (k.expires_at is null or k.expires_at > $2) and u.disabled_at is null"
    )
    .bind(key_hash)
    .bind(now)
    .fetch_optional(conn))?;
    let Some(row) = row else { return Ok(None) };
    let scopes = row.scopes.map(|text| list("api_keys", "scopes", &row.id, &text)).transpose()?;
    let user = super::users::user(row.user_id, row.email, row.name, &row.role)?;
    let used_is_due = row.last_used_at.is_none_or(|at| now - at >= MINUTE);
    Ok(Some(LiveKey { id: row.id, user, scopes, expires_at: row.expires_at, used_is_due }))
}

/// Whether a key may still be used, and its user may still sign in.
///
/// # Errors
/// When the database fails.
pub async fn lives(tx: &mut Tx, id: &str, now: Millis) -> Result<bool> {
    let count: i64 = with!(tx, |conn| sqlx::query_scalar(
        "select count(*) from api_keys k join users u on u.id = k.user_id \
         where k.id = $1 and (k.expires_at is null or k.expires_at > $2) and u.disabled_at is null"
    )
    .bind(id)
    .bind(now)
    .fetch_one(conn))?;
    Ok(count == 1)
}

/// Notes that a key was used.
///
/// # Errors
/// When the database fails.
pub async fn used(tx: &mut Tx, id: &str, now: Millis) -> Result<()> {
    execute!(tx, sqlx::query("update api_keys set last_used_at = $2 where id = $1").bind(id).bind(now))?;
    Ok(())
}

/// A user's keys, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user_id: &str) -> Result<Vec<ApiKey>> {
    let rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(
        "select id, name, scopes, created_at, expires_at, last_used_at from api_keys \
         where user_id = $1 order by created_at, id"
    )
    .bind(user_id)
    .fetch_all(conn))?;
    rows.into_iter().map(api_key).collect()
}

fn api_key(row: Row) -> Result<ApiKey> {
    let scopes = row.scopes.map(|text| list("api_keys", "scopes", &row.id, &text)).transpose()?;
    Ok(ApiKey {
        id: row.id,
        name: row.name,
        scopes: scopes.unwrap_or_default(),
        created_at: rfc3339(row.created_at),
        expires_at: row.expires_at.map(rfc3339),
        last_used_at: row.last_used_at.map(rfc3339),
    })
}

/// Revokes a key of a user. Returns false if the user has no such key.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &mut Tx, user_id: &str, id: &str) -> Result<bool> {
    let query = "delete from api_keys where id = $1 and user_id = $2";
    Ok(execute!(tx, sqlx::query(query).bind(text(id)?).bind(user_id))? == 1)
}
