//! What answers requests, with everything that belongs to it.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use taiku_bridge::api::Role;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{CommandError, demo, say, vault};
use crate::accounts::{self, NewUser};
use crate::broker::{Broker, Start, StartError};
use crate::clock::Clock;
use crate::config::{Config, Source};
use crate::custody::{Client, Custody};
use crate::events::{keeper, wire};
use crate::random::Random;
use crate::store::audit::{self, Actor};
use crate::store::users;
use crate::{metrics, server, sweep};

/// How long requests under way may take after the order to stop.
pub(super) const DRAIN: Duration = Duration::from_secs(30);

/// A taiku that runs, with everything that belongs to it.
pub(super) struct Host {
    /// What it works with.
    pub(super) broker: Broker,
    /// The vault, if it is in this process.
    custody: Option<Custody>,
    /// Where its listener is.
    pub(super) address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    /// What may end at any moment.
    helpers: Vec<JoinHandle<()>>,
}

impl Host {
    /// Answers requests on a listener, and asks a vault for what only it may do.
    pub(super) async fn start(
        start: Start,
        listener: TcpListener,
        custody: Client,
    ) -> Result<Self, CommandError> {
        let address = listener.local_addr()?;
        let metrics_listen = start.config.metrics_listen;
        let broker = Broker::start(start, custody).await?;
        let (stop, stopped) = watch::channel(false);
        first_admin(&broker).await?;
        link_for_first_admin(&broker).await?;
        let mut helpers = vec![
            tokio::spawn(broker.watch_keys().run(stopped.clone())),
            tokio::spawn(sweep::run(broker.clone(), stopped.clone())),
            tokio::spawn(keeper::run(broker.clone(), stopped.clone())),
            tokio::spawn(wire::run(broker.clone(), stopped.clone())),
        ];
        if let Some(address) = metrics_listen {
            helpers.push(figures(&broker, address, stopped.clone()).await?);
        }
        let server = tokio::spawn(server::serve(broker.clone(), listener, until(stopped)));
        Ok(Self { broker, custody: None, address, stop, server, helpers })
    }

    /// A demo in this process alone, for whoever tries a plugin out: the vault and the provider are in it as well.
    pub(super) async fn demo(source: Source, config: Config) -> Result<Self, CommandError> {
        let address = config.listen;
        let what = || format!("TAIKU_LISTEN: listening on {address}");
        let listener =
            TcpListener::bind(address).await.map_err(|error| StartError::Io { what: what(), error })?;
        let demo = demo::Provider::bind(config.demo_listen, &Random::system()).await?;
        let start = Start {
            config,
            source,
            port: listener.local_addr()?.port(),
            loopback_by_default: true,
            clock: Clock::System,
            random: Random::system(),
        };
        let custody = Custody::start(&start).await?;
        let redirect_uri = demo::prepare(&custody, &demo.setup).await?;
        let mut host = Self::start(start, listener, Client::here(custody.clone())).await?;
        let stopped = host.stop.subscribe();
        host.helpers.extend(vault::chores(&custody, &stopped));
        host.helpers.push(demo.serve(redirect_uri, stopped)?);
        host.custody = Some(custody);
        Ok(host)
    }

    /// Lets what is under way come to its end, and ends.
    pub(super) async fn stop(self) -> Result<(), CommandError> {
        // Nobody listens any more if every task has ended by itself.
        let _ = self.stop.send(true);
        match tokio::time::timeout(DRAIN, self.server).await {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => {
                return Err(CommandError::Said(format!("the server ended unexpectedly: {panic}")));
            }
            Err(_) => tracing::warn!("some requests did not end in time"),
        }
        if let Some(custody) = &self.custody {
            vault::settle(custody).await;
        }
        self.helpers.iter().for_each(JoinHandle::abort);
        self.broker.store.close().await;
        Ok(())
    }
}

/// Serves the figures for Prometheus on a listener of their own.
async fn figures(
    broker: &Broker,
    address: SocketAddr,
    stopped: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, CommandError> {
    let what = || format!("TAIKU_METRICS_LISTEN: listening on {address}");
    let listener =
        TcpListener::bind(address).await.map_err(|error| StartError::Io { what: what(), error })?;
    say(&format!("figures on http://{}/metrics", listener.local_addr()?))?;
    let broker = broker.clone();
    Ok(tokio::spawn(async move {
        if let Err(error) = metrics::serve(broker, listener, until(stopped)).await {
            tracing::error!(%error, "the figures are served no longer");
        }
    }))
}

/// Completes when it is time to stop.
pub(super) async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is as good as the order to stop.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Makes the first admin that the configuration names, if there is none.
async fn first_admin(broker: &Broker) -> Result<(), CommandError> {
    let Some((email, password)) = &broker.config.first_admin else { return Ok(()) };
    let has_admin = {
        let mut tx = broker.store.read().await?;
        users::has_admin(&mut tx).await?
    };
    if has_admin {
        return Ok(());
    }
    let (email, password) = (email.clone(), password.0.expose().to_owned());
    let new = NewUser { email, name: String::new(), role: Role::Admin, password };
    let prepared = accounts::prepare(&broker.random, new).await?;
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    accounts::add(&mut tx, &prepared, now).await?;
    let detail = json!({"role": "admin"});
    audit::add(&mut tx, now, Actor::System, "user.add", &prepared.user.id, &detail).await?;
    tx.commit().await?;
    Ok(())
}

async fn link_for_first_admin(broker: &Broker) -> Result<(), CommandError> {
    let has_admin = {
        let mut tx = broker.store.read().await?;
        users::has_admin(&mut tx).await?
    };
    if has_admin {
        return Ok(());
    }
    let link = broker.setup.make(broker.origins.app.as_str(), &broker.random);
    say(&format!("there is no admin yet; make the first one at {link}"))
}

/// Completes when the user or the system wants the program to end.
#[cfg(unix)]
pub(super) async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
pub(super) async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
