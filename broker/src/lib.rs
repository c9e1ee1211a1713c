//! The broker of taiku.

pub mod assets;
pub mod clock;
pub mod config;
pub mod egress;
pub mod oauth;
pub mod panel;
pub mod plugin;
pub mod random;
pub mod store;
pub mod toolkit;
pub mod vault;
