//! Who may send a refresh token, and what became of it.
//!
//! Every function is one durable step of refreshing (see ARCHITECTURE.md). Leases, back-off and pace run on the
//! database's clock; only the end of access tokens is told by the broker's.

use sqlx::AssertSqlSafe;
use taiku_bridge::Slug;

use super::connections::SealedTokens;
use super::{Result, Tx, execute, list_text, row, with};
use crate::clock::Millis;

/// The lease of one connection: the right to send its refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The connection.
    pub id: String,
    /// The generation whose refresh token may be sent.
    pub generation: i64,
    /// Who holds it.
    pub owner: String,
    /// Told from every other claim of this connection by it.
    pub fence: i64,
    /// Attempts since the last success, this one included.
    pub attempts: i64,
    /// What is known of earlier uses of this refresh token.
    pub doubt: Doubt,
}

/// What a lease is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease<'a> {
    /// The connection.
    pub id: &'a str,
    /// Who holds it.
    pub owner: &'a str,
    /// Told from every other claim of this connection by it.
    pub fence: i64,
}

impl Claim {
    /// The lease that it gave.
    #[must_use]
    pub fn lease(&self) -> Lease<'_> {
        Lease { id: &self.id, owner: &self.owner, fence: self.fence }
    }
}

/// Whether a refresh token may have been used without our knowing the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doubt {
    /// Every use of it was answered, and it came of one that was.
    None,
    /// It came of repeating a request whose answer was lost: a strict provider may yet take it back.
    Inherited,
    /// As many uses of it had no answer.
    Lost(u32),
}

row! {
    struct Claimed {
        lease_fence: i64,
        attempts: i64,
        doubt_gen: Option<i64>,
        doubts: i64,
    }
}

impl Claimed {
    fn doubt(&self, generation: i64) -> Doubt {
        match (self.doubt_gen == Some(generation), u32::try_from(self.doubts)) {
            (false, _) => Doubt::None,
            (true, Ok(0) | Err(_)) => Doubt::Inherited,
            (true, Ok(doubts)) => Doubt::Lost(doubts),
        }
    }
}

/// Fills the engine's clock, in milliseconds, into a statement, and its word for the code of a character.
fn on_its_clock(tx: &Tx, statement: &str) -> AssertSqlSafe<String> {
    let (now, code) = match tx {
        Tx::Sqlite(_) => ("cast(unixepoch('subsec') * 1000 as integer)", "unicode"),
        // Not `now()`, which is when the transaction began.
        Tx::Postgres(_) => ("cast(extract(epoch from clock_timestamp()) * 1000 as bigint)", "ascii"),
    };
    AssertSqlSafe(statement.replace("{now}", now).replace("{code}", code))
}

/// The database's clock.
///
/// # Errors
/// When the database fails.
pub async fn clock(tx: &mut Tx) -> Result<Millis> {
    let query = on_its_clock(tx, "select {now}");
    Ok(with!(tx, |conn| sqlx::query_scalar(query).fetch_one(conn))?)
}

/// Whether a lease may be taken whose holder has let it run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOver {
    /// It may: a holder that lives would have extended it.
    Yes,
    /// It may not: the database was away until a moment ago, so that nobody could.
    NotYet,
}

/// Takes the lease of a connection at a generation and notes the intent to send its refresh token. Nothing if another
/// one holds it, it waits after a failure, or it has changed.
///
/// # Errors
/// When the database fails.
pub async fn claim(
    tx: &mut Tx,
    id: &str,
    generation: i64,
    owner: &str,
    length: Millis,
    take_over: TakeOver,
) -> Result<Option<Claim>> {
    let query = on_its_clock(
        tx,
        "update connections set lease_owner = $3, lease_fence = lease_fence + 1, lease_until = {now} + $4, \
         attempts = attempts + 1, attempt_gen = generation, \
         doubts = case when doubt_gen = generation then doubts else 0 end \
                + case when attempt_gen = generation then 1 else 0 end, \
         doubt_gen = case when attempt_gen = generation then generation else doubt_gen end \
         where id = $1 and generation = $2 and status = 'ACTIVE' and lease_until < {now} \
         and next_attempt_at <= {now} and ($5 or lease_owner is null) \
         returning lease_fence, attempts, doubt_gen, doubts",
    );
    let claimed: Option<Claimed> = with!(tx, |conn| sqlx::query_as(query)
        .bind(id)
        .bind(generation)
        .bind(owner)
        .bind(length)
        .bind(take_over == TakeOver::Yes)
        .fetch_optional(conn))?;
    Ok(claimed.map(|row| Claim {
        id: id.to_owned(),
        generation,
        owner: owner.to_owned(),
        fence: row.lease_fence,
        attempts: row.attempts,
        doubt: row.doubt(generation),
    }))
}

