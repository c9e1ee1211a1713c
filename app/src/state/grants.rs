//! What a user allows a plugin. A visitor's grants live in the tab and nowhere else.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::Grant;
use taiku_bridge::api::{self, Change, GrantBody, Plugin, StoredGrant};

use super::{App, Loadable, Tone};
use crate::http::{self, HttpError, Request};

impl App {
    /// Allows a plugin all that its manifest asks for.
    ///
    /// # Errors
    /// When the server refuses, such as when the plugin has changed meanwhile.
    pub(crate) async fn allow(self, plugin: &Plugin) -> Result<(), HttpError> {
        let grant = if self.user_untracked().is_some() {
            let body = GrantBody {
                version: plugin.version.clone(),
                files: Some(plugin.files.clone()),
                permissions: plugin.manifest.permissions.clone(),
                integrations: plugin.manifest.integrations.clone(),
            };
            Request::put(&api::grant(&plugin.id), http::json(&body)).read::<StoredGrant>().await?
        } else {
            let grant = StoredGrant {
                version: plugin.version.clone(),
                grant: Grant::all_of(&plugin.manifest),
                granted_at: String::from(js_sys::Date::new_0().to_iso_string()),
            };
            keep(plugin, Some(&grant));
            grant
        };
        self.set_grant(plugin, Some(grant));
        Ok(())
    }

    /// Takes back what a plugin was allowed; its panels close at once.
    pub(crate) fn revoke(self, plugin: Arc<Plugin>) {
        spawn_local(async move {
            if self.user_untracked().is_some() {
                if let Err(error) = Request::delete(&api::grant(&plugin.id)).done().await {
                    self.fail(&error);
                    return;
                }
            } else {
                keep(&plugin, None);
            }
            self.close_plugin(plugin.id.as_str());
            self.set_grant(&plugin, None);
            let name = crate::text::shown(&plugin.name, crate::text::NAME);
            self.toast(Tone::Success, format!("{name} may no longer do anything for you."));
        });
    }

    /// Takes a plugin off the user's page; its panels close at once.
    pub(crate) fn uninstall(self, plugin: Arc<Plugin>) {
        spawn_local(async move {
            if let Err(error) = Request::delete(&api::plugin(&plugin.id)).done().await {
                self.fail(&error);
                return;
            }
            self.close_plugin(plugin.id.as_str());
            self.load_plugins();
            let name = crate::text::shown(&plugin.name, crate::text::NAME);
            self.toast(Tone::Success, format!("{name} is uninstalled. Your connections stay."));
        });
    }

    fn set_grant(self, plugin: &Plugin, grant: Option<StoredGrant>) {
        self.plugins.update(|plugins| {
            let Loadable::Ready(plugins) = plugins else { return };
            for entry in plugins.iter_mut().filter(|entry| entry.id == plugin.id) {
                *entry = Arc::new(granted(Plugin::clone(entry), grant.clone()));
            }
        });
    }
}

fn granted(plugin: Plugin, grant: Option<StoredGrant>) -> Plugin {
    let change = grant.as_ref().and_then(|stored| Change::between(&stored.grant, &plugin.manifest));
    Plugin { added: plugin.added || grant.is_some(), grant, change, ..plugin }
}

/// A plugin with what this tab's visitor allowed it before the page was loaded again.
pub(super) fn with_kept_grant(plugin: Plugin) -> Plugin {
    let kept = tab_storage().and_then(|storage| storage.get_item(&key(&plugin)).ok().flatten());
    let grant = kept.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let grant = grant.and_then(|grant| crate::wire::read(&grant));
    granted(plugin, grant)
}

fn keep(plugin: &Plugin, grant: Option<&StoredGrant>) {
    if let Some(storage) = tab_storage() {
        // Blocked storage only means that the visitor is asked again.
        let _ = match grant {
            Some(grant) => storage.set_item(&key(plugin), &http::json(grant)),
            None => storage.remove_item(&key(plugin)),
        };
    }
}

fn key(plugin: &Plugin) -> String {
    format!("taiku.grant.{}", plugin.id.key())
}

fn tab_storage() -> Option<web_sys::Storage> {
    window().session_storage().ok().flatten()
}
