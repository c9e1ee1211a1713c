//! Seals the tokens of a connection for its present owner, after its row was given to another user in the database.
//!
//! A record opens only for the owner that it was sealed for, so such a row fails closed. An admin who has the keys,
//! and knows whose it was, can bind it anew.

use crate::store::records::{self, PLACES};
use crate::store::{self, Store};
use crate::vault::{Place, Vault, VaultError};

/// Why nothing was bound anew.
#[derive(Debug, thiserror::Error)]
pub enum RebindError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// There is no such connection, or it has no tokens.
    #[error("there is no connection {0} with tokens")]
    Missing(String),
    /// The tokens were not sealed for that user.
    #[error("the {column} of {id} was not sealed for {owner}: {why}")]
    NotTheirs {
        /// The column.
        column: &'static str,
        /// The connection.
        id: String,
        /// Whose it was said to be.
        owner: String,
        /// What the vault says.
        why: VaultError,
    },
    /// A broker has changed the row meanwhile.
    #[error("the connection {0} has changed meanwhile; try again")]
    Changed(String),
}

/// Binds the tokens of a connection, sealed for the user `before`, to the user that its row names now.
/// Nothing is written if one of them does not open. Returns how many records were bound anew.
///
/// # Errors
/// See [`RebindError`].
pub async fn run(store: &Store, vault: &Vault, id: &str, before: &str) -> Result<usize, RebindError> {
    let mut tx = store.write().await?;
    let mut bound = 0;
    let mut found = false;
    for place in PLACES.iter().filter(|place| place.table == "connections") {
        let Some(stored) = records::find(&mut tx, place, id).await? else { continue };
        found = true;
        if vault.open(stored.ring, &stored.place(), &stored.record).is_ok() {
            continue;
        }
        let then = Place { user: before, ..stored.place() };
        let secret = vault.open(stored.ring, &then, &stored.record).map_err(|why| {
            RebindError::NotTheirs { column: place.column, id: id.to_owned(), owner: before.to_owned(), why }
        })?;
        let record = vault.seal(stored.ring, &stored.place(), secret.expose());
        if !records::replace(&mut tx, place, &stored, &record).await? {
            return Err(RebindError::Changed(id.to_owned()));
        }
        bound += 1;
    }
    if !found {
        return Err(RebindError::Missing(id.to_owned()));
    }
    tx.commit().await?;
    Ok(bound)
}
