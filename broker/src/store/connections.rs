//! Connections: accounts of users at toolkits, with their sealed tokens.
//!
//! Every query names the owner, or the generation that was read, in its predicate.

use taiku_bridge::Slug;
use taiku_bridge::api::{self, Account, Status};

use super::{Result, StoreError, Tx, execute, list, list_text, one, optional_text, row, text, with};
use crate::clock::{DAY, HOUR, Millis, rfc3339};

/// Why a connection waits whose consent was given in another account than the one to be renewed.
pub const ANOTHER_ACCOUNT: &str = "another_account";
/// How long the user has to decide on it.
const DECIDE: Millis = HOUR;

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// At which toolkit.
    pub toolkit: Slug,
    /// What its tokens are bound to.
    pub context_hash: Vec<u8>,
    /// Its state, with what belongs to it.
    pub state: State,
    /// The account at the provider.
    pub account: Account,
    /// The user's own name for it.
    pub alias: Option<String>,
    /// Whether calls that name no connection use it.
    pub is_default: bool,
    /// What the provider granted.
    pub scopes: Vec<String>,
    /// Grows with each change of its tokens or state.
    pub generation: i64,
    /// The connection that it was begun to renew.
    pub replaces: Option<String>,
    /// When it was begun.
    pub created_at: Millis,
    /// When a tool last used it.
    pub last_used_at: Option<Millis>,
}

/// The state of a connection.
#[derive(Clone, Debug)]
pub enum State {
    /// The consent is under way.
    Initiated,
    /// The user consented in another account than the one to be renewed, and has not decided yet.
    Undecided(SealedTokens),
    /// It works.
    Active(SealedTokens),
    /// The user has to connect again.
    Expired {
        /// Machine name of the cause.
        why: String,
    },
    /// The consent was declined or went wrong.
    Failed {
        /// Machine name of the cause.
        why: String,
    },
    /// The user has disconnected.
    Revoked,
}

/// Tokens as vault records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTokens {
    /// The access token.
    pub access: Vec<u8>,
    /// The refresh token, if the provider gave one.
    pub refresh: Option<Vec<u8>>,
    /// How long the access token lives in all, if the provider said so.
    pub lifetime: Option<Millis>,
    /// When it ends, by our clock.
    pub expires_at: Option<Millis>,
}

impl Connection {
    /// The state's name.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.state {
            State::Initiated | State::Undecided(_) => Status::Initiated,
            State::Active(_) => Status::Active,
            State::Expired { .. } => Status::Expired,
            State::Failed { .. } => Status::Failed,
            State::Revoked => Status::Revoked,
        }
    }

    /// What its owner sees of it.
    #[must_use]
    pub fn view(&self) -> api::Connection {
        let (why, expires_at) = match &self.state {
            State::Active(tokens) => (None, tokens.expires_at),
            State::Expired { why } | State::Failed { why } => (Some(why.clone()), None),
            State::Undecided(_) => (Some(ANOTHER_ACCOUNT.to_owned()), None),
            State::Initiated | State::Revoked => (None, None),
        };
        api::Connection {
            id: self.id.clone(),
            toolkit: self.toolkit.clone(),
            status: self.status(),
            why,
            account: self.account.clone(),
            alias: self.alias.clone(),
            default: self.is_default,
            scopes: self.scopes.clone(),
            replaces: self.replaces.clone(),
            created_at: rfc3339(self.created_at),
            last_used_at: self.last_used_at.map(rfc3339),
            expires_at: expires_at.map(rfc3339),
        }
    }
}

row! {
    struct Row {
        id: String,
        user_id: String,
        toolkit: String,
        context_hash: Vec<u8>,
        status: String,
        why: Option<String>,
        account_id: Option<String>,
        account_label: Option<String>,
        account_avatar: Option<String>,
        alias: Option<String>,
        is_default: bool,
        scopes: String,
        generation: i64,
        access_token: Option<Vec<u8>>,
        refresh_token: Option<Vec<u8>>,
        lifetime: Option<i64>,
        expires_at: Option<i64>,
        replaces: Option<String>,
        created_at: i64,
        last_used_at: Option<i64>,
    }
}

fn inconsistent(id: &str, column: &'static str, what: impl Into<String>) -> StoreError {
    StoreError::Inconsistent { table: "connections", column, id: id.to_owned(), what: what.into() }
}

