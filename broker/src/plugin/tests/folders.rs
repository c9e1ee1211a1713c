//! Folders that are found, and those that are wrong.

use super::*;

#[test]
fn the_shipped_plugins_load() {
    let catalog = PluginCatalog::load(&Registry::embedded(), &[]);
    assert_eq!(catalog.failed(), []);
    let shipped =
        ["example.boundaries", "example.integrations", "example.issues", "example.notes", "example.pulse"];
    assert_eq!(ids(&catalog), shipped);
    for plugin in catalog.iter() {
        assert_eq!((plugin.found.source(), plugin.warnings.as_slice()), (Source::Registry, [].as_slice()));
        assert!(catalog.by_hash(&plugin.hash).is_some());
    }
}

#[test]
fn a_folder_becomes_a_plugin_with_all_its_visible_files() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), "mine", "My.Plugin", "1.2.0", "<p>");
    fs::create_dir_all(folder.join("img/deep")).unwrap();
    fs::write(folder.join("img/deep/a b.svg"), "<svg>").unwrap();
    fs::create_dir(folder.join(".git")).unwrap();
    fs::write(folder.join(".git/config"), "secret").unwrap();
    fs::write(folder.join(".env"), "secret").unwrap();
    let catalog = load(root.path());
    let plugin = catalog.get(&id("mY.pLUGIN")).unwrap();
    assert_eq!(plugin.found.source(), Source::Folder);
    assert_eq!(plugin.found.place(), folder.display().to_string());
    assert_eq!(plugin.files.paths().collect::<Vec<_>>(), ["img/deep/a b.svg", "manifest.json", "panel.html"]);
    assert_eq!(plugin.files.get("img/deep/a b.svg").unwrap(), "<svg>");
    assert_eq!(catalog.by_hash(&plugin.hash).unwrap().hash(), plugin.hash);
    assert!(catalog.by_hash("").is_none());
    assert_eq!(catalog.failed(), []);
}

#[test]
fn a_wrong_folder_never_stops_the_others() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "good", "good", "1.0.0", "<p>");
    let bad = write(root.path(), "a-bad", "bad", "1.0.0", "<p>");
    fs::write(bad.join("manifest.json"), "{\"id\": 5, \"version\": \"x\"}").unwrap();
    fs::create_dir(root.path().join("empty")).unwrap();
    fs::create_dir(root.path().join(".hidden")).unwrap();
    fs::write(root.path().join("README.md"), "no plugin").unwrap();
    let missing = root.path().join("missing");
    let catalog = PluginCatalog::load(&Registry::default(), &[missing.clone(), root.path().to_owned()]);
    assert_eq!(ids(&catalog), ["good"]);
    let [first, second, third] = catalog.failed() else { panic!("{:?}", catalog.failed()) };
    assert_eq!(first.folder, missing.display().to_string());
    assert!(first.errors[0].what.contains("correct TAIKU_PLUGIN_DIRS"), "{first:?}");
    assert_eq!(second.folder, bad.display().to_string());
    let pointers: Vec<_> = second.errors.iter().map(|fault| fault.pointer.as_str()).collect();
    for pointer in ["/id", "/version", "/name", "/permissions", "/panels"] {
        assert!(pointers.contains(&pointer), "{pointer} of {pointers:?}");
    }
    assert_eq!(third.errors[0].what, "manifest.json is missing");
}

#[test]
fn a_panel_that_is_not_there_is_a_fault_at_its_place() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), "x", "x", "1.0.0", "<p>");
    let html = ["panel.html", "gone.html", "Panel.html"];
    fs::write(folder.join("manifest.json"), manifest("x", "1.0.0", &html)).unwrap();
    assert_eq!(
        faults(&load(root.path())),
        "/panels/1/htmlUrl: names `gone.html`, which is not there\n\
         /panels/2/htmlUrl: names `Panel.html`, which is not there"
    );
}

#[test]
fn a_panel_that_is_not_html_is_warned_about() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), "x", "x", "1.0.0", "<p>");
    fs::write(folder.join("a.svg"), "<svg>").unwrap();
    fs::write(folder.join("manifest.json"), manifest("x", "1.0.0", &["panel.html", "a.svg"])).unwrap();
    let catalog = load(root.path());
    let [warning] = &catalog.get(&id("x")).unwrap().warnings[..] else { panic!("one warning") };
    assert_eq!(warning.pointer, "/panels/1/htmlUrl");
}

#[test]
fn ids_are_unique_without_regard_to_case_over_all_sources() {
    let root = tempfile::tempdir().unwrap();
    let first = write(root.path(), "1", "My.Plugin", "1.0.0", "<p>first");
    write(root.path(), "2", "my.plugin", "1.0.0", "<p>second");
    let catalog = load(root.path());
    assert_eq!(catalog.get(&id("my.plugin")).unwrap().files.get("panel.html").unwrap(), "<p>first");
    let expected = format!("/id: `my.plugin` is the id of {} already; choose another", first.display());
    assert_eq!(faults(&catalog), expected);

    let root = tempfile::tempdir().unwrap();
    write(root.path(), "1", "SHIPPED", "9.0.0", "<p>");
    let catalog = PluginCatalog::load(&registry_of("shipped", "<p>"), &[root.path().to_owned()]);
    assert_eq!(catalog.get(&id("shipped")).unwrap().found.source(), Source::Registry);
    assert!(faults(&catalog).contains("registry: f already"), "{}", faults(&catalog));
}

#[test]
fn the_registry_is_what_its_list_says() {
    let catalog = PluginCatalog::load(&registry_of("a", "<p>"), &[]);
    let files = &catalog.get(&id("a")).unwrap().files;
    assert_eq!(files.paths().collect::<Vec<_>>(), ["manifest.json", "panel.html"]);

    let mut registry = registry_of("a", "<p>");
    registry = {
        let list = json!({"plugins": [{"id": "b", "folder": "f"}, {"id": "c", "folder": "g"}]}).to_string();
        let manifest = registry.files("f").get("manifest.json").unwrap().clone();
        let panel = registry.files("f").get("panel.html").unwrap().clone();
        Registry::new(BTreeMap::from([
            ("registry.json".to_owned(), list.into()),
            ("f/manifest.json".to_owned(), manifest),
            ("f/panel.html".to_owned(), panel),
        ]))
    };
    let catalog = PluginCatalog::load(&registry, &[]);
    assert_eq!(ids(&catalog), Vec::<&str>::new());
    let faults: Vec<_> = catalog.failed().iter().map(|failed| failed.errors[0].to_string()).collect();
    assert_eq!(faults, ["/id: must be `b`, as in registry.json", "manifest: manifest.json is missing"]);

    let broken = Registry::new(BTreeMap::from([("registry.json".to_owned(), "{}".into())]));
    let catalog = PluginCatalog::load(&broken, &[]);
    assert!(self::faults(&catalog).contains("registry.json is not a list of plugins"));
}
