//! What users allowed plugins, and the content that plugins had then.

use std::collections::BTreeMap;

use taiku_bridge::api::StoredGrant;
use taiku_bridge::{Grant, PluginId};

use super::{Result, Tx, execute, list, list_text, one, row, text, with};
use crate::clock::{Millis, rfc3339};

row! {
    struct Row {
        plugin: String,
        version: String,
        permissions: String,
        integrations: String,
        granted_at: i64,
    }
}

row! {
    struct UserRow {
        user_id: String,
        version: String,
        permissions: String,
        integrations: String,
        granted_at: i64,
    }
}

row! {
    struct PinRow {
        plugin: String,
        version: String,
        hash: String,
    }
}

/// The content of one version of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The version.
    pub version: String,
    /// SHA-256 of its content, in hex.
    pub hash: String,
}

fn stored(row: &Row) -> Result<StoredGrant> {
    let permissions = list("grants", "permissions", &row.plugin, &row.permissions)?;
    let integrations = list("grants", "integrations", &row.plugin, &row.integrations)?;
    Ok(StoredGrant {
        version: row.version.clone(),
        grant: Grant {
            permissions: permissions.into_iter().collect(),
            integrations: integrations.into_iter().collect(),
        },
        granted_at: rfc3339(row.granted_at),
    })
}

/// A user's grants by [`PluginId::key`].
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user_id: &str) -> Result<BTreeMap<String, StoredGrant>> {
    let rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(
        "select plugin, version, permissions, integrations, granted_at from grants where user_id = $1"
    )
    .bind(user_id)
    .fetch_all(conn))?;
    rows.iter().map(|row| Ok((row.plugin.clone(), stored(row)?))).collect()
}

/// What every user who allowed a plugin anything allowed it, by the user's id.
///
/// # Errors
/// When the database fails.
pub async fn of_plugin(tx: &mut Tx, plugin: &PluginId) -> Result<BTreeMap<String, StoredGrant>> {
    let rows: Vec<UserRow> = with!(tx, |conn| sqlx::query_as(
        "select user_id, version, permissions, integrations, granted_at from grants where plugin = $1"
    )
    .bind(plugin.key())
    .fetch_all(conn))?;
    let stored = |row: UserRow| {
        let UserRow { user_id, version, permissions, integrations, granted_at } = row;
        let row = Row { plugin: plugin.key(), version, permissions, integrations, granted_at };
        Ok((user_id, stored(&row)?))
    };
    rows.into_iter().map(stored).collect()
}

/// What a user allowed one plugin.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, user_id: &str, plugin: &PluginId) -> Result<Option<StoredGrant>> {
    let row: Option<Row> = with!(tx, |conn| sqlx::query_as(
        "select plugin, version, permissions, integrations, granted_at from grants \
         where user_id = $1 and plugin = $2"
    )
    .bind(user_id)
    .bind(plugin.key())
    .fetch_optional(conn))?;
    row.as_ref().map(stored).transpose()
}

row! {
    struct UsersRow {
        plugin: String,
        users: i64,
    }
}

/// How many users have allowed each plugin something, by [`PluginId::key`].
///
/// # Errors
/// When the database fails.
pub async fn users_by_plugin(tx: &mut Tx) -> Result<BTreeMap<String, u32>> {
    let rows: Vec<UsersRow> =
        with!(tx, |conn| sqlx::query_as("select plugin, count(*) as users from grants group by plugin")
            .fetch_all(conn))?;
    let count = |row: UsersRow| (row.plugin, u32::try_from(row.users).unwrap_or(u32::MAX));
    Ok(rows.into_iter().map(count).collect())
}

/// Stores what a user allows a plugin, in place of what was allowed before.
///
/// # Errors
/// When the database fails.
pub async fn put(
    tx: &mut Tx,
    user_id: &str,
    plugin: &PluginId,
    version: &str,
    grant: &Grant,
    now: Millis,
) -> Result<()> {
    let query = "insert into grants (user_id, plugin, version, permissions, integrations, granted_at) \
                 values ($1, $2, $3, $4, $5, $6) on conflict (user_id, plugin) do update set \
                 version = excluded.version, permissions = excluded.permissions, \
                 integrations = excluded.integrations, granted_at = excluded.granted_at";
    let permissions: Vec<_> = grant.permissions.iter().collect();
    let integrations: Vec<_> = grant.integrations.iter().collect();
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(user_id)
            .bind(plugin.key())
            .bind(text(version)?)
            .bind(list_text(&permissions))
            .bind(list_text(&integrations))
            .bind(now)
    )?;
    one("storing a grant", done)
}

/// Takes back what a user allowed a plugin. Returns whether there was anything.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, user_id: &str, plugin: &PluginId) -> Result<bool> {
    let query = "delete from grants where user_id = $1 and plugin = $2";
    Ok(execute!(tx, sqlx::query(query).bind(user_id).bind(plugin.key()))? == 1)
}

/// Every pin by [`PluginId::key`].
///
/// # Errors
/// When the database fails.
pub async fn pins(tx: &mut Tx) -> Result<BTreeMap<String, Pin>> {
    let rows: Vec<PinRow> =
        with!(tx, |conn| sqlx::query_as("select plugin, version, hash from plugin_pins").fetch_all(conn))?;
    Ok(rows.into_iter().map(|row| (row.plugin, Pin { version: row.version, hash: row.hash })).collect())
}

/// Pins the content of a plugin's version, in place of an older pin.
///
/// # Errors
/// When the database fails.
pub async fn pin(tx: &mut Tx, plugin: &PluginId, pin: &Pin) -> Result<()> {
    let query = "insert into plugin_pins (plugin, version, hash) values ($1, $2, $3) \
                 on conflict (plugin) do update set version = excluded.version, hash = excluded.hash";
    let done = execute!(tx, sqlx::query(query).bind(plugin.key()).bind(&pin.version).bind(&pin.hash))?;
    one("pinning a plugin", done)
}
