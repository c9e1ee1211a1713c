//! Taking back every access of a toolkit, as a job in the database: begun with one transaction that ends every
//! connection, then worked off one connection at a time at a rate, by whichever broker is alive.

use taiku_bridge::Slug;
use taiku_bridge::api::Revoked;

use super::connections::{self, Connection};
use super::{Result, Tx, execute, list, list_text, one, row, with};
use crate::clock::{DAY, MINUTE, Millis};

/// How long a broker may take to ask the provider for one connection before another one asks again.
pub const LEASE: Millis = 3 * MINUTE;
/// Failures on one page.
pub const PAGE: usize = 500;
/// How long a finished job is shown.
const KEPT: Millis = 90 * DAY;

/// A job that begins.
pub struct New<'a> {
    /// Its id.
    pub id: &'a str,
    /// Of which toolkit.
    pub toolkit: &'a Slug,
    /// Id of the admin.
    pub asked_by: &'a str,
    /// Connections that the provider is asked for in a minute.
    pub per_minute: i64,
}

/// A job and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its id.
    pub id: String,
    /// Of which toolkit.
    pub toolkit: String,
    /// Id of the admin.
    pub asked_by: String,
    /// Connections that the provider is asked for in a minute.
    pub per_minute: i64,
    /// When it was begun.
    pub created_at: Millis,
    /// When the last connection was done with.
    pub finished_at: Option<Millis>,
    /// Connections in all.
    pub total: i64,
    /// Those whose tokens the provider has all taken back.
    pub revoked: i64,
    /// Those with a token that could not be taken back.
    pub failed: i64,
}

row! {
    struct Row {
        id: String,
        toolkit: String,
        asked_by: String,
        per_minute: i64,
        created_at: i64,
        finished_at: Option<i64>,
        total: i64,
        revoked: i64,
        failed: i64,
    }
}

impl From<Row> for Revocation {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            toolkit: row.toolkit,
            asked_by: row.asked_by,
            per_minute: row.per_minute,
            created_at: row.created_at,
            finished_at: row.finished_at,
            total: row.total,
            revoked: row.revoked,
            failed: row.failed,
        }
    }
}

/// One connection of a job, whose tokens are still to be taken back.
#[derive(Clone, Debug)]
pub struct Item {
    /// The job.
    pub revocation_id: String,
    /// Of which toolkit.
    pub toolkit: String,
    /// The connection.
    pub connection_id: String,
    /// Whose it was.
    pub user_id: String,
    /// What its tokens are bound to.
    pub context_hash: Vec<u8>,
    /// The generation that they were sealed for.
    pub generation: i64,
    /// The access token, sealed.
    pub access_token: Option<Vec<u8>>,
    /// The refresh token, sealed.
    pub refresh_token: Option<Vec<u8>>,
    /// How often the provider has been asked, this time included.
    pub tries: i64,
}

row! {
    struct ItemRow {
        revocation_id: String,
        toolkit: String,
        connection_id: String,
        user_id: String,
        context_hash: Vec<u8>,
        generation: i64,
        access_token: Option<Vec<u8>>,
        refresh_token: Option<Vec<u8>>,
        tries: i64,
    }
}

impl From<ItemRow> for Item {
    fn from(row: ItemRow) -> Self {
        Self {
            revocation_id: row.revocation_id,
            toolkit: row.toolkit,
            connection_id: row.connection_id,
            user_id: row.user_id,
            context_hash: row.context_hash,
            generation: row.generation,
            access_token: row.access_token,
            refresh_token: row.refresh_token,
            tries: row.tries,
        }
    }
}

