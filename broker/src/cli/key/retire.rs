//! Destroying a key that nothing needs any more.

use serde_json::json;

use super::super::{CommandError, Context, say};
use super::{Forced, audit};
use crate::clock::{DAY, Millis, rfc3339};
use crate::rotation::rewrap::note_drained;
use crate::rotation::{Census, active_keys};
use crate::store::replicas::database_time;
use crate::store::rewraps;
use crate::vault::{KeyId, KeyState, Ring};

pub(super) async fn run(
    context: &Context,
    ring: Ring,
    version: u32,
    forced: &Forced,
    backup_days: u32,
) -> Result<(), CommandError> {
    let mut edit = context.opened.keyring.edit()?;
    let info = edit.retirable(ring, version)?;
    let id = info.id;
    if info.state == KeyState::Retired {
        return say(&format!("{id} is retired already"));
    }
    if let Some(why) = needed_by(context, id, backup_days).await? {
        if !forced.force {
            return Err(CommandError::Said(format!(
                "{id} was not retired: {why}. `--force --reason <WHY>` destroys it all the same; \
                 what it sealed cannot be read any more then"
            )));
        }
        say(&format!("going on although {why}"))?;
    }
    edit.retire(id)?;
    let detail = json!({ "forced": forced.force, "reason": forced.reason });
    audit(context, "key.retire", &id.to_string(), &detail).await?;
    let keys = edit.save(&context.random)?;
    context.opened.vault.replace(keys);
    say(&format!(
        "{id} is retired and its bytes are gone from the keyring; destroy older copies of the keyring, too"
    ))
}

/// Why a key cannot be done without yet.
async fn needed_by(context: &Context, id: KeyId, backup_days: u32) -> Result<Option<String>, CommandError> {
    let opened = &context.opened;
    let Some(active) = active_keys(&opened.vault) else { return Ok(None) };
    note_drained(&opened.store, &opened.vault, &active).await?;
    let records = Census::take(&opened.store).await?.of(id);
    if records > 0 {
        return Ok(Some(format!("{records} records need it; run `taiku key rewrap` first")));
    }
    let mut tx = opened.store.read().await?;
    let Some(since) = rewraps::drained_since(&mut tx, id).await? else {
        return Ok(Some("a running broker still seals under it".to_owned()));
    };
    let until = since + Millis::from(backup_days) * DAY;
    if database_time(&mut tx).await? >= until {
        return Ok(None);
    }
    Ok(Some(format!(
        "backups that need it are kept for {backup_days} days (TAIKU_BACKUP_DAYS), that is until {}",
        rfc3339(until)
    )))
}
