//! The user's theme and language, as panels see them.

use serde_json::json;
use taiku_tests::{PROBE, PluginFolders, Popups, TestApp, browse};

use crate::introduced;

/// The last event of a kind that the probe in the frame of now has heard.
const LAST: &str = "return heard.filter(({ data, fromHost }) => fromHost && data?.type === 'taiku:event')
    .map(({ data }) => data.event).findLast((event) => event.type === ";

#[tokio::test]
async fn a_change_of_theme_or_language_reaches_panels_that_run() {
    let folders = PluginFolders::new().with("a.plugin", &[], &[], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.plugin").await;
    browse("look", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.prefer("prefers-color-scheme", "light").await;
        browser.open_panel(&app, "a.plugin", "main").await;
        let init = introduced(browser).await;
        assert_eq!(init["theme"], "light");

        let theme = |name: &str| format!("{LAST}'theme_changed' && event.data.theme === '{name}')");
        let locale = |name: &str| format!("{LAST}'locale_changed' && event.data.locale === '{name}')");
        // The system turns dark; the choice is to follow it.
        browser.prefer("prefers-color-scheme", "dark").await;
        let event = browser.until("the system's theme", &theme("dark")).await;
        assert!(event["timestamp"].as_f64().is_some_and(|ms| ms > 1.6e12), "milliseconds: {event}");
        assert_eq!(event.as_object().map(serde_json::Map::len), Some(3), "{event}");

        browser.leave().await;
        browser.click(".account-button").await;
        browser.press("Settings").await;
        browser.click("fieldset.choices label:nth-of-type(2)").await;
        browser.choose("#language", "sv-SE").await;
        browser.click(".brand").await;
        browser.enter("a.plugin", "main").await;
        browser.until("the chosen theme", &theme("light")).await;
        browser.until("the chosen language", &locale("sv-SE")).await;
        let documents =
            browser.run("return heard.filter(({ data }) => data?.type === 'taiku:init').length", []);
        assert_eq!(documents.await, json!(1), "the panel was not loaded again");
    })
    .await;
}
