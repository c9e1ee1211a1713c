//! What brokers over one database tell each other: a short list that each of them reads on from where it was.

use super::{Result, Tx, execute, one, row, text, with};
use crate::clock::{MINUTE, Millis};

/// How long a bulletin stands; a broker that slept longer has missed some.
pub const KEPT: Millis = 5 * MINUTE;
/// Bulletins that are read at once.
const PAGE: i64 = 500;
/// The channel on which Postgres rings when there is a new one.
pub const CHANNEL: &str = "taiku_bulletins";

/// One bulletin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulletin {
    /// The broker that it is from.
    pub origin: String,
    /// Whom it is for; everybody without one.
    pub user_id: Option<String>,
    /// What it is.
    pub name: String,
    /// What it says, as JSON.
    pub data: String,
    /// When it happened.
    pub told_at: Millis,
}

/// What is new.
#[derive(Debug, PartialEq, Eq)]
pub struct News {
    /// Up to which number was read.
    pub last: i64,
    /// Whether bulletins were removed that this reader has not read.
    pub missed: bool,
    /// In their order.
    pub bulletins: Vec<Bulletin>,
}

row! {
    struct Row {
        seq: i64,
        origin: String,
        user_id: Option<String>,
        name: String,
        data: String,
        created_at: i64,
    }
}

/// The number of the newest one.
///
/// # Errors
/// When the database fails.
pub async fn newest(tx: &mut Tx) -> Result<i64> {
    let query = "select seq from bulletin_head where id = 1";
    Ok(with!(tx, |conn| sqlx::query_scalar(query).fetch_one(conn))?)
}

/// Puts up bulletins, and on Postgres rings for them when the transaction commits.
///
/// # Errors
/// When the database fails.
pub async fn post(tx: &mut Tx, bulletins: &[Bulletin]) -> Result<()> {
    let count = i64::try_from(bulletins.len()).unwrap_or(i64::MAX);
    let query = "update bulletin_head set seq = seq + $1 where id = 1";
    one("raising the number of bulletins", execute!(tx, sqlx::query(query).bind(count))?)?;
    let newest = newest(tx).await?;
    for (seq, bulletin) in (newest - count + 1..).zip(bulletins) {
        let query = "insert into bulletins (seq, origin, user_id, name, data, created_at) \
                     values ($1, $2, $3, $4, $5, $6)";
        execute!(
            tx,
            sqlx::query(query)
                .bind(seq)
                .bind(&bulletin.origin)
                .bind(bulletin.user_id.as_deref())
                .bind(text(&bulletin.name)?)
                .bind(text(&bulletin.data)?)
                .bind(bulletin.told_at)
        )?;
    }
    if let Tx::Postgres(tx) = tx {
        sqlx::query("select pg_notify($1, '')").bind(CHANNEL).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Reads on after a number.
///
/// # Errors
/// When the database fails.
pub async fn after(tx: &mut Tx, last: i64) -> Result<News> {
    // Asked first, so that whatever is read stands between two known numbers.
    let newest = newest(tx).await?;
    let query = "select seq, origin, user_id, name, data, created_at from bulletins where seq > $1 and seq <= $2 \
                 order by seq limit $3";
    let rows: Vec<Row> =
        with!(tx, |conn| sqlx::query_as(query).bind(last).bind(newest).bind(PAGE).fetch_all(conn))?;
    // A number that has gone back is of another database, such as one that was restored.
    let missed = match rows.first() {
        Some(row) => row.seq > last + 1,
        None => newest != last,
    };
    let read = rows.last().map_or(newest, |row| row.seq);
    let bulletin = |row: Row| Bulletin {
        origin: row.origin,
        user_id: row.user_id,
        name: row.name,
        data: row.data,
        told_at: row.created_at,
    };
    Ok(News { last: read, missed, bulletins: rows.into_iter().map(bulletin).collect() })
}

/// Takes down what is old.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    let query = "delete from bulletins where created_at <= $1";
    Ok(execute!(tx, sqlx::query(query).bind(now - KEPT))?)
}
