//! Plugin folders and grants over HTTP. Cases B1, B2, B3 and B6 at load, and the broker's own gate.

use serde_json::{Value, json};
use taiku_bridge::PluginId;
use taiku_bridge::api::{self, AdminPlugins, Plugins};
use taiku_tests::{Client, PROBE, PluginFolders, TestApp, connect};

async fn ids(user: &Client) -> Vec<String> {
    let all: Plugins = user.get(api::PLUGINS).await.read();
    all.plugins.iter().map(|plugin| plugin.id.to_string()).collect()
}

/// The faults of a folder that could not be loaded, as `pointer: what`.
async fn faults(admin: &Client, folder: &str) -> Vec<String> {
    let all: AdminPlugins = admin.get(api::ADMIN_PLUGINS).await.read();
    let failed = all.failed.into_iter().find(|failed| failed.folder.ends_with(&format!("/{folder}")));
    let failed = failed.unwrap_or_else(|| panic!("{folder} was loaded"));
    failed.errors.iter().map(|fault| format!("{}: {}", fault.pointer, fault.what)).collect()
}

fn with(id: &str, field: &str, value: Value) -> Value {
    let mut manifest = PluginFolders::manifest(id, &["integrations.read"], &["demo"]);
    manifest[field] = value;
    manifest
}

