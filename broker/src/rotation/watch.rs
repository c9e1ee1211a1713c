//! Keeps the keys of a running process those of the keyring file, and tells the database which they are.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::common::Common;
use crate::custody::Client;
use crate::custody::keys::{Hand, RINGS};
use crate::store::{self, Store, replicas};
use crate::vault::keyring::Stamp;
use crate::vault::{Keyring, Vault};

/// How often the keyring file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often the process says that it lives; see [`replicas::LIVE`].
const BEAT_EVERY: Duration = Duration::from_secs(3);
/// How soon the file is read again for a record whose key was not in it a moment ago.
const WANTED_AGAIN: Duration = Duration::from_millis(200);

/// Where a process has its keys from.
pub enum Source {
    /// It holds the root key and reads the keyring file.
    File(Arc<Keyring>),
    /// It asks the vault, which hands over what answering requests needs.
    Vault(Client),
}

/// A process that holds ring keys.
pub struct Watch {
    store: Store,
    vault: Vault,
    source: Source,
    /// The name of this process in the database.
    id: String,
    role: &'static str,
}

/// Completes when it is time to stop, or when nobody is left to say so.
async fn over(stopped: &mut Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

impl Watch {
    /// A watch over the keys of a role, such as `vault`, that come from a keyring.
    #[must_use]
    pub fn new(common: &Common, source: Source, role: &'static str) -> Self {
        let Common { store, vault, random, .. } = common;
        Self { store: store.clone(), vault: vault.clone(), source, id: random.id("rep_"), role }
    }

    /// Watches until told to stop.
    pub async fn run(self, mut stopped: Receiver<bool>) {
        let mut seen = None;
        let mut look = interval(LOOK_EVERY);
        let mut beat = interval(BEAT_EVERY);
        for timer in [&mut look, &mut beat] {
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            let mut changed = false;
            tokio::select! {
                _ = look.tick() => changed = self.look(&mut seen).await,
                () = self.vault.key_wanted() => {
                    seen = None;
                    changed = self.look(&mut seen).await;
                    sleep_until(Instant::now() + WANTED_AGAIN).await;
                }
                _ = beat.tick() => self.beat().await,
                () = over(&mut stopped) => break,
            }
            if changed {
                self.beat().await;
            }
        }
        if let Err(error) = self.end().await {
            tracing::warn!(%error, "could not say that this process ends");
        }
    }

    /// Takes the keys of now if they are others than those that were seen. Returns whether they have changed.
    async fn look(&self, seen: &mut Option<Stamp>) -> bool {
        match &self.source {
            Source::File(keyring) => self.look_at(keyring, seen),
            Source::Vault(client) => self.ask(client).await,
        }
    }

    async fn ask(&self, client: &Client) -> bool {
        let known = Some(self.vault.keys_name(&RINGS));
        let handed = match client.ask(Hand { known }).await {
            Ok(None) => return false,
            Ok(Some(handed)) => handed,
            // Whoever calls meanwhile is told to wait as well, and the log of the client says why.
            Err(_) => return false,
        };
        match handed.take() {
            Ok(keys) => {
                tracing::info!("the vault has handed over changed keys");
                self.vault.replace(keys)
            }
            Err(error) => {
                tracing::error!(%error, "going on with the keys from before");
                false
            }
        }
    }

    fn look_at(&self, keyring: &Keyring, seen: &mut Option<Stamp>) -> bool {
        let stamp = keyring.stamp();
        if stamp.is_some() && *seen == stamp {
            return false;
        }
        let first_fault = seen.is_some();
        *seen = stamp;
        match keyring.keys() {
            Ok(keys) => {
                let changed = self.vault.replace(keys);
                if changed {
                    tracing::info!(keyring = %keyring.path().display(), "loaded changed keys");
                }
                changed
            }
            // A missing file is looked for again and again; it is told once.
            Err(_) if stamp.is_none() && !first_fault => false,
            Err(error) => {
                tracing::error!(%error, "the keyring cannot be read again; going on with the keys from before");
                false
            }
        }
    }

    async fn beat(&self) {
        if let Err(error) = self.say().await {
            tracing::warn!(%error, "could not say that this process lives");
        }
    }

    async fn say(&self) -> store::Result<()> {
        let mut tx = self.store.write().await?;
        replicas::beat(&mut tx, &self.id, self.role, &self.vault.keys()).await?;
        tx.commit().await
    }

    async fn end(&self) -> store::Result<()> {
        let mut tx = self.store.write().await?;
        replicas::end(&mut tx, &self.id).await?;
        tx.commit().await
    }
}
