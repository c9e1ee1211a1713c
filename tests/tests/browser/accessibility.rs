//! Nothing that axe-core finds on any page, in any dialog, in any state: light and dark, wide and narrow.

use std::path::Path;

use serde_json::{Value, json};
use taiku_tests::{Browser, PROBE, PluginFolders, Popups, TestApp, browse, connect};

/// Runs axe-core in the document of now; panels are their authors' own. What is in motion is let come to rest first.
const RUN: &str = "await Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity)
        .map((a) => a.finished.catch(() => {})));
    const { violations } = await axe.run({ exclude: [['iframe']] }, { iframes: false });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));";

fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/axe/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask test` or `npm ci` there brings it", path.display())
    })
}

/// Looks at the page as it is now, in both themes.
async fn look(browser: &Browser, what: &str) {
    browser.run(&format!("if (!window.axe) {{ {} }}", axe()), []).await;
    for theme in ["light", "dark"] {
        browser.prefer("prefers-color-scheme", theme).await;
        let found = browser.resolve(RUN, []).await;
        if found != json!([]) {
            browser.picture(&format!("axe-{}-{theme}", what.replace(' ', "-"))).await;
        }
        assert_eq!(found, json!([]), "{what}, {theme}");
    }
}

/// A plugin that asks for much, has long and odd names, shortcuts that collide, and a panel of every position.
fn rich(id: &str) -> Value {
    let positions = ["sidebar", "bottom", "floating", "tooltip", "overlay"];
    let panels: Vec<Value> = positions
        .iter()
        .map(|position| json!({ "id": position, "title": format!("{id} {position}"), "position": position, "htmlUrl": "panel.html" }))
        .collect();
    let actions: Vec<Value> = positions
        .iter()
        .map(|position| json!({ "id": position, "label": format!("{id} {position}"), "panelId": position }))
        .collect();
    let hotkeys = [("one", "Alt+K"), ("two", "Cmd+R"), ("three", "X")]
        .map(|(id, hotkey)| json!({ "id": id, "label": id, "hotkey": hotkey, "category": "Sorts", "action": { "type": "openPanel", "panelId": "sidebar" } }));
    json!({
        "id": id, "name": format!("{id} with a name that is rather long for a plugin"), "version": "1.0.0", "author": "Somebody",
        "description": "Does this and that", "panels": panels, "toolbarActions": actions, "hotkeys": hotkeys, "integrations": ["demo", "github"],
        "permissions": ["integrations.read", "integrations.connect", "integrations.execute", "ui.panel", "ui.toolbar", "ui.toolbar.custom",
            "ui.toast", "ui.notify", "hotkey.register", "kv.write", "terminal.open"],
    })
}

async fn start() -> (TestApp, PluginFolders) {
    let folders = PluginFolders::new()
        .with_manifest("a.rich", &rich("a.rich"), PROBE)
        .with_manifest("b.rich", &rich("b.rich"), PROBE)
        .with_manifest("broken", &json!({ "id": "broken" }), PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    (app, folders)
}

async fn go(browser: &Browser, app: &TestApp, path: &str) {
    browser.open(app.url.join(path).expect("a path")).await;
    browser.find("h1, dialog[open]").await;
    browser
        .until(
            "the page to be there",
            "return !document.querySelector('.skeleton, .start .spinner, .panel-cover.loading')",
        )
        .await;
    // What can be unfolded is looked at unfolded.
    browser.run("document.querySelectorAll('details').forEach((part) => (part.open = true))", []).await;
}

#[tokio::test]
async fn axe_finds_nothing_on_any_page() {
    let (app, _folders) = start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.rich").await;
    connect(&app, &user).await;
    browse("axe-pages", Popups::Allowed, async |browser| {
        for width in [1280, 360] {
            browser.size(width, 900).await;
            for path in ["", "sign-in", "setup"] {
                go(browser, &app, path).await;
                look(browser, &format!("a visitor at /{path} {width}")).await;
            }
        }
        browser.use_session(&app, &user).await;
        for width in [1280, 360] {
            browser.size(width, 900).await;
            for path in [
                "",
                "plugins",
                "connections",
                "activity",
                "settings",
                "nowhere",
                "admin",
                "admin/integrations",
                "admin/integrations/github",
                "admin/plugins",
            ] {
                go(browser, &app, path).await;
                look(browser, &format!("/{path} {width}")).await;
            }
        }
        let bob = app.bob().await;
        browser.use_session(&app, &bob).await;
        for path in ["", "plugins", "connections", "activity", "admin"] {
            go(browser, &app, path).await;
            look(browser, &format!("a member at /{path}")).await;
        }
    })
    .await;
}

#[tokio::test]
async fn axe_finds_nothing_in_the_workspace_and_its_dialogs() {
    let (app, _folders) = start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.rich").await;
    connect(&app, &user).await;
    browse("axe-workspace", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        for width in [1280, 360] {
            browser.size(width, 900).await;
            let named = |what: &str| format!("{what} {width}");
            browser.open_panel(&app, "a.rich", "sidebar").await;
            browser.until("taiku:init", "return init").await;
            let speak = "return (async () => {
                await ask('showToast', { message: 'Saved', kind: 'success' });
                await ask('showToast', { message: 'Not saved', kind: 'error' });
                await ask('sendNotification', { title: 'Build done', body: 'All green' });
                await ask('setBadge', { actionId: 'sidebar', count: 120 });
                await ask('setBadge', { actionId: 'bottom', count: 3 });
            })()";
            browser.resolve(speak, []).await;
            for position in ["bottom", "floating"] {
                browser.open_beside(&format!("a.rich {position}")).await;
            }
            browser.until("the panels", "return !document.querySelector('.panel-cover.loading')").await;
            look(browser, &named("panels and messages")).await;
            browser.run("document.querySelector('.panel:not(.closed) .panel-head .icon-button[popovertarget]').click()", []).await;
            look(browser, &named("the menu of a panel")).await;
            browser.press_key("\u{e00c}").await;
            browser.run("[...document.querySelectorAll('.menu button')].find((b) => b.innerText === 'Stop' || b.textContent === 'Stop').click()", []).await;
            look(browser, &named("a stopped panel")).await;
            for position in ["overlay", "tooltip"] {
                browser.open_beside(&format!("a.rich {position}")).await;
                look(browser, &named(position)).await;
                browser.press_key("\u{e00c}").await;
            }
            browser.click(".account-button").await;
            look(browser, &named("the menu of the account")).await;
            browser.press("Keyboard shortcuts").await;
            browser.find(".hotkey .why, .hotkey .button").await;
            look(browser, &named("the shortcuts")).await;
            browser.press("Close").await;
            browser.gone("dialog").await;
            if width == 360 {
                browser.click(".menu-button").await;
                look(browser, "the menu of pages").await;
            }
            go(browser, &app, "panel/b.rich/sidebar").await;
            browser.text("dialog", |text| text.contains("integrations.execute")).await;
            look(browser, &named("consent")).await;
            browser.press("Cancel").await;
            go(browser, &app, "connections").await;
            browser.press("Disconnect").await;
            browser.find("dialog[open]").await;
            look(browser, &named("a question")).await;
            browser.press("Cancel").await;
            go(browser, &app, "plugins").await;
            browser.press("Revoke").await;
            browser.find("dialog[open]").await;
            look(browser, &named("the question of revoking")).await;
            browser.press("Cancel").await;
            go(browser, &app, "settings").await;
            browser.press("Create key").await;
            browser.find("[aria-invalid=true]").await;
            look(browser, &named("a field with an error")).await;
            browser.fill("#key-name", "a test").await;
            browser.press("Create key").await;
            browser.find("dialog[open]").await;
            look(browser, &named("a new key")).await;
        }
        go(browser, &app, "connections").await;
        browser.press("Disconnect").await;
        browser.click("dialog[open] .danger").await;
        browser.text("dialog[open]", |text| text.contains("refresh token")).await;
        look(browser, "the receipt of a connection").await;
    })
    .await;
}
