//! The words in which the tests of the whole program are written.
//!
//! [`TestApp`] is the real binary with a demo provider and a data folder of its own. [`Client`] is a script or a
//! signed-in browser without a screen, [`Browser`] is Chromium. [`Provider`] is an OAuth provider that nobody
//! here wrote. Everything ends when its value is dropped, and every wait is for a condition, with a deadline.
//!
//! `docs/testing.md` says which test guards which rule and how to run one of them.

mod answer;
mod app;
mod browser;
mod canary;
mod client;
mod cluster;
mod collector;
mod consent;
mod demo;
mod dev;
mod figure;
mod fleet;
mod guide;
mod listening;
mod plugin;
mod process;
mod provider;
mod roles;
mod site;
mod wait;

pub use answer::Answer;
pub use app::{Launch, Refused, TestApp, binary};
pub use browser::{Browser, Popups, browse};
pub use canary::{Canary, FORMS, assert_none};
pub use client::{Client, Cookie, Sent};
pub use cluster::Cluster;
pub use collector::Collector;
pub use consent::{Decision, connect, connect_at, connect_the_other, consent_address, follow_consent};
pub use demo::DemoControl;
pub use dev::Dev;
pub use figure::{Goal, Scale, figure};
pub use fleet::{Engine, Fleet, Held};
pub use guide::{GUIDE, guide_blocks, guide_rows, quoted};
pub use listening::Listening;
pub use plugin::{PATTERN, PROBE, PluginFolders};
pub use provider::Provider;
pub use roles::{Role, Running};
pub use site::{Page, site};
pub use wait::{DEADLINE, eventually};
