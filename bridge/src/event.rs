//! Events: what the broker tells the pages of a user, and what a page tells its panels.
//!
//! Host and broker share the names and who may hear what. A plugin's own event has any other name.

use crate::gate::Grant;
use crate::permission::Permission;

/// A connection was begun, finished, ended, renamed or removed: `{connectionId, toolkit, status, why}`.
pub const CONNECTION_CHANGED: &str = "connection_changed";
/// The user allowed a plugin something, or took it back: `{pluginId}`.
pub const GRANT_CHANGED: &str = "grant_changed";
/// The plugins that can be opened are not the same as before: `{}`.
pub const PLUGINS_CHANGED: &str = "plugins_changed";
/// An admin has changed an integration: `{toolkit}`.
pub const TOOLKITS_CHANGED: &str = "toolkits_changed";
/// Shared data of a plugin has changed: `{pluginId, key}`.
pub const DATA_CHANGED: &str = "data_changed";
/// A plugin has told something to the user's other plugins: `{source, type, data}`. Panels get it under its own type.
pub const PLUGIN_EVENT: &str = "plugin_event";
/// Nobody is signed in here any more: `{}`.
pub const SESSION_ENDED: &str = "session_ended";
/// Somebody signed in or out in another tab of this browser, which alone says so: `{session}`.
pub const SESSION_CHANGED: &str = "session_changed";
/// Events may have been missed, so read again what may have changed: `{}`.
pub const RESYNC: &str = "resync";
/// The user has chosen another theme: `{theme}`.
pub const THEME_CHANGED: &str = "theme_changed";
/// The user has chosen another language: `{locale}`.
pub const LOCALE_CHANGED: &str = "locale_changed";

/// Names that only the host may give to an event.
pub const RESERVED: &[&str] = &[
    CONNECTION_CHANGED,
    GRANT_CHANGED,
    PLUGINS_CHANGED,
    TOOLKITS_CHANGED,
    DATA_CHANGED,
    PLUGIN_EVENT,
    SESSION_ENDED,
    SESSION_CHANGED,
    RESYNC,
    THEME_CHANGED,
    LOCALE_CHANGED,
];

/// Whether a plugin with that grant may hear an event.
///
/// How the page looks is told to everybody. Whether somebody is still signed in is told to nobody: the panels of a
/// session end with it.
#[must_use]
pub fn may_hear(event: &str, grant: &Grant) -> bool {
    let needed: &[Permission] = match event {
        THEME_CHANGED | LOCALE_CHANGED => &[],
        SESSION_ENDED | SESSION_CHANGED | RESYNC | PLUGIN_EVENT => return false,
        CONNECTION_CHANGED => &[Permission::EventsSubscribe, Permission::IntegrationsRead],
        DATA_CHANGED => &[Permission::EventsSubscribe, Permission::KvRead],
        _ => &[Permission::EventsSubscribe],
    };
    needed.iter().all(|permission| grant.permissions.contains(permission))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(permissions: &[Permission]) -> Grant {
        Grant { permissions: permissions.iter().copied().collect(), ..Grant::default() }
    }

    #[test]
    fn an_event_needs_the_right_to_hear_it() {
        use Permission::{EventsSubscribe, IntegrationsRead, KvRead};
        let nothing = grant(&[]);
        let events = grant(&[EventsSubscribe]);
        let connections = grant(&[EventsSubscribe, IntegrationsRead]);
        let events_and_data = grant(&[EventsSubscribe, KvRead]);
        for (event, grant, heard) in [
            (THEME_CHANGED, &nothing, true),
            (LOCALE_CHANGED, &nothing, true),
            (CONNECTION_CHANGED, &grant(&[IntegrationsRead]), false),
            (CONNECTION_CHANGED, &events, false),
            (CONNECTION_CHANGED, &connections, true),
            (DATA_CHANGED, &events, false),
            (DATA_CHANGED, &events_and_data, true),
            (PLUGINS_CHANGED, &events, true),
            ("timer.done", &nothing, false),
            ("timer.done", &events, true),
        ] {
            assert_eq!(may_hear(event, grant), heard, "{event} {grant:?}");
        }
    }

    #[test]
    fn no_panel_hears_of_sessions() {
        let everything = grant(Permission::ALL);
        for event in [SESSION_ENDED, SESSION_CHANGED, RESYNC, PLUGIN_EVENT] {
            assert!(!may_hear(event, &everything), "{event}");
        }
    }
}
