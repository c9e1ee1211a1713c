//! What users choose of their connections, and what is noted of their use.

use super::{Connection, lock};
use crate::clock::Millis;
use crate::store::{Result, Tx, execute, one, optional_text, text};

/// Makes a connection its user's default at its toolkit.
///
/// # Errors
/// When the user has no such connection, or the database fails.
pub async fn make_default(tx: &mut Tx, connection: &Connection) -> Result<()> {
    lock(tx, &connection.user_id).await?;
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

/// Notes that a tool used a connection.
///
/// # Errors
/// When the database fails.
pub async fn used(tx: &mut Tx, id: &str, now: Millis) -> Result<()> {
    execute!(tx, sqlx::query("update connections set last_used_at = $2 where id = $1").bind(id).bind(now))?;
    Ok(())
}
