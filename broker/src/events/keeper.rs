//! Ends the streams of those who may no longer listen, and tells of plugin folders that have changed.
//!
//! A session may end in another process or by the clock, and folders change without anybody saying so: both are
//! looked at here, while anybody listens.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use tokio::sync::watch;

use super::{Credential, Event};
use crate::broker::Broker;
use crate::failure::Failure;
use crate::installed;
use crate::store::{self, api_keys, sessions};

/// How long after its end a stream of a session may live.
const EVERY: Duration = Duration::from_millis(500);

/// Looks after the streams until told to stop.
pub async fn run(broker: Broker, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(EVERY);
    let mut plugins = Plugins::default();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        if broker.events.count() == 0 {
            continue;
        }
        if let Err(error) = end_what_is_over(&broker).await {
            tracing::warn!(%error, "could not look after the streams of events; trying again");
        }
        if plugins.have_changed(&broker).await {
            broker.events.tell_all(&Event::PluginsChanged);
        }
    }
}

/// Ends the streams whose session or key has ended.
///
/// # Errors
/// When the database fails.
pub async fn end_what_is_over(broker: &Broker) -> store::Result<()> {
    let credentials = broker.events.credentials();
    let now = broker.clock.now();
    let mut tx = broker.store.read().await?;
    for credential in credentials {
        let lives = match &credential {
            Credential::Session(hash) => sessions::find(&mut tx, hash, now).await?.is_some(),
            Credential::Key(id) => api_keys::lives(&mut tx, id, now).await?,
        };
        if !lives {
            broker.events.end(&credential);
        }
    }
    Ok(())
}

/// The plugins as they were when they were looked at last.
#[derive(Debug, Default)]
pub struct Plugins(Option<u64>);

impl Plugins {
    /// Whether other plugins, or other content, can be opened than at the last look.
    pub async fn have_changed(&mut self, broker: &Broker) -> bool {
        let Ok(now) = fingerprint(broker).await else { return false };
        self.0.replace(now).is_some_and(|before| before != now)
    }
}

async fn fingerprint(broker: &Broker) -> Result<u64, Failure> {
    let current = installed::current(broker).await?;
    let mut hasher = DefaultHasher::new();
    for plugin in current.usable() {
        let preinstalled = current.policy.rule(&plugin.manifest.id).preinstalled;
        (plugin.manifest.id.as_str(), &plugin.hash, preinstalled).hash(&mut hasher);
    }
    Ok(hasher.finish())
}
