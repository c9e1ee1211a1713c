//! Making a key and letting it seal.

use std::time::Duration;

use serde_json::json;

use super::super::{CommandError, Context, say};
use super::{Forced, Patience, audit};
use crate::rotation::{active_keys, is_ready_for, live_but, seals_under};
use crate::store::replicas::Replica;
use crate::vault::{KeyId, Ring};

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Adds a key to each ring.
pub(super) async fn add(context: &Context, rings: &[Ring]) -> Result<(), CommandError> {
    for ring in rings {
        let id = add_one(context, *ring).await?;
        say(&format!("added {id} ({}); it opens only", id.fingerprint_digits()))?;
    }
    say("copy the keyring to a safe place now: without it nothing that the key seals can be read")
}

pub(super) async fn add_one(context: &Context, ring: Ring) -> Result<KeyId, CommandError> {
    let mut edit = context.opened.keyring.edit()?;
    let id = edit.add(ring, &context.random, context.clock.now() / 1000)?;
    audit(context, "key.add", &id.to_string(), &json!({ "fingerprint": id.fingerprint_digits() })).await?;
    let keys = edit.save(&context.random)?;
    context.opened.vault.replace(keys);
    Ok(id)
}

/// Lets the newest key of each ring seal.
pub(super) async fn promote(
    context: &Context,
    rings: &[Ring],
    forced: &Forced,
    patience: &Patience,
) -> Result<(), CommandError> {
    let waiting: Result<Vec<_>, _> = {
        let edit = context.opened.keyring.edit()?;
        rings.iter().map(|ring| edit.waiting(*ring)).collect()
    };
    for id in waiting? {
        if !forced.force {
            wait_until_loaded(context, id, patience).await?;
        }
        promote_one(context, id, forced).await?;
        say(&format!("{id} seals now; run `taiku key rewrap` to seal again what older keys have sealed"))?;
    }
    Ok(())
}

pub(super) async fn promote_one(context: &Context, id: KeyId, forced: &Forced) -> Result<(), CommandError> {
    let mut edit = context.opened.keyring.edit()?;
    edit.promote(id)?;
    let detail = json!({ "forced": forced.force, "reason": forced.reason });
    audit(context, "key.promote", &id.to_string(), &detail).await?;
    let keys = edit.save(&context.random)?;
    context.opened.vault.replace(keys);
    Ok(())
}

/// A broker that has not loaded a key could not open what the others seal under it.
async fn wait_until_loaded(context: &Context, id: KeyId, patience: &Patience) -> Result<(), CommandError> {
    let behind = wait_for(context, patience, |replica| is_ready_for(replica, id)).await?;
    if behind.is_empty() {
        return Ok(());
    }
    Err(CommandError::Said(format!(
        "{id} was not promoted: {} not loaded it yet. Copy the keyring to their machines, or stop them; \
         `--force --reason <WHY>` promotes it all the same, and they answer 503 until they have it",
        named(&behind)
    )))
}

/// A broker that still seals under an older key would make work that is never done.
pub(super) async fn wait_until_sealing(context: &Context, patience: &Patience) -> Result<(), CommandError> {
    let active = active_keys(&context.opened.vault);
    let behind =
        wait_for(context, patience, |replica| active.iter().flatten().all(|key| seals_under(replica, *key)))
            .await?;
    if behind.is_empty() {
        return Ok(());
    }
    Err(CommandError::Said(format!(
        "nothing was sealed again: {} not loaded the active keys and would go on sealing under older ones. \
         Copy the keyring to their machines, or stop them",
        named(&behind)
    )))
}

pub(super) async fn wait_for(
    context: &Context,
    patience: &Patience,
    passes: impl Fn(&Replica) -> bool,
) -> Result<Vec<Replica>, CommandError> {
    let end = tokio::time::Instant::now() + Duration::from_secs(patience.seconds);
    loop {
        let behind = live_but(&context.opened.store, &passes).await?;
        if behind.is_empty() || tokio::time::Instant::now() >= end {
            return Ok(behind);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn named(replicas: &[Replica]) -> String {
    let names: Vec<_> = replicas
        .iter()
        .map(|replica| format!("{} {} (heard {} s ago)", replica.role, replica.id, replica.silent_for / 1000))
        .collect();
    format!("{} {}", names.join(", "), if names.len() == 1 { "has" } else { "have" })
}
