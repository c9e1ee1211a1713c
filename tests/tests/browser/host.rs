//! The methods that the host page answers by itself, and what it tells a panel at its beginning.

use serde_json::json;
use taiku_tests::{PROBE, PluginFolders, Popups, TestApp, browse};

use crate::{ask, introduced};

const PERMISSIONS: &[&str] = &["session.read", "ui.toast"];

async fn start() -> (TestApp, PluginFolders) {
    let folders = PluginFolders::new().with("a.plugin", PERMISSIONS, &[], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    (app, folders)
}

#[tokio::test]
async fn a_panel_learns_who_uses_it() {
    let (app, _folders) = start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.plugin").await;
    browse("host", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "a.plugin", "main").await;
        let init = introduced(browser).await;
        assert_eq!(init["permissions"], json!(PERMISSIONS));
        assert_eq!(init["integrations"], json!([]));
        assert_eq!(init["authToken"].as_str().map(str::len), Some(64), "256 bits");
        for (field, kind) in [
            ("sessionId", "string"),
            ("theme", "string"),
            ("locale", "string"),
            ("protocolVersion", "number"),
        ] {
            let found = browser.run("return typeof init[arguments[0]]", [json!(field)]).await;
            assert_eq!(found, kind, "{field}: {init}");
        }
        let role = ask(browser, "getUserRole", json!({}), json!({})).await;
        assert_eq!(role["result"]["role"], "admin", "{role}");
        assert!(role["result"]["userId"].is_string(), "{role}");
        assert_eq!(ask(browser, "getShells", json!({}), json!({})).await["result"], json!([]));
        let session = ask(browser, "getSession", json!({}), json!({})).await;
        assert_eq!(session["result"]["id"], init["sessionId"], "{session}");

        let text = "<img src=x onerror=alert(1)> done";
        let shown = ask(browser, "showToast", json!({ "message": text, "kind": "success" }), json!({})).await;
        assert!(shown["error"].is_null(), "{shown}");
        browser.leave().await;
        browser.text(".toasts", |toasts| toasts.contains(text)).await;
        assert_eq!(
            browser.run("return document.querySelectorAll('.toasts img').length", []).await,
            0,
            "text, not markup"
        );
    })
    .await;
}

#[tokio::test]
async fn a_visitor_is_a_reader_without_an_id() {
    let (app, _folders) = start().await;
    browse("reader", Popups::Allowed, async |browser| {
        browser.open(app.url.join("panel/a.plugin/main").expect("a path")).await;
        browser.press("Allow").await;
        browser.enter("a.plugin", "main").await;
        introduced(browser).await;
        let role = ask(browser, "getUserRole", json!({}), json!({})).await;
        assert_eq!(role["result"], json!({ "role": "reader", "userId": null }));
    })
    .await;
}