impl TryFrom<Row> for Connection {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self> {
        let why = || row.why.clone().ok_or_else(|| inconsistent(&row.id, "why", "is missing"));
        let tokens = row.access_token.map(|access| SealedTokens {
            access,
            refresh: row.refresh_token,
            lifetime: row.lifetime,
            expires_at: row.expires_at,
        });
        let state = match (row.status.as_str(), tokens) {
            ("INITIATED", None) => State::Initiated,
            ("INITIATED", Some(tokens)) => State::Undecided(tokens),
            ("ACTIVE", Some(tokens)) => State::Active(tokens),
            ("ACTIVE", None) => {
                return Err(inconsistent(&row.id, "access_token", "is missing though ACTIVE"));
            }
            ("EXPIRED", _) => State::Expired { why: why()? },
            ("FAILED", _) => State::Failed { why: why()? },
            ("REVOKED", _) => State::Revoked,
            (other, _) => return Err(inconsistent(&row.id, "status", format!("`{other}` is no status"))),
        };
        Ok(Self {
            toolkit: Slug::parse(&row.toolkit)
                .map_err(|error| inconsistent(&row.id, "toolkit", error.to_string()))?,
            scopes: list("connections", "scopes", &row.id, &row.scopes)?,
            id: row.id,
            user_id: row.user_id,
            context_hash: row.context_hash,
            state,
            account: Account { id: row.account_id, label: row.account_label, avatar: row.account_avatar },
            alias: row.alias,
            is_default: row.is_default,
            generation: row.generation,
            replaces: row.replaces,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        })
    }
}

/// A connection whose consent begins.
pub struct Pending<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whose it is.
    pub user_id: &'a str,
    /// At which toolkit.
    pub toolkit: &'a Slug,
    /// What its tokens will be bound to.
    pub context_hash: &'a [u8],
    /// The connection that it is to renew.
    pub replaces: Option<&'a str>,
}

/// Stores a pending connection.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &mut Tx, pending: &Pending<'_>, now: Millis) -> Result<()> {
    let query = "insert into connections (id, user_id, toolkit, context_hash, status, is_default, scopes, \
                 generation, created_at, replaces) \
                 values ($1, $2, $3, $4, 'INITIATED', false, '[]', 0, $5, $6)";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(pending.id)
            .bind(pending.user_id)
            .bind(pending.toolkit.as_str())
            .bind(pending.context_hash)
            .bind(now)
            .bind(pending.replaces)
    )?;
    one("beginning a connection", done)
}

/// A user's connections: active ones first, then the newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user_id: &str) -> Result<Vec<Connection>> {
    let rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(
        "select * from connections where user_id = $1 \
         order by case status when 'ACTIVE' then 0 else 1 end, created_at desc, id"
    )
    .bind(user_id)
    .fetch_all(conn))?;
    rows.into_iter().map(Connection::try_from).collect()
}

/// Finds a connection of a user.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, user_id: &str, id: &str) -> Result<Option<Connection>> {
    let row: Option<Row> =
        with!(tx, |conn| sqlx::query_as("select * from connections where id = $1 and user_id = $2")
            .bind(text(id)?)
            .bind(user_id)
            .fetch_optional(conn))?;
    row.map(Connection::try_from).transpose()
}

/// A pending connection's way to [`State::Active`].
pub struct Activation<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// What its tokens are bound to.
    pub context_hash: &'a [u8],
    /// Its tokens, sealed for the generation after the connection's.
    pub tokens: &'a SealedTokens,
    /// The account at the provider.
    pub account: &'a Account,
    /// What the provider granted.
    pub scopes: &'a [String],
}

/// Makes a connection active. It takes the place of the same user's other connections of the same account,
/// and becomes the default if the user has no other account that works at this toolkit.
///
/// # Errors
/// When the connection has changed since it was read, or the database fails.
pub async fn activate(tx: &mut Tx, activation: &Activation<'_>) -> Result<()> {
    hold(tx, activation).await?;
    let Activation { connection, account, .. } = activation;
    let held = Connection { generation: connection.generation + 1, ..Connection::clone(connection) };
    accept(tx, &held, account).await
}

