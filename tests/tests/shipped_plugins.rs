//! The plugins in `plugins/` are what their registry says, and load without a complaint.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use taiku_bridge::hotkey::{Chord, System};
use taiku_bridge::manifest::{Hotkey, Loaded};
use taiku_bridge::{Manifest, Permission, Slug};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

fn registry() -> Vec<(String, PathBuf)> {
    let registry: serde_json::Value = serde_json::from_str(&read(&folder().join("registry.json"))).unwrap();
    let entry = |entry: &serde_json::Value| {
        let text = |name: &str| entry[name].as_str().unwrap_or_else(|| panic!("{entry} lacks {name}"));
        (text("id").to_owned(), folder().join(text("folder")))
    };
    registry["plugins"].as_array().unwrap().iter().map(entry).collect()
}

fn load(folder: &Path) -> Loaded {
    let path = folder.join("manifest.json");
    Manifest::parse(&read(&path)).unwrap_or_else(|faults| panic!("{}: {faults:?}", path.display()))
}

fn shipped(id: &str) -> Manifest {
    let (_, folder) = registry().into_iter().find(|(found, _)| found == id).unwrap();
    load(&folder).manifest
}

#[test]
fn each_listed_plugin_loads_without_faults_and_warnings() {
    for (id, folder) in registry() {
        let Loaded { manifest, warnings } = load(&folder);
        assert_eq!(manifest.id.as_str(), id);
        assert_eq!(warnings, [], "{id}");
        for panel in &manifest.panels {
            let page = read(&folder.join(&panel.html_url));
            assert!(page.starts_with("<!doctype html>\n"), "{id}/{} begins with its doctype", panel.id);
        }
        for action in &manifest.toolbar_actions {
            assert!(action.icon.as_deref().is_some_and(|icon| icon.starts_with("<svg ")), "{id}: an icon");
            let target = action.panel_id.as_deref().and_then(|panel| manifest.panel(panel));
            assert!(target.is_some(), "{id}: {} opens a panel", action.id);
        }
        for Hotkey { hotkey, .. } in &manifest.hotkeys {
            for system in [System::Mac, System::Other] {
                let chord = Chord::parse(hotkey, system).unwrap();
                assert!(!chord.is_reserved(system), "{id}: {hotkey} belongs to browsers");
            }
        }
    }
}

#[test]
fn every_plugin_folder_is_listed() {
    let listed: BTreeSet<PathBuf> = registry().into_iter().map(|(_, folder)| folder).collect();
    let found = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    // The SDK is beside the plugins that use it.
    let found = found.filter(|path| path.is_dir() && !path.ends_with("sdk") && !path.ends_with("templates"));
    assert_eq!(found.collect::<BTreeSet<_>>(), listed);
}

#[test]
fn the_integrations_demo_has_what_is_promised() {
    let manifest = shipped("example.integrations");
    assert_eq!(manifest.integrations, ["demo", "github"].map(|slug| Slug::parse(slug).unwrap()));
    let promised =
        [Permission::IntegrationsRead, Permission::IntegrationsConnect, Permission::IntegrationsExecute];
    for permission in promised {
        assert!(manifest.asks_for(permission), "{permission}");
    }
    let panel = manifest.panel("integrations-panel").expect("the panel keeps its id");
    let page = read(&folder().join("example.integrations").join(&panel.html_url));
    for id in ["toolkit", "connect", "load", "tools", "args", "run", "output"] {
        assert!(page.contains(&format!("id=\"{id}\"")), "#{id}");
    }
}

#[test]
fn the_boundary_check_lacks_what_it_tries() {
    let manifest = shipped("example.boundaries");
    assert_eq!(manifest.integrations, [Slug::parse("github").unwrap()]);
    assert!(manifest.asks_for(Permission::IntegrationsRead), "so that the toolkit is what is refused");
    assert!(!manifest.asks_for(Permission::IntegrationsExecute));
}
