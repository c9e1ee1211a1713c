//! Panels that speak MCP Apps: the published client as it is, under the rules of every panel.

use std::path::Path;

use serde_json::{Value, json};
use taiku_tests::{Browser, Client, PluginFolders, Popups, TestApp, browse, connect};

use crate::{ALL, api_requests};

const PLUGIN: &str = "tests.mcp";

/// What the panel of the fixture asks through the client, or the error that it was given.
const TOLD: &str = "return await Promise.resolve().then(() => ASK)
    .catch((error) => ({ code: error.code, message: error.message, data: error.data ?? null }));";

fn folders(permissions: &[&str]) -> PluginFolders {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mcp-app");
    let read = |file: &str| {
        std::fs::read_to_string(fixture.join(file))
            .unwrap_or_else(|error| panic!("{file}: {error}; run `npm ci` in tests/fixtures/mcp-app"))
    };
    let folders = PluginFolders::new().with(PLUGIN, permissions, &["demo"], &read("panel.html"));
    let package = "node_modules/@modelcontextprotocol/ext-apps/dist/src/app-with-deps.js";
    folders.write(PLUGIN, "ext-apps.js", &read(package));
    folders
}

async fn start(permissions: &[&str]) -> (TestApp, Client, PluginFolders) {
    let folders = folders(permissions);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, PLUGIN).await;
    (app, user, folders)
}

async fn open(browser: &Browser, app: &TestApp, user: &Client) {
    browser.use_session(app, user).await;
    browser.prefer("prefers-color-scheme", "light").await;
    browser.open_panel(app, PLUGIN, "main").await;
    browser.text("#state", |text| text == "connected").await;
}

/// What an expression in the panel comes to.
async fn told(browser: &Browser, ask: &str) -> Value {
    browser.resolve(&TOLD.replace("ASK", ask), []).await
}

async fn run(browser: &Browser, tool: &str, arguments: Value) -> Value {
    told(browser, &format!("app.callServerTool({})", json!({ "name": tool, "arguments": arguments }))).await
}

#[tokio::test]
async fn the_published_client_of_mcp_apps_runs_declared_tools() {
    let (app, user, _folders) = start(ALL).await;
    browse("mcp", Popups::Allowed, async |browser| {
        open(browser, &app, &user).await;
        let host = told(
            browser,
            "({ ...app.getHostVersion(), ...app.getHostContext(), can: app.getHostCapabilities() })",
        )
        .await;
        assert_eq!(
            (&host["name"], &host["theme"], &host["displayMode"]),
            (&json!("taiku"), &json!("light"), &json!("inline"))
        );
        assert_eq!(host["can"], json!({ "openLinks": {}, "serverTools": {} }));
        assert!(host["containerDimensions"]["width"].as_u64().is_some_and(|width| width > 100), "{host}");

        let refused = run(browser, "DEMO_LIST_ISSUES", json!({})).await;
        assert_eq!(refused["data"]["code"], "connection_missing", "{refused}");
        connect(&app, &user).await;
        let made = run(browser, "DEMO_CREATE_AN_ISSUE", json!({ "title": "By MCP" })).await;
        assert_eq!((&made["structuredContent"]["title"], &made["isError"]), (&json!("By MCP"), &Value::Null));
        let text = made["content"][0]["text"].as_str().unwrap_or_default();
        assert_eq!(serde_json::from_str::<Value>(text).ok().as_ref(), Some(&made["structuredContent"]));
        assert_eq!(app.demo.count("issuesCreated").await, 1);
        let failed = run(browser, "DEMO_GET_AN_ISSUE", json!({ "number": 99 })).await;
        assert_eq!(failed["isError"], true, "{failed}");
        assert!(
            failed["content"][0]["text"].as_str().is_some_and(|text| text.contains("99") || !text.is_empty())
        );
        let wrong = run(browser, "DEMO_GET_AN_ISSUE", json!({ "number": "one" })).await;
        assert_eq!(
            (&wrong["code"], &wrong["data"]["pointer"]),
            (&json!(-32602), &json!("/arguments/number"))
        );
    })
    .await;
}

