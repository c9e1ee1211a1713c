//! What the host page and the broker share: the manifest, the permissions, the messages of the bridge,
//! the one decision whether a call may pass, and the names of the HTTP API.
//!
//! This crate is pure. It does no I/O, knows no clock and compiles natively and to WebAssembly, so that the
//! host page and the broker run the very same checks.

pub mod id;
pub mod permission;
pub mod refusal;
pub mod slug;

pub use id::PluginId;
pub use permission::Permission;
pub use refusal::{Code, Refusal};
pub use slug::Slug;
