//! A plugin's manifest: what it is, what it asks for and which panels it has.
//!
//! [`Manifest::parse`] reads the author's text and reports every fault with the JSON pointer of its field.
//! Published plugins are met with patience: unknown fields and unknown permissions do not stop a load.

mod parts;
mod reader;

use std::fmt;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::id::PluginId;
use crate::json;
use crate::permission::Permission;
use crate::slug::Slug;
pub use parts::{Action, Hotkey, Panel, Position, ToolbarAction, path_fault};
use reader::Reader;

/// Largest manifest, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// Longest name, title or label, in characters.
pub const MAX_NAME: usize = 100;
/// Most permissions, and most toolkits.
pub const MAX_LIST: usize = 64;
/// Most panels.
pub const MAX_PANELS: usize = 32;

/// A manifest without faults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Unique without regard to case.
    pub id: PluginId,
    /// For people.
    pub name: String,
    /// Semantic version.
    pub version: Version,
    /// Who wrote it, in the author's own words: proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it does, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tagline: Option<String>,
    /// Where to list it.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Names of the permissions that it asks for, those included that this host does not have.
    pub permissions: Vec<String>,
    /// Toolkits that it may reach, each once.
    #[serde(default)]
    pub integrations: Vec<Slug>,
    /// What it shows.
    pub panels: Vec<Panel>,
    /// Its icons in the toolbar.
    #[serde(default)]
    pub toolbar_actions: Vec<ToolbarAction>,
    /// Its keyboard shortcuts.
    #[serde(default)]
    pub hotkeys: Vec<Hotkey>,
}

/// A manifest and what its author should know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The manifest.
    pub manifest: Manifest,
    /// What was mended or ignored.
    pub warnings: Vec<Fault>,
}

/// What an author learns of a manifest, whether it loads or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The manifest, if it has no faults.
    pub manifest: Option<Manifest>,
    /// What stops it from loading; empty exactly when there is a manifest.
    pub faults: Vec<Fault>,
    /// What was mended or ignored: a field that is missing may stand there under a misspelt name.
    pub warnings: Vec<Fault>,
}

impl Examined {
    fn stopped(pointer: String, what: String) -> Self {
        Self { manifest: None, faults: vec![Fault { pointer, what }], warnings: Vec::new() }
    }
}

/// Something about one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) of the field.
    pub pointer: String,
    /// A sentence without its subject.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "manifest" } else { &self.pointer };
        write!(f, "{place}: {}", self.what)
    }
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Every fault that was found, never none.
    pub fn parse(text: &str) -> Result<Loaded, Vec<Fault>> {
        let Examined { manifest, faults, warnings } = Self::examine(text);
        manifest.map(|manifest| Loaded { manifest, warnings }).ok_or(faults)
    }

    /// Reads a manifest and tells all that can be said about it.
    #[must_use]
    pub fn examine(text: &str) -> Examined {
        if text.len() > MAX_BYTES {
            let what = format!("has {} bytes, at most {MAX_BYTES} are allowed", text.len());
            return Examined::stopped(String::new(), what);
        }
        if let Err(error) = json::check(text) {
            return Examined::stopped(error.pointer, error.what);
        }
        let value: serde_json::Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => return Examined::stopped(String::new(), format!("is not valid JSON: {error}")),
        };
        let mut reader = Reader::default();
        let manifest = parts::manifest(&mut reader, &value).filter(|_| reader.faults.is_empty());
        Examined { manifest, faults: reader.faults, warnings: reader.warnings }
    }

    /// Whether it asks for a permission.
    #[must_use]
    pub fn asks_for(&self, permission: Permission) -> bool {
        self.permissions.iter().any(|name| name == permission.as_str())
    }

    /// The permissions among those asked for that this host has.
    pub fn known_permissions(&self) -> impl Iterator<Item = Permission> + '_ {
        self.permissions.iter().filter_map(|name| Permission::parse(name))
    }

    /// The names among those asked for that this host does not have.
    pub fn unsupported_permissions(&self) -> impl Iterator<Item = &str> {
        self.permissions.iter().map(String::as_str).filter(|name| Permission::parse(name).is_none())
    }

    /// A panel by its id.
    #[must_use]
    pub fn panel(&self, id: &str) -> Option<&Panel> {
        self.panels.iter().find(|panel| panel.id == id)
    }
}

#[cfg(test)]
mod tests;