#[tokio::test]
async fn what_an_mcp_panel_may_not_is_refused_without_a_request() {
    let (app, user, _folders) = start(&["integrations.read"]).await;
    browse("mcp-refused", Popups::Allowed, async |browser| {
        open(browser, &app, &user).await;
        api_requests(browser).await;
        let missing = run(browser, "DEMO_LIST_ISSUES", json!({})).await;
        assert_eq!(
            (&missing["code"], &missing["data"]["code"]),
            (&json!(-32000), &json!("permission_missing"))
        );
        for ask in ["app.readServerResource({ uri: 'ui://x' })", "app.updateModelContext({})"] {
            let unknown = told(browser, ask).await;
            assert_eq!(unknown["code"], -32601, "{ask}: {unknown}");
        }
        assert_eq!(api_requests(browser).await, Vec::<String>::new());
    })
    .await;
    let (app, user, _folders) = start(ALL).await;
    browse("mcp-undeclared", Popups::Allowed, async |browser| {
        open(browser, &app, &user).await;
        api_requests(browser).await;
        let undeclared = run(browser, "SLACK_SEND_A_MESSAGE", json!({ "text": "x" })).await;
        assert_eq!(undeclared["data"]["code"], "toolkit_not_declared", "{undeclared}");
        assert_eq!(undeclared["message"], "tests.mcp did not declare the toolkit slack.");
        assert_eq!(api_requests(browser).await, Vec::<String>::new(), "nothing went onto the wire");
        // One id is under way once, and the number 1 is another one than the text.
        let twice = "new Promise((done) => {
            const heard = [];
            addEventListener('message', ({ data }) => {
              if (data?.jsonrpc && heard.push([data.id, data.error?.data.code]) === 3) done(heard);
            });
            const params = { name: 'DEMO_LIST_ISSUES' };
            for (const id of [901, 901, '901']) {
              parent.postMessage({ jsonrpc: '2.0', id, method: 'tools/call', params }, '*');
            }
          })";
        let heard = told(browser, twice).await;
        assert_eq!(heard[0], json!([901, "duplicate_id"]), "{heard}");
        assert!(
            heard.as_array().is_some_and(|all| all.contains(&json!(["901", "connection_missing"]))),
            "{heard}"
        );
    })
    .await;
}

#[tokio::test]
async fn an_mcp_panel_that_asks_too_much_is_told_so_each_time() {
    let (app, user, _folders) = start(&[]).await;
    browse("mcp-limits", Popups::Allowed, async |browser| {
        open(browser, &app, &user).await;
        let asked = "new Promise((done) => {
            const count = 5000;
            const codes = new Map();
            addEventListener('message', ({ data }) => {
              if (!`${data?.id}`.startsWith('many')) return;
              codes.set(data.id, data.error?.data.code ?? 'answered');
              const all = [...codes.values()];
              if (codes.size === count) done([...new Set(all)].sort());
            });
            for (let n = 0; n < count; n += 1) {
              parent.postMessage({ jsonrpc: '2.0', id: `many${n}`, method: 'ping' }, '*');
            }
          })";
        assert_eq!(told(browser, asked).await, json!(["answered", "rate_limited"]));
    })
    .await;
}

#[tokio::test]
async fn a_link_of_an_mcp_panel_is_named_and_opens_by_a_click_on_the_page() {
    let (app, user, _folders) = start(&[]).await;
    browse("mcp-link", Popups::Allowed, async |browser| {
        open(browser, &app, &user).await;
        for url in [
            "javascript:alert(1)",
            "http://example.com/",
            "data:text/html,x",
            "/connections",
            "https://taiku.example@evil.example/",
        ] {
            let refused = told(browser, &format!("app.openLink({})", json!({ "url": url }))).await;
            assert_eq!(
                (&refused["code"], &refused["data"]["pointer"]),
                (&json!(-32602), &json!("/url")),
                "{url}"
            );
        }
        let health = app.url.join("healthz").expect("a path");
        for url in ["https://example.com/a?b=c", health.as_str()] {
            assert_eq!(told(browser, &format!("app.openLink({})", json!({ "url": url }))).await, json!({}));
        }
        assert_eq!(browser.windows().await, 1, "nothing opens by itself");
        browser.leave().await;
        let text = browser.text(".notices", |text| text.contains("wants to open a page of")).await;
        assert!(text.contains(health.host_str().unwrap_or_default()), "{text}");
        assert!(!text.contains("example.com"), "a plugin offers one page at a time: {text}");
        browser.click(".notices a").await;
        browser.enter_popup().await;
        assert_eq!(browser.run("return opener", []).await, Value::Null);
        assert_eq!(browser.address().await, health);
    })
    .await;
}

#[tokio::test]
async fn an_mcp_panel_hears_of_the_theme_and_its_size_is_no_call_to_answer() {
    let (app, user, _folders) = start(&["ui.panel"]).await;
    browse("mcp-context", Popups::Allowed, async |browser| {
        open(browser, &app, &user).await;
        let heard = "return contexts.findLast((context) => context.theme === 'dark')";
        browser.prefer("prefers-color-scheme", "dark").await;
        assert_eq!(browser.until("the theme", heard).await, json!({ "theme": "dark" }));
        let answers = "new Promise((done) => {
            const heard = [];
            addEventListener('message', ({ data }) => heard.push(data));
            app.sendSizeChanged({ width: 300, height: 240 })
              .then(() => app.request({ method: 'ping' }, { parse: (value) => value }))
              .then(() => done(heard.filter((data) => data?.jsonrpc && data.error)), done);
          })";
        let answers = told(browser, answers).await;
        assert_eq!(answers, json!([]), "a notification has no answer");
    })
    .await;
}
