//! Answers about plugins.

use std::collections::BTreeSet;

use taiku_bridge::api::{
    Change, Items, Offer, Plugin, Plugins, Registries, Registry, Source, StoredFile, StoredGrant, Wishes,
};
use taiku_bridge::manifest::{Action, Hotkey, Panel, Position, ToolbarAction};
use taiku_bridge::{Grant, Manifest, Permission, PluginId, Slug};

use super::FromJson;
use super::json::Json;

impl FromJson for Plugins {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { plugins: json.list("plugins")? })
    }
}

impl FromJson for Items {
    fn from_json(json: Json<'_>) -> Option<Self> {
        let bytes = |name| json.small(name);
        let (used_bytes, max_bytes) = (bytes("usedBytes")?, bytes("maxBytes")?);
        let next_cursor = json.optional("nextCursor");
        Some(match json.get("files") {
            Some(_) => Self::Files { files: json.list("files")?, next_cursor, used_bytes, max_bytes },
            None => Self::Keys { keys: json.list("keys")?, next_cursor, used_bytes, max_bytes },
        })
    }
}

impl FromJson for StoredFile {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            name: json.text("name")?,
            size: json.small("size")?,
            updated_at: json.text("updatedAt")?,
        })
    }
}

impl FromJson for Plugin {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            id: PluginId::from_json(json.get("id")?)?,
            name: json.text("name")?,
            version: json.text("version")?,
            source: source(json)?,
            publisher: json.text("publisher")?,
            added: json.flag("added"),
            manifest: Manifest::from_json(json.get("manifest")?)?,
            files: json.text("files")?,
            grant: match json.get("grant") {
                Some(grant) => Some(StoredGrant::from_json(grant)?),
                None => None,
            },
            change: match json.get("change") {
                Some(change) => Some(Change::from_json(change)?),
                None => None,
            },
        })
    }
}

/// Where a plugin comes from.
pub(super) fn source(json: Json<'_>) -> Option<Source> {
    Some(match json.maybe("source")? {
        "registry" => Source::Registry,
        "folder" => Source::Folder,
        "url" => Source::Url,
        "file" => Source::File,
        "trial" => Source::Trial,
        _ => return None,
    })
}

impl FromJson for Registries {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { registries: json.list("registries")? })
    }
}

impl FromJson for Registry {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self { url: json.text("url")?, error: json.optional("error"), plugins: json.list("plugins")? })
    }
}

impl FromJson for Offer {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            id: PluginId::from_json(json.get("id")?)?,
            name: json.text("name")?,
            version: json.text("version")?,
            author: json.optional("author"),
            description: json.optional("description"),
            installed: json.optional("installed"),
        })
    }
}

impl FromJson for PluginId {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Self::parse(json.as_text()?).ok()
    }
}

impl FromJson for Manifest {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            id: PluginId::from_json(json.get("id")?)?,
            name: json.text("name")?,
            version: json.maybe("version")?.parse().ok()?,
            author: json.optional("author"),
            description: json.optional("description"),
            tagline: json.optional("tagline"),
            categories: json.list("categories")?,
            permissions: json.list("permissions")?,
            integrations: json.list("integrations")?,
            panels: json.list("panels")?,
            toolbar_actions: json.list("toolbarActions")?,
            hotkeys: json.list("hotkeys")?,
        })
    }
}

impl FromJson for Panel {
    fn from_json(json: Json<'_>) -> Option<Self> {
        let position = match json.maybe("position")? {
            "sidebar" => Position::Sidebar,
            "bottom" => Position::Bottom,
            "floating" => Position::Floating,
            "tooltip" => Position::Tooltip,
            "overlay" => Position::Overlay,
            _ => return None,
        };
        Some(Self {
            id: json.text("id")?,
            title: json.text("title")?,
            position,
            html_url: json.text("htmlUrl")?,
            default_width: json.small("defaultWidth"),
            default_height: json.small("defaultHeight"),
            background: json.flag("background"),
        })
    }
}

impl FromJson for ToolbarAction {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            id: json.text("id")?,
            label: json.text("label")?,
            icon: json.optional("icon"),
            panel_id: json.optional("panelId"),
        })
    }
}

impl FromJson for Hotkey {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Some(Self {
            id: json.text("id")?,
            label: json.text("label")?,
            hotkey: json.text("hotkey")?,
            category: json.optional("category"),
            action: Action::OpenPanel { panel_id: json.get("action")?.text("panelId")? },
        })
    }
}

impl FromJson for StoredGrant {
    fn from_json(json: Json<'_>) -> Option<Self> {
        // Inserted one by one: collecting into a set brings a whole sort along.
        let (mut permissions, mut integrations) = (BTreeSet::new(), BTreeSet::new());
        for permission in json.list::<Permission>("permissions")? {
            permissions.insert(permission);
        }
        for slug in json.list::<Slug>("integrations")? {
            integrations.insert(slug);
        }
        let grant = Grant { permissions, integrations };
        Some(Self { version: json.text("version")?, grant, granted_at: json.text("grantedAt")? })
    }
}

impl FromJson for Permission {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Self::parse(json.as_text()?)
    }
}

impl FromJson for Change {
    fn from_json(json: Json<'_>) -> Option<Self> {
        let wishes = |name: &str| {
            let json = json.get(name)?;
            Some(Wishes { permissions: json.list("permissions")?, integrations: json.list("integrations")? })
        };
        Some(Self { added: wishes("added")?, removed: wishes("removed")? })
    }
}
