//! What a consent does to connections: it begins one, and makes it active, holds it for the user's choice, or fails.

use taiku_bridge::Slug;
use taiku_bridge::api::Account;

use super::row::{self, Row};
use super::{
    Active, Connection, Expired, Failed, Initiated, Kind, Revoked, SealedTokens, State, Step, Undecided, lock,
};
use crate::clock::{HOUR, Millis};
use crate::store::flows::LIFETIME;
use crate::store::{Result, Tx, execute, list_text, one, optional_text, text, with};

/// How long the user has to decide on an account that was not the one to be renewed.
const DECIDE: Millis = HOUR;

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
    /// What is asked for.
    pub requested: &'a [String],
}

/// Stores a pending connection.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &mut Tx, pending: &Pending<'_>, now: Millis) -> Result<()> {
    let query = "insert into connections (id, user_id, toolkit, context_hash, status, is_default, scopes, \
                 generation, created_at, replaces, requested) \
                 values ($1, $2, $3, $4, $5, false, '[]', 0, $6, $7, $8)";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(pending.id)
            .bind(pending.user_id)
            .bind(pending.toolkit.as_str())
            .bind(pending.context_hash)
            .bind(Kind::Initiated.status())
            .bind(now)
            .bind(pending.replaces)
            .bind(list_text(pending.requested))
    )?;
    one("beginning a connection", done)
}

/// What a consent has brought for a connection.
pub struct Activation<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// What its tokens are bound to.
    pub context_hash: &'a [u8],
    /// Its tokens, sealed for the generation after the connection's.
    pub tokens: &'a SealedTokens,
    /// The account at the provider.
    pub account: &'a Account,
    /// What was asked for.
    pub requested: &'a [String],
    /// What the provider granted.
    pub scopes: &'a [String],
}

/// Makes a connection active: one that begins, or an older one that is renewed. It takes the place of the same
/// user's other connections of the same account, which are returned, and becomes the default if the user has no
/// other account that works at this toolkit.
///
/// # Errors
/// When the connection has changed since it was read, or the database fails.
pub async fn activate(tx: &mut Tx, activation: &Activation<'_>) -> Result<Vec<Connection>> {
    let Activation { connection, account, .. } = activation;
    let step = match &connection.state {
        State::Initiated => Step::of::<Initiated, Active>(),
        State::Undecided(_) => Step::of::<Undecided, Active>(),
        State::Active(_) => Step::of::<Active, Active>(),
        State::Expired { .. } => Step::of::<Expired, Active>(),
        State::Failed { .. } => Step::of::<Failed, Active>(),
        State::Revoked { .. } => Step::of::<Revoked, Active>(),
    };
    let place = take_place(tx, connection, account).await?;
    store(tx, activation, step).await?;
    settle(tx, connection, &place).await?;
    Ok(place.taken)
}

/// Stores what a consent has brought, and leaves the connection as it is until it is accepted.
///
/// # Errors
/// When the connection has changed since it was read, or the database fails.
pub async fn hold(tx: &mut Tx, activation: &Activation<'_>) -> Result<()> {
    store(tx, activation, Step::of::<Initiated, Undecided>()).await
}

/// Makes a connection active that the user had to decide on, as [`activate`] says.
///
/// # Errors
/// When the connection has changed since it was read, or the database fails.
pub async fn accept(tx: &mut Tx, connection: &Connection) -> Result<Vec<Connection>> {
    let step = Step::of::<Undecided, Active>();
    let place = take_place(tx, connection, &connection.account).await?;
    let query = "update connections set status = $3 where id = $1 and generation = $2 and status = $4 \
                 and (access_token is not null) = $5";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(&connection.id)
            .bind(connection.generation)
            .bind(step.to().status())
            .bind(step.from().status())
            .bind(step.from().holds_tokens())
    )?;
    one("accepting a connection", done)?;
    settle(tx, connection, &place).await?;
    Ok(place.taken)
}

async fn store(tx: &mut Tx, activation: &Activation<'_>, step: Step) -> Result<()> {
    let Activation { connection, context_hash, tokens, account, requested, scopes } = activation;
    let query = "update connections set account_id = $3, account_label = $4, account_avatar = $5, scopes = $6, \
                 access_token = $7, refresh_token = $8, lifetime = $9, expires_at = $10, context_hash = $11, \
                 requested = $12, status = $13, attempts = 0, next_attempt_at = 0, \
                 generation = generation + 1 \
                 where id = $1 and generation = $2 and status = $14 and (access_token is not null) = $15";
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
            .bind(list_text(requested))
            .bind(step.to().status())
            .bind(step.from().status())
            .bind(step.from().holds_tokens())
    )?;
    one("storing what a consent has brought", done)
}

/// What a connection takes over from those whose place it takes.
struct TakenPlace {
    is_default: bool,
    alias: Option<String>,
    taken: Vec<Connection>,
}