/// Begins a job: every connection of the toolkit that holds tokens ends at once, and the job has what was in it.
/// Returns the connections as they are then.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &mut Tx, new: &New<'_>, now: Millis) -> Result<Vec<Connection>> {
    let query = "insert into revocations (id, toolkit, asked_by, per_minute, next_at, created_at) \
                 values ($1, $2, $3, $4, $5, $5)";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(new.id)
            .bind(new.toolkit.as_str())
            .bind(new.asked_by)
            .bind(new.per_minute)
            .bind(now)
    )?;
    one("beginning a revocation", done)?;
    // Before the copy, so that on Postgres no refresh comes in between: the rows are locked until the end.
    connections::lock_all(tx, new.toolkit).await?;
    let query = "insert into revocation_items (revocation_id, connection_id, user_id, account_label, \
                 context_hash, generation, access_token, refresh_token, tries, due_at, failed) \
                 select $1, id, user_id, account_label, context_hash, generation, access_token, refresh_token, \
                 0, $3, false from connections where toolkit = $2 and access_token is not null";
    execute!(tx, sqlx::query(query).bind(new.id).bind(new.toolkit.as_str()).bind(now))?;
    connections::revoke_all(tx, new.toolkit).await
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, toolkit, asked_by, per_minute, created_at, finished_at, \
             (select count(*) from revocation_items where revocation_id = id) as total, \
             (select count(*) from revocation_items where revocation_id = id and outcome is not null \
             and not failed) as revoked, \
             (select count(*) from revocation_items where revocation_id = id and failed) as failed \
             from revocations where ",
            $rest
        )
    };
}

/// The jobs of a toolkit, newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_toolkit(tx: &mut Tx, toolkit: &Slug) -> Result<Vec<Revocation>> {
    let rows: Vec<Row> =
        with!(tx, |conn| sqlx::query_as(select!("toolkit = $1 order by created_at desc, id limit 50"))
            .bind(toolkit.as_str())
            .fetch_all(conn))?;
    Ok(rows.into_iter().map(Revocation::from).collect())
}

/// Finds a job of a toolkit.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, toolkit: &Slug, id: &str) -> Result<Option<Revocation>> {
    let row: Option<Row> = with!(tx, |conn| sqlx::query_as(select!("id = $1 and toolkit = $2"))
        .bind(super::text(id)?)
        .bind(toolkit.as_str())
        .fetch_optional(conn))?;
    Ok(row.map(Revocation::from))
}

/// A connection with a token that could not be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The connection.
    pub connection_id: String,
    /// Whose it was.
    pub email: String,
    /// The account at the provider.
    pub account: Option<String>,
    /// What became of each token.
    pub tokens: Vec<Revoked>,
}

row! {
    struct FailedRow {
        connection_id: String,
        email: String,
        account_label: Option<String>,
        outcome: String,
    }
}

/// What a job could not take back, one [`PAGE`] behind the connection `after`.
///
/// # Errors
/// When the database fails.
pub async fn failed(tx: &mut Tx, id: &str, after: &str) -> Result<Vec<Failed>> {
    let rows: Vec<FailedRow> = with!(tx, |conn| sqlx::query_as(
        "select i.connection_id, u.email, i.account_label, i.outcome from revocation_items i \
         join users u on u.id = i.user_id where i.revocation_id = $1 and i.failed and i.connection_id > $2 \
         order by i.connection_id limit 500"
    )
    .bind(id)
    .bind(super::text(after)?)
    .fetch_all(conn))?;
    rows.into_iter()
        .map(|row| {
            Ok(Failed {
                tokens: list("revocation_items", "outcome", &row.connection_id, &row.outcome)?,
                connection_id: row.connection_id,
                email: row.email,
                account: row.account_label,
            })
        })
        .collect()
}

/// What is to be done now.
#[derive(Clone, Debug)]
pub enum Next {
    /// The provider is asked about this connection.
    Ask(Box<Item>),
    /// Nothing before this time.
    At(Millis),
    /// There is no job.
    Nothing,
}

