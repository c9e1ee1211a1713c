//! Sessions of browsers. Only the SHA-256 of a cookie's value is stored.

use taiku_bridge::api::User;

use super::{Result, Tx, execute, one, row, with};
use crate::clock::{DAY, HOUR, MINUTE, Millis};

/// A session ends when it was not used for so long.
pub const IDLE: Millis = 12 * HOUR;
/// A session ends so long after signing in, whatever happens.
pub const ABSOLUTE: Millis = 7 * DAY;
/// How exactly the last use is noted; a write on every request would cost more than the request.
const SEEN_EVERY: Millis = MINUTE;

/// A living session.
#[derive(Clone, Debug)]
pub struct Session {
    /// SHA-256 of the cookie's value.
    pub id_hash: Vec<u8>,
    /// What panels see of it.
    pub public_id: String,
    /// Whose it is.
    pub user: User,
    seen_at: Millis,
}

row! {
    struct Row {
        id_hash: Vec<u8>,
        public_id: String,
        seen_at: i64,
        user_id: String,
        email: String,
        name: String,
        role: String,
    }
}

/// Begins a session.
///
/// # Errors
/// When the user does not exist or the database fails.
pub async fn begin(tx: &mut Tx, id_hash: &[u8], public_id: &str, user_id: &str, now: Millis) -> Result<()> {
    let query = "insert into sessions (id_hash, public_id, user_id, created_at, seen_at) \
                 values ($1, $2, $3, $4, $4)";
    let query = execute!(tx, sqlx::query(query).bind(id_hash).bind(public_id).bind(user_id).bind(now))?;
    one("beginning a session", query)
}

/// Finds a living session of a user who may sign in.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, id_hash: &[u8], now: Millis) -> Result<Option<Session>> {
    let row: Option<Row> = with!(tx, |conn| sqlx::query_as(
        "select s.id_hash, s.public_id, s.seen_at, u.id as user_id, u.email, u.name, u.role \
         from sessions s join users u on u.id = s.user_id \
         where s.id_hash = $1 and s.seen_at > $2 and s.created_at > $3 and u.disabled_at is null"
    )
    .bind(id_hash)
    .bind(now - IDLE)
    .bind(now - ABSOLUTE)
    .fetch_optional(conn))?;
    let Some(row) = row else { return Ok(None) };
    let user = super::users::user(row.user_id, row.email, row.name, &row.role)?;
    Ok(Some(Session { id_hash: row.id_hash, public_id: row.public_id, user, seen_at: row.seen_at }))
}

impl Session {
    /// Whether [`seen`] is due.
    #[must_use]
    pub fn seen_is_due(&self, now: Millis) -> bool {
        now - self.seen_at >= SEEN_EVERY
    }
}

/// Notes that a session was used.
///
/// # Errors
/// When the database fails.
pub async fn seen(tx: &mut Tx, id_hash: &[u8], now: Millis) -> Result<()> {
    let query = "update sessions set seen_at = $2 where id_hash = $1";
    execute!(tx, sqlx::query(query).bind(id_hash).bind(now))?;
    Ok(())
}

/// Ends a session and the flows that its browser has begun.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &mut Tx, id_hash: &[u8]) -> Result<()> {
    super::flows::end_of_session(tx, id_hash).await?;
    execute!(tx, sqlx::query("delete from sessions where id_hash = $1").bind(id_hash))?;
    Ok(())
}

/// Ends every session of a user.
///
/// # Errors
/// When the database fails.
pub async fn end_all(tx: &mut Tx, user_id: &str) -> Result<()> {
    execute!(tx, sqlx::query("delete from flows where user_id = $1").bind(user_id))?;
    execute!(tx, sqlx::query("delete from sessions where user_id = $1").bind(user_id))?;
    Ok(())
}

/// Removes what has ended by itself.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    let query = "delete from sessions where seen_at <= $1 or created_at <= $2";
    Ok(execute!(tx, sqlx::query(query).bind(now - IDLE).bind(now - ABSOLUTE))?)
}
