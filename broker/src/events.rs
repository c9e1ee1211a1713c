//! What has changed, told to those whom it concerns: every open page of a user.
//!
//! A change is stored first and told of afterwards. Who misses an event reads again, so nothing depends on hearing it.

mod hub;
pub mod keeper;
pub mod wire;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use taiku_bridge::api::Status;
use taiku_bridge::{Slug, event};

pub use self::hub::{Credential, Full, Hub, Message, Subscription};
use crate::store::connections::Connection;

/// Something that has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A connection was begun, finished, ended, renamed or removed.
    ConnectionChanged {
        /// The connection.
        id: String,
        /// Its toolkit.
        toolkit: Slug,
        /// What it is now; `REVOKED` when it is gone.
        status: Status,
        /// Machine name of the cause, where the status has one.
        why: Option<String>,
    },
    /// The user allowed a plugin something, or took it back.
    GrantChanged {
        /// The plugin.
        plugin: String,
    },
    /// The plugins that can be opened are not the same as before.
    PluginsChanged,
    /// An admin has changed an integration.
    ToolkitsChanged {
        /// The toolkit.
        toolkit: Slug,
    },
    /// Shared data of a plugin has changed.
    DataChanged {
        /// The plugin.
        plugin: String,
        /// The changed key.
        key: String,
    },
    /// A plugin has told something to the user's other plugins.
    PluginEvent {
        /// The plugin.
        source: String,
        /// The event's own name.
        name: String,
        /// What it says.
        data: Value,
        /// The page that has told its own panels already.
        page: Option<String>,
    },
}

impl Event {
    /// The event that a connection is what it is now.
    #[must_use]
    pub fn connection(connection: &Connection) -> Self {
        let view = connection.view();
        Self::ConnectionChanged { id: view.id, toolkit: view.toolkit, status: view.status, why: view.why }
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConnectionChanged { .. } => event::CONNECTION_CHANGED,
            Self::GrantChanged { .. } => event::GRANT_CHANGED,
            Self::PluginsChanged => event::PLUGINS_CHANGED,
            Self::ToolkitsChanged { .. } => event::TOOLKITS_CHANGED,
            Self::DataChanged { .. } => event::DATA_CHANGED,
            Self::PluginEvent { .. } => event::PLUGIN_EVENT,
        }
    }

    /// What it says, always an object.
    #[must_use]
    pub fn data(&self) -> Value {
        match self {
            Self::ConnectionChanged { id, toolkit, status, why } => {
                json!({"connectionId": id, "toolkit": toolkit, "status": status, "why": why})
            }
            Self::GrantChanged { plugin } => json!({"pluginId": plugin}),
            Self::PluginsChanged => json!({}),
            Self::ToolkitsChanged { toolkit } => json!({"toolkit": toolkit}),
            Self::DataChanged { plugin, key } => json!({"pluginId": plugin, "key": key}),
            Self::PluginEvent { source, name, data, page } => {
                json!({"source": source, "type": name, "data": data, "page": page})
            }
        }
    }
}
