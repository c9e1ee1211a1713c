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

/// C12: while the user is asked, no panel can be seen, clicked or typed into, and what was just there is not allowed by
/// accident.
#[tokio::test]
async fn while_consent_is_asked_no_panel_hears_a_key() {
    let folders = PluginFolders::new().with("a.grabber", &["ui.panel"], &[], PROBE).with(
        "b.asks",
        ALL,
        &["demo"],
        PROBE,
    );
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.grabber").await;
    browse("grabber", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "a.grabber", "main").await;
        introduced(browser).await;
        let grab = "window.keys = 0; window.onkeydown = () => window.keys++;
            const field = document.body.appendChild(document.createElement('input'));
            window.grabbed = 0;
            setInterval(() => { window.grabbed++; window.focus(); field.focus(); }, 5);";
        browser.run(grab, []).await;
        browser.click("#press").await;
        browser.press_key("x").await;
        browser.until("a key to be heard before", "return window.keys > 0").await;
        browser.leave().await;
        // The button is watched from before it is there: it must be off at first.
        browser.run("window.early = null; new MutationObserver(() => {
              const allow = [...document.querySelectorAll('dialog button')].find((b) => b.innerText === 'Allow');
              if (allow && window.early === null) window.early = allow.disabled;
            }).observe(document.body, { childList: true, subtree: true, attributes: true });", []).await;
        browser.open_beside("b.asks").await;
        browser.text("dialog", |text| text.contains("b.asks")).await;
        // Inert and unseen it can still take the focus by a script; so it is stopped, and the keys stay here.
        browser.until("the grabber to be stopped", "return !document.querySelector('iframe[data-plugin-id=\"a.grabber\"]')").await;
        browser.press_key("yyyyy").await;
        let reach = "const w = document.querySelector('.workspace'); const side = document.querySelector('.dock.side');
            return [w.inert, getComputedStyle(side).visibility, document.activeElement.closest('dialog') !== null]";
        assert_eq!(browser.run(reach, []).await, serde_json::json!([true, "hidden", true]));
        assert_eq!(browser.run("return window.early", []).await, true, "the button is armed later");
        browser.press("Allow").await;
        browser.enter("b.asks", "main").await;
        browser.leave().await;
        browser.text(".panel-cover", |text| text.contains("took the keyboard")).await;
    })
    .await;
}