/// Stores what a consent has brought, and leaves the connection as it is until it is accepted.
///
/// # Errors
/// When the connection has changed since it was read, or the database fails.
pub async fn hold(tx: &mut Tx, activation: &Activation<'_>) -> Result<()> {
    let Activation { connection, context_hash, tokens, account, scopes } = activation;
    let query = "update connections set account_id = $3, account_label = $4, account_avatar = $5, scopes = $6, \
                 access_token = $7, refresh_token = $8, lifetime = $9, expires_at = $10, context_hash = $11, \
                 attempts = 0, next_attempt_at = 0, generation = generation + 1 where id = $1 and generation = $2";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(&connection.id)
            .bind(connection.generation)
            .bind(optional_text(account.id.as_deref())?)
            .bind(optional_text(account.label.as_deref())?)
            .bind(optional_text(account.avatar.as_deref())?)
            .bind(list_text(scopes))
            .bind(&tokens.access)
            .bind(tokens.refresh.as_deref())
            .bind(tokens.lifetime)
            .bind(tokens.expires_at)
            .bind(*context_hash)
    )?;
    one("storing what a consent has brought", done)
}

/// Makes a connection active that has its tokens, as [`activate`] says.
///
/// # Errors
/// When the connection has changed since it was read, or the database fails.
pub async fn accept(tx: &mut Tx, connection: &Connection, account: &Account) -> Result<()> {
    lock_connections(tx, &connection.user_id).await?;
    let replaced = take_over(tx, connection, account).await?;
    let others: i64 = with!(tx, |conn| sqlx::query_scalar(
        "select count(*) from connections \
         where user_id = $1 and toolkit = $2 and id <> $3 and (status = 'ACTIVE' or is_default)"
    )
    .bind(&connection.user_id)
    .bind(connection.toolkit.as_str())
    .bind(&connection.id)
    .fetch_one(conn))?;
    let is_default = connection.is_default || replaced.was_default || others == 0;
    let query = "update connections set status = 'ACTIVE', why = null, replaces = null, is_default = $3, \
                 alias = coalesce(alias, $4) \
                 where id = $1 and generation = $2 and access_token is not null";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(&connection.id)
            .bind(connection.generation)
            .bind(is_default)
            .bind(replaced.alias.as_deref())
    )?;
    one("activating a connection", done)
}

/// The connections on which their users should have decided by now.
///
/// # Errors
/// When the database fails.
pub async fn undecided_too_long(tx: &mut Tx, now: Millis) -> Result<Vec<Connection>> {
    let rows: Vec<Row> = with!(tx, |conn| {
        sqlx::query_as(
        "select * from connections where status = 'INITIATED' and access_token is not null and created_at < $1"
    )
    .bind(now - DECIDE)
    .fetch_all(conn)
    })?;
    rows.into_iter().map(Connection::try_from).collect()
}

/// Lets one transaction at a time decide which of a user's connections is the default and which take whose place.
/// SQLite has one writer anyway.
async fn lock_connections(tx: &mut Tx, user_id: &str) -> Result<()> {
    if let Tx::Postgres(tx) = tx {
        let query = "select id from users where id = $1 for no key update";
        sqlx::query(query).bind(user_id).execute(&mut **tx).await?;
    }
    Ok(())
}

#[derive(Default)]
struct Replaced {
    was_default: bool,
    alias: Option<String>,
}

/// Removes the user's older connections of the same account. Where the provider does not name accounts, an ended
/// one without a name is taken to be the same: who connects again as told must not be left with an ended default.
async fn take_over(tx: &mut Tx, connection: &Connection, account: &Account) -> Result<Replaced> {
    let older: Vec<(String, bool, Option<String>)> = with!(tx, |conn| sqlx::query_as(
        "select id, is_default, alias from connections \
         where user_id = $1 and toolkit = $2 and id <> $4 \
         and (account_id = $3 or ($3 is null and account_id is null and status = 'EXPIRED'))"
    )
    .bind(&connection.user_id)
    .bind(connection.toolkit.as_str())
    .bind(account.id.as_deref().map(text).transpose()?)
    .bind(&connection.id)
    .fetch_all(conn))?;
    let mut replaced = Replaced::default();
    for (id, was_default, alias) in older {
        execute!(tx, sqlx::query("delete from connections where id = $1").bind(id))?;
        replaced.was_default |= was_default;
        replaced.alias = replaced.alias.or(alias);
    }
    Ok(replaced)
}

/// Stores the outcome of a refresh, if nobody else has changed the connection since. Returns whether it did.
///
/// # Errors
/// When the database fails.
pub async fn refreshed(tx: &mut Tx, id: &str, generation: i64, tokens: &SealedTokens) -> Result<bool> {
    let query = "update connections set access_token = $3, refresh_token = $4, lifetime = $5, expires_at = $6, \
                 generation = generation + 1 where id = $1 and generation = $2 and status = 'ACTIVE'";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(id)
            .bind(generation)
            .bind(&tokens.access)
            .bind(tokens.refresh.as_deref())
            .bind(tokens.lifetime)
            .bind(tokens.expires_at)
    )?;
    Ok(done == 1)
}

