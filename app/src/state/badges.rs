//! Numbers at the buttons of the toolbar, and what is said aloud.

use std::time::Duration;

use leptos::prelude::*;
use taiku_bridge::PluginId;
use taiku_bridge::api::Plugin;

use super::App;
use crate::text;

/// How long the page waits before it says a change aloud, in milliseconds: of many changes only the last is said.
const SAY_AFTER_MS: u64 = 1_000;
/// The largest number that is written out.
const MOST_WRITTEN: u32 = 99;

/// A number at an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    plugin: PluginId,
    action: String,
    count: u32,
}

/// The number as it is shown.
pub(crate) fn written(count: u32) -> String {
    if count > MOST_WRITTEN { format!("{MOST_WRITTEN}+") } else { count.to_string() }
}

impl App {
    /// Puts a number at one of a plugin's actions; 0 takes it away. Returns whether there is such an action.
    pub(crate) fn set_badge(self, plugin: &Plugin, action: &str, count: u32) -> bool {
        let Some(declared) = plugin.manifest.toolbar_actions.iter().find(|declared| declared.id == action)
        else {
            return false;
        };
        if untrack(|| self.badge(&plugin.id, action)) == count {
            return true;
        }
        let is_it = |badge: &Badge| badge.plugin == plugin.id && badge.action == action;
        self.badges.update(|badges| {
            badges.retain(|badge| !is_it(badge));
            if count > 0 {
                badges.push(Badge { plugin: plugin.id.clone(), action: action.to_owned(), count });
            }
        });
        if count > 0 {
            self.say(format!("{}: {} new", text::shown(&declared.label, text::NAME), written(count)));
        }
        true
    }

    /// The number at an action, 0 for none.
    pub(crate) fn badge(self, plugin: &PluginId, action: &str) -> u32 {
        let is_it = |badge: &&Badge| badge.plugin == *plugin && badge.action == action;
        self.badges.with(|badges| badges.iter().find(is_it).map_or(0, |badge| badge.count))
    }

    /// Forgets the numbers of a plugin.
    pub(crate) fn forget_badges(self, plugin: &str) {
        self.badges.update(|badges| badges.retain(|badge| badge.plugin.as_str() != plugin));
    }

    /// Says something to those who hear the page, politely, and of many things only the last.
    fn say(self, text: String) {
        let waits = self.saying.with_value(Option::is_some);
        self.saying.set_value(Some(text));
        if !waits {
            let speak = move || {
                let text = self.saying.with_value(Clone::clone);
                self.saying.set_value(None);
                self.said.set(text.unwrap_or_default());
            };
            set_timeout(speak, Duration::from_millis(SAY_AFTER_MS));
        }
    }
}
