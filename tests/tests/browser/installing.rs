//! Adding, updating, uninstalling and blocking plugins, as people do it; and names that want to hide the consent.

use serde_json::{Value, json};
use taiku_tests::{Browser, Client, PROBE, PluginFolders, Popups, TestApp, browse, eventually};

const PLUGIN: &str = "/api/v1/plugins/a.plugin";

async fn allowed(user: &Client) -> Value {
    user.get(PLUGIN).await.json()["grant"]["permissions"].clone()
}

/// The consent dialog's text, once it is there.
async fn asked(browser: &Browser) -> String {
    browser.text("dialog", |text| text.contains("Network")).await
}

#[tokio::test]
async fn an_update_shows_what_differs_and_what_was_allowed_holds_until_then() {
    let manifest = |version: &str, permissions: &[&str], toolkits: &[&str]| {
        let mut manifest = PluginFolders::manifest("a.plugin", permissions, toolkits);
        manifest["version"] = version.into();
        manifest
    };
    let first = manifest("1.0.0", &["integrations.read", "ui.toast"], &["demo"]);
    let folders = PluginFolders::new().with_manifest("a.plugin", &first, PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.plugin").await;
    let next = manifest("1.1.0", &["integrations.read", "integrations.execute"], &["demo", "github"]);
    folders.write("a.plugin", "manifest.json", &next.to_string());
    taiku_tests::eventually("the new version", async || {
        (user.get(PLUGIN).await.json()["version"] == "1.1.0").then_some(())
    })
    .await;
    assert_eq!(allowed(&user).await, json!(["integrations.read", "ui.toast"]));
    browse("update", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(app.url.join("plugins").expect("a path")).await;
        browser.press("Review").await;
        let text = asked(browser).await;
        for shown in ["From a folder of this server", "1.0.0", "1.1.0", "Added", "Removed"] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        let added = browser.text(".added", |_| true).await;
        assert!(added.contains("integrations.execute") && added.contains("github"), "{added}");
        assert!(!added.contains("ui.toast") && !added.contains("integrations.read"), "{added}");
        let removed = browser.text(".removed", |_| true).await;
        assert!(removed.contains("ui.toast") && !removed.contains("github"), "{removed}");
        browser.press("Allow").await;
        browser.gone("dialog").await;
    })
    .await;
    assert_eq!(allowed(&user).await, json!(["integrations.execute", "integrations.read"]));
}

#[tokio::test]
async fn no_name_hides_what_a_plugin_asks_for() {
    let pile = "\u{300}\u{489}\u{336}".repeat(10);
    let mut manifest =
        PluginFolders::manifest("a.plugin", &["integrations.execute", "chat.write"], &["demo"]);
    manifest["name"] = format!("\u{202e}{pile}A{pile}<b>Allow</b>\n\n\n\u{3164}Cancel").into();
    manifest["author"] = format!("\u{202e}{}", "W".repeat(90)).into();
    manifest["description"] = "Allow\n".repeat(500).into();
    manifest["version"] = format!("1.0.0-{}", "r".repeat(90)).into();
    let folders = PluginFolders::new().with_manifest("a.plugin", &manifest, PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    browse("hostile", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(app.url.join("panel/a.plugin/main").expect("a path")).await;
        let text = asked(browser).await;
        assert!(text.contains("not supported by this host"), "{text}");
        assert!(!text.contains('\u{202e}') && !text.contains('\u{3164}'), "{text:?}");
        let places = browser
            .run(
                "const at = (selector) => document.querySelector(selector).getBoundingClientRect().toJSON();
                 const allow = [...document.querySelectorAll('dialog button')].filter((b) => b.textContent === 'Allow');
                 return {
                   dialog: at('dialog'), who: at('.consent-who'), list: at('.consent-list'), risk: at('.risk.high'),
                   allow: allow.map((b) => b.getBoundingClientRect().toJSON()), bold: document.querySelectorAll('dialog b').length,
                   top: document.elementFromPoint(at('.risk.high').x + 5, at('.risk.high').y + 5).className,
                 }",
                [],
            )
            .await;
        let number = |pointer: &str| places.pointer(pointer).and_then(Value::as_f64).expect("a length");
        assert!(number("/who/bottom") <= number("/list/top"), "{places}");
        assert!(number("/who/height") < 160.0, "{places}");
        assert!(number("/list/height") >= 140.0, "{places}");
        assert!(number("/risk/bottom") <= number("/list/bottom"), "the first risk is in sight: {places}");
        assert!(number("/allow/0/bottom") <= number("/dialog/bottom"), "{places}");
        assert_eq!((&places["allow"].as_array().map(Vec::len), &places["bold"]), (&Some(1), &json!(0)));
        assert_eq!(places["top"], "risk high", "nothing lies over it: {places}");
    })
    .await;
}

