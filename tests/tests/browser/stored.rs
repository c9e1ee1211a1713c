//! What panels store at the broker.

use serde_json::{Value, json};
use taiku_tests::{Browser, PROBE, PluginFolders, Popups, TestApp, browse};

use crate::{api_requests, ask, introduced};

const PLUGIN: &str = "tests.store";
const PERMISSIONS: &[&str] = &["kv.read", "kv.write", "storage.read", "storage.write"];

async fn start() -> (TestApp, PluginFolders) {
    let folders = PluginFolders::new().with(PLUGIN, PERMISSIONS, &[], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    (app, folders)
}

async fn call(browser: &Browser, method: &str, params: Value) -> Value {
    let answer = ask(browser, method, params.clone(), json!({})).await;
    assert!(answer["error"].is_null(), "{method} {params}: {answer}");
    answer["result"].clone()
}

#[tokio::test]
async fn what_a_panel_stores_is_there_again() {
    let (app, _folders) = start().await;
    let user = app.ada().await;
    app.grant_all(&user, PLUGIN).await;
    browse("stored", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, PLUGIN, "main").await;
        introduced(browser).await;
        let value = json!({ "list": [1, null, "ä\u{0}"] });
        for (get, set) in [("getUserData", "setUserData"), ("kv.get", "kv.set")] {
            assert_eq!(call(browser, get, json!({ "key": "a/b" })).await, Value::Null);
            assert_eq!(call(browser, set, json!({ "key": "a/b", "value": value })).await, Value::Null);
            assert_eq!(call(browser, get, json!({ "key": "a/b" })).await, value, "{get}");
        }
        assert_eq!(call(browser, "kv.list", json!({})).await["keys"], json!(["a/b"]));
        call(browser, "kv.delete", json!({ "key": "a/b" })).await;
        assert_eq!(call(browser, "kv.list", json!({ "prefix": "a" })).await["keys"], json!([]));

        let name = "../a b?#%.txt";
        call(browser, "storage.write", json!({ "name": name, "value": "aGk=", "encoding": "base64" })).await;
        assert_eq!(call(browser, "storage.read", json!({ "name": name })).await, "hi");
        let read = json!({ "name": name, "encoding": "base64" });
        assert_eq!(call(browser, "storage.read", read).await, "aGk=");
        let list = call(browser, "storage.list", json!({ "prefix": "../", "limit": 5 })).await;
        assert_eq!(
            (&list["files"][0]["name"], &list["files"][0]["size"]),
            (&json!(name), &json!(2)),
            "{list}"
        );
        call(browser, "storage.delete", json!({ "name": name })).await;
        assert_eq!(call(browser, "storage.read", json!({ "name": name })).await, Value::Null);

        let wrong = ask(browser, "kv.set", json!({ "key": "..", "value": 1 }), json!({})).await;
        assert_eq!(wrong["code"], "invalid_params", "{wrong}");
    })
    .await;
}

#[tokio::test]
async fn a_user_sees_and_deletes_what_a_plugin_stores() {
    let (app, _folders) = start().await;
    let user = app.ada().await;
    app.grant_all(&user, PLUGIN).await;
    browse("stored-page", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, PLUGIN, "main").await;
        introduced(browser).await;
        call(browser, "setUserData", json!({ "key": "layout", "value": { "wide": true } })).await;
        call(browser, "storage.write", json!({ "name": "notes.txt", "value": "<b>hello</b>" })).await;
        browser.leave().await;
        browser.press("Plugins").await;
        // Every plugin has such a part; this is the one of ours.
        let open = format!(
            "const card = [...document.querySelectorAll('#main .card')].find((card) => card.textContent.includes('{PLUGIN}'));
             const parts = [...(card?.querySelectorAll('summary') ?? [])];
             const part = parts.find((part) => part.textContent === 'What it stores for you');
             part?.click();
             return part !== undefined;"
        );
        browser.until("what the plugin stores", &open).await;
        let shown = |text: &str| text.contains("layout") && text.contains("notes.txt (12 bytes)");
        browser.text("#main", shown).await;
        browser.press("Delete all").await;
        browser.click("dialog .button.danger").await;
        browser.text("#main", |text| text.contains("Nothing.") && !text.contains("layout")).await;
        browser.click(".brand").await;
        browser.enter(PLUGIN, "main").await;
        assert_eq!(call(browser, "getUserData", json!({ "key": "layout" })).await, Value::Null);
        assert_eq!(call(browser, "storage.read", json!({ "name": "notes.txt" })).await, Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_visitors_panel_stores_nothing() {
    let (app, _folders) = start().await;
    browse("stored-visitor", Popups::Allowed, async |browser| {
        browser.open(app.url.join(&format!("panel/{PLUGIN}/main")).expect("a path")).await;
        browser.press("Allow").await;
        browser.enter(PLUGIN, "main").await;
        introduced(browser).await;
        api_requests(browser).await;
        for (method, params) in [
            ("getUserData", json!({ "key": "k" })),
            ("kv.set", json!({ "key": "k", "value": 1 })),
            ("storage.list", json!({})),
        ] {
            let answer = ask(browser, method, params, json!({})).await;
            assert_eq!(answer["code"], "not_signed_in", "{answer}");
        }
        assert_eq!(api_requests(browser).await, Vec::<String>::new());
    })
    .await;
}
