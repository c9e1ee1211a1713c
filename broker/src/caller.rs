//! The plugin that a call is made for, and the gate: the same decision that the host page has made before.

use http::HeaderMap;
use std::sync::Arc;
use taiku_bridge::api::{PLUGIN_HEADER, StoredGrant, User};
use taiku_bridge::{Call, Caller, Code, Method, PluginId, Refusal};

use crate::broker::Broker;
use crate::failure::Failure;
use crate::installed;
use crate::plugin::Plugin;
use crate::store::{grants, installs};

/// The plugin that the request of a user names, if it names one.
///
/// # Errors
/// `bad_message` when the name is no plugin id, `plugin_not_installed` when there is no such plugin,
/// `plugin_blocked` when the admins do not allow it.
pub async fn plugin(
    broker: &Broker,
    user: &User,
    headers: &HeaderMap,
) -> Result<Option<Arc<Plugin>>, Failure> {
    let mut values = headers.get_all(PLUGIN_HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return match headers.contains_key(PLUGIN_HEADER) {
            false => Ok(None),
            true => Err(Failure::new(Code::BadMessage, "Taiku-Plugin stands twice.")),
        };
    };
    let text = value.to_str().unwrap_or_default();
    let id = PluginId::parse(text)
        .map_err(|error| Failure::new(Code::BadMessage, format!("Taiku-Plugin {error}.")))?;
    match installed::find(broker, Some(&user.id), &id).await {
        Err(failure) if failure.code() == Code::NotFound => {
            let message = format!("There is no plugin {id} on this server.");
            Err(Failure::new(Code::PluginNotInstalled, message))
        }
        found => found.map(Some),
    }
}

/// Decides on a call. Without a plugin it is the user's own, and only its parameters are checked.
///
/// # Errors
/// Whatever the gate refuses.
pub async fn decide(
    broker: &Broker,
    user: &User,
    plugin: Option<&Arc<Plugin>>,
    method: Method,
    parse: impl FnOnce() -> Result<Call, Refusal>,
) -> Result<Call, Failure> {
    let Some(plugin) = plugin else { return Ok(parse()?) };
    let grant = granted(broker, user, &plugin.manifest.id).await?;
    let caller = Caller {
        integrations_enabled: broker.config.integrations,
        signed_in: true,
        manifest: &plugin.manifest,
        grant: grant.as_ref().map(|stored| &stored.grant),
    };
    Ok(caller.decide_with(method, parse)?)
}

/// What the user allowed a plugin.
///
/// # Errors
/// `plugin_not_installed` when the user has uninstalled it.
async fn granted(broker: &Broker, user: &User, plugin: &PluginId) -> Result<Option<StoredGrant>, Failure> {
    let mut tx = broker.store.read().await?;
    let grant = grants::find(&mut tx, &user.id, plugin).await?;
    if grant.is_none() && installs::removed_by(&mut tx, &user.id).await?.contains(&plugin.key()) {
        let message = format!("You have uninstalled {plugin}. Add it again to use it.");
        return Err(Failure::new(Code::PluginNotInstalled, message));
    }
    Ok(grant)
}