/// Takes the next connection of any job, if its turn has come. The job's rate counts each time that this gives one.
///
/// # Errors
/// When the database fails.
pub async fn next(tx: &mut Tx, now: Millis) -> Result<Next> {
    let first: Option<(String, i64, i64)> = with!(tx, |conn| {
        sqlx::query_as(
        "select id, per_minute, next_at from revocations where finished_at is null order by next_at, id limit 1"
    )
    .fetch_optional(conn)
    })?;
    let Some((id, per_minute, next_at)) = first else { return Ok(Next::Nothing) };
    if next_at > now {
        return Ok(Next::At(next_at));
    }
    // Whoever moves the time on has the turn: of two brokers one changes the row.
    let pause = (MINUTE / per_minute.max(1)).max(1);
    let query = "update revocations set next_at = $3 where id = $1 and next_at = $2 and finished_at is null";
    if execute!(tx, sqlx::query(query).bind(&id).bind(next_at).bind(now + pause))? == 0 {
        return Ok(Next::At(now));
    }
    take(tx, &id, now).await
}

/// The connection of a job that has waited longest.
async fn take(tx: &mut Tx, id: &str, now: Millis) -> Result<Next> {
    let item: Option<ItemRow> = with!(tx, |conn| sqlx::query_as(
        "select i.revocation_id, r.toolkit, i.connection_id, i.user_id, i.context_hash, i.generation, \
         i.access_token, i.refresh_token, i.tries + 1 as tries from revocation_items i \
         join revocations r on r.id = i.revocation_id where i.revocation_id = $1 and i.outcome is null \
         and i.due_at <= $2 order by i.due_at, i.connection_id limit 1"
    )
    .bind(id)
    .bind(now)
    .fetch_optional(conn))?;
    if let Some(item) = item {
        let query = "update revocation_items set tries = tries + 1, due_at = $3 \
                     where revocation_id = $1 and connection_id = $2 and outcome is null";
        let done = execute!(tx, sqlx::query(query).bind(id).bind(&item.connection_id).bind(now + LEASE))?;
        one("taking a connection to revoke", done)?;
        return Ok(Next::Ask(Box::new(item.into())));
    }
    let (due,): (Option<i64>,) = with!(tx, |conn| sqlx::query_as(
        "select min(due_at) from revocation_items where revocation_id = $1 and outcome is null"
    )
    .bind(id)
    .fetch_one(conn))?;
    match due {
        Some(due) => {
            let query = "update revocations set next_at = $2 where id = $1";
            one("waiting with a revocation", execute!(tx, sqlx::query(query).bind(id).bind(due))?)?;
        }
        None => {
            let query = "update revocations set finished_at = $2 where id = $1";
            one("finishing a revocation", execute!(tx, sqlx::query(query).bind(id).bind(now))?)?;
        }
    }
    Ok(Next::At(now))
}

/// Notes what became of a connection's tokens, and destroys their records.
///
/// # Errors
/// When the database fails.
pub async fn done(tx: &mut Tx, item: &Item, tokens: &[Revoked], failed: bool) -> Result<()> {
    let query = "update revocation_items set outcome = $3, failed = $4, access_token = null, \
                 refresh_token = null where revocation_id = $1 and connection_id = $2 and outcome is null";
    execute!(
        tx,
        sqlx::query(query)
            .bind(&item.revocation_id)
            .bind(&item.connection_id)
            .bind(list_text(tokens))
            .bind(failed)
    )?;
    Ok(())
}

/// Puts a connection off, because the provider cannot answer for now; and its whole job, if the provider says until
/// when.
///
/// # Errors
/// When the database fails.
pub async fn later(tx: &mut Tx, item: &Item, due_at: Millis, pause_until: Option<Millis>) -> Result<()> {
    let query = "update revocation_items set due_at = $3 \
                 where revocation_id = $1 and connection_id = $2 and outcome is null";
    let (id, connection) = (&item.revocation_id, &item.connection_id);
    execute!(tx, sqlx::query(query).bind(id).bind(connection).bind(due_at))?;
    if let Some(until) = pause_until {
        let query = "update revocations set next_at = $2 where id = $1 and next_at < $2";
        execute!(tx, sqlx::query(query).bind(id).bind(until))?;
    }
    Ok(())
}

/// Forgets jobs that were finished long ago.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    Ok(execute!(tx, sqlx::query("delete from revocations where finished_at < $1").bind(now - KEPT))?)
}
