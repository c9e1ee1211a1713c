//! What plugins may do to be noticed, and its measure: badges, toasts, notifications, sounds.

use serde_json::{Value, json};
use taiku_tests::{Browser, Client, PROBE, PluginFolders, Popups, TestApp, browse};

use crate::{ask, introduced};

const P: &str = "tests.loud";
const PERMISSIONS: &[&str] =
    &["ui.panel", "ui.toolbar", "ui.toolbar.custom", "ui.toast", "ui.notify", "audio.play"];

/// A plugin of that many actions. The first one's icon would run a script and load a picture if it were markup.
async fn loud(actions: usize) -> (TestApp, Client, PluginFolders) {
    let mut manifest = PluginFolders::manifest(P, PERMISSIONS, &[]);
    manifest["name"] = json!("Loud");
    manifest["toolbarActions"] = (0..actions)
        .map(|number| json!({ "id": format!("a{number}"), "label": format!("Action {number}"), "panelId": "main" }))
        .collect();
    manifest["toolbarActions"][0]["icon"] = json!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9' onload='window.ran = 1'><script>window.ran = 1</script>\
         <image href='/healthz?icon'/><path d='M0 0h9v9z'/></svg>\") url(/healthz?css) <img src=x onerror=\"window.ran=1\">"
    );
    let folders = PluginFolders::new().with_manifest(P, &manifest, PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, P).await;
    (app, user, folders)
}

/// Calls a method so many times at once, and gives the codes of the refusals.
async fn flood(browser: &Browser, method: &str, params: Value, times: u32) -> Vec<Value> {
    let script = "const [method, params, times] = arguments;
        const calls = Array.from({ length: times }, (_, n) => ask(method, { ...params, n, message: `${params.message} ${n}`, title: `Note ${n}` }));
        return (await Promise.all(calls)).filter(({ error }) => error).map(({ code }) => code);";
    let refused = browser.resolve(script, [json!(method), params, json!(times)]).await;
    refused.as_array().unwrap_or_else(|| panic!("{refused}")).clone()
}

#[tokio::test]
async fn actions_have_icons_badges_and_a_list_for_what_does_not_fit() {
    let (app, user, _folders) = loud(30).await;
    browse("toolbar", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, P, "main").await;
        introduced(browser).await;
        let requests = browser.requests().await;
        assert!(!requests.iter().any(|request| request.contains("healthz?")), "an icon loads nothing: {requests:?}");
        let badge = async |count: Value| ask(browser, "setBadge", json!({ "actionId": "a0", "count": count }), json!({})).await;
        assert_eq!(badge(json!(7)).await["result"], Value::Null);
        let unknown = ask(browser, "setBadge", json!({ "actionId": "open", "count": 1 }), json!({})).await;
        assert_eq!(unknown["code"], "invalid_params", "{unknown}");
        browser.leave().await;
        let shown = "[aria-label='Action 0'] ~ .badge";
        browser.text(shown, |text| text == "7").await;
        // It is said as well, once, and the button's own name stays what it is.
        browser.until("the announcement", "return [...document.querySelectorAll('[role=status]')].some((s) => s.textContent.includes('Action 0: 7 new'))").await;
        let described = "const b = document.querySelector('[aria-label=\"Action 0\"]');
            return document.getElementById(b.getAttribute('aria-describedby')).textContent.trim()";
        assert_eq!(browser.run(described, []).await, "7");
        assert_eq!(browser.run("return [window.ran ?? null, document.querySelectorAll('.toolbar svg, .toolbar img').length]", []).await, json!([null, 0]));
        browser.enter(P, "main").await;
        badge(json!(1234)).await;
        browser.leave().await;
        browser.text(shown, |text| text == "99+").await;
        browser.enter(P, "main").await;
        badge(json!(null)).await;
        browser.leave().await;
        browser.gone(shown).await;

        // All thirty can be reached.
        let fit = "const bar = document.querySelector('.toolbar').getBoundingClientRect();
            const shown = [...document.querySelectorAll('.toolbar .tool')].map((b) => b.getBoundingClientRect());
            return shown.length < 30 && shown.every((b) => b.right <= bar.right + 1 && b.left >= bar.left - 1)";
        browser.until("only what fits in the bar", fit).await;
        browser.click("[aria-label='More plugins']").await;
        browser.find(".menu [aria-label='Action 29']").await;
        browser.press_key("\u{e00c}").await;
        browser.gone(".menu [aria-label='Action 29']").await;
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_toasts_notifications_and_sounds_leaves_the_page_usable() {
    let (app, user, _folders) = loud(1).await;
    browse("flood", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, P, "main").await;
        introduced(browser).await;
        browser.leave().await;
        browser.run("window.notes = 0; const start = OscillatorNode.prototype.start;
            OscillatorNode.prototype.start = function (...a) { window.notes++; return start.apply(this, a); }", []).await;
        browser.enter(P, "main").await;
        let hostile = "<img src=x onerror=window.ran=1>\u{202e}";
        for (method, allowed) in [("showToast", 5), ("sendNotification", 3), ("playSound", 2)] {
            let params = json!({ "message": hostile, "body": hostile, "tag": "same" });
            let refused = flood(browser, method, params, 60).await;
            assert!(refused.iter().all(|code| code == "rate_limited"), "{method}: {refused:?}");
            assert!((60 - allowed - 1..=60 - allowed).contains(&refused.len()), "{method}: {} refused", refused.len());
        }
        browser.leave().await;
        let seen = "return [document.querySelectorAll('.toast').length <= 4, document.querySelectorAll('.plugin-notice [aria-label=\"Show Loud\"]').length,
            document.querySelectorAll('.toasts img, .plugin-notices img').length, window.ran ?? null, window.notes]";
        assert_eq!(browser.run(seen, []).await, json!([true, 1, 0, null, 4]), "two chimes of two notes");
        let notice = browser.text(".plugin-notices", |text| text.contains("Loud")).await;
        assert!(notice.contains("<img"), "text, not markup: {notice}");
        // Everything else still answers to the user.
        browser.press("Close the notification of Loud").await;
        browser.gone("[aria-label='Show Loud']").await;
        browser.press("Close tests.loud").await;
        browser.gone("iframe").await;
    })
    .await;
}

