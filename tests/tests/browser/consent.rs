//! Nothing of a plugin runs before its user has seen what it asks for and said yes.

use taiku_tests::{PROBE, PluginFolders, Popups, TestApp, browse};

use crate::{ALL, introduced};

#[tokio::test]
async fn a_plugin_is_loaded_after_its_consent_and_not_before() {
    let folders = PluginFolders::new().with("a.plugin", ALL, &["demo", "github"], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    let grant = async || user.get("/api/v1/plugins/a.plugin").await.json()["grant"].clone();
    browse("consent", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(app.url.join("panel/a.plugin/main").expect("a path")).await;
        let asked = browser.text("dialog", |text| text.contains("a.plugin")).await;
        for shown in ["integrations.read", "integrations.connect", "integrations.execute", "demo", "github"] {
            assert!(asked.contains(shown), "{shown}: {asked}");
        }
        assert_eq!(browser.run("return document.querySelectorAll('iframe').length", []).await, 0);
        browser.press("Cancel").await;
        browser.gone("dialog").await;
        assert!(grant().await.is_null());

        browser.open(app.url.join("panel/a.plugin/main").expect("a path")).await;
        browser.press("Allow").await;
        browser.enter("a.plugin", "main").await;
        let init = introduced(browser).await;
        assert_eq!((&init["pluginId"], &init["panelId"]), (&"a.plugin".into(), &"main".into()));
        assert_eq!(grant().await["integrations"], serde_json::json!(["demo", "github"]));
    })
    .await;
}