/// Ends a connection that needs the user again, if nobody else has changed it since. Returns whether it did.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, id: &str, generation: i64, why: &str) -> Result<bool> {
    let query = "update connections set status = 'EXPIRED', why = $3, access_token = null, \
                 refresh_token = null, expires_at = null, generation = generation + 1 \
                 where id = $1 and generation = $2 and status = 'ACTIVE'";
    Ok(execute!(tx, sqlx::query(query).bind(id).bind(generation).bind(why))? == 1)
}

/// Ends the active connections of a toolkit whose tokens were made with other endpoints or another client, and
/// returns them as they are then.
///
/// # Errors
/// When the database fails.
pub async fn expire_others(tx: &mut Tx, toolkit: &Slug, context_hash: &[u8]) -> Result<Vec<Connection>> {
    let query = "update connections set status = 'EXPIRED', why = 'integration_changed', access_token = null, \
                 refresh_token = null, expires_at = null, generation = generation + 1 \
                 where toolkit = $1 and context_hash <> $2 and status = 'ACTIVE' returning *";
    let ended: Vec<Row> =
        with!(tx, |conn| sqlx::query_as(query).bind(toolkit.as_str()).bind(context_hash).fetch_all(conn))?;
    ended.into_iter().map(Connection::try_from).collect()
}

/// Marks a pending connection as failed. An active one stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn fail(tx: &mut Tx, id: &str, why: &str) -> Result<()> {
    let query = "update connections set status = 'FAILED', why = $2, generation = generation + 1 \
                 where id = $1 and status = 'INITIATED'";
    execute!(tx, sqlx::query(query).bind(id).bind(why))?;
    Ok(())
}

/// Destroys a connection of a user. Returns false if there is none.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, user_id: &str, id: &str) -> Result<bool> {
    let query = "delete from connections where id = $1 and user_id = $2";
    Ok(execute!(tx, sqlx::query(query).bind(text(id)?).bind(user_id))? == 1)
}

/// Notes that a tool used a connection.
///
/// # Errors
/// When the database fails.
pub async fn used(tx: &mut Tx, id: &str, now: Millis) -> Result<()> {
    execute!(tx, sqlx::query("update connections set last_used_at = $2 where id = $1").bind(id).bind(now))?;
    Ok(())
}

/// Makes a connection its user's default at its toolkit.
///
/// # Errors
/// When the user has no such connection, or the database fails.
pub async fn make_default(tx: &mut Tx, connection: &Connection) -> Result<()> {
    lock_connections(tx, &connection.user_id).await?;
    let query =
        "update connections set is_default = false where user_id = $1 and toolkit = $2 and is_default";
    execute!(tx, sqlx::query(query).bind(&connection.user_id).bind(connection.toolkit.as_str()))?;
    let query = "update connections set is_default = true where id = $1 and user_id = $2";
    let done = execute!(tx, sqlx::query(query).bind(&connection.id).bind(&connection.user_id))?;
    one("choosing a default connection", done)
}

/// Gives a connection the user's own name.
///
/// # Errors
/// When the user has no such connection, or the database fails.
pub async fn set_alias(tx: &mut Tx, user_id: &str, id: &str, alias: Option<&str>) -> Result<()> {
    let query = "update connections set alias = $3 where id = $1 and user_id = $2";
    let alias = optional_text(alias)?;
    one("naming a connection", execute!(tx, sqlx::query(query).bind(text(id)?).bind(user_id).bind(alias))?)
}

/// Gives up consents that nobody finished, and returns their connections as they are then.
///
/// # Errors
/// When the database fails.
pub async fn give_up(tx: &mut Tx, now: Millis) -> Result<Vec<Connection>> {
    let query = "update connections set status = 'FAILED', why = 'timed_out', generation = generation + 1 \
                 where status = 'INITIATED' and access_token is null and created_at < $1 returning *";
    let given_up: Vec<Row> =
        with!(tx, |conn| sqlx::query_as(query).bind(now - super::flows::LIFETIME).fetch_all(conn))?;
    given_up.into_iter().map(Connection::try_from).collect()
}

/// Forgets consents that failed a day ago.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    let query = "delete from connections where status = 'FAILED' and created_at < $1";
    Ok(execute!(tx, sqlx::query(query).bind(now - DAY))?)
}
