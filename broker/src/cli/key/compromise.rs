//! What to do when a ring key, or what it protects, may be known to somebody else.

use serde_json::json;

use super::super::{CommandError, Context, say};
use super::{Forced, Patience, change};
use crate::config::Config;
use crate::rotation::is_ready_for;
use crate::store::audit::{self, Actor};
use crate::store::compromise::{self, Dealt, Fate, Job};
use crate::store::integrations;
use crate::toolkit::{self, Auth, Catalog, Rotation};
use crate::vault::{KeyId, Ring};

/// What the command was told.
pub(super) struct Told<'a> {
    pub(super) rings: &'a [Ring],
    pub(super) reason: &'a str,
    pub(super) per_minute: i64,
    pub(super) patience: &'a Patience,
}

/// Lets new keys seal, gets new tokens for everybody, and has the old ones taken back.
pub(super) async fn run(context: &Context, config: &Config, told: &Told<'_>) -> Result<(), CommandError> {
    for ring in told.rings {
        new_key(context, *ring, told).await?;
    }
    let tokens = [Ring::AccessTokens, Ring::RefreshTokens];
    if told.rings.iter().any(|ring| tokens.contains(ring)) {
        deal_with_connections(context, config, told).await?;
    }
    change::wait_until_sealing(context, told.patience).await?;
    super::seal_again(context, super::FASTEST).await?;
    left_to_do(context, told.rings).await
}

/// There is no time to wait for brokers that cannot be reached: they answer 503 until they have the key.
async fn new_key(context: &Context, ring: Ring, told: &Told<'_>) -> Result<(), CommandError> {
    let waiting = context.opened.keyring.edit()?.waiting(ring);
    let id: KeyId = match waiting {
        Ok(id) => id,
        Err(_) => change::add_one(context, ring).await?,
    };
    let behind = change::wait_for(context, told.patience, |replica| is_ready_for(replica, id)).await?;
    for replica in &behind {
        say(&format!("{} {} has not loaded {id}; it answers 503 until it has", replica.role, replica.id))?;
    }
    let forced = Forced { force: true, reason: Some(told.reason.to_owned()) };
    change::promote_one(context, id, &forced).await?;
    say(&format!("{id} seals now"))
}

async fn deal_with_connections(
    context: &Context,
    config: &Config,
    told: &Told<'_>,
) -> Result<(), CommandError> {
    let catalog = Catalog::load(toolkit::embedded(), &config.toolkit_dirs);
    let store = &context.opened.store;
    let slugs = compromise::toolkits(&mut store.read().await?).await?;
    for slug in &slugs {
        let fate = if told.rings.contains(&Ring::RefreshTokens) { fate(&catalog, slug) } else { Fate::Renew };
        let id = context.random.id("rev_");
        let job = Job { id: &id, toolkit: slug, per_minute: told.per_minute };
        let now = context.clock.now();
        let mut tx = store.write().await?;
        let Dealt { renewed, ended } = compromise::deal(&mut tx, &job, fate, now).await?;
        let rings: Vec<_> = told.rings.iter().map(|ring| ring.name()).collect();
        let detail = json!({ "rings": rings, "reason": told.reason, "renewed": renewed, "ended": ended });
        audit::add(&mut tx, now, Actor::System, "key.compromise", slug.as_str(), &detail).await?;
        tx.commit().await?;
        say(&format!(
            "{slug}: {renewed} connections get new tokens, {ended} users have to connect again, \
             and the provider is asked to take back the old tokens"
        ))?;
    }
    Ok(())
}

/// Only a provider that replaces the refresh token with each refresh makes the old one worthless.
fn fate(catalog: &Catalog, slug: &taiku_bridge::Slug) -> Fate {
    match catalog.get(slug).map(|toolkit| &toolkit.auth) {
        Some(Auth::OAuth2(oauth)) if oauth.habits.rotation == Rotation::Always && !oauth.habits.one_grant => {
            Fate::Renew
        }
        _ => Fate::End,
    }
}

/// What no command can do: secrets that were given to admins elsewhere.
async fn left_to_do(context: &Context, rings: &[Ring]) -> Result<(), CommandError> {
    let mut tx = context.opened.store.read().await?;
    for (slug, integration) in integrations::all(&mut tx).await? {
        if rings.contains(&Ring::RefreshTokens) && integration.client_secret.is_some() {
            say(&format!("{slug}: make a new client secret at the provider and enter it"))?;
        }
        for (key, value) in &integration.settings {
            if rings.contains(&Ring::Settings) && matches!(value, integrations::Value::Sealed(_)) {
                say(&format!("{slug}: replace the secret setting {key}"))?;
            }
        }
    }
    say(
        "retire the old keys with `--force`, without waiting for backups, and destroy the backups that they open",
    )
}
