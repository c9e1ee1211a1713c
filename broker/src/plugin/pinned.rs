//! What users allowed is what is served: a folder's content is held to its pin.

use std::collections::BTreeMap;
use std::sync::Arc;

use taiku_bridge::api::FailedFolder;

use super::catalog::{Found, Plugin, PluginCatalog};
use super::files::fault;
use crate::store::grants::Pin;

impl PluginCatalog {
    /// The catalog without what changed under a version that is pinned. `former` finds the pinned content by its
    /// hash if it is still in memory; it is then served on.
    ///
    /// `pins` are by [`taiku_bridge::PluginId::key`]. The registry's plugins come with the binary and have none.
    #[must_use]
    pub fn pinned(
        self: Arc<Self>,
        pins: &BTreeMap<String, Pin>,
        former: impl Fn(&str) -> Option<Arc<Plugin>>,
    ) -> Arc<Self> {
        let changed: Vec<_> = self
            .plugins
            .iter()
            .filter_map(|(key, plugin)| Some((key, plugin, pins.get(key)?)))
            .filter(|(_, plugin, pin)| is_changed(plugin, pin))
            .collect();
        if changed.is_empty() {
            return self;
        }
        let mut catalog = (*self).clone();
        for (key, plugin, pin) in changed {
            let former = former(&pin.hash).filter(|former| former.manifest.id.key() == *key);
            catalog.failed.push(FailedFolder {
                folder: plugin.found.place(),
                errors: vec![fault(sentence(plugin, former.is_some()))],
                reload: Some(plugin.manifest.id.clone()),
            });
            match former {
                Some(former) => catalog.plugins.insert(key.clone(), former),
                None => catalog.plugins.remove(key),
            };
        }
        Arc::new(catalog)
    }
}

fn is_changed(plugin: &Plugin, pin: &Pin) -> bool {
    matches!(plugin.found, Found::Folder(_))
        && plugin.manifest.version.to_string() == pin.version
        && plugin.hash != pin.hash
}

fn sentence(plugin: &Plugin, served: bool) -> String {
    let meanwhile = if served { "what users allowed is served on" } else { "it cannot be opened" };
    format!(
        "the files of {} changed under the same version {}; raise the version, or have an admin reload it; \
         until then {meanwhile}",
        plugin.manifest.id, plugin.manifest.version
    )
}
