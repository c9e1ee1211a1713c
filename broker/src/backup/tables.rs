//! The tables of a database as the schema describes them, read and written without knowing any.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::{AssertSqlSafe, Row as _};

use super::BackupError;
use crate::store::{self, Store, StoreError, Tx, execute, row, with};

/// What brokers tell each other and count, sessions, and consents under way: of the time of the backup, not of now.
const OF_ITS_TIME: [&str; 6] = ["bulletins", "allowances", "flows", "sessions", "known_browsers", "replicas"];
/// Kept by the migrations themselves.
const MIGRATIONS: &str = "_sqlx_migrations";

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: String,
    /// Its columns.
    pub(super) columns: Vec<Column>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// What is in it.
    pub(super) kind: Kind,
}

/// The types that migrations use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Text,
    Bigint,
    Boolean,
    Bytea,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Value {
    Bool(bool),
    Int(i64),
    Text(String),
    Bytes(Bytes),
    Null(()),
}

/// Bytes, as `{"b64": "…"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    b64: String,
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Encoded { b64: STANDARD.encode(&self.0) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Encoded { b64 } = Encoded::deserialize(deserializer)?;
        STANDARD.decode(b64).map(Self).map_err(serde::de::Error::custom)
    }
}

row! {
    struct Described {
        table_name: String,
        column_name: String,
        data_type: String,
    }
}

row! {
    struct Reference {
        from_table: String,
        to_table: String,
    }
}

/// A transaction that sees the database as it is now until it ends, whatever others write.
pub(super) async fn snapshot(store: &Store) -> Result<Tx, StoreError> {
    let mut tx = store.read().await?;
    if let Tx::Postgres(tx) = &mut tx {
        sqlx::query("set transaction isolation level repeatable read read only").execute(&mut **tx).await?;
    }
    // On SQLite the first look fixes what is seen.
    Ok(tx)
}

/// Every table, each after those that it refers to.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Table>, BackupError> {
    let columns = match tx {
        Tx::Sqlite(_) => {
            "select m.name as table_name, c.name as column_name, c.type as data_type \
             from sqlite_master m, pragma_table_info(m.name) c \
             where m.type = 'table' and m.name not like 'sqlite_%' order by m.name, c.cid"
        }
        Tx::Postgres(_) => {
            "select table_name::text, column_name::text, data_type::text from information_schema.columns \
             where table_schema = current_schema() order by table_name, ordinal_position"
        }
    };
    let columns: Vec<Described> = with!(tx, |conn| sqlx::query_as(columns).fetch_all(conn))?;
    let references = match tx {
        Tx::Sqlite(_) => {
            "select m.name as from_table, f.\"table\" as to_table \
             from sqlite_master m, pragma_foreign_key_list(m.name) f where m.type = 'table'"
        }
        Tx::Postgres(_) => {
            "select f.relname::text as from_table, t.relname::text as to_table from pg_constraint c \
             join pg_class f on f.oid = c.conrelid join pg_class t on t.oid = c.confrelid \
             join pg_namespace n on n.oid = f.relnamespace \
             where c.contype = 'f' and n.nspname = current_schema()"
        }
    };
    let references: Vec<Reference> = with!(tx, |conn| sqlx::query_as(references).fetch_all(conn))?;
    let mut tables: Vec<Table> = Vec::new();
    for Described { table_name, column_name, data_type } in columns {
        if table_name == MIGRATIONS {
            continue;
        }
        let kind = kind(&table_name, &column_name, &data_type)?;
        let column = Column { name: column_name, kind };
        match tables.last_mut().filter(|table| table.name == table_name) {
            Some(table) => table.columns.push(column),
            None => tables.push(Table { name: table_name, columns: vec![column] }),
        }
    }
    Ok(in_order(tables, &references))
}

fn kind(table: &str, column: &str, data_type: &str) -> Result<Kind, BackupError> {
    match data_type.to_ascii_lowercase().as_str() {
        "text" => Ok(Kind::Text),
        "bigint" => Ok(Kind::Bigint),
        "boolean" => Ok(Kind::Boolean),
        "bytea" => Ok(Kind::Bytea),
        other => {
            Err(BackupError::Content(format!("column {column} of table {table} is of the type {other}")))
        }
    }
}

/// Each table after those that it refers to. References in a circle, which there are none of, would keep their order.
fn in_order(mut waiting: Vec<Table>, references: &[Reference]) -> Vec<Table> {
    let mut done = Vec::new();
    let mut placed = BTreeSet::new();
    while !waiting.is_empty() {
        let is_free = |table: &Table| {
            references
                .iter()
                .filter(|reference| reference.from_table == table.name && reference.to_table != table.name)
                .all(|reference| placed.contains(&reference.to_table))
        };
        let next = waiting.iter().position(is_free).unwrap_or_default();
        let table = waiting.remove(next);
        placed.insert(table.name.clone());
        done.push(table);
    }
    done
}