/// Extends a lease that is still ours, whatever became of the connection meanwhile: what was sent is still under way.
/// False if it is not ours: then nothing may be sent any more.
///
/// # Errors
/// When the database fails.
pub async fn beat(tx: &mut Tx, lease: &Lease<'_>, length: Millis) -> Result<bool> {
    let query = on_its_clock(
        tx,
        "update connections set lease_until = {now} + $4 \
         where id = $1 and lease_owner = $2 and lease_fence = $3",
    );
    let done =
        execute!(tx, sqlx::query(query).bind(lease.id).bind(lease.owner).bind(lease.fence).bind(length))?;
    Ok(done == 1)
}

/// Notes that a use of the refresh token had no answer, and the intent to use it once more. Nothing if the lease is not
/// ours any more.
///
/// # Errors
/// When the database fails.
pub async fn again(tx: &mut Tx, claim: &Claim, length: Millis) -> Result<Option<Claim>> {
    let query = on_its_clock(
        tx,
        "update connections set lease_until = {now} + $5, attempts = attempts + 1, \
         doubts = case when doubt_gen = generation then doubts else 0 end + 1, doubt_gen = generation \
         where id = $1 and generation = $2 and lease_owner = $3 and lease_fence = $4 and status = 'ACTIVE' \
         returning lease_fence, attempts, doubt_gen, doubts",
    );
    let claimed: Option<Claimed> = with!(tx, |conn| sqlx::query_as(query)
        .bind(&claim.id)
        .bind(claim.generation)
        .bind(&claim.owner)
        .bind(claim.fence)
        .bind(length)
        .fetch_optional(conn))?;
    Ok(claimed.map(|row| Claim {
        attempts: row.attempts,
        doubt: row.doubt(claim.generation),
        ..claim.clone()
    }))
}

/// What is known of the use of a refresh token when its lease is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Nothing was sent, or the provider said that it did nothing.
    Cleared,
    /// It may have been used.
    InDoubt,
}

/// Gives a lease back without new tokens, and says how long the connection waits if its generation is still the one
/// that was claimed. False if the lease is not ours any more.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &mut Tx, claim: &Claim, intent: Intent, wait: Millis) -> Result<bool> {
    let query = on_its_clock(
        tx,
        "update connections set lease_owner = null, lease_until = 0, \
         next_attempt_at = case when generation = $2 then {now} + $5 else next_attempt_at end, \
         attempt_gen = case when $6 or generation <> $2 then attempt_gen else null end \
         where id = $1 and lease_owner = $3 and lease_fence = $4",
    );
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(&claim.id)
            .bind(claim.generation)
            .bind(&claim.owner)
            .bind(claim.fence)
            .bind(wait)
            .bind(intent == Intent::InDoubt)
    )?;
    Ok(done == 1)
}

/// New tokens for a connection, sealed for the generation after `generation`.
#[derive(Clone, Copy, Debug)]
pub struct Renewed<'a> {
    /// The lease under which they were asked for.
    pub lease: Lease<'a>,
    /// The generation whose refresh token gave them.
    pub generation: i64,
    /// The tokens.
    pub tokens: &'a SealedTokens,
    /// What the provider granted, where it said so.
    pub scopes: Option<&'a [String]>,
    /// Whether the request was a repetition of one whose answer was lost.
    pub repeated: bool,
}

/// Stores what a refresh has brought, if nothing else has changed the connection since: the generation decides, not the
/// lease, because tokens in hand are worth more than who was to fetch them. So a connection that was given up in doubt
/// of just these tokens lives again. False if it was too late.
///
/// The lease of somebody who has taken over meanwhile stays with them until they know what became of their request,
/// and leaves a doubt: they may have sent the same token.
///
/// # Errors
/// When the database fails.
pub async fn store(tx: &mut Tx, renewed: &Renewed<'_>) -> Result<bool> {
    let Renewed { lease, generation, tokens, scopes, repeated } = renewed;
    let query = "update connections set status = 'ACTIVE', why = null, access_token = $5, refresh_token = $6, \
                 lifetime = $7, expires_at = $8, scopes = coalesce($9, scopes), generation = $2 + 1, \
                 attempt_gen = null, attempts = 0, next_attempt_at = 0, doubts = 0, \
                 doubt_gen = case when $10 or lease_fence <> $4 then $2 + 1 else null end, \
                 lease_until = case when lease_owner = $3 and lease_fence = $4 then 0 else lease_until end, \
                 lease_owner = case when lease_owner = $3 and lease_fence = $4 then null else lease_owner end \
                 where id = $1 and ((generation = $2 and status = 'ACTIVE') \
                 or (generation = $2 + 1 and status = 'EXPIRED' and why = 'in_doubt'))";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(lease.id)
            .bind(*generation)
            .bind(lease.owner)
            .bind(lease.fence)
            .bind(&tokens.access)
            .bind(tokens.refresh.as_deref())
            .bind(tokens.lifetime)
            .bind(tokens.expires_at)
            .bind(scopes.map(list_text))
            .bind(*repeated)
    )?;
    Ok(done == 1)
}

