//! The fields of a manifest, each with its rule.

use std::collections::HashMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reader::{Object, Reader, is_near};
use super::{MAX_LIST, MAX_NAME, MAX_PANELS, Manifest};
use crate::hotkey::{Chord, System};
use crate::id::PluginId;
use crate::permission::Permission;
use crate::slug::Slug;

const FIELDS: &[&str] = &[
    "id",
    "name",
    "version",
    "author",
    "description",
    "tagline",
    "categories",
    "permissions",
    "integrations",
    "panels",
    "toolbarActions",
    "hotkeys",
];
const PANEL_FIELDS: &[&str] =
    &["id", "title", "position", "htmlUrl", "defaultWidth", "defaultHeight", "background"];
/// How permissions begin that other hosts have and this one does not: these are no misspelt names.
const ELSEWHERE: &[&str] =
    &["session.write", "terminal.", "chat.", "workspace.", "tunnel.", "shell.", "fs.", "ui.open", "agent."];
const MAX_DESCRIPTION: usize = 4000;
const MAX_ICON: usize = 64 * 1024;
const MAX_PATH: usize = 512;

/// Where a panel is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// Beside the workspace.
    Sidebar,
    /// Below the workspace.
    Bottom,
    /// In a window of its own within the page.
    Floating,
    /// Beside what it explains.
    Tooltip,
    /// Over the workspace.
    Overlay,
}

/// One panel: an HTML file of the plugin in a sandboxed frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Panel {
    /// Unique within the plugin only.
    pub id: String,
    /// For people.
    pub title: String,
    /// Where it is shown.
    pub position: Position,
    /// Its file, relative to the manifest.
    pub html_url: String,
    /// Width, in CSS pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_width: Option<u32>,
    /// Height, in CSS pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_height: Option<u32>,
    /// Whether it runs without being shown.
    #[serde(default)]
    pub background: bool,
}

/// An icon in the toolbar that opens a panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolbarAction {
    /// Unique within the plugin.
    pub id: String,
    /// For people.
    pub label: String,
    /// SVG text of a stranger: drawn as an image, never inserted as markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// The panel that it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel_id: Option<String>,
}

/// A keyboard shortcut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hotkey {
    /// Unique within the plugin.
    pub id: String,
    /// For people.
    pub label: String,
    /// Such as `Cmd+Shift+A`; Cmd is Ctrl off macOS.
    pub hotkey: String,
    /// Where to list it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What it does.
    pub action: Action,
}

/// What a shortcut does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum Action {
    /// Shows a panel.
    OpenPanel {
        /// The panel's id.
        panel_id: String,
    },
}

pub(super) fn manifest(reader: &mut Reader, value: &Value) -> Option<Manifest> {
    let object = reader.object(value, "")?;
    reader.near_misses(object, FIELDS);
    let id = id(reader, object);
    let name = reader.text(object, "name", MAX_NAME);
    let version = version(reader, object);
    let author = reader.optional_text(object, "author", MAX_NAME);
    let description = reader.optional_text(object, "description", MAX_DESCRIPTION);
    let tagline = reader.optional_text(object, "tagline", MAX_DESCRIPTION);
    let categories = texts(reader, object, "categories", false);
    let permissions = permissions(reader, object);
    let integrations = integrations(reader, object, &permissions);
    let panels = panels(reader, object);
    let toolbar_actions = toolbar_actions(reader, object, &panels);
    let hotkeys = hotkeys(reader, object, &panels);
    Some(Manifest {
        id: id?,
        name: name?,
        version: version?,
        author,
        description,
        tagline,
        categories,
        permissions,
        integrations,
        panels,
        toolbar_actions,
        hotkeys,
    })
}

fn id(reader: &mut Reader, object: Object<'_>) -> Option<PluginId> {
    let text = reader.text(object, "id", 1000)?;
    PluginId::parse(&text).map_err(|error| reader.fault("/id", error.to_string())).ok()
}

