//! Many panels at once.

use serde_json::json;
use taiku_tests::{PluginFolders, Popups, TestApp, browse};

const ID: &str = "tests.busy";
const PANELS: usize = 20;
const SEEN: usize = 8;

/// A panel that calls the host 50 times a second.
const PANEL: &str = r#"<!doctype html><title>busy</title><script>
  let answered = 0;
  let counter = 0;
  addEventListener("message", ({ source, data }) => {
    if (source !== parent) return;
    if (data.type === "taiku:response" && data.result) answered++;
    if (data.type !== "taiku:init") return;
    const { pluginId, panelId, authToken } = data;
    setInterval(() => {
      const id = `b${++counter}`;
      parent.postMessage({ type: "taiku:request", id, pluginId, panelId, authToken, method: "getUserRole" }, "*");
    }, 20);
  });
</script>"#;

/// The longest task that is no long task yet, in milliseconds, is the browser's own bound:
/// <https://w3c.github.io/longtasks/>.
const WATCH: &str = "
    const tasks = [];
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
    observer.observe({ type: 'longtask' });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    tasks.push(...observer.takeRecords().map((entry) => entry.duration));
    return tasks;";

#[tokio::test]
async fn twenty_busy_panels_do_not_block_the_page() {
    let panels: Vec<_> = (0..PANELS)
        .map(|n| json!({ "id": format!("p{n}"), "title": format!("P{n}"), "position": "sidebar", "htmlUrl": "panel.html" }))
        .collect();
    let manifest = json!({
        "id": ID, "name": "Busy", "version": "1.0.0", "permissions": ["session.read"], "panels": panels,
    });
    let folders = PluginFolders::new().with_manifest(ID, &manifest, PANEL);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, ID).await;
    browse("busy", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(&app.url).await;
        browser.find(".stage").await;
        for n in 0..PANELS {
            browser.leave().await;
            // As a click on a link does, without leaving the page.
            let follow = "const link = document.createElement('a'); link.href = arguments[0];
                document.body.append(link); link.click(); link.remove();";
            browser.run(follow, [json!(format!("/panel/{ID}/p{n}"))]).await;
            browser
                .until("the panel", &format!("return document.querySelectorAll('iframe').length > {n}"))
                .await;
            // The dock shows no more than these at a time; the others are as busy.
            if n < SEEN {
                browser.enter(ID, &format!("p{n}")).await;
                browser.until("answers", "return answered > 10").await;
            }
        }
        browser.leave().await;
        // A machine that runs other tests beside this one delays any task; what blocks by itself is never quiet.
        let mut seen = Vec::new();
        for _ in 0..12 {
            let tasks = browser.resolve(WATCH, []).await;
            if tasks == json!([]) {
                return;
            }
            seen.push(tasks);
        }
        panic!("tasks of the page took more than 50 ms, in milliseconds: {seen:?}");
    })
    .await;
}
