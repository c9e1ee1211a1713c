//! The panels of the guide for authors run as it shows them.

use serde_json::{Value, json};
use taiku_tests::{PluginFolders, Popups, TestApp, browse, connect, guide_blocks};

const SDK: &str = include_str!("../../../plugins/sdk/dist/taiku.js");
const STYLE: &str = include_str!("../../../plugins/sdk/dist/taiku.css");

#[tokio::test]
async fn the_first_panel_of_the_guide_creates_an_issue() {
    let manifest: Value = serde_json::from_str(&guide_blocks("json")[0]).unwrap();
    let folders = PluginFolders::new().with_manifest("first", &manifest, &guide_blocks("html")[0]);
    folders.write("first", "taiku.js", SDK);
    folders.write("first", "taiku.css", STYLE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, "my-org.first").await;
    connect(&app, &user).await;
    browse("guide", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "my-org.first", "main").await;
        browser.text("#account", |text| text == "An account is connected.").await;
        browser.click("#create").await;
        browser.leave().await;
        browser.text("body", |text| text.contains("Created #1")).await;
        assert_eq!(app.demo.count("issuesCreated").await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_wire_of_the_guide_works_without_the_sdk() {
    let wire =
        guide_blocks("js").into_iter().filter(|block| block.contains("taiku:init")).collect::<Vec<_>>();
    assert_eq!(wire.len(), 2, "over the window, and over the port");
    // What they print is what is looked at.
    let scripts: String = wire.iter().map(|block| format!("<script>\n{block}</script>\n")).collect();
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><title>Wire</title><script>const said = []; \
         console.log = (...words) => said.push(words);</script>\n{scripts}</html>"
    );
    let folders = PluginFolders::new().with("a.wire", &["session.read"], &[], &page);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.wire").await;
    browse("guide-wire", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "a.wire", "main").await;
        let role = browser.resolve("return (await call('getUserRole')).role", []).await;
        assert_eq!(role, "admin");
        let refused = "return call('kv.get', { key: 'a' }).catch((error) => error.message)";
        let refused = browser.resolve(refused, []).await;
        assert!(refused.as_str().unwrap_or_default().contains("kv.read"), "{refused}");
        let answers =
            "return said.length >= 2 && said.map(([id, result]) => [id, result.name ?? result.role])";
        let answers = browser.until("both answers over the port", answers).await;
        assert_eq!(answers, json!([["p-getSession", "taiku"], ["p-getUserRole", "admin"]]));
    })
    .await;
}
