//! A panel that keeps to the published call pattern works as it is.

use serde_json::json;
use taiku_tests::{PATTERN, PROBE, PluginFolders, Popups, TestApp, browse, connect};

use crate::{ALL, introduced};

#[tokio::test]
async fn the_first_call_leaves_before_init_and_everything_works() {
    let folders = PluginFolders::new().with("my-org.pattern", ALL, &["Demo"], PATTERN);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, "my-org.pattern").await;
    connect(&app, &user).await;
    browse("pattern", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "my-org.pattern", "main").await;
        browser.text("#first", |text| text == "connected").await;
        let first = browser
            .run("return [sentBeforeInit.pluginId, sentBeforeInit.panelId, sentBeforeInit.authToken]", []);
        assert_eq!(first.await, json!(["", "", ""]), "the first call knew no identity");
        browser.until("init", "return pluginId").await;

        browser.click("#load").await;
        browser.text("#output", |text| text == "6 tools").await;
        browser.choose("#tools", "DEMO_CREATE_AN_ISSUE").await;
        browser.fill("#args", r#"{"title": "By the pattern"}"#).await;
        browser.click("#run").await;
        browser.text("#output", |text| text.contains("By the pattern")).await;

        let failure = "{\"message\":  \"as it came\"}";
        let fault =
            json!({ "kind": "answer", "status": 422, "contentType": "application/json", "body": failure });
        app.demo.set(&json!({ "api": { "fault": fault, "times": 1 } })).await;
        browser.click("#run").await;
        browser.text("#output", |text| text == format!("Error: {failure}")).await;
    })
    .await;
}

#[tokio::test]
async fn a_listener_that_comes_late_still_hears_init() {
    // So long a page is read in many turns, and messages arrive between them.
    let filling = format!("<!-- {} -->\n<script>", "long ".repeat(1_000_000));
    let page = PROBE.replacen("<script>", &filling, 1);
    let folders = PluginFolders::new().with("a.long", ALL, &["demo"], &page);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.long").await;
    browse("late", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "a.long", "main").await;
        assert_eq!(introduced(browser).await["pluginId"], "a.long");
    })
    .await;
}
