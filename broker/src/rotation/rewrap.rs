//! Seals every record again under the active keys, page by page, while brokers serve.
//!
//! It can be stopped, killed and run again at any moment, also twice at once: a record is replaced only if it is still
//! the one that was read, and how far it has come is stored with each page.

use std::time::{Duration, Instant};

use super::{Census, active_keys, live_but, seals_under};
use crate::store::records::{self, PLACES, RecordPlace, Stored};
use crate::store::replicas::database_time;
use crate::store::rewraps::{self, Progress};
use crate::store::{self, Store};
use crate::vault::{KeyId, KeyState, Vault, VaultError};

/// Records that are looked at together; their writes are one transaction of a few milliseconds.
const PAGE: i64 = 200;
/// How many records that cannot be sealed again are named.
const NAMED: usize = 20;
/// How often it goes over everything again because records were in use or new ones came under old keys.
const PASSES: usize = 50;
/// Between two such passes.
const PAUSE: Duration = Duration::from_millis(200);

/// Over what it works, and how fast.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// The database.
    pub store: &'a Store,
    /// All keys.
    pub vault: &'a Vault,
    /// At most so many records a second.
    pub per_second: u32,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Records that were sealed again, those of a run that was cut off before included.
    pub sealed: i64,
    /// Records that still need an older key.
    pub left: i64,
    /// Some of those that cannot be sealed again.
    pub unreadable: Vec<Unreadable>,
    /// How long it took, the runs that were cut off included.
    pub took: Duration,
}

/// A record that does not open.
#[derive(Debug)]
pub struct Unreadable {
    /// The table and column.
    pub place: String,
    /// The primary key of the row.
    pub key: (String, String),
    /// Why.
    pub why: VaultError,
}

/// How far it has come, to be told while it works.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The table and column that it is at.
    pub place: &'a str,
    /// Records sealed again.
    pub sealed: i64,
    /// About how many are left.
    pub left: i64,
}

/// Seals all records again.
///
/// # Errors
/// When the database fails; run it again, and it goes on where it was.
pub async fn run(work: Work<'_>, mut tell: impl FnMut(Step<'_>)) -> store::Result<Outcome> {
    let Some(active) = active_keys(work.vault) else {
        // A keyring without an active key of each ring is refused when it is read.
        return Ok(Outcome { sealed: 0, left: 0, unreadable: Vec::new(), took: Duration::ZERO });
    };
    let mut progress = resume(work.store, &active).await?;
    let mut left = Census::take(work.store).await?.of_others(&active);
    let mut unreadable = Vec::new();
    for pass in 0..PASSES {
        if pass > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        unreadable = one_pass(work, &active, &mut progress, left, &mut tell).await?;
        left = Census::take(work.store).await?.of_others(&active);
        if left <= i64::try_from(unreadable.len()).unwrap_or(i64::MAX) {
            break;
        }
        restart(&mut progress);
    }
    let took = finish(work, &active, &mut progress).await?;
    unreadable.truncate(NAMED);
    Ok(Outcome { sealed: progress.sealed, left, unreadable, took })
}

/// Names the keys that records are sealed under, so that a later change of them begins anew.
fn target(active: &[KeyId; 3]) -> String {
    active.map(|key| format!("{} {} {}", key.ring, key.version, key.fingerprint_digits())).join(", ")
}

async fn resume(store: &Store, active: &[KeyId; 3]) -> store::Result<Progress> {
    let mut tx = store.write().await?;
    let target = target(active);
    let before = rewraps::progress(&mut tx).await?;
    if let Some(going_on) = before.filter(|before| before.target == target && before.finished_at.is_none()) {
        return Ok(going_on);
    }
    let mut progress = Progress {
        target,
        place: String::new(),
        after: Default::default(),
        sealed: 0,
        started_at: database_time(&mut tx).await?,
        finished_at: None,
    };
    restart(&mut progress);
    rewraps::keep(&mut tx, &progress).await?;
    tx.commit().await?;
    Ok(progress)
}

fn restart(progress: &mut Progress) {
    progress.place = PLACES[0].name();
    progress.after = Default::default();
}

