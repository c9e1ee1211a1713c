//! What becomes of the connections of a toolkit when a key that sealed their tokens is no longer secret.

use taiku_bridge::Slug;

use super::{Result, Tx, execute, one, with};
use crate::clock::{MINUTE, Millis};

/// Why such a connection ended.
pub const WHY: &str = "key_compromised";
/// How long the brokers may take to get new tokens before the provider is asked to take back the old ones.
const RENEWAL: Millis = 10 * MINUTE;

/// A job that asks the provider to take back what connections of a toolkit hold; see table `revocations`.
pub struct Job<'a> {
    /// Its id.
    pub id: &'a str,
    /// The toolkit.
    pub toolkit: &'a Slug,
    /// Connections that the provider is asked for in a minute.
    pub per_minute: i64,
}

/// What becomes of connections that have a refresh token. Those without one end in any case: their access token cannot
/// be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They get new tokens at once; then the old access tokens are taken back.
    Renew,
    /// A refresh would leave the refresh token valid that somebody else may have: all of it is taken back.
    End,
}

/// How many connections were dealt with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dealt {
    /// Those that get new tokens.
    pub renewed: u64,
    /// Those whose users have to connect again.
    pub ended: u64,
}

/// The toolkits with connections that hold tokens.
///
/// # Errors
/// When the database fails.
pub async fn toolkits(tx: &mut Tx) -> Result<Vec<Slug>> {
    let slugs: Vec<String> = with!(tx, |conn| sqlx::query_scalar(
        "select distinct toolkit from connections where access_token is not null order by toolkit"
    )
    .fetch_all(conn))?;
    Ok(slugs.iter().filter_map(|slug| Slug::parse(slug).ok()).collect())
}

/// Deals with all connections of a toolkit in the transaction: queues their present tokens to be taken back, and lets
/// the brokers get new ones, or ends them.
///
/// # Errors
/// When the database fails.
pub async fn deal(tx: &mut Tx, job: &Job<'_>, fate: Fate, now: Millis) -> Result<Dealt> {
    let all = fate == Fate::End;
    if let Tx::Postgres(tx) = tx {
        // So that no refresh comes between the copy and the change. SQLite has one writer anyway.
        let query = "select id from connections where toolkit = $1 order by id for update";
        sqlx::query(query).bind(job.toolkit.as_str()).execute(&mut **tx).await?;
    }
    queue(tx, job, all, now).await?;
    let query = "update connections set expires_at = 0 where toolkit = $1 and status = 'ACTIVE' \
                 and refresh_token is not null and not $2";
    let renewed = execute!(tx, sqlx::query(query).bind(job.toolkit.as_str()).bind(all))?;
    let query = "update connections set status = case status when 'ACTIVE' then 'EXPIRED' else 'FAILED' end, \
                 why = $3, access_token = null, refresh_token = null, expires_at = null, \
                 generation = generation + 1 where toolkit = $1 and access_token is not null \
                 and (status <> 'ACTIVE' or refresh_token is null or $2)";
    let ended = execute!(tx, sqlx::query(query).bind(job.toolkit.as_str()).bind(all).bind(WHY))?;
    Ok(Dealt { renewed, ended })
}

/// Copies the records of the tokens, which open where they were sealed. The old refresh token of a connection that
/// goes on is not among them: a refresh replaces it, and taking it back could take the new one with it.
async fn queue(tx: &mut Tx, job: &Job<'_>, all: bool, now: Millis) -> Result<()> {
    let query = "insert into revocations (id, toolkit, asked_by, per_minute, next_at, created_at) \
                 values ($1, $2, 'system', $3, $4, $4)";
    let done = execute!(
        tx,
        sqlx::query(query).bind(job.id).bind(job.toolkit.as_str()).bind(job.per_minute).bind(now)
    )?;
    one("queueing tokens to be taken back", done)?;
    let query = "insert into revocation_items (revocation_id, connection_id, user_id, account_label, \
                 context_hash, generation, access_token, refresh_token, tries, due_at, failed) \
                 select $1, id, user_id, account_label, context_hash, generation, access_token, \
                 case when $3 or status <> 'ACTIVE' then refresh_token end, 0, \
                 case when $3 or status <> 'ACTIVE' or refresh_token is null then cast($4 as bigint) else cast($5 as bigint) end, false \
                 from connections where toolkit = $2 and access_token is not null";
    execute!(
        tx,
        sqlx::query(query).bind(job.id).bind(job.toolkit.as_str()).bind(all).bind(now).bind(now + RENEWAL)
    )?;
    Ok(())
}