/// Ends a connection whose grant is dead, as its holder only. False if the lease is not ours any more.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, claim: &Claim, why: &str) -> Result<bool> {
    let query = "update connections set status = 'EXPIRED', why = $5, access_token = null, refresh_token = null, \
                 expires_at = null, generation = generation + 1, lease_owner = null, lease_until = 0, \
                 attempt_gen = null where id = $1 and generation = $2 and lease_owner = $3 and lease_fence = $4 \
                 and status = 'ACTIVE'";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(&claim.id)
            .bind(claim.generation)
            .bind(&claim.owner)
            .bind(claim.fence)
            .bind(why)
    )?;
    Ok(done == 1)
}

/// Gives back the leases of an owner who is known to be dead, intents as they are. Returns how many.
///
/// # Errors
/// When the database fails.
pub async fn bury(tx: &mut Tx, owner: &str) -> Result<u64> {
    let query = "update connections set lease_owner = null, lease_until = 0 where lease_owner = $1";
    Ok(execute!(tx, sqlx::query(query).bind(owner))?)
}

/// How a connection stands with regard to refreshing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its generation.
    pub generation: i64,
    /// Whether it works.
    pub active: bool,
    /// Whether somebody holds its lease.
    pub held: bool,
    /// How long it waits after a failure, in milliseconds; zero if it does not.
    pub wait: Millis,
}

row! {
    struct StandingRow {
        generation: i64,
        active: bool,
        held: bool,
        wait: i64,
    }
}

/// How a connection stands; nothing if there is none.
///
/// # Errors
/// When the database fails.
pub async fn standing(tx: &mut Tx, id: &str) -> Result<Option<Standing>> {
    let query = on_its_clock(
        tx,
        "select generation, status = 'ACTIVE' as active, lease_until >= {now} as held, \
         case when next_attempt_at > {now} then next_attempt_at - {now} else 0 end as wait \
         from connections where id = $1",
    );
    let row: Option<StandingRow> = with!(tx, |conn| sqlx::query_as(query).bind(id).fetch_optional(conn))?;
    Ok(row.map(|StandingRow { generation, active, held, wait }| Standing { generation, active, held, wait }))
}

/// A connection that wants to be refreshed without anybody asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// Its generation.
    pub generation: i64,
}

row! {
    struct DueRow {
        id: String,
        user_id: String,
        generation: i64,
    }
}

impl From<DueRow> for Due {
    fn from(row: DueRow) -> Self {
        let DueRow { id, user_id, generation } = row;
        Self { id, user_id, generation }
    }
}

/// Connections whose access token is due to be renewed by the broker's clock, those first that end first: after 80 % of
/// its life, 10 % of that sooner or later, so that what was made together does not come back together. How much is
/// drawn from the connection's id, which is random, and its generation. Toolkits that are switched off are left alone,
/// and so are tokens that live less than two minutes, which would be renewed without end and mostly for nobody, and what
/// came from a backup: that is looked at when it is used.
///
/// # Errors
/// When the database fails.
pub async fn ending(tx: &mut Tx, now: Millis, limit: i64) -> Result<Vec<Due>> {
    let query = on_its_clock(
        tx,
        "select c.id, c.user_id, c.generation from connections c \
         join integrations i on i.toolkit = c.toolkit and i.enabled \
         where c.status = 'ACTIVE' and c.refresh_token is not null and c.lifetime >= 120000 \
         and c.expires_at - c.lifetime * (2800 - (c.generation * 401 \
         + coalesce({code}(substr(c.id, 5, 1)), 0) * 797 + coalesce({code}(substr(c.id, 6, 1)), 0) * 31 \
         + coalesce({code}(substr(c.id, 7, 1)), 0)) % 1601) / 10000 <= $1 \
         and not exists (select 1 from restored_connections r \
         where r.connection_id = c.id and r.generation = c.generation) \
         and c.lease_until < {now} and c.next_attempt_at <= {now} order by c.expires_at, c.id limit $2",
    );
    let rows: Vec<DueRow> = with!(tx, |conn| sqlx::query_as(query).bind(now).bind(limit).fetch_all(conn))?;
    Ok(rows.into_iter().map(Due::from).collect())
}

