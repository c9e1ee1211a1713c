//! `taiku plugin dev`: an open panel loads again when its file is saved, and its author reads what it asked for.

use serde_json::json;
use taiku_bridge::api;
use taiku_tests::{Dev, PROBE, PluginFolders, Popups, TestApp, browse, connect};

use crate::{ALL, X, ask, introduced};

const NEXT: &str = "<p id=edited>edited</p>";

#[tokio::test]
async fn a_saved_file_is_shown_and_every_call_is_told() {
    let folders = PluginFolders::new().with(X, ALL, &["demo"], PROBE);
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    let key = user.post(api::API_KEYS, &json!({ "name": "dev" })).await.expect(201).json();
    let mut dev = Dev::start(&folders.path().join(X), &app.url, key["key"].as_str().expect("a key"));
    dev.line("where the panel is", |line| line.contains("/panel/tests.x/main").then_some(()));
    app.grant_all(&user, X).await;
    browse("trial", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        let run = json!({ "toolkit": "demo", "action": "DEMO_LIST_ISSUES" });
        let answer = ask(browser, "integrations.execute", run, json!({})).await;
        assert!(answer["error"].is_null(), "{answer}");
        ask(browser, "integrations.tools", json!({ "toolkit": "github" }), json!({})).await;

        let told = dev.line("the run", |line| line.contains("integrations.execute").then(|| line.to_owned()));
        assert!(told.contains("✓  200") && told.contains("DEMO_LIST_ISSUES"), "{told}");
        let told =
            dev.line("the refusal", |line| line.contains("integrations.tools").then(|| line.to_owned()));
        assert!(told.contains("✗ toolkit_not_declared"), "{told}");

        browser.leave().await;
        browser.run("window.before = document.querySelector('iframe[data-plugin-id]').src", []).await;
        folders.write(X, "panel.html", &format!("{PROBE}{NEXT}"));
        dev.line("that it was loaded again", |line| line.contains("reloaded").then_some(()));
        let again = "return document.querySelector('iframe[data-plugin-id]')?.src !== window.before";
        browser.until("the panel to load again", again).await;
        browser.enter(X, "main").await;
        browser.text("#edited", |text| text == "edited").await;

        browser.leave().await;
        browser.open(app.url.join("/dev/tests.x").expect("an address")).await;
        browser.text("#calls", |text| text.contains("integrations.execute") && text.contains("200")).await;
        browser.text("#calls", |text| text.contains("toolkit_not_declared")).await;
        browser.fill("#filter", "github").await;
        browser.text("#calls", |text| !text.contains("DEMO_LIST_ISSUES") && text.contains("github")).await;
        browser.picture("inspector").await;
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{complaints:?}");
    })
    .await;
    let said = dev.stop();
    assert!(said.contains("reloaded"), "{said}");
    let gone = user.get("/api/v1/plugins/tests.x").await;
    assert_eq!(gone.status, 404, "it is gone with the command");
}
