//! The broker of taiku: sessions, connections, tools, the API, and the pages of an OAuth flow.
//!
//! The way of a request, from the outside to the provider: [`server`] says who may, [`caller`] asks the gate for
//! the plugin, [`integration`] finds the toolkit with its client, [`execute`] and [`connect`] do the work with
//! [`tokens`] from the [`vault`] and what they ask of [`custody`], and [`egress`] is the only way out.

pub mod accounts;
pub mod api_key;
pub mod assets;
pub mod backup;
pub mod broker;
pub mod caller;
pub mod cli;
pub mod clock;
pub mod common;
pub mod config;
pub mod connect;
pub mod custody;
pub mod doctor;
pub mod egress;
pub mod events;
pub mod execute;
pub mod failure;
pub mod idempotent;
pub mod install;
pub mod installed;
pub mod integration;
pub mod limits;
pub mod metrics;
pub mod oauth;
pub mod panel;
pub mod password;
pub mod plugin;
pub mod plugin_data;
pub mod random;
pub mod rotation;
pub mod sandbox;
pub mod server;
pub mod setup;
pub mod single_flight;
pub mod store;
pub mod sweep;
pub mod tokens;
pub mod toolkit;
pub mod trials;
pub mod vault;