fn version(reader: &mut Reader, object: Object<'_>) -> Option<Version> {
    let text = reader.text(object, "version", MAX_NAME)?;
    let fault = |error: semver::Error| {
        reader.fault("/version", format!("must be a semantic version such as 1.2.0: {error}"));
    };
    Version::parse(&text).map_err(fault).ok()
}

/// A list of texts, each once.
fn texts(reader: &mut Reader, object: Object<'_>, name: &str, required: bool) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for (pointer, item) in reader.list(object, name, MAX_LIST, required) {
        match item {
            Value::String(text) if text.is_empty() || text.chars().count() > MAX_NAME => {
                reader.fault(pointer, format!("must have 1 to {MAX_NAME} characters"));
            }
            Value::String(text) if texts.contains(text) => reader.warn(pointer, "stands twice"),
            Value::String(text) => texts.push(text.clone()),
            _ => reader.fault(pointer, "must be a text"),
        }
    }
    texts
}

fn permissions(reader: &mut Reader, object: Object<'_>) -> Vec<String> {
    let names = texts(reader, object, "permissions", true);
    for (index, name) in names.iter().enumerate().filter(|(_, name)| Permission::parse(name).is_none()) {
        let meant = Permission::ALL.iter().find(|known| is_misspelt(name, known.as_str()));
        let hint = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        reader.warn(format!("/permissions/{index}"), format!("`{name}` is not supported by this host{hint}"));
    }
    names
}

/// Whether a name that nobody knows looks like a known one.
fn is_misspelt(name: &str, known: &str) -> bool {
    !ELSEWHERE.iter().any(|prefix| name.starts_with(prefix)) && is_near(name, known)
}

fn integrations(reader: &mut Reader, object: Object<'_>, permissions: &[String]) -> Vec<Slug> {
    let mut slugs = Vec::new();
    let mut places: HashMap<Slug, String> = HashMap::new();
    for (pointer, item) in reader.list(object, "integrations", MAX_LIST, false) {
        let Value::String(text) = item else {
            reader.fault(pointer, "must be a text");
            continue;
        };
        match Slug::parse(text) {
            Err(error) => reader.fault(pointer, error.to_string()),
            Ok(slug) => match places.get(&slug) {
                Some(first) => reader.warn(pointer, format!("names `{slug}` again, as {first} does; merged")),
                None => {
                    places.insert(slug.clone(), pointer);
                    slugs.push(slug);
                }
            },
        }
    }
    let needs_a_list = [Permission::IntegrationsConnect, Permission::IntegrationsExecute];
    let asked = needs_a_list.iter().find(|asked| permissions.iter().any(|name| name == asked.as_str()));
    if let Some(asked) = asked
        && slugs.is_empty()
        && !reader.faults.iter().any(|fault| fault.pointer.starts_with("/integrations"))
    {
        reader
            .fault("/integrations", format!("must name at least one toolkit, because {asked} is requested"));
    }
    slugs
}

fn panels(reader: &mut Reader, object: Object<'_>) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::new();
    for (pointer, item) in reader.list(object, "panels", MAX_PANELS, true) {
        let Some(panel) = panel(reader, item, &pointer) else { continue };
        if panels.iter().any(|other| other.id == panel.id) {
            reader.fault(format!("{pointer}/id"), "stands twice; a panel's id is unique within its plugin");
        }
        panels.push(panel);
    }
    panels
}

fn panel(reader: &mut Reader, item: &Value, pointer: &str) -> Option<Panel> {
    let object = reader.object(item, pointer)?;
    reader.near_misses(object, PANEL_FIELDS);
    let id = reader.text(object, "id", 128);
    let title = reader.text(object, "title", MAX_NAME);
    let position = position(reader, object);
    let html_url = reader.text(object, "htmlUrl", MAX_PATH);
    if let Some(fault) = html_url.as_deref().and_then(path_fault) {
        reader.fault(object.at("htmlUrl"), fault);
    }
    let default_width = reader.optional_size(object, "defaultWidth");
    let default_height = reader.optional_size(object, "defaultHeight");
    let background = reader.flag(object, "background");
    Some(Panel {
        id: id?,
        title: title?,
        position: position?,
        html_url: html_url?,
        default_width,
        default_height,
        background,
    })
}

