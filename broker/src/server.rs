//! The HTTP server: which address answers what, who may, and how answers look.

mod access;
mod activity;
mod admin;
mod api_keys;
mod body;
mod connections;
mod cookies;
mod events;
mod inspector;
mod installing;
mod listener;
mod oauth_pages;
mod openapi;
mod page;
mod plugin_data;
mod plugins;
mod problem;
mod routes;
mod session;
mod setup;
mod sites;
mod toolkits;
mod tools;
mod trials;

#[cfg(test)]
pub(crate) mod tests;

use axum::Router;
use tokio::net::TcpListener;

use crate::broker::Broker;
pub use access::{Access, Takes};
pub use openapi::OPENAPI;
pub use routes::{Route, table};

/// Everything that the listener answers: pages, API and panels, told apart by `Host`.
pub fn app(broker: Broker) -> Router {
    sites::router(broker)
}

/// Serves until `shutdown` completes; requests under way are finished. Streams of events would never end by
/// themselves, so they are ended then.
pub async fn serve(broker: Broker, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let events = broker.events.clone();
    let shutdown = async move {
        shutdown.await;
        events.close();
    };
    listener::serve(app(broker), listener, shutdown).await;
}