/// Removes the user's older connections of the same account.
async fn take_place(tx: &mut Tx, connection: &Connection, account: &Account) -> Result<TakenPlace> {
    lock(tx, &connection.user_id).await?;
    let taken = same_account(tx, connection, account).await?;
    for older in &taken {
        execute!(tx, sqlx::query("delete from connections where id = $1").bind(&older.id))?;
    }
    let others: i64 = with!(tx, |conn| sqlx::query_scalar(
        "select count(*) from connections \
         where user_id = $1 and toolkit = $2 and id <> $3 and (status = $4 or is_default)"
    )
    .bind(&connection.user_id)
    .bind(connection.toolkit.as_str())
    .bind(&connection.id)
    .bind(Kind::Active.status())
    .fetch_one(conn))?;
    Ok(TakenPlace {
        is_default: connection.is_default || others == 0 || taken.iter().any(|older| older.is_default),
        alias: taken.iter().find_map(|older| older.alias.clone()),
        taken,
    })
}

/// The user's other connections of an account at the same toolkit. Where the provider does not name accounts, an
/// ended one without a name is taken to be the same: who connects again as told must not be left with an ended
/// default.
///
/// # Errors
/// When the database fails.
pub async fn same_account(
    tx: &mut Tx,
    connection: &Connection,
    account: &Account,
) -> Result<Vec<Connection>> {
    let rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(
        "select * from connections where user_id = $1 and toolkit = $2 and id <> $4 \
         and (account_id = $3 or ($3 is null and account_id is null and status = $5)) \
         order by is_default desc, created_at, id"
    )
    .bind(&connection.user_id)
    .bind(connection.toolkit.as_str())
    .bind(account.id.as_deref().map(text).transpose()?)
    .bind(&connection.id)
    .bind(Kind::Expired.status())
    .fetch_all(conn))?;
    row::all(rows)
}

/// Removes a pending connection whose consent has renewed another one, which is found by its id from now on.
///
/// # Errors
/// When the pending connection is gone, or the database fails.
pub async fn merge(tx: &mut Tx, pending: &Connection, into: &Connection) -> Result<()> {
    let query = "delete from connections where id = $1 and user_id = $2";
    one("merging a connection", execute!(tx, sqlx::query(query).bind(&pending.id).bind(&pending.user_id))?)?;
    let query = "insert into connection_ids (id, connection_id) values ($1, $2)";
    one("keeping an id", execute!(tx, sqlx::query(query).bind(&pending.id).bind(&into.id))?)
}

/// The last of a connection's way to active: what it is to the user.
async fn settle(tx: &mut Tx, connection: &Connection, place: &TakenPlace) -> Result<()> {
    let query = "update connections set why = null, replaces = null, is_default = $2, \
                 alias = coalesce(alias, $3) where id = $1";
    let done = execute!(
        tx,
        sqlx::query(query).bind(&connection.id).bind(place.is_default).bind(place.alias.as_deref())
    )?;
    one("settling a connection", done)
}

/// The connections on which their users should have decided by now.
///
/// # Errors
/// When the database fails.
pub async fn undecided_too_long(tx: &mut Tx, now: Millis) -> Result<Vec<Connection>> {
    let rows: Vec<Row> = with!(tx, |conn| {
        sqlx::query_as(
            "select * from connections where status = $2 and (access_token is not null) = $3 and created_at < $1",
        )
        .bind(now - DECIDE)
        .bind(Kind::Undecided.status())
        .bind(Kind::Undecided.holds_tokens())
        .fetch_all(conn)
    })?;
    row::all(rows)
}

/// Marks a pending connection as failed. An active one stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn fail(tx: &mut Tx, id: &str, why: &str) -> Result<()> {
    let step = Step::of::<Initiated, Failed>();
    let query = "update connections set status = $3, why = $2, generation = generation + 1 \
                 where id = $1 and status = $4 and (access_token is not null) = $5";
    execute!(
        tx,
        sqlx::query(query)
            .bind(id)
            .bind(why)
            .bind(step.to().status())
            .bind(step.from().status())
            .bind(step.from().holds_tokens())
    )?;
    Ok(())
}

/// Gives up consents that nobody finished, and returns their connections as they are then.
///
/// # Errors
/// When the database fails.
pub async fn give_up(tx: &mut Tx, now: Millis) -> Result<Vec<Connection>> {
    let step = Step::of::<Initiated, Failed>();
    let query = "update connections set status = $2, why = 'timed_out', generation = generation + 1 \
                 where status = $3 and (access_token is not null) = $4 and created_at < $1 returning *";
    let given_up: Vec<Row> = with!(tx, |conn| sqlx::query_as(query)
        .bind(now - LIFETIME)
        .bind(step.to().status())
        .bind(step.from().status())
        .bind(step.from().holds_tokens())
        .fetch_all(conn))?;
    row::all(given_up)
}
