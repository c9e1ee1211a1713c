//! What plugins store, and how much of it there may be.

use taiku_bridge::PluginId;
use taiku_bridge::call::{Listing, Shelf};

use super::{Result, StoreError, Tx, execute, one, row, with};
use crate::clock::{Millis, rfc3339};

/// The most that one user may have on all shelves together, in bytes: no number of plugins fills the disk.
pub const USER_BYTES: i64 = 100 * MIB;

const MIB: i64 = 1024 * 1024;

/// How much one shelf holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Values or files.
    pub entries: i64,
    /// Bytes of their names and contents together.
    pub bytes: i64,
}

/// The quota of a shelf.
#[must_use]
pub const fn quota(shelf: Shelf) -> Quota {
    match shelf {
        Shelf::UserData => Quota { entries: 1_000, bytes: MIB },
        Shelf::Kv => Quota { entries: 10_000, bytes: 10 * MIB },
        Shelf::Files => Quota { entries: 1_000, bytes: 10 * MIB },
    }
}

/// One shelf of one plugin.
#[derive(Clone, Debug)]
pub struct Place {
    shelf: Shelf,
    plugin: String,
    user_id: Option<String>,
}

impl Place {
    /// The shelf of a plugin for a user. Shared data is the same for every user.
    #[must_use]
    pub fn new(shelf: Shelf, plugin: &PluginId, user_id: &str) -> Self {
        let user_id = match shelf {
            Shelf::UserData | Shelf::Files => Some(user_id.to_owned()),
            Shelf::Kv => None,
        };
        Self { shelf, plugin: plugin.key(), user_id }
    }

    /// Plugin ids and user ids have no slash.
    fn id(&self) -> String {
        format!("{}/{}/{}", self.shelf.path(), self.plugin, self.user_id.as_deref().unwrap_or_default())
    }
}

/// How much lies on a shelf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Values or files.
    pub entries: i64,
    /// Bytes of their names and contents together.
    pub bytes: i64,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is stored.
    Stored,
    /// The shelf has as many values or files as it may have.
    TooMany,
    /// The shelf would hold more bytes than it may hold.
    ShelfFull,
    /// The user would have more bytes on all shelves than [`USER_BYTES`].
    UserFull,
}

/// A name on a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The name.
    pub name: String,
    /// How many bytes are stored under it.
    pub size: i64,
    /// When it was last written, in RFC 3339.
    pub updated_at: String,
}

row! {
    struct UsedRow {
        entries: i64,
        bytes: i64,
    }
}

row! {
    struct ItemRow {
        name: Vec<u8>,
        size: i64,
        updated_at: i64,
    }
}

/// What is stored under a name.
///
/// # Errors
/// When the database fails.
pub async fn get(tx: &mut Tx, place: &Place, name: &str) -> Result<Option<Vec<u8>>> {
    let row: Option<(Vec<u8>,)> = with!(tx, |conn| sqlx::query_as(
        "select value from plugin_entries where shelf_id = $1 and name = $2"
    )
    .bind(place.id())
    .bind(name.as_bytes())
    .fetch_optional(conn))?;
    Ok(row.map(|(value,)| value))
}

/// Stores a value under a name, in place of an older one, if there is room for it.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &mut Tx, place: &Place, name: &str, value: &[u8], now: Millis) -> Result<Written> {
    let query = "insert into plugin_shelves (id, kind, plugin, user_id, entries, bytes) \
                 values ($1, $2, $3, $4, 0, 0) on conflict (id) do nothing";
    let (kind, plugin, user_id) = (place.shelf.path(), &place.plugin, &place.user_id);
    execute!(tx, sqlx::query(query).bind(place.id()).bind(kind).bind(plugin).bind(user_id))?;
    let used = turn(tx, place).await?.unwrap_or_default();
    let old = stored_size(tx, place, name).await?;
    let new = size(name) + size_of(value);
    let after = Used {
        entries: used.entries + i64::from(old.is_none()),
        bytes: used.bytes - old.map_or(0, |old| size(name) + old) + new,
    };
    match fits(tx, place, used, after).await? {
        Written::Stored => {}
        full => return Ok(full),
    }
    let query = "insert into plugin_entries (shelf_id, name, value, updated_at) values ($1, $2, $3, $4) \
                 on conflict (shelf_id, name) do update set value = excluded.value, updated_at = excluded.updated_at";
    let rows = execute!(tx, sqlx::query(query).bind(place.id()).bind(name.as_bytes()).bind(value).bind(now))?;
    one("storing plugin data", rows)?;
    set_used(tx, place, after).await?;
    Ok(Written::Stored)
}

/// Deletes what is stored under a name. Returns whether there was something.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, place: &Place, name: &str) -> Result<bool> {
    let Some(used) = turn(tx, place).await? else { return Ok(false) };
    let Some(old) = stored_size(tx, place, name).await? else { return Ok(false) };
    let query = "delete from plugin_entries where shelf_id = $1 and name = $2";
    one("deleting plugin data", execute!(tx, sqlx::query(query).bind(place.id()).bind(name.as_bytes()))?)?;
    let after = Used { entries: used.entries - 1, bytes: used.bytes - size(name) - old };
    set_used(tx, place, after).await?;
    Ok(true)
}

