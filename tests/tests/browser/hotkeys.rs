//! Keyboard shortcuts: they open panels, they are listed, and conflicts are the user's to end.

use serde_json::{Value, json};
use taiku_tests::{Browser, PROBE, PluginFolders, Popups, TestApp, browse};

fn manifest(id: &str, permissions: &[&str], keys: &[(&str, &str)]) -> Value {
    let mut manifest = PluginFolders::manifest(id, permissions, &[]);
    manifest["hotkeys"] = keys
        .iter()
        .map(|(id, hotkey)| json!({
            "id": id, "label": format!("Do {id}"), "hotkey": hotkey, "action": { "type": "openPanel", "panelId": "main" },
        }))
        .collect();
    manifest
}

/// Waits until of both plugins' panels only these are open, and closes them.
async fn opened(browser: &Browser, wanted: &[&str]) {
    let script = format!(
        "const open = [...document.querySelectorAll('iframe')].filter((f) => f.offsetWidth).map((f) => f.dataset.pluginId);
         return JSON.stringify(open) === '{}'",
        json!(wanted)
    );
    browser.until(&format!("{wanted:?} to be open"), &script).await;
    for plugin in wanted {
        browser.press(&format!("Close {plugin}")).await;
    }
    browser.gone("iframe").await;
}

#[tokio::test]
async fn shortcuts_open_panels_and_the_user_ends_conflicts() {
    let allowed = &["ui.panel", "hotkey.register"];
    let folders = PluginFolders::new()
        .with_manifest(
            "a.one",
            &manifest(
                "a.one",
                allowed,
                &[("first", "Alt+K"), ("own", "Cmd+Shift+E"), ("reload", "Cmd+R"), ("letter", "X")],
            ),
            PROBE,
        )
        .with_manifest("a.two", &manifest("a.two", allowed, &[("second", "Option+k")]), PROBE)
        .with_manifest("a.mute", &manifest("a.mute", &["ui.panel"], &[("none", "Alt+J")]), PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    for plugin in ["a.one", "a.two", "a.mute"] {
        app.grant_all(&user, plugin).await;
    }
    let (ctrl, alt, shift) = ("\u{e009}", "\u{e00a}", "\u{e008}");
    browse("hotkeys", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(&app.url).await;
        browser.find(".tool").await;
        browser.press_key(&format!("{ctrl}{shift}e")).await;
        opened(browser, &["a.one"]).await;
        browser.press_key(&format!("{alt}j")).await;
        browser.press_key(&format!("{alt}k")).await;
        opened(browser, &["a.one"]).await;

        // The list names the conflict, what is reserved and what cannot be, and nothing of a plugin without the right.
        browser.press_key("?").await;
        let list = browser.text("dialog", |text| text.contains("Do second")).await;
        for shown in [
            "Conflict: these keys belong to a.one: Do first",
            "Your browser or this page uses these keys",
            "needs Cmd, Ctrl or Alt",
            "Ctrl+Shift+E",
            "F6",
        ] {
            assert!(list.contains(shown), "{shown}: {list}");
        }
        assert!(!list.contains("Do none"), "{list}");
        browser.press_key(&format!("{ctrl}{shift}e")).await;
        browser.press("Use here Alt+K: Do second").await;
        browser.text("dialog", |text| text.contains("belong to a.two: Do second")).await;
        browser.press("Close").await;
        browser.gone("dialog").await;
        assert_eq!(
            browser.run("return document.querySelectorAll('iframe').length", []).await,
            json!(1),
            "nothing behind the list"
        );
        browser.press_key(&format!("{alt}k")).await;
        opened(browser, &["a.two"]).await;

        // The choice is kept, and so is that nobody has it.
        browser.open(&app.url).await;
        browser.find(".tool").await;
        browser.press_key(&format!("{alt}k")).await;
        opened(browser, &["a.two"]).await;
        browser.press_key("?").await;
        browser.press("Turn off Alt+K: Do second").await;
        browser.text("dialog", |text| text.contains("Turned off by you")).await;
        browser.press_key("\u{e00c}").await;
        browser.gone("dialog").await;
        browser.press_key(&format!("{alt}k")).await;
        browser.press_key(&format!("{ctrl}{shift}e")).await;
        opened(browser, &["a.one"]).await;
    })
    .await;
}