/// Connections whose last attempt has no known end and no holder: their refresh tokens are tried again promptly, while a
/// provider with a grace period still takes them. What was lost twice is left to whoever asks for it.
///
/// # Errors
/// When the database fails.
pub async fn abandoned(tx: &mut Tx, limit: i64) -> Result<Vec<Due>> {
    let query = on_its_clock(
        tx,
        "select id, user_id, generation from connections \
         where attempt_gen is not null and attempt_gen = generation and status = 'ACTIVE' \
         and (doubt_gen is null or doubt_gen <> generation or doubts < 2) \
         and not exists (select 1 from restored_connections r \
         where r.connection_id = connections.id and r.generation = connections.generation) \
         and lease_until < {now} and next_attempt_at <= {now} order by lease_until, id limit $1",
    );
    let rows: Vec<DueRow> = with!(tx, |conn| sqlx::query_as(query).bind(limit).fetch_all(conn))?;
    Ok(rows.into_iter().map(Due::from).collect())
}

/// Takes a place in the queue of a toolkit's token endpoint: `Ok(None)` to send now, else how long to wait. All brokers
/// share it; `burst` requests may come at once (the generic cell rate algorithm).
///
/// # Errors
/// When the database fails.
pub async fn pace(tx: &mut Tx, toolkit: &Slug, every: Millis, burst: Millis) -> Result<Option<Millis>> {
    let query = on_its_clock(
        tx,
        "insert into refresh_pace (toolkit, next_at) values ($1, {now} + $2) \
         on conflict (toolkit) do update set next_at = \
         case when refresh_pace.next_at < {now} then {now} else refresh_pace.next_at end + $2 \
         where refresh_pace.next_at <= {now} + $3",
    );
    let ahead = every * (burst - 1).max(0);
    let done = execute!(tx, sqlx::query(query).bind(toolkit.as_str()).bind(every).bind(ahead))?;
    if done == 1 {
        return Ok(None);
    }
    let query = on_its_clock(tx, "select next_at - {now} from refresh_pace where toolkit = $1");
    let queue: i64 = with!(tx, |conn| sqlx::query_scalar(query).bind(toolkit.as_str()).fetch_one(conn))?;
    Ok(Some((queue - ahead).max(1)))
}

/// What is wrong between us and a provider, for an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The toolkit.
    pub toolkit: String,
    /// Machine name of what is wrong.
    pub code: String,
    /// When it was first seen, by the database's clock.
    pub since: Millis,
    /// When it was last seen.
    pub seen_at: Millis,
    /// How often.
    pub times: i64,
}

row! {
    struct AlarmRow {
        toolkit: String,
        code: String,
        since: i64,
        seen_at: i64,
        times: i64,
    }
}

/// Raises a toolkit's alarm. Returns whether it is a new one.
///
/// # Errors
/// When the database fails.
pub async fn raise(tx: &mut Tx, toolkit: &Slug, code: &str) -> Result<bool> {
    let query = on_its_clock(
        tx,
        "insert into toolkit_alarms (toolkit, code, since, seen_at, times) values ($1, $2, {now}, {now}, 1) \
         on conflict (toolkit) do update set times = toolkit_alarms.times + 1, seen_at = {now}, \
         since = case when toolkit_alarms.code = $2 then toolkit_alarms.since else {now} end, code = $2 \
         returning times",
    );
    let times: i64 =
        with!(tx, |conn| sqlx::query_scalar(query).bind(toolkit.as_str()).bind(code).fetch_one(conn))?;
    Ok(times == 1)
}

/// Ends a toolkit's alarm. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn all_clear(tx: &mut Tx, toolkit: &Slug) -> Result<bool> {
    let query = "delete from toolkit_alarms where toolkit = $1";
    Ok(execute!(tx, sqlx::query(query).bind(toolkit.as_str()))? == 1)
}

/// Every alarm, by toolkit.
///
/// # Errors
/// When the database fails.
pub async fn alarms(tx: &mut Tx) -> Result<Vec<Alarm>> {
    let query = "select * from toolkit_alarms order by toolkit";
    let rows: Vec<AlarmRow> = with!(tx, |conn| sqlx::query_as(query).fetch_all(conn))?;
    let alarm =
        |AlarmRow { toolkit, code, since, seen_at, times }| Alarm { toolkit, code, since, seen_at, times };
    Ok(rows.into_iter().map(alarm).collect())
}
