//! What only the vault process may do: everything that needs a refresh token, a client secret or a PKCE verifier.
//!
//! A [`Custody`] is the state of that process and the only holder of ring `rt`. Whoever answers requests has a
//! [`Client`] and asks for one [`Operation`] at a time; no answer carries a refresh token, a client secret or a
//! verifier. To add an operation, write a type that is what is asked, implement [`Operation`] for it beside the code
//! that does the work, and name it in the list of [`operation`].

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::broadcast;

use crate::broker::{self, Start, StartError};
use crate::common::Common;
use crate::events::Event;
use crate::rotation::watch::Watch;
use crate::single_flight::SingleFlight;
use crate::vault::Keyring;

mod client;
pub mod client_secret;
pub mod consent;
pub mod disconnect;
mod exposed;
mod link;
pub mod operation;
mod provider;
pub mod refresh;
pub(crate) mod sealed;
pub mod server;
mod wire;

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
    /// One refresh at a time per connection.
    pub refreshing: SingleFlight,
    news: broadcast::Sender<News>,
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
    /// Opens the database and the keys, and puts a custody together.
    ///
    /// # Errors
    /// When the configuration, the keys or the database cannot be used.
    pub async fn start(start: &Start) -> Result<Self, StartError> {
        let opened = broker::open(&start.config, &start.clock, &start.random).await?;
        let keyring = Arc::clone(&opened.keyring);
        Ok(Self::new(start.common(opened)?, keyring))
    }

    /// Puts a custody together. The vault of `common` has the keys of all rings, from `keyring`.
    #[must_use]
    pub fn new(common: Common, keyring: Arc<Keyring>) -> Self {
        let (news, _) = broadcast::channel(QUEUE);
        Self(Arc::new(Inner { common, keyring, refreshing: SingleFlight::default(), news }))
    }

    /// What keeps the keys of this role those of the keyring file.
    #[must_use]
    pub fn watch_keys(&self) -> Watch {
        Watch::new(&self.common, Arc::clone(&self.keyring), "vault")
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