/// Goes over all places once, from where `progress` says. Returns the records that do not open.
async fn one_pass(
    work: Work<'_>,
    active: &[KeyId; 3],
    progress: &mut Progress,
    left: i64,
    tell: &mut impl FnMut(Step<'_>),
) -> store::Result<Vec<Unreadable>> {
    let mut unreadable = Vec::new();
    let first = PLACES.iter().position(|place| place.name() == progress.place).unwrap_or_default();
    let begun_with = progress.sealed;
    for place in &PLACES[first..] {
        if place.name() != progress.place {
            progress.place = place.name();
            progress.after = Default::default();
        }
        while !one_page(work, place, active, progress, &mut unreadable).await? {
            let left = left - (progress.sealed - begun_with);
            tell(Step { place: &progress.place, sealed: progress.sealed, left });
        }
    }
    Ok(unreadable)
}

/// Seals a page again. Returns whether it was the last one of its place.
async fn one_page(
    work: Work<'_>,
    place: &RecordPlace,
    active: &[KeyId; 3],
    progress: &mut Progress,
    unreadable: &mut Vec<Unreadable>,
) -> store::Result<bool> {
    let began = Instant::now();
    let page = {
        let mut tx = work.store.read().await?;
        records::page(&mut tx, place, &progress.after, active, PAGE).await?
    };
    let Some(last) = page.last() else { return Ok(true) };
    progress.after = last.key.clone();
    let mut sealed = Vec::new();
    for stored in &page {
        match work.vault.reseal(stored.ring, &stored.place(), &stored.record) {
            Ok(Some(record)) => sealed.push((stored, record)),
            Ok(None) => {}
            Err(why) => {
                unreadable.push(Unreadable { place: place.name(), key: stored.key.clone(), why });
            }
        }
    }
    let writing = Instant::now();
    write_page(work.store, place, &sealed, progress).await?;
    // Half of the writer's time is left to the brokers, and no more than what was asked for is done in a second.
    let seconds =
        f64::from(u32::try_from(page.len()).unwrap_or(u32::MAX)) / f64::from(work.per_second.max(1));
    let pace = Duration::from_secs_f64(seconds).saturating_sub(began.elapsed());
    tokio::time::sleep(writing.elapsed().max(pace)).await;
    Ok(i64::try_from(page.len()).is_ok_and(|length| length < PAGE))
}

/// Stores a page with how far it has come, in one transaction. A record that has changed meanwhile is left as it is:
/// who changed it has sealed it anew.
async fn write_page(
    store: &Store,
    place: &RecordPlace,
    sealed: &[(&Stored, Vec<u8>)],
    progress: &mut Progress,
) -> store::Result<()> {
    let mut tx = store.write().await?;
    for (old, new) in sealed {
        progress.sealed += i64::from(records::replace(&mut tx, place, old, new).await?);
    }
    rewraps::keep(&mut tx, progress).await?;
    tx.commit().await
}

/// Notes the end, and since when which older key is needed no longer.
async fn finish(work: Work<'_>, active: &[KeyId; 3], progress: &mut Progress) -> store::Result<Duration> {
    note_drained(work.store, work.vault, active).await?;
    let mut tx = work.store.write().await?;
    let now = database_time(&mut tx).await?;
    progress.finished_at = Some(now);
    rewraps::keep(&mut tx, progress).await?;
    tx.commit().await?;
    Ok(Duration::from_millis(u64::try_from(now - progress.started_at).unwrap_or_default()))
}

/// Notes of each older key whether records need it. One that a live process still seals under counts as needed.
///
/// # Errors
/// When the database fails.
pub async fn note_drained(store: &Store, vault: &Vault, active: &[KeyId; 3]) -> store::Result<()> {
    // Asked before counting: whoever seals under the new key now makes no record under the old one after the count.
    let laggards = live_but(store, |replica| active.iter().all(|key| seals_under(replica, *key))).await?;
    let census = Census::take(store).await?;
    let mut tx = store.write().await?;
    for key in vault.keys().iter().filter(|key| key.state == KeyState::DecryptOnly).map(|key| key.id) {
        let older = active.iter().any(|active| active.ring == key.ring && active.version > key.version);
        if older && census.of(key) == 0 && laggards.is_empty() {
            rewraps::drained(&mut tx, key).await?;
        } else {
            rewraps::in_use(&mut tx, key).await?;
        }
    }
    tx.commit().await
}
