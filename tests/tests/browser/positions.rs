//! Where panels stand, and how people move, size, leave and stop them.

use serde_json::{Value, json};
use taiku_tests::{Browser, Client, PROBE, PluginFolders, Popups, TestApp, browse};

use crate::{ask, introduced};

const P: &str = "tests.places";

/// The positions, each with a panel of that name.
const POSITIONS: [&str; 5] = ["sidebar", "bottom", "floating", "tooltip", "overlay"];

fn panel(id: &str, position: &str) -> Value {
    json!({ "id": id, "title": format!("The {id}"), "position": position, "htmlUrl": "panel.html" })
}

/// A plugin with a panel of every position, a second one at the side, and one that runs without being shown.
async fn places() -> (TestApp, Client, PluginFolders) {
    let mut panels: Vec<Value> = POSITIONS.iter().map(|position| panel(position, position)).collect();
    panels.push(panel("second", "sidebar"));
    panels.push(panel("own-size", "floating"));
    panels[6]["defaultWidth"] = json!(333);
    panels[6]["defaultHeight"] = json!(222);
    panels.push(panel("quiet", "sidebar"));
    panels[7]["background"] = json!(true);
    let actions = panels
        .iter()
        .map(|panel| json!({ "id": panel["id"], "label": panel["title"], "panelId": panel["id"] }));
    let manifest = json!({
        "id": P, "name": "Places", "version": "1.0.0", "permissions": ["ui.panel", "ui.toolbar", "ui.toolbar.custom"],
        "toolbarActions": actions.collect::<Vec<_>>(), "panels": panels,
    });
    let folders = PluginFolders::new().with_manifest(P, &manifest, PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, P).await;
    (app, user, folders)
}

/// The element around a panel's frame.
fn around(panel: &str) -> String {
    format!("document.querySelector('iframe[data-panel-id={panel}]').closest('section')")
}

/// A rectangle on the page.
async fn place(browser: &Browser, panel: &str) -> (f64, f64, f64, f64) {
    browser.leave().await;
    let script = format!(
        "const r = {}.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]",
        around(panel)
    );
    let place = browser.run(&script, []).await;
    let at = |index: usize| place[index].as_f64().unwrap_or_default();
    (at(0), at(1), at(2), at(3))
}

/// How many documents the probes of all panels have been: each has its own number.
async fn documents(browser: &Browser, panel: &str) -> Value {
    browser.enter(P, panel).await;
    introduced(browser).await;
    browser.run("return document.number ??= Math.random()", []).await
}

#[tokio::test]
async fn every_position_is_usable_beside_the_others_and_no_frame_loads_twice() {
    let (app, user, _folders) = places().await;
    browse("positions", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, P, "sidebar").await;
        let first = documents(browser, "sidebar").await;
        for position in ["second", "bottom", "floating"] {
            browser.open_beside(&format!("The {position}")).await;
            browser.enter(P, position).await;
            introduced(browser).await;
        }
        let (side, second) = (place(browser, "sidebar").await, place(browser, "second").await);
        assert!(side.1 + side.3 <= second.1 + 1.0 && side.3 > 200.0, "one above the other: {side:?} {second:?}");
        let (bottom, float) = (place(browser, "bottom").await, place(browser, "floating").await);
        assert!(bottom.0 + bottom.2 <= side.0 + 1.0 && bottom.3 >= 140.0, "below the page: {bottom:?}");
        assert!(float.0 >= 0.0 && float.0 + float.2 <= 1281.0, "in the window: {float:?}");
        let main = browser.run("return document.querySelector('#main').getBoundingClientRect().width", []).await;
        assert!(main.as_f64().unwrap_or_default() >= 320.0, "the page keeps its room: {main}");

        // An overlay takes the workspace; Escape gives it back, and the focus to where it was opened.
        browser.open_beside("The overlay").await;
        browser.enter(P, "overlay").await;
        browser.leave().await;
        let inert = "return document.querySelector('.dock.side').inert && document.querySelector('#main').inert";
        browser.until("what is behind the overlay to be out of reach", inert).await;
        browser.keys("body", "\u{e00c}").await;
        browser.gone("iframe[data-panel-id=overlay]").await;
        browser.until("what was behind it", "return !document.querySelector('.dock.side').inert").await;

        // A tooltip hangs at its button, and goes when something else is pressed.
        browser.open_beside("The tooltip").await;
        browser.enter(P, "tooltip").await;
        let tip = place(browser, "tooltip").await;
        let button = browser
            .run("const r = document.querySelector('[aria-label=\"The tooltip\"]').getBoundingClientRect(); return r.left + r.width / 2", [])
            .await;
        let middle = button.as_f64().unwrap_or_default();
        assert!(tip.0 <= middle && middle <= tip.0 + tip.2 && tip.1 < 80.0, "{tip:?} {middle}");
        browser.click(".dock.bottom h2").await;
        browser.gone("iframe[data-panel-id=tooltip]").await;

        // Closed and opened again, at the same place, it is the same document.
        browser.open_beside("The sidebar").await;
        browser.gone("iframe[data-panel-id=sidebar]").await;
        browser.open_beside("The sidebar").await;
        assert_eq!(documents(browser, "sidebar").await, first);
    })
    .await;
}

