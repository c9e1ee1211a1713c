//! What the host page and the broker share: the manifest, the permissions, the messages of the bridge,
//! the one decision whether a call may pass, and the names of the HTTP API.
//!
//! This crate is pure. It does no I/O, knows no clock and compiles natively and to WebAssembly, so that the
//! host page and the broker run the very same checks.
//!
//! Read in this order: [`manifest`] says what a plugin asks for, [`message`] and [`panel`] say who speaks,
//! [`call`] gives a request its type, [`gate`] decides, [`refusal`] names the outcome, [`api`] carries it on.

pub mod api;
pub mod call;
pub mod event;
pub mod gate;
pub mod hotkey;
pub mod id;
pub mod json;
pub mod manifest;
pub mod mcp;
pub mod message;
pub mod pace;
pub mod panel;
pub mod permission;
pub mod refusal;
pub mod slug;

pub use call::{Call, Method};
pub use gate::{Caller, Grant};
pub use id::PluginId;
pub use manifest::Manifest;
pub use permission::Permission;
pub use refusal::{Code, Refusal};
pub use slug::Slug;
