//! `taiku api-key`

use clap::Subcommand;

use super::{CommandError, Context, say, user};
use crate::api_key::{self, Wish};
use crate::store::api_keys;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a key. It is printed once, alone on a line.
    Add {
        /// The user whose key it is.
        #[arg(long, value_name = "EMAIL")]
        user: String,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        name: String,
    },
    /// List a user's keys.
    List {
        /// The user whose keys to list.
        #[arg(long, value_name = "EMAIL")]
        user: String,
    },
    /// Revoke a key.
    Revoke {
        /// The user whose key it is.
        #[arg(long, value_name = "EMAIL")]
        user: String,
        /// The key's id, as `list` shows it.
        id: String,
    },
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::Add { user, name } => add(context, &user, &name).await,
        Command::List { user } => list(context, &user).await,
        Command::Revoke { user, id } => revoke(context, &user, &id).await,
    }
}

async fn add(context: &Context, email: &str, name: &str) -> Result<(), CommandError> {
    let account = user::find(context, email).await?;
    let wish = Wish { user_id: &account.user.id, name, scopes: None, expires_at: None };
    let mut tx = context.opened.store.write().await?;
    let (_, key) = api_key::add(&mut tx, &context.random, &wish, context.clock.now()).await?;
    tx.commit().await?;
    say(&key)
}

async fn list(context: &Context, email: &str) -> Result<(), CommandError> {
    let account = user::find(context, email).await?;
    let mut tx = context.opened.store.read().await?;
    for key in api_keys::of_user(&mut tx, &account.user.id).await? {
        let last_used = key.last_used_at.as_deref().unwrap_or("never used");
        say(&format!("{}\t{}\t{}\t{last_used}", key.id, key.name, key.created_at))?;
    }
    Ok(())
}

async fn revoke(context: &Context, email: &str, id: &str) -> Result<(), CommandError> {
    let account = user::find(context, email).await?;
    let mut tx = context.opened.store.write().await?;
    if !api_keys::revoke(&mut tx, &account.user.id, id).await? {
        return Err(CommandError::Said(format!("{email} has no API key {id}")));
    }
    tx.commit().await?;
    say(&format!("revoked {id}"))
}