#[tokio::test]
async fn on_a_small_screen_one_panel_is_shown_and_all_can_be_reached() {
    let (app, user, _folders) = places().await;
    browse("narrow", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.size(360, 780).await;
        browser.open_panel(&app, P, "sidebar").await;
        for position in ["second", "bottom", "floating", "overlay"] {
            browser.open_beside(&format!("The {position}")).await;
            browser.enter(P, position).await;
            introduced(browser).await;
            let (left, top, width, height) = place(browser, position).await;
            assert!(
                left >= 0.0 && width >= 340.0 && top > 56.0 && height > 300.0,
                "{position}: {left} {top} {width} {height}"
            );
        }
        browser.leave().await;
        let shown = "return [...document.querySelectorAll('iframe')].filter((f) => f.offsetWidth).length";
        assert_eq!(browser.run(shown, []).await, json!(1));
        // What is open is in the row of buttons; the first leads to the page.
        browser.run("document.querySelectorAll('.tab')[1].click()", []).await;
        browser.enter(P, "sidebar").await;
        browser.leave().await;
        browser.click(".tab[aria-label=Start]").await;
        browser.find("#main h1").await;
        let wide = "return document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(browser.run(wide, []).await, json!(true), "nothing sticks out");
    })
    .await;
}

#[tokio::test]
async fn sizes_are_changed_by_mouse_and_keys_and_kept_for_the_user() {
    let (app, user, _folders) = places().await;
    browse("sizes", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, P, "sidebar").await;
        let bar = "[role=separator][aria-label='Width of the panels at the side']";
        let before = place(browser, "sidebar").await.2;
        let value = async || browser.attribute(bar, "aria-valuenow").await.parse::<f64>().expect("a number");
        // The line at the edge is the place's own.
        assert!((value().await - before).abs() <= 1.0, "the bar tells the width: {} {before}", value().await);

        browser.keys(bar, "\u{e012}\u{e012}").await;
        browser
            .until("the keys", &format!("return {}.offsetWidth >= {before} + 30", around("sidebar")))
            .await;
        let (left, _, width, _) = place(browser, "sidebar").await;
        browser.drag(bar, -100, 0).await;
        let dragged = place(browser, "sidebar").await;
        assert!((dragged.2 - width - 100.0).abs() <= 4.0, "{width} {dragged:?}");
        assert!((left - dragged.0 - 100.0).abs() <= 4.0, "it grew to the left: {left} {dragged:?}");
        browser.keys(bar, "\u{e010}").await;
        assert_eq!(Some(value().await.to_string()), Some(browser.attribute(bar, "aria-valuemax").await));
        browser.keys(bar, "\u{e011}\u{e012}").await;
        let kept = place(browser, "sidebar").await.2;

        // A floating panel is moved and sized.
        browser.open_beside("The floating").await;
        browser.enter(P, "floating").await;
        introduced(browser).await;
        let start = place(browser, "floating").await;
        browser.drag(&format!("#{} .panel-head h2", element_id(browser, "floating").await), -120, -90).await;
        let moved = place(browser, "floating").await;
        assert!(
            (start.0 - moved.0 - 120.0).abs() <= 4.0 && (start.1 - moved.1 - 90.0).abs() <= 4.0,
            "{start:?} {moved:?}"
        );
        browser.keys("[aria-label='Move The floating with the arrow keys']", "\u{e012}").await;
        browser.keys("[aria-label='Width of The floating']", "\u{e014}").await;
        let (x, y, w, h) = place(browser, "floating").await;
        assert_eq!((x, y, w, h), (moved.0 - 16.0, moved.1, start.2 + 16.0, start.3));

        // Two at the side share the place.
        browser.open_beside("The second").await;
        browser.enter(P, "second").await;
        let half = place(browser, "sidebar").await.3;
        browser.keys("[aria-label='Height of The sidebar']", "\u{e013}\u{e013}").await;
        let less = place(browser, "sidebar").await.3;
        assert!(less < half - 20.0, "{less} {half}");

        // The next visit finds it all as it was left, and another user does not.
        browser.open_panel(&app, P, "floating").await;
        assert_eq!(place(browser, "floating").await, (x, y, w, h));
        browser.open_beside("The sidebar").await;
        browser.enter(P, "sidebar").await;
        assert!((place(browser, "sidebar").await.2 - kept).abs() <= 1.0);
        let bob = app.bob().await;
        app.grant_all(&bob, P).await;
        browser.use_session(&app, &bob).await;
        browser.open_panel(&app, P, "sidebar").await;
        assert!((place(browser, "sidebar").await.2 - before).abs() <= 1.0);
    })
    .await;
}

