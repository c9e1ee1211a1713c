//! Looks at an installation from all sides and says what is wrong and what to do about it. Writes nothing.

mod providers;

use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;

use crate::broker::{self, Start};
use crate::clock::{Clock, Millis, SECOND};
use crate::config::Config;
use crate::random::Random;
use crate::store::{self, Store, StoreError, restored, users};
use crate::vault::{Ring, Vault};

/// How far this machine's clock may be from the database's before it is worth a word.
const CLOCK_WARN: Millis = 2 * SECOND;
/// How far before leases, limits and tokens go wrong.
const CLOCK_FAIL: Millis = 30 * SECOND;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, and should be looked at.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub check: String,
    /// How it is.
    pub status: Status,
    /// What was found, in a sentence.
    pub found: String,
    /// What to do; empty when there is nothing to do.
    pub todo: String,
}

impl Finding {
    fn ok(check: &str, found: impl Into<String>) -> Self {
        Self { check: check.into(), status: Status::Ok, found: found.into(), todo: String::new() }
    }

    fn warn(check: &str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check: check.into(), status: Status::Warn, found: found.into(), todo: todo.into() }
    }

    fn fail(check: &str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check: check.into(), status: Status::Fail, found: found.into(), todo: todo.into() }
    }
}

/// Looks at everything that can be looked at.
pub async fn examine(start: &Start) -> Vec<Finding> {
    let config = &start.config;
    let mut findings = addresses(config);
    if let Some(missing) = missing_database(config) {
        findings.push(missing);
        return findings;
    }
    let store = match Store::open(&config.database_url).await {
        Ok(store) => store,
        Err(error) => {
            let todo = "look at TAIKU_DATABASE_URL, and whether the database runs and lets this machine in";
            findings.push(Finding::fail("database", format!("cannot be opened: {error}"), todo));
            return findings;
        }
    };
    findings.extend(database(&store).await);
    findings.push(clock(&store, &start.clock).await);
    let keys = keys(config, &start.random, &store).await;
    findings.extend(keys.findings);
    if let Some(vault) = keys.found {
        match start.common(store.clone(), vault) {
            Ok(common) => findings.extend(providers::examine(&common).await),
            Err(error) => findings.push(Finding::fail("providers", error.to_string(), "mend what it names")),
        }
    }
    store.close().await;
    findings
}

/// Whether the listeners are where they should be.
fn addresses(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    match config.origins(config.listen.port()) {
        Ok(origins) => {
            let found =
                format!("the app is {}, panels are {}", origins.app.as_str(), origins.panels.as_str());
            findings.push(if origins.app.is_secure() {
                Finding::ok("addresses", found)
            } else {
                let todo =
                    "for others than yourself set TAIKU_PUBLIC_URL and TAIKU_PANEL_URL to https addresses";
                Finding::warn("addresses", format!("{found}: this machine only"), todo)
            });
        }
        Err(error) => findings.push(Finding::fail("addresses", error.to_string(), "mend what it names")),
    }
    let outside = |address: SocketAddr| !address.ip().is_loopback();
    if outside(config.listen) {
        let found = format!(
            "TAIKU_LISTEN is {}, which others than this machine can reach without TLS",
            config.listen
        );
        let todo = "listen on loopback or on a network that only the TLS proxy is in";
        findings.push(Finding::warn("listener", found, todo));
    }
    if let Some(address) = config.metrics_listen.filter(|address| outside(*address)) {
        let found = format!("TAIKU_METRICS_LISTEN is {address}, and has no access control");
        findings.push(Finding::warn("metrics", found, "let only the collector reach it"));
    }
    findings
}

/// What `Store::open` would make.
fn missing_database(config: &Config) -> Option<Finding> {
    let file = config.database_url.strip_prefix("sqlite://")?.split('?').next()?;
    if Path::new(file).exists() {
        return None;
    }
    let todo = "`taiku serve` makes one; to bring a backup back use `taiku restore`";
    Some(Finding::warn("database", format!("there is none yet at {file}"), todo))
}

