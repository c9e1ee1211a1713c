//! Answers for admins.

use taiku_bridge::Slug;
use taiku_bridge::api::{AdminToolkit, AdminToolkits, FailedFolder, SecretState, Setting};
use taiku_bridge::manifest::Fault;

use super::FromJson;
use super::json::Json;

/// The folders that could not be loaded, which the lists of plugins and of toolkits both have.
pub(crate) struct Failed(pub(crate) Vec<FailedFolder>);

impl FromJson for Failed {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self(json.list("failed")?))
    }
}

impl FromJson for FailedFolder {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { folder: json.text("folder")?, errors: json.list("errors")? })
    }
}

impl FromJson for Fault {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { pointer: json.text("pointer")?, what: json.text("what")? })
    }
}

impl FromJson for AdminToolkits {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { toolkits: json.list("toolkits")?, failed: json.list("failed")? })
    }
}

impl FromJson for AdminToolkit {
    fn from_json(json: Json<'_>) -> Option<Self> {
        let secret = json.get("clientSecret")?;
        Some(Self {
            slug: Slug::from_json(json.get("slug")?)?,
            name: json.text("name")?,
            description: json.text("description")?,
            logo: json.optional("logo"),
            docs: json.optional("docs"),
            auth_mode: json.text("authMode")?,
            tool_count: json.small("toolCount")?,
            enabled: json.flag("enabled"),
            redirect_uri: json.text("redirectUri")?,
            client_id: json.optional("clientId"),
            client_secret: SecretState {
                set: secret.flag("set"),
                fingerprint: secret.optional("fingerprint"),
            },
            scopes: json.list("scopes")?,
            settings: json.list("settings")?,
        })
    }
}

impl FromJson for Setting {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            key: json.text("key")?,
            description: json.text("description")?,
            required: json.flag("required"),
            secret: json.flag("secret"),
            default: json.optional("default"),
            value: json.optional("value"),
            set: json.flag("set"),
            source: json.text("source")?,
            fingerprint: json.optional("fingerprint"),
        })
    }
}