#[tokio::test]
async fn the_shipped_plugins_are_there() {
    let app = TestApp::start().await;
    let found = ids(&app.ada().await).await;
    assert!(
        found.contains(&"example.integrations".into()) && found.contains(&"example.boundaries".into()),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_wrong_manifest_is_refused_with_the_place_and_others_load() {
    let execute = ["integrations.execute"];
    let cases: Vec<(&str, Value, &str)> = vec![
        ("bad.empty", PluginFolders::manifest("bad.empty", &execute, &[]), "/integrations"),
        (
            "bad.connect",
            PluginFolders::manifest("bad.connect", &["integrations.connect"], &[]),
            "/integrations",
        ),
        ("bad.slug", with("bad.slug", "integrations", json!(["demo", "git hub"])), "/integrations/1"),
        ("bad.wide", with("bad.wide", "integrations", json!(["ｇithub"])), "/integrations/0"),
        ("bad.type", with("bad.type", "integrations", json!(["demo", 7])), "/integrations/1"),
        ("bad.long", with("bad.long", "integrations", json!(["x".repeat(200)])), "/integrations/0"),
        ("bad.many", with("bad.many", "integrations", json!(vec!["x"; 10_000])), "/integrations"),
        ("bad.version", with("bad.version", "version", json!("one")), "/version"),
        ("bad.id", with("bad.id", "id", json!(".hidden")), "/id"),
    ];
    let folders = cases
        .iter()
        .fold(PluginFolders::new(), |folders, (id, manifest, _)| folders.with_manifest(id, manifest, PROBE))
        .with("good.plugin", &["integrations.read"], &["demo"], PROBE);
    folders.write("bad.json", "manifest.json", "{\"id\": \"bad.json\",");
    let app = TestApp::launch().plugins(&folders).start().await;
    let admin = app.ada().await;
    let found = ids(&admin).await;
    assert!(found.contains(&"good.plugin".into()), "{found:?}");
    assert!(!found.iter().any(|id| id.starts_with("bad.")), "{found:?}");
    for (folder, _, place) in &cases {
        let faults = faults(&admin, folder).await;
        assert!(faults.iter().any(|fault| fault.starts_with(place)), "{folder}: {faults:?}");
    }
    assert_ne!(faults(&admin, "bad.json").await, Vec::<String>::new());
}

#[tokio::test]
async fn duplicates_are_merged_and_near_misses_are_named() {
    let mut manifest = with("a.plugin", "integrations", json!(["GitHub", "demo", "github"]));
    manifest["permision"] = json!(["integrations.execute"]);
    manifest["permissions"] = json!(["integrations.read", "terminal.run"]);
    let folders = PluginFolders::new().with_manifest("a.plugin", &manifest, PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let admin = app.ada().await;
    let shown = admin.get("/api/v1/plugins/a.plugin").await.expect(200).json();
    assert_eq!(shown["manifest"]["integrations"], json!(["github", "demo"]));
    let all: AdminPlugins = admin.get(api::ADMIN_PLUGINS).await.read();
    let plugin = all.plugins.iter().find(|plugin| plugin.id.as_str() == "a.plugin").expect("it is listed");
    let warnings: Vec<_> = plugin.warnings.iter().map(ToString::to_string).collect();
    for (place, word) in [
        ("/integrations/2", "/integrations/0"),
        ("/permision", "permissions"),
        ("/permissions/1", "not supported"),
    ] {
        let warned = warnings.iter().any(|warning| warning.starts_with(place) && warning.contains(word));
        assert!(warned, "{place}: {warnings:?}");
    }
}

#[tokio::test]
async fn a_panel_outside_its_folder_is_refused_at_load() {
    let long = "x".repeat(4096);
    let paths = [
        "../../x",
        "/etc/passwd",
        "https://evil.example/x",
        "//evil.example",
        "javascript:alert(1)",
        "%2e%2e/x",
        "..\\x",
        "a\u{0}b",
        "a/../../x",
        ".",
        "",
        "C:\\x",
        "data:text/html,x",
        long.as_str(),
    ];
    let manifest = |place: usize, path: &str| {
        let mut manifest = PluginFolders::manifest(&format!("bad.path{place}"), &[], &[]);
        manifest["panels"][0]["htmlUrl"] = json!(path);
        manifest
    };
    let folders = paths.iter().enumerate().fold(PluginFolders::new(), |folders, (place, path)| {
        folders.with_manifest(&format!("bad.path{place}"), &manifest(place, path), PROBE)
    });
    let app = TestApp::launch().plugins(&folders).start().await;
    let admin = app.ada().await;
    for (place, path) in paths.iter().enumerate() {
        let faults = faults(&admin, &format!("bad.path{place}")).await;
        assert!(faults.iter().any(|fault| fault.starts_with("/panels/0/htmlUrl")), "{path}: {faults:?}");
    }
}

#[tokio::test]
async fn the_broker_applies_a_plugins_grant_by_itself() {
    let folders = PluginFolders::new()
        .with("a.reader", &["integrations.read"], &["demo"], PROBE)
        .with("a.runner", &["integrations.read", "integrations.execute"], &["github"], PROBE)
        .with(
            "a.full",
            &["integrations.read", "integrations.connect", "integrations.execute"],
            &["demo"],
            PROBE,
        );
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    for plugin in ["a.reader", "a.runner"] {
        app.grant_all(&user, plugin).await;
    }
    let before = app.demo.api_requests().await;
    let list = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";
    let run = async |plugin: &str| {
        let sent = user.request(reqwest::Method::POST, list).json(&json!({ "arguments": {} }));
        sent.header(api::PLUGIN_HEADER, plugin).send().await
    };
    assert_eq!(run("a.reader").await.problem(), (403, "permission_missing".into()));
    assert_eq!(run("a.runner").await.problem(), (403, "toolkit_not_declared".into()));
    assert_eq!(run("a.full").await.problem(), (403, "grant_missing".into()));
    assert!(run("not.installed").await.status.is_client_error());
    assert_eq!(app.demo.api_requests().await, before, "nothing reached the provider");
    app.grant_all(&user, "a.full").await;
    assert_eq!(run("a.full").await.status, 200);
}

#[tokio::test]
async fn a_grant_is_a_subset_of_the_current_manifest() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let path = api::grant(&PluginId::parse("example.boundaries").expect("an id"));
    let body = |version: &str, permissions: &[&str], integrations: &[&str]| json!({ "version": version, "permissions": permissions, "integrations": integrations });
    let granted = user.put(&path, &body("1.0.0", &["integrations.read"], &[])).await.expect(200).json();
    assert_eq!(granted["permissions"], json!(["integrations.read"]));
    assert_eq!(user.put(&path, &body("1.0.0", &["integrations.execute"], &[])).await.problem().0, 422);
    assert_eq!(user.put(&path, &body("1.0.0", &[], &["demo"])).await.problem().0, 422);
    assert_eq!(user.put(&path, &body("0.9.0", &["integrations.read"], &[])).await.problem().0, 409);
    let plugin = user.get("/api/v1/plugins/example.boundaries").await.json();
    assert_eq!(
        plugin["grant"]["permissions"],
        json!(["integrations.read"]),
        "the refused ones changed nothing"
    );
    assert_eq!(plugin["change"]["added"]["integrations"], json!(["github"]));
    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(user.get("/api/v1/plugins/example.boundaries").await.json()["grant"], Value::Null);
}
