//! What only the vault process may do: everything that needs a refresh token, a client secret or a PKCE verifier.
//!
//! A [`Custody`] is the state of that process and the only holder of ring `rt`. Whoever answers requests has a
//! [`Client`] and asks for one [`Operation`] at a time; no answer carries a refresh token, a client secret or a
//! verifier. To add an operation, write a type that is what is asked, implement [`Operation`] for it beside the code
//! that does the work, and name it in the list of [`operation`].

use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{RwLock, broadcast};

use crate::broker::{self, Opened, Start, StartError};
use crate::clock::{Millis, SECOND};
use crate::common::Common;
use crate::events::Event;
use crate::rotation::watch::{Source, Watch};
use crate::single_flight::SingleFlight;
use crate::store::refresh::TakeOver;
use crate::vault::Keyring;

mod client;
pub mod client_secret;
pub mod consent;
mod device;
pub mod disconnect;
mod exposed;
pub mod journal;
pub mod keys;
mod link;
pub mod operation;
mod provider;
pub mod refresh;
mod restored;
pub mod revocation;
pub(crate) mod sealed;
pub mod server;
pub mod typed;
mod wire;

#[cfg(test)]
mod tests;

use self::journal::Journal;
pub use client::Client;
pub use operation::Operation;

/// Events that wait for one listener; whoever is slower reads everything again.
const QUEUE: usize = 1024;

/// The state of the vault process. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Custody(Arc<Inner>);

/// What a [`Custody`] holds.
pub struct Inner {
    common: Common,
    pub(crate) keyring: Arc<Keyring>,
    /// One refresh at a time per connection, in this process.
    pub refreshing: SingleFlight,
    /// New tokens on their way into the database.
    pub(crate) escrow: Journal,
    /// Read by every refresh that is under way.
    at_work: Arc<RwLock<()>>,
    /// How often a token endpoint is asked.
    pace: Pace,
    /// When the database was last found to be away.
    away: Mutex<Option<Instant>>,
    news: broadcast::Sender<News>,
}

/// How often a toolkit's token endpoint is asked by all processes together.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// One request in so many milliseconds.
    every: Millis,
    /// Requests that may come at once.
    burst: i64,
}

/// Something that has changed, for the pages of a user.
#[derive(Clone, Debug)]
pub struct News {
    /// Whose pages.
    pub user_id: String,
    /// What.
    pub event: Event,
}

impl Deref for Custody {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Deref for Inner {
    type Target = Common;
    fn deref(&self) -> &Common {
        &self.common
    }
}

impl Custody {
    /// Opens the database, the keys and the journal, puts a custody together, and stores what dead processes left in
    /// their journals.
    ///
    /// # Errors
    /// When the configuration, the keys, the journal or the database cannot be used.
    pub async fn start(start: &Start) -> Result<Self, StartError> {
        let opened = broker::open(&start.config, &start.clock, &start.random).await?;
        let Opened { store, vault, keyring } = opened;
        let escrow = Journal::open(&start.config.data_dir, vault.clone(), &start.random)?;
        let custody = Self::new(start.common(store, vault)?, keyring, escrow, start.config.refresh_rate);
        refresh::recover(&custody).await?;
        Ok(custody)
    }

    /// Puts a custody together. The vault of `common` has the keys of all rings, from `keyring`; `rate` is how often in
    /// a second a toolkit's token endpoint may be asked.
    #[must_use]
    fn new(common: Common, keyring: Arc<Keyring>, escrow: Journal, rate: NonZeroU32) -> Self {
        let (news, _) = broadcast::channel(QUEUE);
        let rate = i64::from(rate.get());
        Self(Arc::new(Inner {
            common,
            keyring,
            refreshing: SingleFlight::default(),
            escrow,
            at_work: Arc::default(),
            pace: Pace { every: (SECOND / rate).max(1), burst: rate },
            away: Mutex::default(),
            news,
        }))
    }

    /// What keeps the keys of this role those of the keyring file.
    #[must_use]
    pub fn watch_keys(&self) -> Watch {
        Watch::new(&self.common, Source::File(Arc::clone(&self.keyring)), "vault")
    }

    /// Completes when no refresh is under way, so that the process may end without leaving anything in doubt.
    pub async fn settled(&self) {
        let _all = self.at_work.write().await;
    }

    /// Notes that the database is away.
    fn database_failed(&self) {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether leases that have run out may be taken: not right after the database was away, when their holders could
    /// not extend them and have tokens to store.
    fn take_over(&self) -> TakeOver {
        let away = *self.away.lock().unwrap_or_else(PoisonError::into_inner);
        match away {
            Some(at) if at.elapsed() < refresh::plan::HEARTBEAT => TakeOver::NotYet,
            Some(_) | None => TakeOver::Yes,
        }
    }

    /// Tells the open pages of a user that something has changed.
    pub fn tell(&self, user_id: &str, event: Event) {
        // Nobody listens while no broker is connected; its pages read everything again when it is.
        let _ = self.news.send(News { user_id: user_id.to_owned(), event });
    }

    /// What is told from now on.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }
}
