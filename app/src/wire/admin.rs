//! Answers for admins.

use taiku_bridge::api::{
    AdminPlugin, AdminPlugins, AdminToolkit, AdminToolkits, FailedFolder, FailedRevocation, Members,
    PluginPolicy, PluginRule, PolicyMode, Revocation, RevocationDetail, Revocations, SecretState, Setting,
    Verdict,
};
use taiku_bridge::manifest::Fault;
use taiku_bridge::{PluginId, Slug};

use super::FromJson;
use super::json::Json;

impl FromJson for AdminPlugins {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { plugins: json.list("plugins")?, failed: json.list("failed")? })
    }
}

impl FromJson for AdminPlugin {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            id: PluginId::from_json(json.get("id")?)?,
            name: json.text("name")?,
            version: json.text("version")?,
            source: super::plugins::source(json)?,
            publisher: json.text("publisher")?,
            location: json.optional("location"),
            hash: json.text("hash")?,
            rule: json.maybe("rule").and_then(Verdict::parse),
            preinstalled: json.flag("preinstalled"),
            installed: json.flag("installed"),
            users: json.small("users")?,
            warnings: json.list("warnings")?,
        })
    }
}

impl FromJson for PluginPolicy {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            mode: PolicyMode::parse(json.maybe("mode")?)?,
            members: Members::parse(json.maybe("members")?)?,
            registries: json.list("registries")?,
            rules: json.list("rules")?,
        })
    }
}

impl FromJson for PluginRule {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            plugin: json.text("plugin")?,
            rule: json.maybe("rule").and_then(Verdict::parse),
            preinstalled: json.flag("preinstalled"),
        })
    }
}

impl FromJson for FailedFolder {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            folder: json.text("folder")?,
            errors: json.list("errors")?,
            reload: json.get("reload").and_then(PluginId::from_json),
        })
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
            categories: json.list("categories")?,
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

impl FromJson for Revocations {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { revocations: json.list("revocations")? })
    }
}

impl FromJson for Revocation {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            id: json.text("id")?,
            toolkit: json.text("toolkit")?,
            per_minute: json.small("perMinute")?,
            total: json.small("total")?,
            revoked: json.small("revoked")?,
            failed: json.small("failed")?,
            created_at: json.text("createdAt")?,
            finished_at: json.optional("finishedAt"),
        })
    }
}

impl FromJson for RevocationDetail {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            revocation: Revocation::from_json(json)?,
            failures: json.list("failures")?,
            next_cursor: json.optional("nextCursor"),
        })
    }
}

impl FromJson for FailedRevocation {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            connection_id: json.text("connectionId")?,
            email: json.text("email")?,
            account: json.optional("account"),
            tokens: json.list("tokens")?,
        })
    }
}
