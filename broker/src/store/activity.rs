//! What was done as each user.

use taiku_bridge::api::Activity;

use super::{Result, Tx, execute, one, optional_text, row, text, with};
use crate::clock::{DAY, Millis, rfc3339};

/// Entries on one page.
pub const PAGE: usize = 50;
/// How long entries are kept.
const KEPT: Millis = 90 * DAY;

/// Something that was done as a user.
pub struct Entry<'a> {
    /// Its id.
    pub id: &'a str,
    /// As whom.
    pub user_id: &'a str,
    /// When.
    pub at: Millis,
    /// For which plugin, if for one.
    pub plugin: Option<&'a str>,
    /// At which toolkit.
    pub toolkit: &'a str,
    /// A tool's slug, `connect` or `disconnect`.
    pub action: &'a str,
    /// With which connection.
    pub connection_id: Option<&'a str>,
    /// `ok` or a code.
    pub outcome: &'a str,
    /// The provider's status.
    pub upstream_status: Option<u16>,
    /// How long it took.
    pub duration: Millis,
}

row! {
    struct Row {
        id: String,
        at: i64,
        plugin: Option<String>,
        toolkit: String,
        action: String,
        connection_id: Option<String>,
        outcome: String,
        upstream_status: Option<i64>,
        duration_ms: i64,
    }
}

/// Notes what was done.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &mut Tx, entry: &Entry<'_>) -> Result<()> {
    let query = "insert into activity (id, user_id, at, plugin, toolkit, action, connection_id, outcome, \
                 upstream_status, duration_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(entry.id)
            .bind(entry.user_id)
            .bind(entry.at)
            .bind(optional_text(entry.plugin)?)
            .bind(text(entry.toolkit)?)
            .bind(text(entry.action)?)
            .bind(optional_text(entry.connection_id)?)
            .bind(text(entry.outcome)?)
            .bind(entry.upstream_status.map(i64::from))
            .bind(entry.duration)
    )?;
    one("noting what was done", done)
}

/// A page of what was done as a user, newest first, before the entry `(at, id)`.
///
/// # Errors
/// When the database fails.
pub async fn page(
    tx: &mut Tx,
    user_id: &str,
    before: Option<(Millis, &str)>,
) -> Result<(Vec<Activity>, Option<(Millis, String)>)> {
    let (at, id) = before.unwrap_or((Millis::MAX, ""));
    let mut rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(
        "select id, at, plugin, toolkit, action, connection_id, outcome, upstream_status, duration_ms \
         from activity where user_id = $1 and (at < $2 or (at = $2 and id < $3)) \
         order by at desc, id desc limit 51"
    )
    .bind(user_id)
    .bind(at)
    .bind(text(id)?)
    .fetch_all(conn))?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|last| (last.at, last.id.clone()));
    Ok((rows.into_iter().map(activity).collect(), next))
}

fn activity(row: Row) -> Activity {
    Activity {
        id: row.id,
        at: rfc3339(row.at),
        plugin: row.plugin,
        toolkit: row.toolkit,
        action: row.action,
        connection_id: row.connection_id,
        outcome: row.outcome,
        upstream_status: row.upstream_status.and_then(|status| u16::try_from(status).ok()),
        duration_ms: u64::try_from(row.duration_ms).unwrap_or(0),
    }
}

/// Forgets what is older than 90 days.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    Ok(execute!(tx, sqlx::query("delete from activity where at < $1").bind(now - KEPT))?)
}
