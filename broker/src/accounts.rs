//! Making users: the same checks for the page, the command line and the configuration.

use taiku_bridge::api::{Role, User};
use taiku_bridge::{Code, Refusal};

use crate::clock::Millis;
use crate::failure::Failure;
use crate::password::{self, PasswordError};
use crate::random::Random;
use crate::store::Tx;
use crate::store::users::{self, normal_email};

/// Longest e-mail address, in bytes (RFC 5321, section 4.5.3.1.3, without its brackets).
pub const MAX_EMAIL: usize = 254;

/// A user to be made.
pub struct NewUser {
    /// Also the name to sign in with.
    pub email: String,
    /// For people; the part of the address before the `@` when empty.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// At least 8 characters.
    pub password: String,
}

/// A user that can be stored.
pub struct Prepared {
    /// The user.
    pub user: User,
    /// Argon2id, in PHC form.
    pub password_hash: String,
}

/// Checks a user and hashes the password, before any transaction begins.
///
/// # Errors
/// `invalid_params` with the field.
pub async fn prepare(random: &Random, new: NewUser) -> Result<Prepared, Failure> {
    let email = normal_email(&new.email);
    let (local, domain) = email.split_once('@').unwrap_or_default();
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if local.is_empty() || domain.is_empty() || email.len() > MAX_EMAIL || email.contains(odd) {
        return Err(Refusal::field("/email", "must be an e-mail address").into());
    }
    let name = if new.name.trim().is_empty() { local } else { new.name.trim() };
    if name.chars().count() > 100 || name.contains(char::is_control) {
        return Err(Refusal::field("/name", "must have at most 100 characters, no control characters").into());
    }
    let user = User { id: random.id("usr_"), name: name.to_owned(), role: new.role, email: email.clone() };
    let password_hash = password::hash(new.password).await.map_err(password_failure)?;
    Ok(Prepared { user, password_hash })
}

/// A password that was not hashed, as the answer to whoever sent it.
#[must_use]
pub fn password_failure(error: PasswordError) -> Failure {
    match error {
        PasswordError::Busy => Failure::Wait(Refusal::new(Code::Busy, format!("{error}.")), 2),
        PasswordError::Length | PasswordError::Hash => Refusal::field("/password", error).into(),
    }
}

/// Stores a user.
///
/// # Errors
/// `invalid_params` when the address is taken.
pub async fn add(tx: &mut Tx, prepared: &Prepared, now: Millis) -> Result<(), Failure> {
    if users::add(tx, &prepared.user, &prepared.password_hash, now).await? {
        return Ok(());
    }
    Err(Refusal::field("/email", "is taken by another user").into())
}
