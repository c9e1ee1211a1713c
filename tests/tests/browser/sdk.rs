//! The SDK in a panel of the real host.

use serde_json::{Value, json};
use taiku_tests::{Browser, Client, PluginFolders, Popups, TestApp, browse};

const PLUGIN: &str = "tests.sdk";
const SDK: &str = include_str!("../../../plugins/sdk/dist/taiku.js");
const PERMISSIONS: &[&str] = &["session.read", "integrations.read", "ui.toast"];

/// Writes down every message of the host before the SDK hears it.
const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>SDK</title></head><body>
<script>
  const overWindow = [];
  addEventListener("message", ({ data }) => overWindow.push(data.type));
</script>
<script src="taiku.js"></script>
</body></html>"#;

/// What a host does that has no port.
const NO_PORT: &str = r#"<script>
  addEventListener("message", (event) => Object.defineProperty(event, "ports", { value: [] }), true);
</script>
<script src="taiku.js">"#;

async fn start(page: &str) -> (TestApp, Client, PluginFolders) {
    let folders = PluginFolders::new().with(PLUGIN, PERMISSIONS, &["demo"], page);
    folders.write(PLUGIN, "taiku.js", SDK);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, PLUGIN).await;
    (app, user, folders)
}

async fn resolve(browser: &Browser, script: &str) -> Value {
    browser.resolve(script, []).await
}

#[tokio::test]
async fn calls_go_over_the_port_by_themselves() {
    let (app, user, _folders) = start(PAGE).await;
    browse("sdk", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, PLUGIN, "main").await;
        let init = resolve(browser, "return taiku.ready").await;
        assert_eq!((&init["pluginId"], &init["panelId"]), (&json!(PLUGIN), &json!("main")));
        assert_eq!(init["authToken"], Value::Null);
        assert_eq!(resolve(browser, "return taiku.session.role()").await["role"], "admin");
        assert_eq!(resolve(browser, "return taiku.integrations.list()").await, json!([]));
        let refused = "return taiku.kv.get('a').catch(({ name, code, message }) => [name, code, message])";
        let error = resolve(browser, refused).await;
        assert_eq!((&error[0], &error[1]), (&json!("TaikuError"), &json!("permission_missing")));
        assert!(error[2].as_str().unwrap().contains("kv.read"), "{error}");
        assert_eq!(resolve(browser, "return overWindow").await, json!(["taiku:init"]));
    })
    .await;
}

#[tokio::test]
async fn a_thousand_calls_at_once_are_all_answered() {
    let (app, user, _folders) = start(PAGE).await;
    browse("sdk-batch", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, PLUGIN, "main").await;
        let all = "const calls = Array.from({ length: 1000 }, (_, at) =>
              at % 2 ? taiku.session.get() : taiku.kv.get('a').catch(({ code }) => code));
            const answers = await Promise.all(calls);
            return answers.filter((answer, at) => at % 2 ? answer.name === 'taiku' : answer === 'permission_missing').length";
        assert_eq!(resolve(browser, all).await, 1000);
    })
    .await;
}

#[tokio::test]
async fn large_values_go_both_ways() {
    let (app, user, _folders) = start(PAGE).await;
    browse("sdk-large", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, PLUGIN, "main").await;
        let text = "const text = 'ä'.repeat(30_000);
            await taiku.userData.set('large', text);
            return (await taiku.userData.get('large')) === text";
        assert_eq!(resolve(browser, text).await, true);
        let refused = "return taiku.userData.set('large', 'x'.repeat(70_000)).catch(({ code }) => code)";
        assert_eq!(resolve(browser, refused).await, "invalid_params");
    })
    .await;
}

#[tokio::test]
async fn a_host_without_a_port_is_spoken_to_over_the_window() {
    let (app, user, _folders) = start(&PAGE.replace(r#"<script src="taiku.js">"#, NO_PORT)).await;
    browse("sdk-window", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, PLUGIN, "main").await;
        let all =
            "return Promise.all([taiku.session.role(), taiku.session.get(), taiku.integrations.list()])";
        let all = resolve(browser, all).await;
        assert_eq!((&all[0]["role"], &all[2]), (&json!("admin"), &json!([])));
        let heard = resolve(browser, "return overWindow").await;
        let expected = ["taiku:init", "taiku:response", "taiku:response", "taiku:response"];
        assert_eq!(heard, json!(expected));
    })
    .await;
}

#[tokio::test]
async fn the_document_follows_the_theme_of_the_page() {
    let (app, user, _folders) = start(PAGE).await;
    browse("sdk-theme", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, PLUGIN, "main").await;
        browser.run("taiku.ui.follow()", []).await;
        for theme in ["dark", "light"] {
            browser.leave().await;
            browser.prefer("prefers-color-scheme", theme).await;
            browser.enter(PLUGIN, "main").await;
            let seen = format!("return document.documentElement.dataset.theme === '{theme}'");
            browser.until(theme, &seen).await;
        }
    })
    .await;
}
