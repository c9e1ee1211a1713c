//! A plugin folder that was written for another host of the protocol loads, renders, and gets right answers or clear
//! errors.

use taiku_tests::{Client, PluginFolders, Popups, TestApp, browse};

const ID: &str = "acme-labs.standup-buddy";
const PANEL: &str = "standup";
/// The folder as it is, file by file.
const FILES: [(&str, &str, &str); 4] = [
    ("", "manifest.json", include_str!("../../fixtures/plugins/foreign/manifest.json")),
    ("/ui", "index.html", include_str!("../../fixtures/plugins/foreign/ui/index.html")),
    ("/ui", "style.css", include_str!("../../fixtures/plugins/foreign/ui/style.css")),
    ("/ui", "app.js", include_str!("../../fixtures/plugins/foreign/ui/app.js")),
];

async fn start() -> (TestApp, Client, PluginFolders) {
    let folders = PluginFolders::new();
    for (folder, file, text) in FILES {
        folders.write(&format!("standup-buddy{folder}"), file, text);
    }
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    (app, user, folders)
}

#[tokio::test]
async fn a_foreign_plugin_says_what_this_host_lacks_and_then_works() {
    let (app, user, _folders) = start().await;
    browse("foreign", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(app.url.join(&format!("panel/{ID}/{PANEL}")).expect("it is a path")).await;
        browser
            .text("dialog", |text| {
                let lacking = ["terminal.read", "workspace.layout", "agent.events", "ui.open"];
                lacking.iter().all(|name| text.contains(name)) && text.contains("not supported")
            })
            .await;
        browser.press("Allow").await;

        browser.enter(ID, PANEL).await;
        let colour = "return getComputedStyle(document.querySelector('h3')).color === 'rgb(1, 2, 3)'";
        browser.until("the style sheet", colour).await;
        browser.text("#who", |text| text == "admin known").await;
        browser.text("#greeting", |text| text == "Hello stranger").await;
        browser.text("#link-state", |text| text == "not linked").await;

        browser.fill("#name", "Countess").await;
        browser.click("#save").await;
        browser.text("#log", |text| text == "saved").await;
        browser.click("#shell").await;
        browser.text("#log", |text| text == "Failed: terminal.write is not supported by this host").await;
        browser.click("#slack").await;
        browser.text("#log", |text| text.starts_with("Failed: ") && text.contains("slack")).await;
        browser.click("#github").await;
        browser
            .text("#log", |text| text == format!("Failed: {ID} did not declare the toolkit github."))
            .await;
        browser.click("#sync").await;
        browser.text("#log", |text| text.starts_with("Failed: ") && text.contains("onnect")).await;

        browser.click("#link").await;
        browser.enter_popup().await;
        browser.press("Continue to Demo tracker").await;
        browser.press("Allow").await;
        browser.popup_closes().await;
        browser.enter(ID, PANEL).await;
        // It finds out by itself, by its own clock.
        browser.text("#link-state", |text| text == "linked").await;
        browser.click("#sync").await;
        browser.text("#log", |text| text.starts_with('#') && text.ends_with("Standup notes")).await;

        browser.leave().await;
        let title = browser.run("return document.title", []).await;
        assert!(!title.as_str().unwrap_or_default().contains("markup"), "an icon is a picture: {title}");
        browser.open_panel(&app, ID, PANEL).await;
        browser.text("#greeting", |text| text == "Hello Countess").await;
    })
    .await;
}

#[tokio::test]
async fn the_badge_hotkey_and_events_of_a_foreign_plugin_work() {
    let (app, user, _folders) = start().await;
    app.grant_all(&user, ID).await;
    browse("foreign-toolbar", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, ID, PANEL).await;
        browser.text("#who", |text| text == "admin known").await;
        browser.prefer("prefers-color-scheme", "dark").await;
        browser.until("theme_changed", "return theme?.startsWith('dark at 1')").await;
        let failed = "return replies.filter(({ error }) => error).map(({ error }) => error)";
        let failed = browser.run(failed, []).await;
        assert_eq!(failed, serde_json::json!([]), "a call failed");

        browser.leave().await;
        // The second of its badges, so that the clock of five seconds ticks as well.
        browser.text(".toolbar [aria-label='Standup'] + .badge", |text| text.contains('2')).await;

        browser.open(&app.url).await;
        browser.find(".tool").await;
        browser.press_key("\u{e009}\u{e008}y").await;
        browser.enter(ID, PANEL).await;
        browser.text("#who", |text| text == "admin known").await;
    })
    .await;
}
