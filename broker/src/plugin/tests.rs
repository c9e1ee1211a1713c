//! Plugin folders as they are written, changed and attacked.

mod changes;
mod folders;
mod limits;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use taiku_bridge::PluginId;
use taiku_bridge::api::Source;

use super::*;

fn id(text: &str) -> PluginId {
    PluginId::parse(text).unwrap()
}

fn manifest(id: &str, version: &str, html: &[&str]) -> String {
    let panel = |(index, html): (usize, &&str)| json!({"id": format!("p{index}"), "title": "Panel", "position": "sidebar", "htmlUrl": html});
    let panels: Vec<_> = html.iter().enumerate().map(panel).collect();
    json!({"id": id, "name": id, "version": version, "permissions": [], "panels": panels}).to_string()
}

/// Writes a plugin with one panel of that content.
fn write(dir: &Path, folder: &str, id: &str, version: &str, panel: &str) -> PathBuf {
    let folder = dir.join(folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("manifest.json"), manifest(id, version, &["panel.html"])).unwrap();
    fs::write(folder.join("panel.html"), panel).unwrap();
    folder
}

fn load(dir: &Path) -> PluginCatalog {
    PluginCatalog::load(&Registry::default(), &[dir.to_owned()])
}

/// The faults of the one folder that failed, a line each.
#[track_caller]
fn faults(catalog: &PluginCatalog) -> String {
    let [failed] = catalog.failed() else { panic!("{:?}", catalog.failed()) };
    failed
        .errors
        .iter()
        .map(|fault| format!("{}: {}", fault.pointer, fault.what))
        .collect::<Vec<_>>()
        .join("\n")
}

fn ids(catalog: &PluginCatalog) -> Vec<&str> {
    catalog.iter().map(|plugin| plugin.manifest.id.as_str()).collect()
}

fn registry_of(id: &str, panel: &str) -> Registry {
    let list = json!({"plugins": [{"id": id, "folder": "f"}]}).to_string();
    let files = [
        ("registry.json", list),
        ("f/manifest.json", manifest(id, "1.0.0", &["panel.html"])),
        ("f/panel.html", panel.to_owned()),
        ("other/panel.html", "no part of it".to_owned()),
    ];
    Registry::new(files.into_iter().map(|(path, text)| (path.to_owned(), text.into())).collect())
}
