//! A known answer for each ring.

use super::{Result, Tx, execute, one, with};

/// The table.
pub const TABLE: &str = "vault_checks";

/// Every ring's name with its known answer, sealed.
///
/// # Errors
/// When the database fails.
pub async fn all(tx: &mut Tx) -> Result<Vec<(String, Vec<u8>)>> {
    Ok(with!(tx, |conn| sqlx::query_as("select ring, record from vault_checks order by ring")
        .fetch_all(conn))?)
}

/// Stores the known answer of a ring.
///
/// # Errors
/// When the ring has one, or the database fails.
pub async fn add(tx: &mut Tx, ring: &str, record: &[u8]) -> Result<()> {
    let query = "insert into vault_checks (ring, record) values ($1, $2)";
    one("storing a known answer", execute!(tx, sqlx::query(query).bind(ring).bind(record))?)
}
