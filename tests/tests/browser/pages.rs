//! The pages of the host around the panels.

use taiku_bridge::api::{self, Connections};
use taiku_tests::{Popups, TestApp, browse, connect};

const GITHUB: &str = "/api/v1/admin/toolkits/github";

#[tokio::test]
async fn an_admin_enables_a_toolkit() {
    let app = TestApp::start().await;
    let admin = app.ada().await;
    let redirect = admin.get(GITHUB).await.json()["redirectUri"].clone();
    browse("admin", Popups::Allowed, async |browser| {
        browser.use_session(&app, &admin).await;
        browser.open(app.url.join("admin/integrations/github").expect("a path")).await;
        browser.find("#client-id").await;
        let page = browser
            .run("return document.getElementById('redirect-uri').value ?? document.body.innerText", []);
        assert_eq!(page.await, redirect, "what to register at the provider");
        browser.fill("#client-id", "an-id").await;
        browser.fill("#client-secret", "typed-once").await;
        browser.press("Save and enable").await;
        browser.until("the switch", "return document.body.innerText.includes('Switch off')").await;
        let toolkit = admin.get(GITHUB).await.json();
        assert_eq!((&toolkit["enabled"], &toolkit["clientSecret"]["set"]), (&true.into(), &true.into()));
        let kept = browser.run("return document.documentElement.outerHTML.includes('typed-once')", []).await;
        assert_eq!(kept, false, "the secret is not on the page any more");
        let value = browser.run("return document.getElementById('client-secret').value", []).await;
        assert_eq!(value, "", "nor in its field");
    })
    .await;
}

/// Every page beside the workspace, as an admin sees it: its path and its heading.
const PAGES: [(&str, &str); 7] = [
    ("plugins", "Plugins"),
    ("connections", "Connections"),
    ("activity", "Activity"),
    ("settings", "Settings"),
    ("admin/integrations", "Integrations"),
    ("admin/integrations/github", "github"),
    ("nowhere", "There is nothing here"),
];

#[tokio::test]
async fn a_page_brings_its_own_code_and_a_first_visit_does_without_it() {
    let app = TestApp::start().await;
    let admin = app.ada().await;
    let wasm =
        "return performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.wasm')).length";
    browse("parts", Popups::Allowed, async |browser| {
        browser.use_session(&app, &admin).await;
        browser.open(&app.url).await;
        browser.find(".stage").await;
        browser.until("quiet", "return document.readyState === 'complete'").await;
        assert_eq!(browser.run(wasm, []).await, 1, "the workspace needs no part");
        browser.press("Plugins").await;
        browser.text("main.page h1", |text| text == "Plugins").await;
        browser.until("the focus", "return document.activeElement?.matches('main.page')").await;
        let loaded = browser.run(wasm, []).await.as_u64().expect("a number");
        assert!(loaded > 1, "the page's code has come");
        for (path, heading) in PAGES {
            browser.open(app.url.join(path).expect("a path")).await;
            browser.text("main.page h1", |text| text.contains(heading)).await;
        }
        let complaints = browser.complaints().await;
        let complaints: Vec<_> = complaints.iter().filter(|text| !text.contains("healthz")).collect();
        assert!(complaints.is_empty(), "{complaints:?}");
    })
    .await;
}

#[tokio::test]
async fn an_account_is_disconnected_after_a_question() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    browse("disconnect", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(app.url.join("connections").expect("a path")).await;
        browser.text("#main", |text| text.contains("Active")).await;
        browser.press("Disconnect").await;
        browser.find("dialog[open]").await;
        browser.click("dialog[open] .danger").await;
        // The receipt says what has died.
        browser.text("dialog[open]", |text| text.contains("refresh token")).await;
        browser.press("Done").await;
        browser.gone("dialog").await;
        browser.text("#main", |text| !text.contains("Active")).await;
        let left: Connections = user.get(api::CONNECTIONS).await.read();
        assert_eq!(left.connections, []);
        assert!(app.demo.count("revocations").await >= 1);
    })
    .await;
}

#[tokio::test]
async fn signing_out_ends_the_panels() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    app.grant_all(&user, "example.boundaries").await;
    browse("sign-out", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "example.boundaries", "boundaries-panel").await;
        browser.leave().await;
        browser.click("header button[aria-haspopup], .account button, button.avatar").await;
        browser.press("Sign out").await;
        browser.gone("iframe").await;
        browser.find("#password, a[href='/sign-in']").await;
        let session = user.get(api::SESSION).await.json();
        assert!(session["user"].is_null(), "the session has ended on the server: {session}");
    })
    .await;
}