#[tokio::test]
async fn a_notification_names_its_plugin_and_leads_to_its_panel() {
    let (app, user, _folders) = loud(1).await;
    browse("notification", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, P, "main").await;
        introduced(browser).await;
        ask(browser, "sendNotification", json!({ "title": "Build done", "body": "All green" }), json!({}))
            .await;
        browser.leave().await;
        let text = browser.text(".plugin-notices", |text| text.contains("Build done")).await;
        assert!(text.contains("Loud") && text.contains("All green"), "{text}");
        browser.press("Close tests.loud").await;
        browser.gone("iframe").await;
        browser.press("Show Loud").await;
        browser.enter(P, "main").await;
        browser.leave().await;
        browser
            .until("the focus at the panel", "return document.activeElement.ariaLabel === 'Panel tests.loud'")
            .await;

        // On the desktop where the user allowed that; there, too, the plugin's name comes first.
        browser
            .run(
                "window.sent = []; window.Notification = class { static permission = 'granted';
            constructor(title, options) { window.sent.push([title, options.body, options.tag]); } }",
                [],
            )
            .await;
        browser.enter(P, "main").await;
        ask(browser, "sendNotification", json!({ "title": "Again", "body": "b", "tag": "t" }), json!({}))
            .await;
        browser.leave().await;
        assert_eq!(
            browser.run("return window.sent", []).await,
            json!([["Loud: Again", "b", format!("{P} t")]])
        );

        // Muted, it is neither seen nor heard, and not told so.
        browser.press("More about tests.loud").await;
        browser.press("Mute").await;
        browser.enter(P, "main").await;
        let answer = ask(browser, "sendNotification", json!({ "title": "Quiet" }), json!({})).await;
        assert_eq!(answer["result"], Value::Null, "{answer}");
        browser.leave().await;
        assert_eq!(browser.run("return window.sent.length", []).await, json!(1));
    })
    .await;
}

#[tokio::test]
async fn the_browser_is_asked_for_notifications_only_after_a_press_on_the_page() {
    let (app, user, _folders) = loud(1).await;
    browse("permission", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(&app.url).await;
        browser.find(".tool").await;
        browser.run("window.asked = []; window.Notification = class { static permission = 'default';
            static requestPermission() { window.asked.push(navigator.userActivation.isActive); return Promise.resolve('default'); } }", []).await;
        browser.open_beside("Action 0").await;
        browser.enter(P, "main").await;
        introduced(browser).await;
        ask(browser, "sendNotification", json!({ "title": "One" }), json!({})).await;
        browser.leave().await;
        browser.find("[aria-label='Show Loud']").await;
        assert_eq!(browser.run("return window.asked", []).await, json!([]), "not by the plugin");
        browser.press("Yes").await;
        assert_eq!(browser.run("return window.asked", []).await, json!([true]), "by the user");
        browser.enter(P, "main").await;
        ask(browser, "sendNotification", json!({ "title": "Two" }), json!({})).await;
        browser.leave().await;
        browser.press("No").await;
        browser.until("the question to go", "return !document.querySelector('.plugin-notices').innerText.includes('desktop')").await;
    })
    .await;
}