/// Names in order of their bytes, and whether there are more.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &mut Tx, place: &Place, listing: &Listing) -> Result<(Vec<Item>, bool)> {
    // No UTF-8 has a byte 0xff, so this is beyond every name with the prefix.
    let end = [listing.prefix.as_bytes(), &[0xff]].concat();
    let most = usize::try_from(listing.limit).unwrap_or(usize::MAX);
    let rows: Vec<ItemRow> = with!(tx, |conn| sqlx::query_as(
        "select name, cast(length(value) as bigint) as size, updated_at from plugin_entries \
         where shelf_id = $1 and name >= $2 and name < $3 and name > $4 order by name limit $5"
    )
    .bind(place.id())
    .bind(listing.prefix.as_bytes())
    .bind(end.as_slice())
    .bind(listing.cursor.as_bytes())
    .bind(i64::from(listing.limit) + 1)
    .fetch_all(conn))?;
    let more = rows.len() > most;
    let items: Result<Vec<Item>> = rows.into_iter().take(most).map(|row| item(place, row)).collect();
    Ok((items?, more))
}

/// How much lies on a shelf.
///
/// # Errors
/// When the database fails.
pub async fn used(tx: &mut Tx, place: &Place) -> Result<Used> {
    let row: Option<UsedRow> =
        with!(tx, |conn| sqlx::query_as("select entries, bytes from plugin_shelves where id = $1")
            .bind(place.id())
            .fetch_optional(conn))?;
    Ok(row.map_or(Used::default(), |row| Used { entries: row.entries, bytes: row.bytes }))
}

/// Deletes a shelf with all that lies on it. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn clear(tx: &mut Tx, place: &Place) -> Result<bool> {
    // The entries go with their shelf.
    Ok(execute!(tx, sqlx::query("delete from plugin_shelves where id = $1").bind(place.id()))? == 1)
}

/// Takes the turn to write to a shelf: whoever changed its row first keeps the others waiting until the end of the
/// transaction. None when there is no such shelf.
async fn turn(tx: &mut Tx, place: &Place) -> Result<Option<Used>> {
    let row: Option<UsedRow> = with!(tx, |conn| sqlx::query_as(
        "update plugin_shelves set entries = entries where id = $1 returning entries, bytes"
    )
    .bind(place.id())
    .fetch_optional(conn))?;
    Ok(row.map(|row| Used { entries: row.entries, bytes: row.bytes }))
}

async fn stored_size(tx: &mut Tx, place: &Place, name: &str) -> Result<Option<i64>> {
    let row: Option<(i64,)> = with!(tx, |conn| sqlx::query_as(
        "select cast(length(value) as bigint) from plugin_entries where shelf_id = $1 and name = $2"
    )
    .bind(place.id())
    .bind(name.as_bytes())
    .fetch_optional(conn))?;
    Ok(row.map(|(size,)| size))
}

async fn set_used(tx: &mut Tx, place: &Place, used: Used) -> Result<()> {
    let query = "update plugin_shelves set entries = $2, bytes = $3 where id = $1";
    let rows = execute!(tx, sqlx::query(query).bind(place.id()).bind(used.entries).bind(used.bytes))?;
    one("summing up a shelf", rows)
}

/// Whether what a shelf would hold is allowed. What makes a full shelf smaller always is.
async fn fits(tx: &mut Tx, place: &Place, used: Used, after: Used) -> Result<Written> {
    let quota = quota(place.shelf);
    if after.entries > used.entries && after.entries > quota.entries {
        return Ok(Written::TooMany);
    }
    if after.bytes <= used.bytes {
        return Ok(Written::Stored);
    }
    if after.bytes > quota.bytes {
        return Ok(Written::ShelfFull);
    }
    let Some(user_id) = &place.user_id else { return Ok(Written::Stored) };
    let (all,): (i64,) = with!(tx, |conn| sqlx::query_as(
        "select cast(coalesce(sum(bytes), 0) as bigint) from plugin_shelves where user_id = $1"
    )
    .bind(user_id)
    .fetch_one(conn))?;
    Ok(if all + after.bytes - used.bytes > USER_BYTES { Written::UserFull } else { Written::Stored })
}

fn item(place: &Place, row: ItemRow) -> Result<Item> {
    let name = String::from_utf8(row.name).map_err(|error| StoreError::Inconsistent {
        table: "plugin_entries",
        column: "name",
        id: place.id(),
        what: error.to_string(),
    })?;
    Ok(Item { name, size: row.size, updated_at: rfc3339(row.updated_at) })
}

fn size(name: &str) -> i64 {
    size_of(name.as_bytes())
}

fn size_of(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}
