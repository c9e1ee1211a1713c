//! Users.

use taiku_bridge::api::{Role, User};

use super::{Result, StoreError, Tx, execute, one, row, text, with};
use crate::clock::Millis;

/// A user with what signing in needs.
pub struct Account {
    /// The user.
    pub user: User,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// Since when the user may no longer sign in.
    pub disabled_at: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
}

row! {
    struct Row {
        id: String,
        email: String,
        name: String,
        role: String,
        password_hash: String,
        disabled_at: Option<i64>,
        created_at: i64,
    }
}

impl TryFrom<Row> for Account {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            user: user(row.id, row.email, row.name, &row.role)?,
            password_hash: row.password_hash,
            disabled_at: row.disabled_at,
            created_at: row.created_at,
        })
    }
}

/// Puts a user together from its columns.
pub(super) fn user(id: String, email: String, name: String, role: &str) -> Result<User> {
    let role = match role {
        "admin" => Role::Admin,
        "member" => Role::Member,
        other => {
            let what = format!("`{other}` is no role");
            return Err(StoreError::Inconsistent { table: "users", column: "role", id, what });
        }
    };
    Ok(User { id, email, name, role })
}

fn role_text(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Member => "member",
    }
}

/// E-mail addresses are compared without regard to case.
#[must_use]
pub fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Adds a user, with the address in normal form. Returns false if the address is taken.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &mut Tx, user: &User, password_hash: &str, now: Millis) -> Result<bool> {
    let added = execute!(
        tx,
        sqlx::query(
            "insert into users (id, email, name, role, password_hash, created_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict (email) do nothing"
        )
        .bind(&user.id)
        .bind(text(&normal_email(&user.email))?)
        .bind(text(&user.name)?)
        .bind(role_text(user.role))
        .bind(password_hash)
        .bind(now)
    )?;
    Ok(added == 1)
}

/// Finds a user by address.
///
/// # Errors
/// When the database fails.
pub async fn by_email(tx: &mut Tx, email: &str) -> Result<Option<Account>> {
    let row: Option<Row> = with!(tx, |conn| sqlx::query_as("select * from users where email = $1")
        .bind(text(&normal_email(email))?)
        .fetch_optional(conn))?;
    row.map(Account::try_from).transpose()
}

/// Every user, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn all(tx: &mut Tx) -> Result<Vec<Account>> {
    let rows: Vec<Row> =
        with!(tx, |conn| sqlx::query_as("select * from users order by created_at, id").fetch_all(conn))?;
    rows.into_iter().map(Account::try_from).collect()
}

/// Whether there is an admin who may sign in.
///
/// # Errors
/// When the database fails.
pub async fn has_admin(tx: &mut Tx) -> Result<bool> {
    let admins: i64 = with!(tx, |conn| sqlx::query_scalar(
        "select count(*) from users where role = 'admin' and disabled_at is null"
    )
    .fetch_one(conn))?;
    Ok(admins > 0)
}

/// Sets a new password, ends the user's sessions and forgets the browsers: whoever knew the old one may have one.
///
/// # Errors
/// When the user does not exist or the database fails.
pub async fn set_password(tx: &mut Tx, id: &str, password_hash: &str) -> Result<()> {
    let query = "update users set password_hash = $2 where id = $1";
    one("setting a password", execute!(tx, sqlx::query(query).bind(id).bind(password_hash))?)?;
    super::known_browsers::forget_all(tx, id).await?;
    super::sessions::end_all(tx, id).await
}

/// Lets a user sign in no longer, and ends what is signed in.
///
/// # Errors
/// When the user does not exist or the database fails.
pub async fn disable(tx: &mut Tx, id: &str, now: Millis) -> Result<()> {
    let query = "update users set disabled_at = $2 where id = $1";
    one("disabling a user", execute!(tx, sqlx::query(query).bind(id).bind(now))?)?;
    super::sessions::end_all(tx, id).await
}
