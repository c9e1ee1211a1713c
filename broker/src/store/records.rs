//! Every place of the database that holds vault records, as data, and sealing them again.
//!
//! A column that is not in [`PLACES`] would keep its records under old keys; a test holds the list against the schema.

use super::{Result, StoreError, Tx, execute, row, text, with};
use crate::vault::{ContextHash, KeyId, Place, Ring};

/// A column that holds vault records, with the statements that walk through it.
#[derive(Debug)]
pub struct RecordPlace {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The table whose name the records are bound to: that of the column, or the one that they were moved from.
    bound_to: &'static str,
    page: &'static str,
    find: &'static str,
    replace_sqlite: &'static str,
    replace_postgres: &'static str,
    census: &'static str,
}

impl RecordPlace {
    /// Such as `connections.access_token`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }
}

/// The statements over one column. What a record is bound to is said in SQL: its ring, owner, row, context and
/// generation, as the code says that seals it. `first` and `second` are the primary key in its order.
///
/// The bytes 7 to 19 of a record name its key ([`KeyId`]); SQL counts from 1.
macro_rules! place {
    ($table:literal, $column:literal, first: $($rest:tt)+) => {
        place!($table, $column, bound to: $table, first: $($rest)+)
    };
    (
        $table:literal, $column:literal, bound to: $bound:literal,
        first: $first:literal, second: $second:literal, after: $after:literal, order: $order:literal,
        ring: $ring:literal, owner: $owner:literal, row: $row:literal, context: $context:literal,
        generation: $generation:literal
    ) => {
        RecordPlace {
            table: $table,
            column: $column,
            bound_to: $bound,
            page: concat!(
                "select ",
                $first,
                " as first, ",
                $second,
                " as second, ",
                $ring,
                " as ring, ",
                $owner,
                " as owner, ",
                $row,
                " as place_row, ",
                $context,
                " as context, ",
                $generation,
                " as generation, ",
                $column,
                " as record from ",
                $table,
                " where ",
                $after,
                " and ",
                $column,
                " is not null and substr(",
                $column,
                ", 7, 13) not in ($3, $4, $5) order by ",
                $order,
                " limit $6"
            ),
            find: concat!(
                "select ",
                $first,
                " as first, ",
                $second,
                " as second, ",
                $ring,
                " as ring, ",
                $owner,
                " as owner, ",
                $row,
                " as place_row, ",
                $context,
                " as context, ",
                $generation,
                " as generation, ",
                $column,
                " as record from ",
                $table,
                " where ",
                $first,
                " = $1 and ",
                $column,
                " is not null"
            ),
            replace_sqlite: concat!(
                "update ",
                $table,
                " set ",
                $column,
                " = $1 where ",
                $first,
                " = $2 and ",
                $second,
                " = $3 and ",
                $generation,
                " = $4 and ",
                $column,
                " = $5"
            ),
            replace_postgres: concat!(
                "update ",
                $table,
                " set ",
                $column,
                " = $1 where ",
                $second,
                " = $3 and ",
                $first,
                " = (select ",
                $first,
                " from ",
                $table,
                " where ",
                $first,
                " = $2 and ",
                $second,
                " = $3 and ",
                $generation,
                " = $4 and ",
                $column,
                " = $5 for no key update skip locked)"
            ),
            census: concat!(
                "select substr(",
                $column,
                ", 7, 13), count(*) from ",
                $table,
                " where ",
                $column,
                " is not null group by 1"
            ),
        }
    };
}

/// Every column that holds vault records.
pub const PLACES: &[RecordPlace] = &[
    place!(
        "connections", "access_token",
        first: "id", second: "''", after: "id > $1 and $2 = ''", order: "id",
        ring: "'at'", owner: "user_id", row: "id", context: "context_hash", generation: "generation"
    ),
    place!(
        "connections", "refresh_token",
        first: "id", second: "''", after: "id > $1 and $2 = ''", order: "id",
        ring: "'rt'", owner: "user_id", row: "id", context: "context_hash", generation: "generation"
    ),
    place!(
        "integrations", "client_secret",
        first: "toolkit", second: "''", after: "toolkit > $1 and $2 = ''", order: "toolkit",
        ring: "'rt'", owner: "''", row: "toolkit", context: "cast(null as bytea)",
        generation: "cast(0 as bigint)"
    ),
    place!(
        "integration_settings", "sealed",
        first: "toolkit", second: "key", after: "(toolkit, key) > ($1, $2)", order: "toolkit, key",
        ring: "'cfg'", owner: "''", row: "toolkit || '/' || key", context: "cast(null as bytea)",
        generation: "cast(0 as bigint)"
    ),
    place!(
        "flows", "secrets",
        first: "id", second: "''", after: "id > $1 and $2 = ''", order: "id",
        ring: "'rt'", owner: "user_id", row: "id", context: "context_hash", generation: "cast(0 as bigint)"
    ),
    place!(
        "idempotency", "record",
        first: "user_id", second: "key", after: "(user_id, key) > ($1, $2)", order: "user_id, key",
        ring: "'cfg'", owner: "user_id", row: "key", context: "cast(null as bytea)",
        generation: "cast(0 as bigint)"
    ),
    place!(
        "revocation_items", "access_token", bound to: "connections",
        first: "revocation_id", second: "connection_id",
        after: "(revocation_id, connection_id) > ($1, $2)", order: "revocation_id, connection_id",
        ring: "'at'", owner: "user_id", row: "connection_id", context: "context_hash", generation: "generation"
    ),
    place!(
        "revocation_items", "refresh_token", bound to: "connections",
        first: "revocation_id", second: "connection_id",
        after: "(revocation_id, connection_id) > ($1, $2)", order: "revocation_id, connection_id",
        ring: "'rt'", owner: "user_id", row: "connection_id", context: "context_hash", generation: "generation"
    ),
    place!(
        "vault_checks", "record",
        first: "ring", second: "''", after: "ring > $1 and $2 = ''", order: "ring",
        ring: "ring", owner: "''", row: "ring", context: "cast(null as bytea)",
        generation: "cast(0 as bigint)"
    ),
];

