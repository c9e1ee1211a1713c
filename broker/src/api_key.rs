//! Making API keys, for the page and the command line.

use taiku_bridge::Refusal;

use crate::clock::Millis;
use crate::failure::Failure;
use crate::random::Random;
use crate::store::Tx;
use crate::store::api_keys::{self, NewKey};
use crate::vault::hash::sha256;

/// What a key is to be.
pub struct Wish<'a> {
    /// Whose it is.
    pub user_id: &'a str,
    /// What it is for.
    pub name: &'a str,
    /// What it may do; everything its user may when `None`.
    pub scopes: Option<&'a [String]>,
    /// When it stops to work.
    pub expires_at: Option<Millis>,
}

/// Makes a key and stores its hash. Returns its id and the key itself, which cannot be had again.
///
/// # Errors
/// `invalid_params` when the name is empty or too long.
pub async fn add(
    tx: &mut Tx,
    random: &Random,
    wish: &Wish<'_>,
    now: Millis,
) -> Result<(String, String), Failure> {
    let name = wish.name.trim();
    if name.is_empty() || wish.name.chars().count() > 100 || wish.name.contains(char::is_control) {
        return Err(Refusal::field("/name", "must have 1 to 100 characters, no control characters").into());
    }
    let (id, key) = (random.id("key_"), format!("taiku_{}", random.token()));
    let new = NewKey {
        id: &id,
        key_hash: &sha256(key.as_bytes()),
        user_id: wish.user_id,
        name,
        scopes: wish.scopes,
        expires_at: wish.expires_at,
    };
    api_keys::add(tx, &new, now).await?;
    Ok((id, key))
}
