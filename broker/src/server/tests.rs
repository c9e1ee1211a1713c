//! The whole broker without a socket: what it answers to browsers, scripts, plugins and providers.

mod answer;
mod app;
mod listening;
mod provider;
mod user;

mod admin;
mod api_keys;
mod bodies;
mod doubt;
mod events;
mod execute;
mod flows;
mod headers;
mod installing;
mod plugin_data;
mod plugins;
mod reconnect;
mod refresh;
mod revocations;
mod rotation;
mod routes;
mod sessions;
mod setup;
mod stand_ins;
mod trials;

pub(crate) use answer::Answer;
pub(crate) use app::TestApp;
pub(crate) use listening::Listening;
pub(crate) use provider::{Click, Flow};
pub(crate) use user::{Ask, User};