/// A record with where it stands.
#[derive(Clone, Debug)]
pub struct Stored {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    /// The primary key of its row; the second half is empty where there is one column.
    pub key: (String, String),
    /// The ring that it should be of.
    pub ring: Ring,
    pub(super) owner: String,
    pub(super) row: String,
    pub(super) context: ContextHash,
    /// Counts the writes of the row's secrets.
    pub generation: i64,
    /// The record.
    pub record: Vec<u8>,
}

impl Stored {
    /// What it is bound to.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        Place {
            table: self.table,
            column: self.column,
            user: &self.owner,
            row: &self.row,
            context: self.context,
            generation: self.generation,
        }
    }
}

row! {
    struct Row {
        first: String,
        second: String,
        ring: String,
        owner: String,
        place_row: String,
        context: Option<Vec<u8>>,
        generation: i64,
        record: Vec<u8>,
    }
}

impl Row {
    fn stored(self, place: &RecordPlace) -> Result<Stored> {
        let wrong = |column, what: &str| StoreError::Inconsistent {
            table: place.table,
            column,
            id: self.first.clone(),
            what: what.to_owned(),
        };
        let ring = Ring::from_name(&self.ring).ok_or_else(|| wrong("ring", "is no ring"))?;
        let context = match self.context.as_deref().map(<[u8; 32]>::try_from) {
            None => ContextHash::NONE,
            Some(Ok(hash)) => hash.into(),
            Some(Err(_)) => return Err(wrong("context_hash", "has not 32 bytes")),
        };
        Ok(Stored {
            table: place.bound_to,
            column: place.column,
            key: (self.first, self.second),
            ring,
            owner: self.owner,
            row: self.place_row,
            context,
            generation: self.generation,
            record: self.record,
        })
    }
}

/// The next records of a place, after a primary key, that none of these keys has sealed.
///
/// # Errors
/// When the database fails.
pub async fn page(
    tx: &mut Tx,
    place: &RecordPlace,
    after: &(String, String),
    active: &[KeyId; 3],
    limit: i64,
) -> Result<Vec<Stored>> {
    let [at, rt, cfg] = active.map(|key| key.bytes().to_vec());
    let rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(place.page)
        .bind(&after.0)
        .bind(&after.1)
        .bind(at)
        .bind(rt)
        .bind(cfg)
        .bind(limit)
        .fetch_all(conn))?;
    rows.into_iter().map(|row| row.stored(place)).collect()
}

/// The record of a place in the row with this primary key, which is one column.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, place: &RecordPlace, key: &str) -> Result<Option<Stored>> {
    let row: Option<Row> =
        with!(tx, |conn| sqlx::query_as(place.find).bind(text(key)?).fetch_optional(conn))?;
    row.map(|row| row.stored(place)).transpose()
}

/// Puts a record in the place of the one that was read, if nobody else has changed it since: its generation, and its
/// bytes, which name the key, must be the same. Returns whether it did.
///
/// On Postgres a row that is in use is passed over: whoever holds it must never wait in a circle with this.
///
/// # Errors
/// When the database fails.
pub async fn replace(tx: &mut Tx, place: &RecordPlace, old: &Stored, new: &[u8]) -> Result<bool> {
    let query = match tx {
        Tx::Sqlite(_) => place.replace_sqlite,
        Tx::Postgres(_) => place.replace_postgres,
    };
    let done = execute!(
        tx,
        sqlx::query(query).bind(new).bind(&old.key.0).bind(&old.key.1).bind(old.generation).bind(&old.record)
    )?;
    Ok(done == 1)
}

/// How many records of a place each key has sealed; none for bytes that name no key.
///
/// # Errors
/// When the database fails.
pub async fn census(tx: &mut Tx, place: &RecordPlace) -> Result<Vec<(Option<KeyId>, i64)>> {
    let rows: Vec<(Vec<u8>, i64)> = with!(tx, |conn| sqlx::query_as(place.census).fetch_all(conn))?;
    Ok(rows.into_iter().map(|(name, count)| (KeyId::from_bytes(&name), count)).collect())
}
