//! OAuth flows under way: each is finished once, by the browser, session and user that began it.

use super::{Result, StoreError, Tx, execute, list, list_text, one, optional_text, row, text, with};
use crate::clock::{MINUTE, Millis};

/// A flow must be finished within this time.
pub const LIFETIME: Millis = 10 * MINUTE;
/// Flows that one user may have under way at once.
pub const MAX_PENDING: i64 = 20;

/// A flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its id, part of the start page's address and of the cookie's name.
    pub id: String,
    /// SHA-256 of the flow cookie's value.
    pub cookie_hash: Vec<u8>,
    /// The session that began it.
    pub session_hash: Vec<u8>,
    /// The user who began it.
    pub user_id: String,
    /// The connection that it is for.
    pub connection_id: String,
    /// The toolkit that it is for.
    pub toolkit: String,
    /// The redirect path that it must come back on.
    pub context_id: String,
    /// What the tokens will be bound to.
    pub context_hash: Vec<u8>,
    /// The plugin that asked, if one did.
    pub plugin: Option<String>,
    /// Where the browser lands in the end.
    pub callback_url: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// State and verifier, sealed.
    pub secrets: Vec<u8>,
    /// When it is too late.
    pub expires_at: Millis,
    /// When it was finished.
    pub used_at: Option<Millis>,
}

row! {
    struct Row {
        id: String,
        cookie_hash: Vec<u8>,
        session_hash: Vec<u8>,
        user_id: String,
        connection_id: String,
        toolkit: String,
        context_id: String,
        context_hash: Vec<u8>,
        plugin: Option<String>,
        callback_url: String,
        scopes: String,
        secrets: Vec<u8>,
        expires_at: i64,
        used_at: Option<i64>,
    }
}

impl TryFrom<Row> for Flow {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            scopes: list("flows", "scopes", &row.id, &row.scopes)?,
            id: row.id,
            cookie_hash: row.cookie_hash,
            session_hash: row.session_hash,
            user_id: row.user_id,
            connection_id: row.connection_id,
            toolkit: row.toolkit,
            context_id: row.context_id,
            context_hash: row.context_hash,
            plugin: row.plugin,
            callback_url: row.callback_url,
            secrets: row.secrets,
            expires_at: row.expires_at,
            used_at: row.used_at,
        })
    }
}

macro_rules! select {
    ($predicate:literal) => {
        concat!(
            "select id, cookie_hash, session_hash, user_id, connection_id, toolkit, context_id, context_hash, \
             plugin, callback_url, scopes, secrets, expires_at, used_at from flows where ",
            $predicate
        )
    };
}

/// Stores a new flow.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &mut Tx, flow: &Flow, state_hash: &[u8], now: Millis) -> Result<()> {
    let query = "insert into flows (id, state_hash, cookie_hash, session_hash, user_id, connection_id, toolkit, \
                 context_id, context_hash, plugin, callback_url, scopes, secrets, created_at, expires_at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(&flow.id)
            .bind(state_hash)
            .bind(&flow.cookie_hash)
            .bind(&flow.session_hash)
            .bind(&flow.user_id)
            .bind(&flow.connection_id)
            .bind(&flow.toolkit)
            .bind(&flow.context_id)
            .bind(&flow.context_hash)
            .bind(optional_text(flow.plugin.as_deref())?)
            .bind(text(&flow.callback_url)?)
            .bind(list_text(&flow.scopes))
            .bind(&flow.secrets)
            .bind(now)
            .bind(flow.expires_at)
    )?;
    one("beginning a flow", done)
}

/// How many flows of a user are under way.
///
/// # Errors
/// When the database fails.
pub async fn pending(tx: &mut Tx, user_id: &str, now: Millis) -> Result<i64> {
    Ok(with!(tx, |conn| sqlx::query_scalar(
        "select count(*) from flows where user_id = $1 and used_at is null and expires_at > $2"
    )
    .bind(user_id)
    .bind(now)
    .fetch_one(conn))?)
}

/// Finds a flow by its id.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &mut Tx, id: &str) -> Result<Option<Flow>> {
    let row: Option<Row> =
        with!(tx, |conn| sqlx::query_as(select!("id = $1")).bind(text(id)?).fetch_optional(conn))?;
    row.map(Flow::try_from).transpose()
}

/// Finds a flow by the SHA-256 of its state.
///
/// # Errors
/// When the database fails.
pub async fn by_state(tx: &mut Tx, state_hash: &[u8]) -> Result<Option<Flow>> {
    let row: Option<Row> =
        with!(tx, |conn| sqlx::query_as(select!("state_hash = $1")).bind(state_hash).fetch_optional(conn))?;
    row.map(Flow::try_from).transpose()
}

/// Marks a flow as finished. Returns false if it was finished before or has expired: the one check that two
/// callbacks at the same time cannot both pass.
///
/// # Errors
/// When the database fails.
pub async fn consume(tx: &mut Tx, id: &str, now: Millis) -> Result<bool> {
    let query = "update flows set used_at = $2 where id = $1 and used_at is null and expires_at > $2";
    Ok(execute!(tx, sqlx::query(query).bind(id).bind(now))? == 1)
}

/// Replaces what a flow under way keeps sealed.
///
/// # Errors
/// When the database fails.
pub async fn keep_secrets(tx: &mut Tx, id: &str, secrets: &[u8]) -> Result<bool> {
    let query = "update flows set secrets = $2 where id = $1 and used_at is null";
    Ok(execute!(tx, sqlx::query(query).bind(id).bind(secrets))? == 1)
}

/// Notes that an answer was refused that did not belong to a flow. Returns whether it was the first.
///
/// # Errors
/// When the database fails.
pub async fn refused(tx: &mut Tx, id: &str, now: Millis) -> Result<bool> {
    let query = "update flows set refused_at = $2 where id = $1 and refused_at is null";
    Ok(execute!(tx, sqlx::query(query).bind(id).bind(now))? == 1)
}

/// Ends the flows that a browser's session has begun.
///
/// # Errors
/// When the database fails.
pub async fn end_of_session(tx: &mut Tx, session_hash: &[u8]) -> Result<()> {
    execute!(tx, sqlx::query("delete from flows where session_hash = $1").bind(session_hash))?;
    Ok(())
}

/// Removes flows that ended some time ago.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    Ok(execute!(tx, sqlx::query("delete from flows where expires_at < $1").bind(now - LIFETIME))?)
}
