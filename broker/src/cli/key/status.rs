//! What there is.

use super::super::{CommandError, Context, say};
use crate::clock::rfc3339;
use crate::rotation::Census;
use crate::store::replicas::{self, Replica};
use crate::store::rewraps::{self, Progress};
use crate::vault::{KeyInfo, KeyState};

pub(super) async fn run(context: &Context) -> Result<(), CommandError> {
    let opened = &context.opened;
    let keys = opened.keyring.edit()?.keys()?;
    let census = Census::take(&opened.store).await?;
    let mut tx = opened.store.read().await?;
    let live = replicas::live(&mut tx).await?;
    say("ring\tversion\tstate\tfingerprint\tmade\trecords\tloaded by\tneeded by no record since")?;
    for key in &keys {
        let since = match key.state {
            KeyState::DecryptOnly => rewraps::drained_since(&mut tx, key.id).await?,
            KeyState::Active | KeyState::Retired => None,
        };
        say(&line(key, &census, &live, since.map(rfc3339).as_deref()))?;
    }
    if census.nameless > 0 {
        say(&format!("{} records name no key: they are damaged, or of a newer version", census.nameless))?;
    }
    for replica in &live {
        let Replica { id, role, started_at, silent_for, .. } = replica;
        say(&format!("{role} {id}: since {}, heard {} s ago", rfc3339(*started_at), silent_for / 1000))?;
    }
    if let Some(progress) = rewraps::progress(&mut tx).await? {
        say(&of_rewrap(&progress))?;
    }
    Ok(())
}

fn line(key: &KeyInfo, census: &Census, live: &[Replica], since: Option<&str>) -> String {
    let needing = || live.iter().filter(|replica| replica.holds_ring(key.id.ring));
    let loaded = needing().filter(|replica| replica.holds(key.id)).count();
    [
        key.id.ring.name(),
        &key.id.version.to_string(),
        key.state.name(),
        &key.id.fingerprint_digits(),
        &rfc3339(key.created_at.saturating_mul(1000)),
        &census.of(key.id).to_string(),
        &format!("{loaded} of {}", needing().count()),
        since.unwrap_or("-"),
    ]
    .join("\t")
}

fn of_rewrap(progress: &Progress) -> String {
    let Progress { target, place, sealed, started_at, finished_at, .. } = progress;
    let began = rfc3339(*started_at);
    match finished_at {
        Some(at) => {
            format!("last sealing again: {sealed} records, from {began} to {} ({target})", rfc3339(*at))
        }
        None => format!("sealing again since {began}: {sealed} records, at {place} ({target})"),
    }
}
