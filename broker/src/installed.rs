//! The plugins of this server with what the database knows of them.

use std::sync::Arc;

use taiku_bridge::api::Source;
use taiku_bridge::{Grant, PluginId};

use crate::broker::Broker;
use crate::events::Event;
use crate::failure::Failure;
use crate::plugin::{Plugin, PluginCatalog};
use crate::store::grants::{self, Pin};

/// The catalog as it is now: folders whose content changed under a granted version are refused in it.
///
/// # Errors
/// When the database fails.
pub async fn catalog(broker: &Broker) -> Result<Arc<PluginCatalog>, Failure> {
    let pins = {
        let mut tx = broker.store.read().await?;
        grants::pins(&mut tx).await?
    };
    Ok(broker.plugins.current(&pins).await)
}

/// Finds a plugin.
///
/// # Errors
/// When the database fails.
pub async fn find(broker: &Broker, id: &PluginId) -> Result<Option<Arc<Plugin>>, Failure> {
    Ok(catalog(broker).await?.get(id).cloned())
}

/// Stores what a user allows a plugin, and pins the content that the user looked at.
///
/// # Errors
/// When the database fails.
pub async fn grant(broker: &Broker, user_id: &str, plugin: &Plugin, grant: &Grant) -> Result<(), Failure> {
    let version = plugin.manifest.version.to_string();
    let mut tx = broker.store.write().await?;
    grants::put(&mut tx, user_id, &plugin.manifest.id, &version, grant, broker.clock.now()).await?;
    if plugin.source == Source::Folder {
        let pin = Pin { version, hash: plugin.hash.clone() };
        grants::pin(&mut tx, &plugin.manifest.id, &pin).await?;
    }
    tx.commit().await?;
    broker.events.tell(user_id, &Event::GrantChanged { plugin: plugin.manifest.id.to_string() });
    Ok(())
}
