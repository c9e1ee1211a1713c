//! What this browser keeps for each user: places of panels, shortcuts, plugins that are muted.

use leptos::prelude::*;
use taiku_bridge::PluginId;

use super::{App, storage};

impl App {
    /// What was kept under a name.
    pub(crate) fn recall(self, name: &str) -> Option<String> {
        storage()?.get_item(&self.memory_key(name)).ok().flatten()
    }

    /// Keeps a text under a name, or forgets it.
    pub(crate) fn remember(self, name: &str, text: Option<&str>) {
        let Some(storage) = storage() else { return };
        let key = self.memory_key(name);
        // A full or blocked storage only forgets the choice.
        let _ = match text {
            Some(text) => storage.set_item(&key, text),
            None => storage.remove_item(&key),
        };
    }

    /// Whether the user wants to hear and be notified of nothing from a plugin.
    pub(crate) fn is_muted(self, plugin: &PluginId) -> bool {
        self.recall(&muted(plugin)).is_some()
    }

    /// Mutes a plugin, or lets it be heard again.
    pub(crate) fn mute(self, plugin: &PluginId, mute: bool) {
        self.remember(&muted(plugin), mute.then_some("1"));
        self.choices_changed.update(|changes| *changes += 1);
    }

    /// Each user of this browser has keys of their own.
    fn memory_key(self, name: &str) -> String {
        let user = self.user_untracked().map_or_else(|| "visitor".into(), |user| user.id);
        format!("taiku.{user}.{name}")
    }
}

fn muted(plugin: &PluginId) -> String {
    format!("muted.{}", plugin.key())
}
