//! The panels of the guide for authors run as it shows them.

use serde_json::Value;
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
