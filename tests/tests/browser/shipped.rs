//! The plugins that ship with taiku and are made with the SDK.

use serde_json::{Value, json};
use taiku_tests::{Browser, Client, Popups, TestApp, browse, connect};

const ISSUES: (&str, &str) = ("example.issues", "issues");
const NOTES: (&str, &str) = ("example.notes", "notes");

async fn start(plugin: &str) -> (TestApp, Client) {
    let app = TestApp::start().await;
    let user = app.ada().await;
    app.grant_all(&user, plugin).await;
    (app, user)
}

/// Opens a panel in a browser that somebody has signed in with.
async fn open(browser: &Browser, app: &TestApp, (plugin, panel): (&str, &str)) {
    browser.open_panel(app, plugin, panel).await;
}

/// The texts of the elements that a selector finds.
async fn rows(browser: &Browser, css: &str) -> Value {
    let script = "return [...document.querySelectorAll(arguments[0])].map((row) => row.textContent)";
    browser.run(script, [json!(css)]).await
}

#[tokio::test]
async fn a_failure_of_the_tracker_is_shown_and_tried_again() {
    let (app, user) = start(ISSUES.0).await;
    connect(&app, &user).await;
    let body = r#"{"message": "The tracker is being moved."}"#;
    let fault = json!({ "kind": "answer", "status": 503, "contentType": "application/json", "body": body });
    app.demo.set(&json!({ "api": { "fault": fault, "times": 1 } })).await;
    browse("issues-fault", Popups::Blocked, async |browser| {
        browser.use_session(&app, &user).await;
        open(browser, &app, ISSUES).await;
        browser.text("#notice-text", |text| text == "The tracker is being moved.").await;
        browser.click("#notice-action").await;
        browser.text("#empty", |text| text.contains("Nothing is open")).await;
    })
    .await;
}

#[tokio::test]
async fn notes_are_there_again() {
    let (app, user) = start(NOTES.0).await;
    browse("notes", Popups::Blocked, async |browser| {
        browser.use_session(&app, &user).await;
        open(browser, &app, NOTES).await;
        browser.fill("#text", "Shopping\nmilk").await;
        browser.text("#status", |text| text == "2 words, saved").await;
        browser.click("#add").await;
        browser.fill("#text", "Second note").await;
        browser.text("#status", |text| text == "2 words, saved").await;

        open(browser, &app, NOTES).await;
        browser.until("both", "return document.querySelectorAll('[role=tab]').length === 2").await;
        assert_eq!(rows(browser, "[role=tab]").await, json!(["Shopping", "Second note"]));
        let text = "return document.getElementById('text').value";
        assert_eq!(browser.run(text, []).await, "Second note", "the one that was open is open");
        browser.click("#remove").await;
        browser.until("one", "return document.querySelectorAll('[role=tab]').length === 1").await;
        browser.click("#remove").await;
        browser.until("both", "return document.querySelectorAll('[role=tab]').length === 2").await;
        assert_eq!(browser.run(text, []).await, "Second note", "undone");
    })
    .await;
}