async fn database(store: &Store) -> Vec<Finding> {
    let look = async {
        let mut findings = Vec::new();
        if store.is_new().await? {
            let todo = "`taiku serve` fills it; to bring a backup back use `taiku restore`";
            findings.push(Finding::warn("database", "it is empty", todo));
            return Ok(findings);
        }
        let mut tx = store.read().await?;
        findings.push(schema(&store::applied(&mut tx).await?));
        if let Some(damage) = store::damage(&mut tx).await? {
            let todo = "stop every broker, keep the files, and restore the last backup";
            findings.push(Finding::fail("database", format!("it is damaged: {damage}"), todo));
        }
        if !users::has_admin(&mut tx).await? {
            let todo = "`taiku serve` prints a link that makes the first; or `taiku user add --admin`";
            findings.push(Finding::warn("users", "there is no admin who may sign in", todo));
        }
        let waiting = restored::count(&mut tx).await.unwrap_or_default();
        if waiting > 0 {
            let found = format!("{waiting} connections came from a backup and were not renewed since");
            let todo = "nothing: each is looked at when it is next used";
            findings.push(Finding::warn("restored", found, todo));
        }
        Ok::<_, StoreError>(findings)
    };
    look.await.unwrap_or_else(|error| {
        vec![Finding::fail("database", error.to_string(), "look at the database's own log")]
    })
}

fn schema(applied: &[i64]) -> Finding {
    if let Some(version) = applied.iter().find(|version| !store::knows(**version)) {
        let found = format!("its schema {version} is newer than this program");
        return Finding::fail("database", found, "run the newest version of taiku");
    }
    let lacking = store::known().filter(|version| !applied.contains(version)).count();
    if lacking > 0 {
        let found = format!("{lacking} migrations are waiting");
        return Finding::warn("database", found, "they run when this version of `taiku serve` starts");
    }
    Finding::ok("database", "it answers, and its schema is this version's")
}

async fn clock(store: &Store, clock: &Clock) -> Finding {
    let theirs = match store.clock().await {
        Ok(Some(theirs)) => theirs,
        // An SQLite database has this machine's clock.
        Ok(None) => return Finding::ok("clock", "the database has this machine's clock"),
        Err(error) => return Finding::fail("clock", format!("the database was not asked: {error}"), ""),
    };
    distance("clock", "the database", clock.now() - theirs)
}

/// What to say of a clock that is off.
fn distance(check: &str, whose: &str, off: Millis) -> Finding {
    let seconds = off.abs() / SECOND;
    let way = if off > 0 { "ahead of" } else { "behind" };
    let found = format!("this machine's clock is {seconds} s {way} {whose}");
    let todo = "let an NTP service set the clocks of all machines";
    match off.abs() {
        off if off <= CLOCK_WARN => Finding::ok(check, format!("this machine and {whose} agree")),
        off if off <= CLOCK_FAIL => Finding::warn(check, found, todo),
        _ => Finding::fail(check, found, todo),
    }
}

struct KeysFound {
    findings: Vec<Finding>,
    found: Option<Vault>,
}

/// Whether the keys are there, kept from others, and those of the database.
async fn keys(config: &Config, random: &Random, store: &Store) -> KeysFound {
    if store.is_new().await.unwrap_or(false) && !config.keyring.exists() {
        let finding = Finding::ok("keys", "there are none yet; they are made with the database");
        return KeysFound { findings: vec![finding], found: None };
    }
    let (vault, _) = match broker::keys_of_backup(config, random) {
        Ok(found) => found,
        Err(error) => {
            let todo = "bring root key and keyring back from where their copies are kept";
            return KeysFound { findings: vec![Finding::fail("keys", error.to_string(), todo)], found: None };
        }
    };
    match broker::verify(store, &vault).await {
        Ok(()) => {
            let rings = Ring::ALL.map(Ring::name).join(", ");
            let finding =
                Finding::ok("keys", format!("the keys of the rings {rings} are those of the database"));
            KeysFound { findings: vec![finding], found: Some(vault) }
        }
        Err(error) => {
            let todo = "use the keyring and root key that this database was made with";
            KeysFound { findings: vec![Finding::fail("keys", error.to_string(), todo)], found: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_by_how_far() {
        let status = |off| distance("clock", "the database", off).status;
        assert_eq!([0, 2_000, -2_000].map(status), [Status::Ok; 3]);
        assert_eq!([2_001, -30_000].map(status), [Status::Warn; 2]);
        assert_eq!([30_001, -86_400_000].map(status), [Status::Fail; 2]);
        assert!(distance("clock", "the database", -5_000).found.contains("5 s behind"));
    }

    #[test]
    fn a_schema_is_this_versions_or_not() {
        let known: Vec<i64> = store::known().collect();
        assert_eq!(schema(&known).status, Status::Ok);
        assert_eq!(schema(&known[1..]).status, Status::Warn);
        assert_eq!(schema(&[9_999]).status, Status::Fail);
    }
}
