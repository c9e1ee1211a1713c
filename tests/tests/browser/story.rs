//! The whole way of a person: sign in, open a plugin, connect, list, run, disconnect.

use taiku_tests::{Popups, TestApp, browse};

const TOOL: &str = "DEMO_CREATE_AN_ISSUE";

#[tokio::test]
async fn from_sign_in_to_a_created_issue() {
    let app = TestApp::start().await;
    browse("story", Popups::Blocked, async |browser| {
        browser.sign_in(&app).await;
        browser.press("Open Integrations Demo").await;
        browser.text("dialog", |text| text.contains("integrations.execute") && text.contains("demo")).await;
        browser.press("Allow").await;

        browser.enter("example.integrations", "integrations-panel").await;
        browser.text("#status", |text| text == "Not connected").await;
        browser.choose("#toolkit", "demo").await;
        browser.click("#connect").await;

        browser.enter_popup().await;
        browser.press("Continue to Demo tracker").await;
        browser.press("Allow").await;
        browser.popup_closes().await;

        browser.enter("example.integrations", "integrations-panel").await;
        browser.text("#status", |text| text == "Connected").await;
        browser.click("#load").await;
        browser.choose("#tools", TOOL).await;
        let prefilled = browser.run("return document.getElementById('args').value", []).await;
        assert!(prefilled.as_str().unwrap_or_default().contains("\"title\""), "{prefilled}");
        browser.fill("#args", r#"{"title": "Made in a browser", "body": "by a test"}"#).await;
        browser.click("#run").await;
        let output = browser.text("#output", |text| text.contains("Made in a browser")).await;
        let issue: serde_json::Value =
            serde_json::from_str(&output).expect("the result is the provider's JSON");
        assert_eq!((&issue["title"], &issue["state"]), (&"Made in a browser".into(), &"open".into()));
        assert_eq!(app.demo.count("issuesCreated").await, 1);

        browser.leave().await;
        browser.press("Connections").await;
        browser.text("#main", |text| text.contains("Active")).await;
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "the consoles complained: {complaints:?}");
    })
    .await;
}

#[tokio::test]
async fn a_declined_consent_is_shown() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    app.grant_all(&user, "example.integrations").await;
    browse("deny", Popups::Blocked, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "example.integrations", "integrations-panel").await;
        browser.text("#status", |text| text == "Not connected").await;
        browser.click("#connect").await;
        browser.enter_popup().await;
        browser.press("Continue to Demo tracker").await;
        browser.press("Deny").await;
        browser.enter_main().await;
        browser.enter("example.integrations", "integrations-panel").await;
        browser.text("#status", |text| text.contains("declined")).await;
        assert_eq!(app.demo.count("tokenRequests").await, 0);
    })
    .await;
}
