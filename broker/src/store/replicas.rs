//! The processes that hold ring keys, as they say of themselves. Times are the database's: the clocks of machines differ.

use super::{Result, Tx, execute, list, list_text, row, with};
use crate::clock::Millis;
use crate::vault::{KeyId, KeyInfo, KeyState, Ring};

/// A process that has said nothing for so long is taken to be gone.
pub const LIVE: Millis = 15_000;
/// A process that has said nothing for so long is forgotten.
const FORGET: Millis = 10 * 60_000;

/// A process that holds ring keys.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Made when it started.
    pub id: String,
    /// What it does: `broker`, or one half of one.
    pub role: String,
    /// When it started.
    pub started_at: Millis,
    /// How long ago it last spoke.
    pub silent_for: Millis,
    /// The keys that it has loaded.
    pub keys: Vec<HeldKey>,
}

/// A key that a process has loaded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeldKey {
    ring: String,
    version: u32,
    fingerprint: String,
    state: String,
}

impl From<&KeyInfo> for HeldKey {
    fn from(key: &KeyInfo) -> Self {
        Self {
            ring: key.id.ring.name().to_owned(),
            version: key.id.version,
            fingerprint: key.id.fingerprint_digits(),
            state: key.state.name().to_owned(),
        }
    }
}

impl Replica {
    /// Whether it needs keys of a ring at all.
    #[must_use]
    pub fn holds_ring(&self, ring: Ring) -> bool {
        self.keys.iter().any(|key| key.ring == ring.name())
    }

    /// Whether it can open what a key has sealed.
    #[must_use]
    pub fn holds(&self, id: KeyId) -> bool {
        self.keys.iter().any(|key| key.is(id))
    }

    /// Whether it seals under a key.
    #[must_use]
    pub fn seals_under(&self, id: KeyId) -> bool {
        self.keys.iter().any(|key| key.is(id) && key.state == KeyState::Active.name())
    }
}

impl HeldKey {
    fn is(&self, id: KeyId) -> bool {
        self.ring == id.ring.name()
            && self.version == id.version
            && self.fingerprint == id.fingerprint_digits()
    }
}

row! {
    struct Row {
        id: String,
        role: String,
        started_at: i64,
        seen_at: i64,
        keys: String,
    }
}

/// The database's time.
///
/// # Errors
/// When the database fails.
pub async fn database_time(tx: &mut Tx) -> Result<Millis> {
    Ok(match tx {
        Tx::Sqlite(tx) => {
            sqlx::query_scalar("select cast(unixepoch('subsec') * 1000 as integer)")
                .fetch_one(&mut **tx)
                .await?
        }
        Tx::Postgres(tx) => {
            sqlx::query_scalar("select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)")
                .fetch_one(&mut **tx)
                .await?
        }
    })
}

/// Says that a process lives and which keys it has loaded.
///
/// # Errors
/// When the database fails.
pub async fn beat(tx: &mut Tx, id: &str, role: &str, keys: &[KeyInfo]) -> Result<()> {
    let now = database_time(tx).await?;
    let keys: Vec<HeldKey> = keys.iter().map(HeldKey::from).collect();
    let query = "insert into replicas (id, role, started_at, seen_at, keys) values ($1, $2, $3, $3, $4) \
                 on conflict (id) do update set seen_at = excluded.seen_at, keys = excluded.keys";
    execute!(tx, sqlx::query(query).bind(id).bind(role).bind(now).bind(list_text(&keys)))?;
    Ok(())
}

/// Says that a process has ended in order, and forgets those that ended without a word.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &mut Tx, id: &str) -> Result<()> {
    let long_ago = database_time(tx).await? - FORGET;
    execute!(tx, sqlx::query("delete from replicas where id = $1 or seen_at < $2").bind(id).bind(long_ago))?;
    Ok(())
}

/// The processes that live, the longest running first.
///
/// # Errors
/// When the database fails.
pub async fn live(tx: &mut Tx) -> Result<Vec<Replica>> {
    let now = database_time(tx).await?;
    let rows: Vec<Row> = with!(tx, |conn| {
        sqlx::query_as(
        "select id, role, started_at, seen_at, keys from replicas where seen_at > $1 order by started_at, id"
    )
    .bind(now - LIVE)
    .fetch_all(conn)
    })?;
    rows.into_iter()
        .map(|row| {
            Ok(Replica {
                keys: list("replicas", "keys", &row.id, &row.keys)?,
                id: row.id,
                role: row.role,
                started_at: row.started_at,
                silent_for: now - row.seen_at,
            })
        })
        .collect()
}
