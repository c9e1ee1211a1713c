//! What changes elsewhere is seen here, and one tab listens for all of them. Case A17.

use serde_json::json;
use taiku_bridge::api;
use taiku_tests::{
    Browser, Client, PROBE, PluginFolders, Popups, TestApp, browse, connect, eventually, site,
};

use crate::introduced;

const LISTENER: &[&str] = &["integrations.read", "events.subscribe"];

/// A program that writes down each stream that begins, and a plugin that listens.
async fn start() -> (TestApp, Client, PluginFolders) {
    let folders = PluginFolders::new().with("a.listener", LISTENER, &["demo"], PROBE);
    let app = TestApp::launch().plugins(&folders).env("TAIKU_LOG", "taiku_broker=debug").start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.listener").await;
    (app, user, folders)
}

/// How many streams have begun, and how many were open when the last one did.
fn streams(app: &TestApp) -> (usize, u64) {
    let said = app.said();
    let begun = said.lines().filter(|line| line.contains("a stream of events begins"));
    let open = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        line["fields"]["streams"].as_u64().or_else(|| line["streams"].as_u64())
    };
    begun.fold((0, 0), |(count, _), line| (count + 1, open(line).expect("a line of the log has its fields")))
}

async fn until_streams(app: &TestApp, begun: usize) {
    eventually("the streams of events", async || (streams(app).0 >= begun).then_some(())).await;
}

async fn connections(browser: &Browser, app: &TestApp) {
    browser.open(app.url.join("connections").expect("it is a path")).await;
    browser.text("#main", |text| text.contains("No accounts yet")).await;
}

#[tokio::test]
async fn two_tabs_have_one_stream_and_the_second_takes_over() {
    let (app, user, _folders) = start().await;
    browse("events-tabs", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        connections(browser, &app).await;
        until_streams(&app, 1).await;
        browser.open_window().await;
        connections(browser, &app).await;

        let connection = connect(&app, &user).await;
        browser.text("#main", |text| text.contains("Active")).await;
        browser.enter_main().await;
        browser.text("#main", |text| text.contains("Active")).await;
        assert_eq!(streams(&app), (1, 1), "one stream for both tabs");

        browser.close_main().await;
        until_streams(&app, 2).await;
        let _ = user.delete(&api::connection(&connection.id)).await.expect(200);
        browser.text("#main", |text| text.contains("No accounts yet")).await;
        assert_eq!(streams(&app), (2, 1), "the tab that was left has the only stream");
    })
    .await;
}

#[tokio::test]
async fn a_panel_hears_of_connections_as_far_as_it_may() {
    let (app, user, _folders) = start().await;
    browse("events-panel", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "a.listener", "main").await;
        introduced(browser).await;
        until_streams(&app, 1).await;
        let connection = connect(&app, &user).await;
        let heard = "const events = heard.filter(({ data }) => data?.type === 'taiku:event')
            .map(({ data }) => data.event).filter((event) => event.type === 'connection_changed');
            return events.length >= 2 && events.map((event) => event.data)";
        let events = browser.until("both changes of the connection", heard).await;
        let changed =
            |status: &str| json!({"connectionId": connection.id, "toolkit": "demo", "status": status, "why": null});
        assert_eq!(events, json!([changed("INITIATED"), changed("ACTIVE")]));
    })
    .await;
}

#[tokio::test]
async fn signing_out_elsewhere_signs_out_here() {
    let (app, user, _folders) = start().await;
    browse("events-sign-out", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "a.listener", "main").await;
        introduced(browser).await;
        until_streams(&app, 1).await;
        let _ = user.delete(api::SESSION).await.expect(204);
        browser.leave().await;
        browser.text(".toasts", |text| text.contains("Your session has ended")).await;
        browser.gone("iframe[data-plugin-id]").await;
        browser.find("input[type='password']").await;
    })
    .await;
}