async fn element_id(browser: &Browser, panel: &str) -> String {
    browser.leave().await;
    let id = browser.run(&format!("return {}.id", around(panel)), []).await;
    id.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_plugin_opens_sizes_and_closes_its_own_panels_and_no_others() {
    let (app, user, _folders) = places().await;
    browse("panel-calls", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, P, "sidebar").await;
        introduced(browser).await;
        let opened = ask(browser, "openPanel", json!({ "panelId": "own-size" }), json!({})).await;
        assert_eq!(opened["result"], Value::Null, "{opened}");
        browser.enter(P, "own-size").await;
        introduced(browser).await;
        let usual = place(browser, "own-size").await;
        assert_eq!((usual.2, usual.3), (333.0, 222.0), "as the manifest says");

        browser.enter(P, "sidebar").await;
        let size = json!({ "panelId": "own-size", "width": 400, "height": 9e9 });
        ask(browser, "resizePanel", size, json!({})).await;
        let (_, top, width, height) = place(browser, "own-size").await;
        assert_eq!(width, 400.0);
        assert!(height < 900.0 && top >= 0.0, "it stays in the workspace: {top} {height}");
        browser.enter(P, "sidebar").await;
        ask(
            browser,
            "resizePanel",
            json!({ "panelId": "own-size", "width": "fit", "height": "fit" }),
            json!({}),
        )
        .await;
        let again = place(browser, "own-size").await;
        assert_eq!((again.2, again.3), (usual.2, usual.3));

        browser.enter(P, "sidebar").await;
        for (method, params, pointer) in [
            ("openPanel", json!({ "panelId": "integrations-panel" }), "/panelId"),
            ("closePanel", json!({ "panelId": "../sidebar" }), "/panelId"),
            ("resizePanel", json!({ "panelId": "own-size", "width": "wide" }), "/width"),
        ] {
            let refused = ask(browser, method, params, json!({})).await;
            assert_eq!(refused["code"], "invalid_params", "{refused}");
            assert!(refused["error"].as_str().unwrap_or_default().contains(pointer), "{refused}");
        }
        ask(browser, "closePanel", json!({ "panelId": "own-size" }), json!({})).await;
        browser.leave().await;
        browser.gone("iframe[data-panel-id=own-size]").await;

        // Without a name it is the panel that calls; closed, it does not come back by its address.
        browser.enter(P, "sidebar").await;
        browser.run("ask('closePanel', {})", []).await;
        browser.leave().await;
        browser.gone("iframe[data-panel-id=sidebar]").await;
        browser.until("the address of the workspace", "return location.pathname === '/'").await;
        browser.open_beside("The sidebar").await;
        browser.enter(P, "sidebar").await;
    })
    .await;
}

#[tokio::test]
async fn a_background_panel_runs_unseen_from_the_grant_on() {
    let (app, user, _folders) = places().await;
    browse("background", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(&app.url).await;
        browser
            .until("its frame", "return document.querySelector('iframe[data-panel-id=quiet]') && true")
            .await;
        let seen =
            "return [...document.querySelectorAll('iframe')].map((f) => [f.dataset.panelId, f.offsetWidth])";
        assert_eq!(browser.run(seen, []).await, json!([["quiet", 0]]), "loaded, hidden, and nothing else");
        // It was introduced while it was hidden, and lives on after it was shown and closed.
        browser.open_beside("The quiet").await;
        let document = documents(browser, "quiet").await;
        browser.leave().await;
        browser.press("Close The quiet").await;
        browser.gone("iframe[data-panel-id=quiet]").await;
        browser.open_beside("The quiet").await;
        assert_eq!(documents(browser, "quiet").await, document);
    })
    .await;
}

