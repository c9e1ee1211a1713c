//! What a panel cannot reach, and what happens when it leaves. Cases A14, C3, C6 and C8 in part.

use serde_json::{Value, json};
use taiku_bridge::api::Plugin;
use taiku_tests::{Browser, PROBE, PluginFolders, Popups, TestApp, browse};

use crate::{ALL, X, ask, introduced, probes};

const STORES: &str = "const name = async (act) => { try { await act(); return 'nothing'; } catch (error) { return error.name; } };
    return Promise.all([
      name(() => localStorage.length),
      name(() => sessionStorage.length),
      name(() => document.cookie),
      name(() => indexedDB.open('x')),
      name(() => navigator.serviceWorker.register('x.js')),
      name(() => caches.open('x')),
    ]);";

#[tokio::test]
async fn a_panel_has_no_storage_and_cannot_read_its_host() {
    let (app, user, _folders) = probes().await;
    browse("stores", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        assert_eq!(browser.resolve(STORES, []).await, json!(vec!["SecurityError"; 6]));
        let parent = "const name = async (act) => { try { act(); return 'nothing'; } catch (error) { return error.name; } };
            return Promise.all([name(() => parent.document), name(() => parent.localStorage), name(() => top.location.href)]);";
        assert_eq!(browser.resolve(parent, []).await, json!(vec!["SecurityError"; 3]));
        assert_eq!(browser.run("return origin", []).await, "null");
    })
    .await;
}

#[tokio::test]
async fn a_panel_in_a_tab_of_its_own_is_still_nobody() {
    let (app, user, _folders) = probes().await;
    let plugin: Plugin = user.get(&format!("/api/v1/plugins/{X}")).await.read();
    browse("tab", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        let url = app.panel_url.join(&format!("{}/panel.html", plugin.files)).expect("a path");
        browser.open(&url).await;
        browser.text("#state", |text| text == "ready").await;
        assert_eq!(browser.run("return origin", []).await, "null");
        assert_eq!(browser.resolve(STORES, []).await, json!(vec!["SecurityError"; 6]));
    })
    .await;
}

async fn dies(browser: &Browser, how: &str) {
    browser.run(how, []).await;
    browser.leave().await;
    browser.text("[role='alert']", |text| text.contains("was stopped")).await;
}

#[tokio::test]
async fn a_panel_that_leaves_is_stopped_until_the_user_loads_it_again() {
    let (app, user, _folders) = probes().await;
    browse("dead", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        let before = introduced(browser).await;
        dies(browser, "setTimeout(() => location.reload(), 0)").await;

        browser.enter(X, "main").await;
        browser.run("heard.length = 0; ask('integrations.list', {}, { id: 'late' });", []).await;
        // The host hears messages in their order; this one comes back after it has dealt with the first.
        browser.resolve("return new Promise((done) => { const c = new MessageChannel(); c.port1.onmessage = () => done(1); c.port2.postMessage(0); });", []).await;
        let answer = browser.run("return heard.find(({ data }) => data?.id === 'late')?.data ?? null", []).await;
        assert!(answer.is_null() || answer["code"] == "stale_panel", "{answer}");
        assert_eq!(browser.run("return init", []).await, Value::Null, "no second identity");

        browser.leave().await;
        browser.press("Reload panel").await;
        browser.enter(X, "main").await;
        let after = introduced(browser).await;
        assert_ne!(before["authToken"], after["authToken"]);
        let old = ask(browser, "integrations.list", json!({}), json!({ "authToken": before["authToken"] })).await;
        assert_eq!(old["code"], "stale_panel", "{old}");
        let new = ask(browser, "integrations.list", json!({}), json!({})).await;
        assert!(new["error"].is_null(), "{new}");
    })
    .await;
}

#[tokio::test]
async fn a_panel_that_writes_itself_anew_or_goes_elsewhere_is_stopped() {
    let (app, user, _folders) = probes().await;
    browse("elsewhere", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        for how in [
            "setTimeout(() => { document.open(); document.write('<p>anew</p>'); document.close(); }, 0)",
            // It takes the guard's listener with it, and no `load` follows.
            "setTimeout(() => { document.open(); document.write('<p>anew'); }, 0)",
            "setTimeout(() => { location.href = 'https://evil.invalid/'; }, 0)",
            "setTimeout(() => { location.href = 'data:text/html,hello'; }, 0)",
        ] {
            browser.open_panel(&app, X, "main").await;
            introduced(browser).await;
            dies(browser, how).await;
        }
        let host = browser.address().await;
        assert_eq!(host.origin(), app.url.origin(), "the page around it has not moved");
    })
    .await;
}

#[tokio::test]
async fn a_document_that_a_panel_goes_to_while_it_loads_is_told_nothing() {
    let first = "<!doctype html><script>location.href = 'second.html'</script>";
    let folders = PluginFolders::new().with(X, ALL, &["demo"], first);
    folders.write(X, "second.html", PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, X).await;
    browse("second", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        browser.text("#state", |text| text == "ready").await;
        let answer = ask(browser, "integrations.list", json!({}), json!({})).await;
        assert_eq!(answer["code"], "stale_panel", "{answer}");
        assert_eq!(browser.run("return init", []).await, Value::Null, "no identity for a second document");
        browser.leave().await;
        browser.text("[role='alert']", |text| text.contains("was stopped")).await;
    })
    .await;
}

#[tokio::test]
async fn a_document_that_leaves_while_it_loads_is_not_waited_for() {
    let page = "<!doctype html><script>location.href = 'https://evil.invalid/'</script>";
    let folders = PluginFolders::new().with(X, ALL, &["demo"], page);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, X).await;
    browse("leaves", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(app.url.join(&format!("panel/{X}/main")).expect("a path")).await;
        browser
            .text("[role='alert']", |text| text.contains("did not load") || text.contains("was stopped"))
            .await;
    })
    .await;
}
