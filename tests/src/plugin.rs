//! Plugin folders that a test writes for itself.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A panel that does nothing by itself and lets a test speak for it; see the file.
pub const PROBE: &str = include_str!("../fixtures/panels/probe.html");

/// A panel that keeps to the published call pattern to the letter.
pub const PATTERN: &str = include_str!("../fixtures/panels/pattern.html");

/// A folder of plugin folders for `TAIKU_PLUGIN_DIRS`.
#[derive(Debug)]
pub struct PluginFolders(TempDir);

impl Default for PluginFolders {
    fn default() -> Self {
        Self(TempDir::new().expect("a folder can be made for temporary files"))
    }
}

impl PluginFolders {
    /// No plugin yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A plugin with one panel, `main`, that shows `page`.
    #[must_use]
    pub fn with(self, id: &str, permissions: &[&str], toolkits: &[&str], page: &str) -> Self {
        self.with_manifest(id, &Self::manifest(id, permissions, toolkits), page)
    }

    /// A plugin with any manifest.
    #[must_use]
    pub fn with_manifest(self, folder: &str, manifest: &Value, page: &str) -> Self {
        self.write(folder, "manifest.json", &manifest.to_string());
        self.write(folder, "panel.html", page);
        self
    }

    /// The manifest of a plugin with one panel.
    #[must_use]
    pub fn manifest(id: &str, permissions: &[&str], toolkits: &[&str]) -> Value {
        json!({
            "id": id, "name": id, "version": "1.0.0", "permissions": permissions, "integrations": toolkits,
            "panels": [{ "id": "main", "title": id, "position": "sidebar", "htmlUrl": "panel.html" }],
            "toolbarActions": [{ "id": "open", "label": id, "panelId": "main" }],
        })
    }

    /// Writes a file of a plugin.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, folder: &str, file: &str, text: &str) {
        let folder = self.0.path().join(folder);
        fs::create_dir_all(&folder).expect("a plugin folder can be made");
        fs::write(folder.join(file), text).expect("a plugin file can be written");
    }

    /// Where they are.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
