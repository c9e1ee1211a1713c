//! Plugins, and what the user allows them.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use taiku_bridge::api::{Change, GrantBody, Plugin, Plugins, StoredGrant};
use taiku_bridge::{Code, Grant, Manifest, Permission, PluginId, Refusal, Slug};

use super::access::{Identity, SignedIn};
use super::body::Json;
use crate::broker::Broker;
use crate::events::Event;
use crate::failure::Failure;
use crate::store::grants;
use crate::{installed, plugin};

/// `GET /plugins`
pub(super) async fn list(
    State(broker): State<Broker>,
    identity: Identity,
) -> Result<axum::Json<Plugins>, Failure> {
    let catalog = installed::catalog(&broker).await?;
    let mut granted = match identity.user() {
        Some(user) => {
            let mut tx = broker.store.read().await?;
            grants::of_user(&mut tx, &user.id).await?
        }
        None => Default::default(),
    };
    let view = |plugin: &Arc<plugin::Plugin>| view(plugin, granted.remove(&plugin.manifest.id.key()));
    Ok(axum::Json(Plugins { plugins: catalog.iter().map(view).collect() }))
}

/// `GET /plugins/{id}`
pub(super) async fn show(
    State(broker): State<Broker>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<axum::Json<Plugin>, Failure> {
    let plugin = find(&broker, &id).await?;
    let granted = match identity.user() {
        Some(user) => {
            let mut tx = broker.store.read().await?;
            grants::find(&mut tx, &user.id, &plugin.manifest.id).await?
        }
        None => None,
    };
    Ok(axum::Json(view(&plugin, granted)))
}

async fn find(broker: &Broker, id: &str) -> Result<Arc<plugin::Plugin>, Failure> {
    let missing = || Failure::not_found("plugin");
    let id = PluginId::parse(id).map_err(|_| missing())?;
    installed::find(broker, &id).await?.ok_or_else(missing)
}

fn view(plugin: &plugin::Plugin, grant: Option<StoredGrant>) -> Plugin {
    let manifest = &plugin.manifest;
    Plugin {
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        version: manifest.version.to_string(),
        source: plugin.source,
        files: format!("/{}", plugin.hash),
        change: grant.as_ref().and_then(|stored| Change::between(&stored.grant, manifest)),
        manifest: manifest.clone(),
        grant,
    }
}

/// `PUT /plugins/{id}/grant`
pub(super) async fn grant(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Json(body): Json<GrantBody>,
) -> Result<axum::Json<StoredGrant>, Failure> {
    let plugin = find(&broker, &id).await?;
    if body.version != plugin.manifest.version.to_string() {
        let message = format!(
            "{} is version {} now, not {}. Look at what it asks for and decide again.",
            plugin.manifest.id, plugin.manifest.version, body.version
        );
        return Err(Failure::new(Code::Conflict, message));
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
    let id = PluginId::parse(&id).map_err(|_| Failure::not_found("plugin"))?;
    let mut tx = broker.store.write().await?;
    let removed = grants::remove(&mut tx, &user.id, &id).await?;
    tx.commit().await?;
    if removed {
        broker.events.tell(&user.id, &Event::GrantChanged { plugin: id.to_string() });
    }
    if !removed && installed::find(&broker, &id).await?.is_none() {
        return Err(Failure::not_found("plugin"));
    }
    Ok(StatusCode::NO_CONTENT)
}
