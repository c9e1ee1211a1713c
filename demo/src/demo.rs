//! The provider as one value: its state, and the handle by which a program in the same process watches it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use tokio::net::TcpListener;

use crate::client::{BadClient, Client};
use crate::clock::Clock;
use crate::control::{BadControl, Control, Plan, Slot};
use crate::journal::{Counts, Journal, Seen};
use crate::oauth::{Grants, Rotation};
use crate::tracker::Tracker;

const MAX_CLIENTS: usize = 100;

/// What the provider begins with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The clients that it knows; more can be added with [`Demo::register_client`].
    pub clients: Vec<Client>,
    /// How long an access token lives, in seconds.
    pub access_token_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { clients: Vec::new(), access_token_seconds: 300 }
    }
}

/// A handle to the provider; clones share its state.
#[derive(Clone, Debug)]
pub struct Demo(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    issuer: String,
    port: u16,
    access_token_seconds: u32,
    clock: Clock,
    clients: Mutex<BTreeMap<String, Client>>,
    grants: Mutex<Grants>,
    tracker: Mutex<Tracker>,
    control: Mutex<Control>,
    journal: Mutex<Journal>,
}

impl Demo {
    /// A provider that is reached at `address`, the address of the listener that will serve it.
    ///
    /// # Errors
    /// [`BadClient`] if a client of `config` cannot be registered.
    pub fn new(address: SocketAddr, config: Config) -> Result<Self, BadClient> {
        let demo = Self(Arc::new(Shared {
            issuer: format!("http://127.0.0.1:{}", address.port()),
            port: address.port(),
            access_token_seconds: config.access_token_seconds,
            clock: Clock::default(),
            clients: Mutex::default(),
            grants: Mutex::default(),
            tracker: Mutex::default(),
            control: Mutex::default(),
            journal: Mutex::default(),
        }));
        config.clients.into_iter().try_for_each(|client| demo.register_client(client))?;
        Ok(demo)
    }

    /// Serves on `listener` until `shutdown` is ready and open requests are answered, or two seconds later.
    ///
    /// # Errors
    /// What the listener says.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        crate::router::serve_demo(listener, self, shutdown).await
    }

    /// The issuer, which is also the address of every page: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Adds a client, or replaces the one with the same id. Tokens that it has stay.
    ///
    /// # Errors
    /// [`BadClient`] says what is wrong with it.
    pub fn register_client(&self, client: Client) -> Result<(), BadClient> {
        client.check()?;
        let mut clients = lock(&self.0.clients);
        if clients.len() >= MAX_CLIENTS && !clients.contains_key(&client.id) {
            return Err(BadClient::TooMany(MAX_CLIENTS));
        }
        clients.insert(client.id.clone(), client);
        Ok(())
    }

    /// Says how to behave from now on, as `PUT /control` does; the default is to behave well.
    ///
    /// # Errors
    /// [`BadControl`] says which value cannot be.
    pub fn set_control(&self, control: Control) -> Result<(), BadControl> {
        control.check()?;
        *lock(&self.0.control) = control;
        Ok(())
    }

    /// How it behaves now; a plan that has run out is gone.
    #[must_use]
    pub fn control(&self) -> Control {
        lock(&self.0.control).clone()
    }

    /// Moves the provider's clock ahead, so that codes and tokens end without waiting.
    pub fn advance(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    /// How often things happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        lock(&self.0.journal).counts.clone()
    }

    /// The last requests, the oldest first, without those to `/control`.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.0.journal).seen()
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    pub(crate) fn date(&self) -> String {
        self.0.clock.date()
    }

    pub(crate) fn client(&self, id: &str) -> Option<Client> {
        lock(&self.0.clients).get(id).cloned()
    }

    pub(crate) fn access_life(&self) -> Duration {
        let told = lock(&self.0.control).access_token_seconds;
        Duration::from_secs(told.unwrap_or(self.0.access_token_seconds).into())
    }

    pub(crate) fn rotation(&self) -> Rotation {
        let control = lock(&self.0.control);
        match (control.keep_refresh_token, control.refresh_grace_seconds) {
            (true, _) => Rotation::Never,
            (false, None) => Rotation::Strict,
            (false, Some(seconds)) => Rotation::Grace(Duration::from_secs(seconds.into())),
        }
    }

    /// How many consents live.
    #[must_use]
    pub fn living(&self) -> usize {
        self.grants(|grants, _| grants.all_living())
    }

    pub(crate) fn grants<T>(&self, run: impl FnOnce(&mut Grants, Instant) -> T) -> T {
        run(&mut lock(&self.0.grants), self.0.clock.now())
    }

    pub(crate) fn tracker<T>(&self, run: impl FnOnce(&mut Tracker) -> T) -> T {
        run(&mut lock(&self.0.tracker))
    }

    pub(crate) fn count(&self, run: impl FnOnce(&mut Counts)) {
        run(&mut lock(&self.0.journal).counts);
    }

    pub(crate) fn journal<T>(&self, run: impl FnOnce(&mut Journal) -> T) -> T {
        run(&mut lock(&self.0.journal))
    }

    /// The fault that the next request of `slot` meets; takes one of its times.
    pub(crate) fn take_fault(&self, slot: Slot) -> Option<Plan> {
        lock(&self.0.control).take(slot)
    }

    /// Whether a form came from a page of ours, as far as the browser says. Programs say nothing.
    pub(crate) fn is_own_form(&self, headers: &HeaderMap) -> bool {
        let is = |name: &str, wanted: &str| headers.get(name).is_none_or(|value| value == wanted);
        is("sec-fetch-site", "same-origin") && is(ORIGIN.as_str(), self.issuer())
    }
}

/// A panic elsewhere leaves the state as it was; every change of it is complete in itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
