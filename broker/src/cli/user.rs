//! `taiku user`

use clap::Subcommand;
use serde_json::json;
use taiku_bridge::api::Role;

use super::{CommandError, Context, read_password, say};
use crate::accounts::{self, NewUser};
use crate::password;
use crate::store::audit::{self, Actor};
use crate::store::users::{self, Account};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a user. The password is read from standard input.
    Add {
        /// The user's address, also the name to sign in with.
        email: String,
        /// The user's name.
        #[arg(long, default_value = "")]
        name: String,
        /// Make the user an admin.
        #[arg(long)]
        admin: bool,
    },
    /// List users.
    List,
    /// Let a user sign in no longer, and end what is signed in.
    Disable {
        /// The user's address.
        email: String,
    },
    /// Set a new password, read from standard input, and end what is signed in.
    Password {
        /// The user's address.
        email: String,
    },
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::Add { email, name, admin } => add(context, email, name, admin).await,
        Command::List => list(context).await,
        Command::Disable { email } => disable(context, &email).await,
        Command::Password { email } => set_password(context, &email).await,
    }
}

async fn add(context: &Context, email: String, name: String, admin: bool) -> Result<(), CommandError> {
    let password = read_password(&format!("Password of {email}"))?;
    let role = if admin { Role::Admin } else { Role::Member };
    let prepared = accounts::prepare(&context.random, NewUser { email, name, role, password }).await?;
    let now = context.clock.now();
    let mut tx = context.opened.store.write().await?;
    accounts::add(&mut tx, &prepared, now).await?;
    let detail = json!({"role": role});
    audit::add(&mut tx, now, Actor::System, "user.add", &prepared.user.id, &detail).await?;
    tx.commit().await?;
    say(&format!("added {} {}", prepared.user.id, prepared.user.email))
}

async fn list(context: &Context) -> Result<(), CommandError> {
    let mut tx = context.opened.store.read().await?;
    for Account { user, disabled_at, .. } in users::all(&mut tx).await? {
        let role = if user.role == Role::Admin { "admin" } else { "member" };
        let state = if disabled_at.is_some() { "disabled" } else { "active" };
        say(&format!("{}\t{}\t{role}\t{state}\t{}", user.id, user.email, user.name))?;
    }
    Ok(())
}

/// Finds a user by address.
pub(super) async fn find(context: &Context, email: &str) -> Result<Account, CommandError> {
    let mut tx = context.opened.store.read().await?;
    let found = users::by_email(&mut tx, email).await?;
    found.ok_or_else(|| CommandError::Said(format!("there is no user {email}; `taiku user list` shows all")))
}

async fn disable(context: &Context, email: &str) -> Result<(), CommandError> {
    let account = find(context, email).await?;
    let now = context.clock.now();
    let mut tx = context.opened.store.write().await?;
    users::disable(&mut tx, &account.user.id, now).await?;
    audit::add(&mut tx, now, Actor::System, "user.disable", &account.user.id, &json!({})).await?;
    tx.commit().await?;
    say(&format!("disabled {}", account.user.email))
}

async fn set_password(context: &Context, email: &str) -> Result<(), CommandError> {
    let account = find(context, email).await?;
    let password = read_password(&format!("New password of {email}"))?;
    let hash = password::hash(password).await.map_err(|error| CommandError::Said(error.to_string()))?;
    let now = context.clock.now();
    let mut tx = context.opened.store.write().await?;
    users::set_password(&mut tx, &account.user.id, &hash).await?;
    audit::add(&mut tx, now, Actor::System, "user.password", &account.user.id, &json!({})).await?;
    tx.commit().await?;
    say(&format!("set the password of {}", account.user.email))
}
