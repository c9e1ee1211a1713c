//! Plugins that were installed while the server ran: their content, where it came from, and who took them off.

use std::collections::BTreeSet;

use taiku_bridge::PluginId;
use taiku_bridge::api::Source;

use super::{Result, StoreError, Tx, execute, one, row, text, with};
use crate::clock::Millis;

/// How long content that no install names any more is kept, so that panels which are open over an update find
/// their files.
const KEPT: Millis = 24 * 60 * 60 * 1000;

row! {
    struct Row {
        plugin: String,
        version: String,
        hash: String,
        source: String,
        publisher: String,
        shown: String,
        location: Option<String>,
        installed_by: String,
        installed_at: i64,
        updated_at: i64,
    }
}

/// Where an installed plugin came from, and where its next version must come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A registry that an admin allowed.
    Registry {
        /// Its address.
        url: String,
    },
    /// A manifest or a packed plugin on the web.
    Url {
        /// Its scheme, host and port: who publishes.
        origin: String,
        /// Its whole address.
        location: String,
    },
    /// A packed plugin that somebody uploaded.
    File {
        /// The user's id.
        user_id: String,
        /// The user's name.
        name: String,
    },
}

impl Origin {
    /// The kind, as the API names it.
    #[must_use]
    pub fn source(&self) -> Source {
        match self {
            Self::Registry { .. } => Source::Registry,
            Self::Url { .. } => Source::Url,
            Self::File { .. } => Source::File,
        }
    }

    /// What two versions must have in common to be of the same publisher, together with the kind.
    #[must_use]
    pub fn publisher(&self) -> &str {
        match self {
            Self::Registry { url } => url,
            Self::Url { origin, .. } => origin,
            Self::File { user_id, .. } => user_id,
        }
    }

    /// The publisher, for people.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            Self::Registry { url } => url,
            Self::Url { origin, .. } => origin,
            Self::File { name, .. } => name,
        }
    }

    /// Where a new version is looked for; nowhere after an upload.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        match self {
            Self::Registry { url } => Some(url),
            Self::Url { location, .. } => Some(location),
            Self::File { .. } => None,
        }
    }

    /// Whether both are of one publisher.
    #[must_use]
    pub fn is_same_publisher(&self, other: &Self) -> bool {
        (self.source(), self.publisher()) == (other.source(), other.publisher())
    }
}

/// One installed plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Install {
    /// Its [`PluginId::key`].
    pub plugin: String,
    /// The version.
    pub version: String,
    /// SHA-256 of its files, in hex: what is loaded must have it.
    pub hash: String,
    /// Where it came from.
    pub origin: Origin,
    /// The user who installed this version.
    pub installed_by: String,
    /// When the first version was.
    pub installed_at: Millis,
    /// When this version was.
    pub updated_at: Millis,
}

impl TryFrom<Row> for Install {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self> {
        let origin = match (row.source.as_str(), row.location) {
            ("registry", Some(_)) => Origin::Registry { url: row.publisher },
            ("url", Some(location)) => Origin::Url { origin: row.publisher, location },
            ("file", None) => Origin::File { user_id: row.publisher, name: row.shown },
            _ => {
                return Err(StoreError::Inconsistent {
                    table: "plugin_installs",
                    column: "source",
                    id: row.plugin,
                    what: format!("`{}` does not go with its location", row.source),
                });
            }
        };
        Ok(Self {
            plugin: row.plugin,
            version: row.version,
            hash: row.hash,
            origin,
            installed_by: row.installed_by,
            installed_at: row.installed_at,
            updated_at: row.updated_at,
        })
    }
}

/// Every installed plugin, by id.
///
/// # Errors
/// When the database fails.
pub async fn all(tx: &mut Tx) -> Result<Vec<Install>> {
    let rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(
        "select plugin, version, hash, source, publisher, shown, location, installed_by, installed_at, \
         updated_at from plugin_installs order by plugin"
    )
    .fetch_all(conn))?;
    rows.into_iter().map(Install::try_from).collect()
}

/// One installed plugin.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, plugin: &PluginId) -> Result<Option<Install>> {
    let row: Option<Row> = with!(tx, |conn| sqlx::query_as(
        "select plugin, version, hash, source, publisher, shown, location, installed_by, installed_at, \
         updated_at from plugin_installs where plugin = $1"
    )
    .bind(plugin.key())
    .fetch_optional(conn))?;
    row.map(Install::try_from).transpose()
}

