//! What somebody may still do, counted by all brokers together: buckets that fill again with time.

use super::{Result, Tx, execute, row, text, with};
use crate::clock::{DAY, HOUR, MINUTE, Millis};

/// Parts of one: buckets fill by less than one at a time.
const PARTS: i64 = 1_000;

/// How much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name in the table.
    pub kind: &'static str,
    /// As many at once.
    pub burst: i64,
    /// As many in an hour, sustained.
    pub per_hour: i64,
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// So many; fewer than were wanted when there are no more.
    Some(i64),
    /// There is none for so long.
    None {
        /// Until there is one.
        wait: Millis,
    },
}

row! {
    struct Row {
        remaining: i64,
        since: i64,
    }
}

/// Takes up to `wanted`.
///
/// # Errors
/// When the database fails.
pub async fn take(tx: &mut Tx, measure: Measure, subject: &str, wanted: i64, now: Millis) -> Result<Taken> {
    let bucket = locked(tx, measure, subject, now).await?;
    let whole = bucket.remaining / PARTS;
    if whole < 1 {
        save(tx, measure, subject, &bucket).await?;
        let lacking = PARTS - bucket.remaining;
        let wait = lacking * HOUR / (measure.per_hour * PARTS) + 1;
        return Ok(Taken::None { wait: wait.min(DAY) });
    }
    let given = whole.min(wanted);
    let left = Row { remaining: bucket.remaining - given * PARTS, ..bucket };
    save(tx, measure, subject, &left).await?;
    Ok(Taken::Some(given))
}

/// Gives back what was taken and not used.
///
/// # Errors
/// When the database fails.
pub async fn give_back(tx: &mut Tx, measure: Measure, subject: &str, count: i64, now: Millis) -> Result<()> {
    let bucket = locked(tx, measure, subject, now).await?;
    let full = measure.burst * PARTS;
    let remaining = (bucket.remaining + count * PARTS).min(full);
    save(tx, measure, subject, &Row { remaining, ..bucket }).await
}

/// Fills a bucket: what was counted is forgiven.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, measure: Measure, subject: &str) -> Result<()> {
    let query = "delete from allowances where kind = $1 and subject = $2";
    execute!(tx, sqlx::query(query).bind(measure.kind).bind(text(subject)?))?;
    Ok(())
}

/// Forgets the buckets that are full again.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    // Every measure is full again within this time.
    let query = "delete from allowances where since <= $1";
    Ok(execute!(tx, sqlx::query(query).bind(now - 30 * MINUTE))?)
}

/// Reads a bucket as it is now, so that no other broker changes it before this transaction ends.
async fn locked(tx: &mut Tx, measure: Measure, subject: &str, now: Millis) -> Result<Row> {
    let full = measure.burst * PARTS;
    // The update of nothing waits for whoever holds the row, on Postgres, and then reads what that one wrote.
    let query = "insert into allowances (kind, subject, remaining, since) values ($1, $2, $3, $4) \
                 on conflict (kind, subject) do update set remaining = allowances.remaining";
    execute!(tx, sqlx::query(query).bind(measure.kind).bind(text(subject)?).bind(full).bind(now))?;
    let query = "select remaining, since from allowances where kind = $1 and subject = $2";
    let row: Row = with!(tx, |conn| sqlx::query_as(query).bind(measure.kind).bind(subject).fetch_one(conn))?;
    Ok(filled(&row, measure, now))
}

/// What has come in since a bucket was looked at. A clock that is behind another broker's gives nothing.
fn filled(row: &Row, measure: Measure, now: Millis) -> Row {
    let passed = (now - row.since).clamp(0, DAY);
    let earned = passed * measure.per_hour * PARTS / HOUR;
    let full = measure.burst * PARTS;
    if row.remaining + earned >= full {
        return Row { remaining: full, since: row.since.max(now) };
    }
    // Only as much time is used up as was paid for: what is asked for often must fill, too.
    let used = earned * HOUR / (measure.per_hour * PARTS);
    Row { remaining: row.remaining + earned, since: row.since + used }
}

async fn save(tx: &mut Tx, measure: Measure, subject: &str, row: &Row) -> Result<()> {
    let query = "update allowances set remaining = $3, since = $4 where kind = $1 and subject = $2";
    let done = execute!(
        tx,
        sqlx::query(query).bind(measure.kind).bind(subject).bind(row.remaining).bind(row.since)
    )?;
    super::one("counting an allowance", done)
}
