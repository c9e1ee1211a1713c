//! Browsers in which a user has signed in before: a stranger's wrong passwords elsewhere do not count against them.

use super::{Result, Tx, execute, with};
use crate::clock::{DAY, Millis};

/// How long a browser is known that does not sign in.
pub const KEPT: Millis = 180 * DAY;
/// Browsers of one user; the one that was seen longest ago gives way.
const PER_USER: i64 = 32;

/// Whether a user has signed in with that browser.
///
/// # Errors
/// When the database fails.
pub async fn is_known(tx: &mut Tx, cookie_hash: &[u8], user_id: &str, now: Millis) -> Result<bool> {
    let count: i64 = with!(tx, |conn| sqlx::query_scalar(
        "select count(*) from known_browsers where cookie_hash = $1 and user_id = $2 and seen_at > $3"
    )
    .bind(cookie_hash)
    .bind(user_id)
    .bind(now - KEPT)
    .fetch_one(conn))?;
    Ok(count == 1)
}

/// Notes that a user has signed in with a browser.
///
/// # Errors
/// When the database fails.
pub async fn seen(tx: &mut Tx, cookie_hash: &[u8], user_id: &str, now: Millis) -> Result<()> {
    let query = "insert into known_browsers (cookie_hash, user_id, seen_at) values ($1, $2, $3) \
                 on conflict (cookie_hash) do update set user_id = excluded.user_id, seen_at = excluded.seen_at";
    execute!(tx, sqlx::query(query).bind(cookie_hash).bind(user_id).bind(now))?;
    let query = "delete from known_browsers where user_id = $1 and cookie_hash not in \
                 (select cookie_hash from known_browsers where user_id = $1 \
                  order by seen_at desc, cookie_hash limit $2)";
    execute!(tx, sqlx::query(query).bind(user_id).bind(PER_USER))?;
    Ok(())
}

/// Forgets every browser of a user.
///
/// # Errors
/// When the database fails.
pub async fn forget_all(tx: &mut Tx, user_id: &str) -> Result<()> {
    execute!(tx, sqlx::query("delete from known_browsers where user_id = $1").bind(user_id))?;
    Ok(())
}

/// Forgets what was not seen for long.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    Ok(execute!(tx, sqlx::query("delete from known_browsers where seen_at <= $1").bind(now - KEPT))?)
}
