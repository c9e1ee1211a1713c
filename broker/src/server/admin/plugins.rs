//! Plugins as admins see them, and what admins allow.

use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::json;
use taiku_bridge::api::{
    AdminPlugin, AdminPlugins, PluginPolicy, PluginPolicyBody, PluginRule, PluginRuleBody,
};
use taiku_bridge::{PluginId, Refusal};

use super::super::access::SignedIn;
use super::super::body::Json;
use crate::broker::Broker;
use crate::events::Event;
use crate::failure::Failure;
use crate::install::fetch;
use crate::installed::{self, Current};
use crate::plugin::Plugin;
use crate::store::audit::{self, Actor};
use crate::store::grants::{self, Pin};
use crate::store::plugin_policy::{self, Policy, Rule};

/// Most further registries.
const MAX_REGISTRIES: usize = 20;

/// `GET /admin/plugins`
pub(in super::super) async fn list(
    State(broker): State<Broker>,
) -> Result<axum::Json<AdminPlugins>, Failure> {
    let current = installed::current(&broker).await?;
    let mut tx = broker.store.read().await?;
    let users = grants::users_by_plugin(&mut tx).await?;
    let view = |plugin: &std::sync::Arc<Plugin>| {
        let users = users.get(&plugin.manifest.id.key()).copied().unwrap_or_default();
        view(&current, plugin, users)
    };
    let plugins = current.catalog.iter().map(view).collect();
    Ok(axum::Json(AdminPlugins { plugins, failed: current.catalog.failed().to_vec() }))
}

fn view(current: &Current, plugin: &Plugin, users: u32) -> AdminPlugin {
    let Rule { verdict, preinstalled } = current.policy.rule(&plugin.manifest.id);
    let install = plugin.found.install();
    AdminPlugin {
        id: plugin.manifest.id.clone(),
        name: plugin.manifest.name.clone(),
        version: plugin.manifest.version.to_string(),
        source: plugin.found.source(),
        publisher: plugin.found.publisher().to_owned(),
        location: install.and_then(|install| install.origin.location()).map(str::to_owned),
        hash: plugin.hash.clone(),
        rule: verdict,
        preinstalled,
        installed: install.is_some(),
        users,
        warnings: plugin.warnings.clone(),
    }
}

fn plugin_id(id: &str) -> Result<PluginId, Failure> {
    PluginId::parse(id).map_err(|_| Failure::not_found("plugin"))
}

/// `PUT /admin/plugins/{id}`: says of a plugin whether it may be used, also of one that is not here yet.
pub(in super::super) async fn rule(
    State(broker): State<Broker>,
    SignedIn(admin): SignedIn,
    Path(id): Path<String>,
    Json(body): Json<PluginRuleBody>,
) -> Result<axum::Json<PluginRule>, Failure> {
    let id = plugin_id(&id)?;
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    let mut rule = plugin_policy::load(&mut tx).await?.rule(&id);
    rule.verdict = body.rule.unwrap_or(rule.verdict);
    rule.preinstalled = body.preinstalled.unwrap_or(rule.preinstalled);
    plugin_policy::put_rule(&mut tx, &id, rule).await?;
    let detail = json!({"rule": rule.verdict, "preinstalled": rule.preinstalled});
    audit::add(&mut tx, now, Actor::User(&admin.id), "plugin.rule", id.as_str(), &detail).await?;
    tx.commit().await?;
    broker.events.tell_all(&Event::PluginsChanged);
    Ok(axum::Json(view_rule(id.key(), rule)))
}

fn view_rule(plugin: String, rule: Rule) -> PluginRule {
    PluginRule { plugin, rule: rule.verdict, preinstalled: rule.preinstalled }
}

/// `GET /admin/plugin-policy`
pub(in super::super) async fn policy(
    State(broker): State<Broker>,
) -> Result<axum::Json<PluginPolicy>, Failure> {
    let mut tx = broker.store.read().await?;
    Ok(axum::Json(view_policy(plugin_policy::load(&mut tx).await?)))
}

fn view_policy(policy: Policy) -> PluginPolicy {
    PluginPolicy {
        mode: policy.mode,
        members: policy.members,
        registries: policy.registries,
        rules: policy.rules.into_iter().map(|(plugin, rule)| view_rule(plugin, rule)).collect(),
    }
}

/// `PUT /admin/plugin-policy`
pub(in super::super) async fn change_policy(
    State(broker): State<Broker>,
    SignedIn(admin): SignedIn,
    Json(body): Json<PluginPolicyBody>,
) -> Result<axum::Json<PluginPolicy>, Failure> {
    let registries = body.registries.map(|urls| registries(&broker, &urls)).transpose()?;
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    let mut policy = plugin_policy::load(&mut tx).await?;
    policy.mode = body.mode.unwrap_or(policy.mode);
    policy.members = body.members.unwrap_or(policy.members);
    policy.registries = registries.unwrap_or(policy.registries);
    plugin_policy::save(&mut tx, &policy).await?;
    let detail = json!({"mode": policy.mode, "members": policy.members, "registries": policy.registries});
    audit::add(&mut tx, now, Actor::User(&admin.id), "plugin.policy", "plugins", &detail).await?;
    tx.commit().await?;
    broker.events.tell_all(&Event::PluginsChanged);
    Ok(axum::Json(view_policy(policy)))
}

/// Addresses that may be asked, written as the URL standard writes them, each once.
fn registries(broker: &Broker, urls: &[String]) -> Result<Vec<String>, Refusal> {
    if urls.len() > MAX_REGISTRIES {
        return Err(Refusal::field("/registries", "must be at most 20"));
    }
    let mut registries = Vec::new();
    for (index, url) in urls.iter().enumerate() {
        let pointer = format!("/registries/{index}");
        let url = String::from(fetch::address(&broker.egress, url, &pointer)?);
        if registries.contains(&url) {
            return Err(Refusal::field(pointer, "stands twice"));
        }
        registries.push(url);
    }
    Ok(registries)
}

/// `POST /admin/plugins/{id}/reload`: takes a folder's files as they are now, although the version is the same.
pub(in super::super) async fn reload(
    State(broker): State<Broker>,
    SignedIn(admin): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = plugin_id(&id)?;
    let on_disk = broker.plugins.on_disk().await;
    let plugin = on_disk.get(&id).ok_or_else(|| Failure::not_found("plugin"))?;
    let pin = Pin { version: plugin.manifest.version.to_string(), hash: plugin.hash.clone() };
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    if grants::pins(&mut tx).await?.contains_key(&id.key()) {
        grants::pin(&mut tx, &id, &pin).await?;
    }
    let detail = json!({"version": pin.version, "hash": pin.hash});
    audit::add(&mut tx, now, Actor::User(&admin.id), "plugin.reload", id.as_str(), &detail).await?;
    tx.commit().await?;
    broker.events.tell_all(&Event::PluginsChanged);
    Ok(StatusCode::NO_CONTENT)
}
