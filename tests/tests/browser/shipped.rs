//! The plugins that ship with taiku and are made with the SDK.

use serde_json::{Value, json};
use taiku_tests::{Browser, Client, Popups, TestApp, browse, connect};

const ISSUES: (&str, &str) = ("example.issues", "issues");
const NOTES: (&str, &str) = ("example.notes", "notes");
const PULSE: (&str, &str) = ("example.pulse", "palette");

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
async fn issues_are_connected_opened_and_closed() {
    let (app, user) = start(ISSUES.0).await;
    browse("issues", Popups::Blocked, async |browser| {
        browser.use_session(&app, &user).await;
        open(browser, &app, ISSUES).await;
        browser.text("#notice-title", |text| text == "Connect an account").await;
        browser.click("#notice-action").await;
        browser.enter_popup().await;
        browser.press("Continue to Demo tracker").await;
        browser.press("Allow").await;
        browser.popup_closes().await;

        // It goes on by itself, because it is told that the connection has changed.
        browser.enter(ISSUES.0, ISSUES.1).await;
        browser.text("#empty", |text| text.contains("Nothing is open")).await;
        for (number, title) in [(1, "First of all"), (2, "Then this")] {
            browser.fill("#title", title).await;
            browser.click("#create").await;
            browser.text("#issues", |text| text.contains(&format!("#{number}"))).await;
        }
        browser.text("#count", |text| text == "2 open").await;
        browser.leave().await;
        browser.text(".toolbar [aria-label='Issues'] + .badge", |text| text == "2").await;

        browser.enter(ISSUES.0, ISSUES.1).await;
        browser.click("[aria-label='Close #2 Then this']").await;
        browser.text("#count", |text| text == "1 open").await;
        assert_eq!(rows(browser, "#issues p:first-child").await, json!(["First of all"]));
        let focused = browser.run("return document.activeElement.ariaLabel", []).await;
        assert_eq!(focused, "Close #1 First of all", "the next one can be closed by keyboard");
    })
    .await;
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

#[tokio::test]
async fn a_line_is_seen_by_everybody() {
    let (app, ada) = start(PULSE.0).await;
    let bob = app.bob().await;
    app.grant_all(&bob, PULSE.0).await;
    browse("pulse", Popups::Blocked, async |browser| {
        for (user, name, line) in [(&ada, "Ada", "Writing the guide"), (&bob, "Bob", "On a break")] {
            browser.use_session(&app, user).await;
            open(browser, &app, PULSE).await;
            browser
                .until(
                    "the name",
                    "return document.getElementById('line').placeholder === 'What is your name?'",
                )
                .await;
            for said in [name, line] {
                browser.fill("#line", said).await;
                browser
                    .until(
                        "a choice",
                        &format!("return document.getElementById('choices').textContent.includes('{said}')"),
                    )
                    .await;
                browser.find("#line").await.send_keys("\u{e007}").await.expect("a field takes keys");
                browser.until("it is done", "return document.getElementById('line').value === ''").await;
            }
        }
        open(browser, &app, PULSE).await;
        browser
            .text("#people", |text| text.contains("Writing the guide") && text.contains("Bob (you)"))
            .await;
        browser.leave().await;
        browser.text(".toolbar [aria-label='Pulse'] + .badge", |text| text == "2").await;
    })
    .await;
}