/// Installs a version, in place of an older one. Its content must be there.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &mut Tx, install: &Install) -> Result<()> {
    let query = "insert into plugin_installs (plugin, version, hash, source, publisher, shown, location, \
                 installed_by, installed_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                 on conflict (plugin) do update set version = excluded.version, hash = excluded.hash, \
                 source = excluded.source, publisher = excluded.publisher, shown = excluded.shown, \
                 location = excluded.location, installed_by = excluded.installed_by, \
                 updated_at = excluded.updated_at";
    let origin = &install.origin;
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(&install.plugin)
            .bind(&install.version)
            .bind(&install.hash)
            .bind(origin.source().as_str())
            .bind(text(origin.publisher())?)
            .bind(text(origin.shown())?)
            .bind(origin.location())
            .bind(&install.installed_by)
            .bind(install.installed_at)
            .bind(install.updated_at)
    )?;
    one("installing a plugin", done)
}

/// Uninstalls a plugin for everybody: what users allowed it goes too. Returns whether there was anything.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, plugin: &PluginId) -> Result<bool> {
    let key = plugin.key();
    execute!(tx, sqlx::query("delete from grants where plugin = $1").bind(&key))?;
    Ok(execute!(tx, sqlx::query("delete from plugin_installs where plugin = $1").bind(&key))? == 1)
}

/// Stores packed files under the hash of what they unpack to. Content that is there already is written anew, which
/// mends a row that was damaged.
///
/// # Errors
/// When the database fails.
pub async fn put_content(tx: &mut Tx, hash: &str, archive: &[u8], now: Millis) -> Result<()> {
    let query = "insert into plugin_contents (hash, archive, created_at) values ($1, $2, $3) \
                 on conflict (hash) do update set archive = excluded.archive, created_at = excluded.created_at";
    one("storing a plugin", execute!(tx, sqlx::query(query).bind(hash).bind(archive).bind(now))?)
}

/// The packed files under a hash.
///
/// # Errors
/// When the database fails.
pub async fn content(tx: &mut Tx, hash: &str) -> Result<Option<Vec<u8>>> {
    let content: Option<Vec<u8>> =
        with!(tx, |conn| sqlx::query_scalar("select archive from plugin_contents where hash = $1")
            .bind(hash)
            .fetch_optional(conn))?;
    Ok(content)
}

/// Notes that a user uninstalled a plugin, and forgets what the user allowed it. Returns whether there was a grant.
///
/// # Errors
/// When the database fails.
pub async fn remove_for(tx: &mut Tx, user_id: &str, plugin: &PluginId, now: Millis) -> Result<bool> {
    let granted = super::grants::remove(tx, user_id, plugin).await?;
    let query = "insert into plugin_removals (user_id, plugin, removed_at) values ($1, $2, $3) \
                 on conflict (user_id, plugin) do update set removed_at = excluded.removed_at";
    one("uninstalling", execute!(tx, sqlx::query(query).bind(user_id).bind(plugin.key()).bind(now))?)?;
    Ok(granted)
}

/// Forgets that a user uninstalled a plugin, because it was added again.
///
/// # Errors
/// When the database fails.
pub async fn add_for(tx: &mut Tx, user_id: &str, plugin: &PluginId) -> Result<()> {
    let query = "delete from plugin_removals where user_id = $1 and plugin = $2";
    execute!(tx, sqlx::query(query).bind(user_id).bind(plugin.key()))?;
    Ok(())
}

/// The plugins that a user uninstalled, by [`PluginId::key`].
///
/// # Errors
/// When the database fails.
pub async fn removed_by(tx: &mut Tx, user_id: &str) -> Result<BTreeSet<String>> {
    let keys: Vec<String> =
        with!(tx, |conn| sqlx::query_scalar("select plugin from plugin_removals where user_id = $1")
            .bind(user_id)
            .fetch_all(conn))?;
    Ok(keys.into_iter().collect())
}

/// Forgets content that nothing names any more.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Millis) -> Result<u64> {
    let query = "delete from plugin_contents where created_at < $1 \
                 and hash not in (select hash from plugin_installs)";
    Ok(execute!(tx, sqlx::query(query).bind(now - KEPT))?)
}