/// C11: the host goes on, and its user stops the panel.
#[tokio::test]
async fn a_panel_that_never_answers_can_be_stopped_and_loaded_again() {
    let (app, user, _folders) = places().await;
    browse("stop", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, P, "sidebar").await;
        introduced(browser).await;
        browser.leave().await;
        // The driver waits for every frame before it presses anything, so the page itself presses, and measures.
        let press = "window.gaps = []; let last = performance.now();
            setInterval(() => { const now = performance.now(); gaps.push(now - last - 20); last = now; }, 20);
            setTimeout(() => {
                const pressed = performance.now();
                document.querySelector('[aria-label=\"More about The sidebar\"]').click();
                [...document.querySelectorAll('.menu:popover-open button')].find((b) => b.innerText === 'Stop').click();
                window.stopped = [performance.now() - pressed, !document.querySelector('iframe[data-panel-id=sidebar]')];
            }, 1500)";
        browser.run(press, []).await;
        browser.enter(P, "sidebar").await;
        browser.run("setTimeout(() => { for (const end = Date.now() + 6000; Date.now() < end; ); }, 200)", []).await;
        browser.leave().await;
        let stopped = browser.until("the panel to be stopped", "return window.stopped").await;
        assert_eq!(stopped[1], true, "its frame is gone at once");
        let late = browser.run("gaps.sort((a, b) => a - b); return gaps[Math.floor(gaps.length * 0.95)]", []).await;
        assert!(late.as_f64().is_some_and(|late| late < 100.0), "the page was held up for {late} ms");
        browser.text(".panel-cover", |text| text.contains("You stopped this panel")).await;
        browser.press("Reload panel").await;
        browser.enter(P, "sidebar").await;
        introduced(browser).await;
        browser.reload_panel("The sidebar").await;
        browser.enter(P, "sidebar").await;
        introduced(browser).await;
    })
    .await;
}

#[tokio::test]
async fn the_keyboard_goes_into_panels_and_out_of_them() {
    let (app, user, _folders) = places().await;
    browse("keyboard", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, P, "sidebar").await;
        introduced(browser).await;
        browser.open_beside("The bottom").await;
        browser.enter(P, "bottom").await;
        introduced(browser).await;
        browser.leave().await;
        browser.run("document.querySelector('.brand').focus()", []).await;
        let here = async |label: &str| {
            let script = format!("return (document.activeElement.ariaLabel ?? document.activeElement.id) === '{label}'");
            browser.until(label, &script).await;
        };
        // From part to part, around the page, and backwards.
        for part in ["main", "Panel The sidebar", "Panel The bottom", "taiku", "main", "Panel The sidebar"] {
            browser.press_key("\u{e036}").await;
            here(part).await;
        }
        // Into the panel; a key of its own stays there; Escape comes out, F6 goes on.
        browser.press_key("\u{e007}").await;
        browser.until("the focus in the frame", "return document.activeElement.dataset.panelId === 'sidebar'").await;
        browser.enter(P, "sidebar").await;
        browser.until("the focus in the document", "return document.hasFocus()").await;
        browser.press_key("\u{e00c}").await;
        browser.leave().await;
        here("Panel The sidebar").await;
        browser.press_key("\u{e007}").await;
        browser.enter(P, "sidebar").await;
        browser.until("the focus in the document", "return document.hasFocus()").await;
        browser.press_key("\u{e036}").await;
        browser.leave().await;
        here("Panel The bottom").await;

        // A panel cannot take the focus away from elsewhere by claiming such a key.
        browser.run("document.querySelector('.brand').focus()", []).await;
        browser.enter(P, "bottom").await;
        browser.run("window.parent.postMessage({ type: 'taiku:leave', key: 'F6' }, '*'); return ask('getShells', {})", []).await;
        browser.leave().await;
        browser.until("the focus where it was", "return document.activeElement.className === 'brand'").await;
    })
    .await;
}