fn position(reader: &mut Reader, object: Object<'_>) -> Option<Position> {
    let Some(value) = reader.value(object, "position") else {
        reader.warn(object.at("position"), "is missing: `sidebar` is assumed");
        return Some(Position::Sidebar);
    };
    let position = Position::deserialize(value).ok();
    if position.is_none() {
        reader
            .fault(object.at("position"), "must be `sidebar`, `bottom`, `floating`, `tooltip` or `overlay`");
    }
    position
}

/// Why a text is not the relative path of a file in the plugin's folder.
///
/// The same rule holds when the file is served. Percent signs are refused whole, so that no decoding later can
/// turn a harmless path into another.
#[must_use]
pub fn path_fault(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.len() > MAX_PATH {
        return Some("must have 1 to 512 bytes");
    }
    if path.chars().any(|c| c.is_control() || matches!(c, '\\' | ':' | '%' | '?' | '#')) {
        return Some("must be a plain relative path, without `:`, `\\`, `%`, `?`, `#` or control characters");
    }
    if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Some("must stay within the plugin's folder: no leading `/`, no empty, `.` or `..` segment");
    }
    None
}

fn toolbar_actions(reader: &mut Reader, object: Object<'_>, panels: &[Panel]) -> Vec<ToolbarAction> {
    let mut actions = Vec::new();
    for (pointer, item) in reader.list(object, "toolbarActions", MAX_LIST, false) {
        let Some(action) = reader.object(item, &pointer) else { continue };
        let id = reader.text(action, "id", 128);
        let label = reader.text(action, "label", MAX_NAME);
        let icon = reader.optional_text(action, "icon", MAX_ICON);
        let panel_id = reader.optional_text(action, "panelId", 128);
        known_panel(reader, action, panel_id.as_deref(), panels);
        if let (Some(id), Some(label)) = (id, label) {
            actions.push(ToolbarAction { id, label, icon, panel_id });
        }
    }
    actions
}

fn hotkeys(reader: &mut Reader, object: Object<'_>, panels: &[Panel]) -> Vec<Hotkey> {
    let mut hotkeys = Vec::new();
    for (pointer, item) in reader.list(object, "hotkeys", MAX_LIST, false) {
        let Some(entry) = reader.object(item, &pointer) else { continue };
        let id = reader.text(entry, "id", 128);
        let label = reader.text(entry, "label", MAX_NAME);
        let hotkey = reader.text(entry, "hotkey", 64);
        if let Some(error) = hotkey.as_deref().and_then(|keys| Chord::parse(keys, System::Other).err()) {
            reader.warn(entry.at("hotkey"), format!("is no shortcut here: it {error}"));
        }
        let category = reader.optional_text(entry, "category", MAX_NAME);
        let action = hotkey_action(reader, entry, panels);
        if let (Some(id), Some(label), Some(hotkey), Some(action)) = (id, label, hotkey, action) {
            hotkeys.push(Hotkey { id, label, hotkey, category, action });
        }
    }
    hotkeys
}

fn hotkey_action(reader: &mut Reader, entry: Object<'_>, panels: &[Panel]) -> Option<Action> {
    let pointer = entry.at("action");
    let Some(value) = reader.value(entry, "action") else {
        reader.fault(pointer, "is missing: such as {\"type\": \"openPanel\", \"panelId\": \"…\"}");
        return None;
    };
    let action = reader.object(value, &pointer)?;
    if reader.text(action, "type", 64)? != "openPanel" {
        reader.fault(action.at("type"), "must be `openPanel`");
        return None;
    }
    let panel_id = reader.text(action, "panelId", 128)?;
    known_panel(reader, action, Some(&panel_id), panels);
    Some(Action::OpenPanel { panel_id })
}

fn known_panel(reader: &mut Reader, object: Object<'_>, id: Option<&str>, panels: &[Panel]) {
    if let Some(id) = id
        && !panels.iter().any(|panel| panel.id == id)
    {
        reader.warn(object.at("panelId"), "names no panel of this plugin");
    }
}
