//! Refresh tokens out of a backup.
//!
//! One that was used since the backup was made is spent. A provider that replaces refresh tokens takes a spent one
//! for stolen, and ends the grant that its successor is of; so it is not shown one, and the user connects again. At
//! a provider that never replaces them it is still the one.

use super::Custody;
use crate::store::connections::Connection;
use crate::store::{self, restored};
use crate::toolkit::Rotation;

/// Why a connection ends whose refresh token came from a backup.
pub(super) const WHY: &str = "restore";

/// Whether the refresh token of a connection may be spent, so that the provider must not see it.
///
/// # Errors
/// When the database fails.
pub(super) async fn may_be_spent(
    custody: &Custody,
    connection: &Connection,
    rotation: Rotation,
) -> store::Result<bool> {
    match rotation {
        Rotation::Never => Ok(false),
        Rotation::Always | Rotation::Unknown => is_as_restored(custody, connection).await,
    }
}

/// Whether a connection is as it came from a backup.
///
/// # Errors
/// When the database fails.
pub(super) async fn is_as_restored(custody: &Custody, connection: &Connection) -> store::Result<bool> {
    let mut tx = custody.store.read().await?;
    restored::is_as_restored(&mut tx, &connection.id, connection.generation).await
}
