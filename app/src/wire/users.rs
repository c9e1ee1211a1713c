//! Answers about the user: session, accounts, keys, activity, and refusals.

use taiku_bridge::api::{
    Account, Activities, Activity, ApiKey, ApiKeys, Connecting, Connection, Connections, CreatedApiKey,
    Problem, Receipt, Revoked, Role, Session, Status, Toolkit, Toolkits, User,
};
use taiku_bridge::{Code, Slug};

use super::FromJson;
use super::json::Json;

impl FromJson for Problem {
    fn from_json(json: Json<'_>) -> Option<Self> {
        let name = json.maybe("code")?;
        Some(Self {
            kind: json.text("type")?,
            title: json.text("title")?,
            status: json.small("status")?,
            detail: json.text("detail")?,
            code: *Code::ALL.iter().find(|code| code.as_str() == name)?,
            pointer: json.optional("pointer"),
            connections: Vec::new(),
        })
    }
}

impl FromJson for Session {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            user: match json.get("user") {
                Some(user) => Some(User::from_json(user)?),
                None => None,
            },
            session_id: json.optional("sessionId"),
            anonymous: json.flag("anonymous"),
            integrations: json.flag("integrations"),
            panel_origin: json.text("panelOrigin")?,
        })
    }
}

impl FromJson for User {
    fn from_json(json: Json<'_>) -> Option<Self> {
        let role = match json.maybe("role")? {
            "admin" => Role::Admin,
            "member" => Role::Member,
            _ => return None,
        };
        Some(Self { id: json.text("id")?, email: json.text("email")?, name: json.text("name")?, role })
    }
}

impl FromJson for Connections {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { connections: json.list("connections")? })
    }
}

impl FromJson for Status {
    fn from_json(json: Json<'_>) -> Option<Self> {
        let all = [Self::Initiated, Self::Active, Self::Expired, Self::Failed, Self::Revoked];
        let name = json.as_text()?;
        all.into_iter().find(|status| status.as_str() == name)
    }
}

impl FromJson for Connection {
    fn from_json(json: Json<'_>) -> Option<Self> {
        let account = json.get("account")?;
        Some(Self {
            id: json.text("id")?,
            toolkit: Slug::from_json(json.get("toolkit")?)?,
            status: Status::from_json(json.get("status")?)?,
            why: json.optional("why"),
            account: Account {
                id: account.optional("id"),
                label: account.optional("label"),
                avatar: account.optional("avatar"),
            },
            alias: json.optional("alias"),
            default: json.flag("default"),
            scopes: json.list("scopes")?,
            requested_scopes: json.list("requestedScopes")?,
            missing_scopes: json.list("missingScopes")?,
            replaces: json.optional("replaces"),
            created_at: json.text("createdAt")?,
            last_used_at: json.optional("lastUsedAt"),
            expires_at: json.optional("expiresAt"),
        })
    }
}

impl FromJson for Connecting {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            connection_id: json.text("connectionId")?,
            provider_host: json.text("providerHost")?,
            redirect_url: json.text("redirectUrl")?,
            status: Status::from_json(json.get("status")?)?,
        })
    }
}

impl FromJson for Receipt {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            connection_id: json.text("connectionId")?,
            revoked: json.list("revoked")?,
            deleted_at: json.text("deletedAt")?,
        })
    }
}

impl FromJson for Revoked {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { token: json.text("token")?, outcome: json.text("outcome")? })
    }
}

impl FromJson for Toolkits {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { toolkits: json.list("toolkits")? })
    }
}

impl FromJson for Toolkit {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            slug: Slug::from_json(json.get("slug")?)?,
            name: json.text("name")?,
            description: json.text("description")?,
            categories: json.list("categories")?,
            logo: json.optional("logo"),
            auth_mode: json.text("authMode")?,
            tool_count: json.small("toolCount")?,
        })
    }
}

impl FromJson for ApiKeys {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { api_keys: json.list("apiKeys")? })
    }
}

impl FromJson for ApiKey {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            id: json.text("id")?,
            name: json.text("name")?,
            scopes: json.list("scopes")?,
            created_at: json.text("createdAt")?,
            expires_at: json.optional("expiresAt"),
            last_used_at: json.optional("lastUsedAt"),
        })
    }
}

impl FromJson for CreatedApiKey {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { id: json.text("id")?, key: json.text("key")? })
    }
}

impl FromJson for Activities {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { entries: json.list("entries")?, next_cursor: json.optional("nextCursor") })
    }
}

impl FromJson for Activity {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            id: json.text("id")?,
            at: json.text("at")?,
            plugin: json.optional("plugin"),
            toolkit: json.text("toolkit")?,
            action: json.text("action")?,
            connection_id: json.optional("connectionId"),
            outcome: json.text("outcome")?,
            upstream_status: json.small("upstreamStatus"),
            duration_ms: json.number("durationMs")?,
        })
    }
}