/// Reads a table row by row. Returns how many.
pub(super) async fn read(
    tx: &mut Tx,
    table: &Table,
    mut each: impl FnMut(Vec<Value>) -> Result<(), BackupError>,
) -> Result<u64, BackupError> {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let query = format!("select {} from {}", columns.join(", "), quoted(&table.name));
    let mut count = 0;
    macro_rules! stream {
        ($tx:expr) => {{
            let mut rows = sqlx::query(AssertSqlSafe(query)).fetch(&mut **$tx);
            while let Some(row) = rows.try_next().await? {
                let value = |(at, column): (usize, &Column)| -> sqlx::Result<Value> {
                    Ok(match column.kind {
                        Kind::Text => row.try_get::<Option<String>, _>(at)?.map(Value::Text),
                        Kind::Bigint => row.try_get::<Option<i64>, _>(at)?.map(Value::Int),
                        Kind::Boolean => row.try_get::<Option<bool>, _>(at)?.map(Value::Bool),
                        Kind::Bytea => {
                            row.try_get::<Option<Vec<u8>>, _>(at)?.map(|bytes| Value::Bytes(Bytes(bytes)))
                        }
                    }
                    .unwrap_or(Value::Null(())))
                };
                each(table.columns.iter().enumerate().map(value).collect::<sqlx::Result<_>>()?)?;
                count += 1;
            }
        }};
    }
    match tx {
        Tx::Sqlite(tx) => stream!(tx),
        Tx::Postgres(tx) => stream!(tx),
    }
    Ok(count)
}

/// Writes one row.
pub(super) async fn write(tx: &mut Tx, table: &Table, values: Vec<Value>) -> Result<(), BackupError> {
    if values.len() != table.columns.len() {
        return Err(BackupError::Content(format!(
            "a row of table {} has too many or too few values",
            table.name
        )));
    }
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let places: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    let query = format!(
        "insert into {} ({}) values ({})",
        quoted(&table.name),
        columns.join(", "),
        places.join(", ")
    );
    macro_rules! insert {
        ($tx:expr) => {{
            let mut query = sqlx::query(AssertSqlSafe(query));
            for (value, column) in values.into_iter().zip(&table.columns) {
                query = match (value, column.kind) {
                    (Value::Null(()), Kind::Text) => query.bind(None::<String>),
                    (Value::Null(()), Kind::Bigint) => query.bind(None::<i64>),
                    (Value::Null(()), Kind::Boolean) => query.bind(None::<bool>),
                    (Value::Null(()), Kind::Bytea) => query.bind(None::<Vec<u8>>),
                    (Value::Text(text), Kind::Text) => query.bind(text),
                    (Value::Int(number), Kind::Bigint) => query.bind(number),
                    (Value::Bool(flag), Kind::Boolean) => query.bind(flag),
                    (Value::Bytes(bytes), Kind::Bytea) => query.bind(bytes.0),
                    _ => {
                        let (table, column) = (&table.name, &column.name);
                        let what = format!("a value of another type in column {column} of table {table}");
                        return Err(BackupError::Content(what));
                    }
                };
            }
            query.execute(&mut **$tx).await?;
        }};
    }
    match tx {
        Tx::Sqlite(tx) => insert!(tx),
        Tx::Postgres(tx) => insert!(tx),
    }
    Ok(())
}

/// Removes what migrations have put into new tables.
pub(super) async fn clear(tx: &mut Tx, tables: &[Table]) -> Result<(), BackupError> {
    for table in tables.iter().rev() {
        let query = format!("delete from {}", quoted(&table.name));
        execute!(tx, sqlx::query(AssertSqlSafe(query.clone())))?;
    }
    Ok(())
}

/// Removes what must not come to life again.
pub(super) async fn after_restore(tx: &mut Tx) -> Result<(), BackupError> {
    let present = all(tx).await?;
    let of_its_time: Vec<Table> =
        present.into_iter().filter(|table| OF_ITS_TIME.contains(&table.name.as_str())).collect();
    clear(tx, &of_its_time).await
}

/// Whether a database with a schema was never used: nobody is in it and no key was enrolled.
pub(super) async fn is_empty(store: &Store) -> Result<bool, BackupError> {
    let mut tx = store.read().await?;
    let users: i64 = with!(&mut tx, |conn| sqlx::query_scalar("select count(*) from users").fetch_one(conn))?;
    Ok(users == 0 && store::vault_checks::all(&mut tx).await?.is_empty())
}

/// A name out of the schema, or of a backup that was authenticated, as SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_after_those_that_they_refer_to() {
        let table = |name: &str| Table { name: name.into(), columns: Vec::new() };
        let reference = |from: &str, to: &str| Reference { from_table: from.into(), to_table: to.into() };
        let references = [reference("a", "c"), reference("c", "b"), reference("c", "c")];
        let ordered = in_order(vec![table("a"), table("b"), table("c")], &references);
        assert_eq!(ordered, [table("b"), table("c"), table("a")]);
    }

    #[test]
    fn a_value_is_what_it_was() {
        let values = vec![
            Value::Null(()),
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Text("{\"b64\": \"x\"}".into()),
            Value::Bytes(Bytes(vec![0, 255])),
        ];
        let text = serde_json::to_string(&values).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Value>>(&text).unwrap(), values);
    }
}
