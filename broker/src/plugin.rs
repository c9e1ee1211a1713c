//! Plugins: the folders that hold a manifest with its panels, read into memory and known by their content.
//!
//! ```text
//! registry, folders ──load──▶ PluginCatalog ──pinned(pins)──▶ what may be opened
//!        ▲                          │
//!        └──────── Watched ◀────────┘ reads again when a folder has changed
//! ```
//!
//! A plugin's files are addressed by the SHA-256 of all of them, so that a panel which was shown is a panel that
//! stays as it was.

pub mod archive;
mod catalog;
mod files;
mod kept;
mod pinned;
mod registry;
mod watched;

pub use self::catalog::{Found, Plugin, PluginCatalog};
pub(crate) use self::catalog::{MANIFEST, manifest};
pub use self::files::{Files, MAX_BYTES, MAX_FILES};
pub use self::kept::WatchedPlugins;
pub use self::registry::Registry;
pub use self::watched::Watched;

pub(crate) use self::files::hex;
pub(crate) use self::registry::into_bytes;

#[cfg(test)]
mod tests;
