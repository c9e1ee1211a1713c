//! Plugins, and what the user allows them.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use http::StatusCode;
use taiku_bridge::api::{Change, GrantBody, Plugin, Plugins, StoredGrant};
use taiku_bridge::{Grant, Manifest, Permission, PluginId, Refusal, Slug};

use super::access::{Identity, SignedIn};
use super::body::Json;
use crate::broker::Broker;
use crate::events::Event;
use crate::failure::Failure;
use crate::installed::{self, Current};
use crate::plugin;
use crate::store::{grants, installs};

/// `GET /plugins`
pub(super) async fn list(
    State(broker): State<Broker>,
    identity: Identity,
) -> Result<axum::Json<Plugins>, Failure> {
    let current = of(&broker, &identity).await?;
    let mut known = match identity.user() {
        Some(user) => {
            let mut tx = broker.store.read().await?;
            Known {
                granted: grants::of_user(&mut tx, &user.id).await?,
                removed: installs::removed_by(&mut tx, &user.id).await?,
            }
        }
        None => Known::default(),
    };
    let plugins = current.usable().map(|plugin| view(&current, plugin, &mut known)).collect();
    Ok(axum::Json(Plugins { plugins }))
}

async fn of(broker: &Broker, identity: &Identity) -> Result<Current, Failure> {
    installed::current_of(broker, identity.user().map(|user| user.id.as_str())).await
}

/// What a user has decided on plugins, by [`PluginId::key`].
#[derive(Default)]
struct Known {
    granted: BTreeMap<String, StoredGrant>,
    removed: BTreeSet<String>,
}

/// `GET /plugins/{id}`
pub(super) async fn show(
    State(broker): State<Broker>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<axum::Json<Plugin>, Failure> {
    let id = plugin_id(&id)?;
    let current = of(&broker, &identity).await?;
    let plugin = current.find(&id)?;
    let mut known = Known::default();
    if let Some(user) = identity.user() {
        let mut tx = broker.store.read().await?;
        let grant = grants::find(&mut tx, &user.id, &id).await?;
        known.granted.extend(grant.map(|grant| (id.key(), grant)));
        known.removed = installs::removed_by(&mut tx, &user.id).await?;
    }
    Ok(axum::Json(view(&current, plugin, &mut known)))
}

fn plugin_id(id: &str) -> Result<PluginId, Failure> {
    PluginId::parse(id).map_err(|_| Failure::not_found("plugin"))
}

fn view(current: &Current, plugin: &plugin::Plugin, known: &mut Known) -> Plugin {
    let manifest = &plugin.manifest;
    let key = manifest.id.key();
    let grant = known.granted.remove(&key);
    Plugin {
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        version: manifest.version.to_string(),
        source: plugin.found.source(),
        publisher: plugin.found.publisher().to_owned(),
        added: current.is_added(plugin, grant.is_some(), known.removed.contains(&key)),
        files: files(plugin),
        change: grant.as_ref().and_then(|stored| Change::between(&stored.grant, manifest)),
        manifest: manifest.clone(),
        grant,
    }
}

/// Where the files of a plugin are on the panel origin.
fn files(plugin: &plugin::Plugin) -> String {
    format!("/{}", plugin.hash)
}

/// `PUT /plugins/{id}/grant`: what is allowed is what the user looked at, version and content.
pub(super) async fn grant(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Json(body): Json<GrantBody>,
) -> Result<axum::Json<StoredGrant>, Failure> {
    let plugin = installed::find(&broker, Some(&user.id), &plugin_id(&id)?).await?;
    let seen = (body.version == plugin.manifest.version.to_string())
        && body.files.as_ref().is_none_or(|seen| *seen == files(&plugin));
    if !seen {
        return Err(installed::changed(&plugin.manifest.id));
    }
    let grant = subset(&plugin.manifest, &body)?;
    installed::grant(&broker, &user.id, &plugin, &grant).await?;
    let mut tx = broker.store.read().await?;
    let stored = grants::find(&mut tx, &user.id, &plugin.manifest.id).await?;
    stored
        .map(axum::Json)
        .ok_or_else(|| Failure::Internal("a grant was not found after it was stored".into()))
}

/// What is allowed, if the manifest asks for all of it. Names that this host does not have are not granted.
fn subset(manifest: &Manifest, body: &GrantBody) -> Result<Grant, Refusal> {
    let mut permissions = BTreeSet::new();
    for (index, name) in body.permissions.iter().enumerate() {
        if !manifest.permissions.contains(name) {
            let what = "is not among the permissions that the manifest asks for";
            return Err(Refusal::field(format!("/permissions/{index}"), what));
        }
        permissions.extend(Permission::parse(name));
    }
    let undeclared = |slug: &Slug| !manifest.integrations.contains(slug);
    if let Some(index) = body.integrations.iter().position(undeclared) {
        let what = "is not among the toolkits that the manifest declares";
        return Err(Refusal::field(format!("/integrations/{index}"), what));
    }
    Ok(Grant { permissions, integrations: body.integrations.iter().cloned().collect() })
}

/// `DELETE /plugins/{id}/grant`
pub(super) async fn revoke(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = plugin_id(&id)?;
    let mut tx = broker.store.write().await?;
    let removed = grants::remove(&mut tx, &user.id, &id).await?;
    tx.commit().await?;
    if removed {
        broker.events.tell(&user.id, &Event::GrantChanged { plugin: id.to_string() });
    } else {
        is_here(&broker, &id).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /plugins/{id}`: the plugin leaves the user's page and has nothing left. The user's connections stay.
pub(super) async fn uninstall(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = plugin_id(&id)?;
    let mut tx = broker.store.write().await?;
    // Also a plugin that is no longer here can leave a grant behind.
    if !grants::remove(&mut tx, &user.id, &id).await? {
        drop(tx);
        is_here(&broker, &id).await?;
        tx = broker.store.write().await?;
    }
    installs::remove_for(&mut tx, &user.id, &id, broker.clock.now()).await?;
    tx.commit().await?;
    broker.events.tell(&user.id, &Event::GrantChanged { plugin: id.to_string() });
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses what is not on this server, so that nobody fills the database with names.
async fn is_here(broker: &Broker, id: &PluginId) -> Result<(), Failure> {
    let current = installed::current(broker).await?;
    current.catalog.get(id).map(|_| ()).ok_or_else(|| Failure::not_found("plugin"))
}