#[tokio::test]
async fn another_user_in_the_same_browser_gets_nothing_of_the_first() {
    let (app, user, _folders) = start().await;
    let bob = app.bob().await;
    browse("events-other-user", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, "a.listener", "main").await;
        introduced(browser).await;
        // The other user's cookie takes the place of the first one's, and no page says so.
        browser.open_window().await;
        browser.use_session(&app, &bob).await;
        browser.enter_main().await;
        browser.enter("a.listener", "main").await;
        // The page takes the panel away with the answer, so what was answered is read on the wire.
        browser.run("ask('integrations.list', {}, {})", []).await;
        browser.leave().await;
        let answered = eventually("the panel's call to be answered", async || {
            browser.answers().await.into_iter().find(|(_, url)| url.ends_with(api::CONNECTIONS))
        });
        assert_eq!(answered.await.0, 401, "nothing is done in the name of another user");
        browser.text(".toasts", |text| text.contains("has signed in in another tab")).await;
        browser.gone("iframe[data-plugin-id]").await;
        // The address names a panel, which the other user has not allowed anything.
        browser.text("dialog", |text| text.contains("Allow this plugin?")).await;
        browser.text("#main", |text| text.contains("Hello, Bob")).await;
    })
    .await;
}

/// What a stranger's provider could have on its page: it sends whoever opened it elsewhere.
const MOVE_OPENER: &str =
    "try { opener.location = arguments[0]; return 'moved'; } catch (error) { return error.name; }";

/// Case D23: the page that a connect window shows cannot move the page that opened it.
#[tokio::test]
async fn a_providers_page_cannot_move_the_page_that_opened_it() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let elsewhere =
        site([("opener.html", "<p>here".to_owned()), ("moved.html", "<p>there".to_owned())]).await;
    let moved = elsewhere.join("moved.html").expect("it is a path");
    browse("events-opener", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        connections(browser, &app).await;
        browser.press("Connect Demo tracker").await;
        browser.enter_popup().await;
        browser.press("Continue to Demo tracker").await;
        browser.find("button[value='allow']").await;
        assert_eq!(
            browser.run(MOVE_OPENER, [json!(moved.as_str())]).await,
            "TypeError",
            "there is no opener"
        );
        browser.close_popup().await;
        assert_eq!(browser.address().await.path(), "/connections", "the page stayed");
        // The same provider's page, opened by a page that does not cut the way back, moves it.
        browser.open(elsewhere.join("opener.html").expect("it is a path")).await;
        browser.run("window.open(arguments[0], '_blank', 'popup')", [json!(app.demo.url.as_str())]).await;
        browser.enter_popup().await;
        browser.find("body").await;
        assert_eq!(browser.run(MOVE_OPENER, [json!(moved.as_str())]).await, "moved");
        browser.close_popup().await;
        browser.text("p", |text| text == "there").await;
    })
    .await;
}

#[tokio::test]
async fn a_consent_that_failed_is_mended_by_one_button() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    browse("events-failed", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        connections(browser, &app).await;
        app.demo.set(&json!({ "token": { "fault": { "kind": "drop_before" }, "times": 1 } })).await;
        browser.press("Connect Demo tracker").await;
        browser.enter_popup().await;
        browser.press("Continue to Demo tracker").await;
        browser.press("Allow").await;
        browser.text("main", |text| text.contains("cannot be reached")).await;
        assert_eq!(browser.run("return document.links.length", []).await, 1);
        assert_eq!(browser.run("return location.search", []).await, "", "the code has left the address");
        browser.close_popup().await;
        browser.text("[aria-label='Links to open']", |text| text.contains("could not be reached")).await;
        browser.press("Connect demo again").await;
        browser.enter_popup().await;
        browser.press("Continue to Demo tracker").await;
        browser.press("Allow").await;
        browser.popup_closes().await;
        browser.text("#main", |text| text.contains("Active")).await;
        browser.gone("[aria-label='Links to open'] button").await;
    })
    .await;
}
