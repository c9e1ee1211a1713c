//! What the host refuses by itself, with nothing on the wire. Case A8 and the causes that plugins are told of.

use serde_json::json;
use taiku_tests::{PROBE, PluginFolders, Popups, TestApp, browse};

use crate::{ALL, api_requests, ask, introduced};

#[tokio::test]
async fn an_undeclared_toolkit_is_refused_without_a_request() {
    let folders = PluginFolders::new().with("a.github", ALL, &["github"], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.github").await;
    browse("undeclared", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "a.github", "main").await;
        introduced(browser).await;
        let _ = browser.requests().await;
        for method in ["integrations.connect", "integrations.tools", "integrations.execute"] {
            for toolkit in ["slack", "SLACK", "demo"] {
                let params = json!({ "toolkit": toolkit, "action": "SLACK_SEND" });
                let answer = ask(browser, method, params, json!({})).await;
                assert_eq!(answer["code"], "toolkit_not_declared", "{method} {toolkit}: {answer}");
                let sentence = format!("a.github did not declare the toolkit {}.", toolkit.to_lowercase());
                assert_eq!(answer["error"], sentence);
            }
        }
        assert_eq!(browser.requests().await, Vec::<String>::new(), "nothing went onto the wire");
        assert_eq!(browser.windows().await, 1, "no window opened");
        let declared = ask(browser, "integrations.tools", json!({ "toolkit": "GitHub" }), json!({})).await;
        assert_eq!(declared["code"], "toolkit_disabled", "{declared}");
        assert_eq!(api_requests(browser).await.len(), 1, "the log of the wire works");
    })
    .await;
}

#[tokio::test]
async fn a_missing_permission_is_named_without_a_request() {
    let folders = PluginFolders::new().with("a.reader", &["integrations.read"], &["demo"], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.reader").await;
    browse("permission", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "a.reader", "main").await;
        introduced(browser).await;
        let _ = browser.requests().await;
        for (method, permission) in [
            ("integrations.execute", "integrations.execute"),
            ("integrations.connect", "integrations.connect"),
        ] {
            let answer =
                ask(browser, method, json!({ "toolkit": "demo", "action": "DEMO_LIST_ISSUES" }), json!({}))
                    .await;
            let sentence = format!(
                "{method} needs the permission {permission}, which the manifest of a.reader does not declare."
            );
            assert_eq!((&answer["code"], &answer["error"]), (&json!("permission_missing"), &json!(sentence)));
        }
        assert_eq!(browser.requests().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_visitor_is_told_to_sign_in_without_a_request() {
    let folders = PluginFolders::new().with("a.plugin", ALL, &["demo"], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    browse("visitor", Popups::Allowed, async |browser| {
        browser.open(app.url.join("panel/a.plugin/main").expect("a path")).await;
        browser.press("Allow").await;
        browser.enter("a.plugin", "main").await;
        introduced(browser).await;
        let _ = browser.requests().await;
        let calls =
            ["integrations.list", "integrations.connect", "integrations.tools", "integrations.execute"];
        for method in calls {
            let params = json!({ "toolkit": "demo", "action": "DEMO_LIST_ISSUES" });
            let answer = ask(browser, method, params, json!({})).await;
            let refusal = (&answer["code"], &answer["error"]);
            assert_eq!(
                refusal,
                (&json!("not_signed_in"), &json!("Sign in to use integrations.")),
                "{method}"
            );
        }
        assert_eq!(browser.requests().await, Vec::<String>::new());
        assert_eq!(browser.windows().await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_boundary_check_shows_the_refusals() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    app.grant_all(&user, "example.boundaries").await;
    browse("boundaries", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "example.boundaries", "boundaries-panel").await;
        for (button, code) in [
            ("undeclared", "toolkit_not_declared"),
            ("permission", "permission_missing"),
            ("unknown", "unknown_method"),
            ("identity", "identity_mismatch"),
        ] {
            browser.click(&format!("#{button}")).await;
            browser
                .text(&format!("#{button}-answer"), |text| text.starts_with(&format!("Refused: {code}")))
                .await;
        }
    })
    .await;
}