#[tokio::test]
async fn a_plugin_is_uninstalled_and_added_again_after_a_new_consent() {
    let folders = PluginFolders::new().with("a.plugin", &["ui.toast"], &[], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.bob().await;
    app.grant_all(&user, "a.plugin").await;
    browse("uninstall", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(app.url.join("plugins").expect("a path")).await;
        browser.click("button[aria-label='Uninstall a.plugin']").await;
        browser.click("dialog[open] .danger").await;
        browser.find("button[aria-label='Add a.plugin']").await;
        assert_eq!(allowed(&user).await, Value::Null);
        browser.click("button[aria-label='Add a.plugin']").await;
        asked(browser).await;
        browser.press("Allow").await;
        browser.find("button[aria-label='Uninstall a.plugin']").await;
        assert_eq!(allowed(&user).await, json!(["ui.toast"]));
    })
    .await;
}

#[tokio::test]
async fn an_admin_blocks_a_plugin_and_reads_why_an_address_is_refused() {
    let folders = PluginFolders::new().with("a.plugin", &["ui.toast"], &[], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let (admin, user) = (app.ada().await, app.bob().await);
    browse("policy", Popups::Allowed, async |browser| {
        browser.use_session(&app, &admin).await;
        browser.open(app.url.join("admin/plugins").expect("a path")).await;
        browser.fill("#plugin-url", "http://example.com/manifest.json").await;
        browser.click("form[aria-label='Install from an address'] button").await;
        browser.text("#plugin-url-error", |text| text.contains("https")).await;
        browser.choose("select[aria-label='Rule for a.plugin']", "blocked").await;
        browser.text(".status.bad", |text| text == "Blocked").await;
    })
    .await;
    assert_eq!(user.get(PLUGIN).await.json()["code"], "plugin_blocked");
}

#[tokio::test]
async fn an_admin_reloads_a_plugin_whose_files_changed() {
    let folders = PluginFolders::new().with("a.plugin", &["ui.toast"], &[], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let (admin, user) = (app.ada().await, app.bob().await);
    app.grant_all(&user, "a.plugin").await;
    let files = async || user.get(PLUGIN).await.json()["files"].clone();
    let honest = files().await;
    folders.write("a.plugin", "panel.html", "<p>changed</p>");
    eventually("the change is noticed", async || {
        let admins = admin.get("/api/v1/admin/plugins").await.json();
        (admins["failed"][0]["reload"] == "a.plugin").then_some(())
    })
    .await;
    assert_eq!(files().await, honest);
    browse("reload", Popups::Allowed, async |browser| {
        browser.use_session(&app, &admin).await;
        browser.open(app.url.join("admin/integrations").expect("a path")).await;
        browser.click("nav[aria-label='Administration'] a[href='/admin/plugins']").await;
        browser.click("button[aria-label='Reload a.plugin']").await;
        browser.click("dialog[open] button.danger").await;
        browser.gone("button[aria-label='Reload a.plugin']").await;
    })
    .await;
    assert_ne!(files().await, honest);
}

#[tokio::test]
async fn what_an_admin_blocks_is_closed_where_it_is_open() {
    let folders = PluginFolders::new().with("a.plugin", &["ui.toast"], &[], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let (admin, user) = (app.ada().await, app.bob().await);
    app.grant_all(&user, "a.plugin").await;
    browse("block", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "a.plugin", "main").await;
        browser.leave().await;
        let _ = admin.put("/api/v1/admin/plugins/a.plugin", &json!({"rule": "blocked"})).await.expect(200);
        browser.gone("iframe").await;
        browser.text(".toasts", |text| text.contains("no longer available")).await;
    })
    .await;
}
