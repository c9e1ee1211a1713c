//! The tokens of a connection: sealed when they come, refresh tokens opened when they are sent.

use crate::clock::SECOND;
use crate::oauth::Tokens;
use crate::store::connections::{Connection, SealedTokens};
use crate::tokens::place;
use crate::vault::{ContextHash, Ring, SecretString, VaultError};

use super::Custody;

/// Seals tokens for a connection at one generation.
#[must_use]
pub(crate) fn seal(
    custody: &Custody,
    connection: &Connection,
    context: ContextHash,
    generation: i64,
    tokens: &Tokens,
) -> SealedTokens {
    let now = custody.clock.now();
    let place = |column| place(connection, context, column, generation);
    let seal = |ring, column, secret: &SecretString| {
        custody.vault.seal(ring, &place(column), secret.expose().as_bytes())
    };
    let lifetime =
        tokens.expires_in.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX / SECOND) * SECOND);
    SealedTokens {
        access: seal(Ring::AccessTokens, "access_token", &tokens.access_token),
        refresh: tokens.refresh_token.as_ref().map(|token| seal(Ring::RefreshTokens, "refresh_token", token)),
        lifetime,
        expires_at: lifetime.map(|lifetime| now.saturating_add(lifetime)),
    }
}

/// Opens the refresh token of an active connection, if it has one.
///
/// # Errors
/// When the record is not the one that was sealed for this connection and generation.
pub(crate) fn open_refresh(
    custody: &Custody,
    connection: &Connection,
    context: ContextHash,
    tokens: &SealedTokens,
) -> Result<Option<SecretString>, VaultError> {
    let Some(record) = &tokens.refresh else { return Ok(None) };
    let place = place(connection, context, "refresh_token", connection.generation);
    custody.vault.open(Ring::RefreshTokens, &place, record)?.into_text().map(Some)
}
