//! The host page and its panels in a real Chromium against the real binary.

mod accessibility;
mod attention;
mod bridge;
mod busy;
mod consent;
mod containment;
mod events;
mod foreign;
mod forgery;
mod guide;
mod host;
mod hotkeys;
mod identity;
mod installing;
mod isolation;
mod look;
mod mcp;
mod overload;
mod pages;
mod pattern;
mod popup;
mod positions;
mod refusals;
mod sdk;
mod shipped;
mod stored;
mod story;
mod trial;
mod upstream;
mod ways_out;

use serde_json::{Value, json};
use taiku_tests::{Browser, Client, PROBE, PluginFolders, TestApp};

const ALL: &[&str] = &["integrations.read", "integrations.connect", "integrations.execute"];

/// The probe's plugin with every integrations permission.
const X: &str = "tests.x";
/// Another one, so that there are two.
const Y: &str = "tests.y";

/// Two plugins that a test can speak for, granted, and their user.
async fn probes() -> (TestApp, Client, PluginFolders) {
    let folders =
        PluginFolders::new().with(X, ALL, &["demo", "github"], PROBE).with(Y, ALL, &["demo"], PROBE);
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, X).await;
    app.grant_all(&user, Y).await;
    (app, user, folders)
}

/// Lets the probe in the frame of now call a method, with fields that stand over its own.
async fn ask(browser: &Browser, method: &str, params: Value, change: Value) -> Value {
    browser
        .resolve("return ask(arguments[0], arguments[1], arguments[2]);", [json!(method), params, change])
        .await
}

/// Waits until the probe in the frame of now has its identity, and gives it.
async fn introduced(browser: &Browser) -> Value {
    browser.until("taiku:init", "return init").await
}

/// What the page asks by itself, whatever its panels do: it listens, and reads again when it may have missed something.
const UPKEEP: &[&str] = &["/api/v1/events", "/api/v1/plugins", "/api/v1/session"];

/// The requests to the API since this was asked last that panels may have caused.
async fn api_requests(browser: &Browser) -> Vec<String> {
    let mut requests = browser.requests().await;
    requests.retain(|request| request.contains("/api/v1/"));
    requests
        .retain(|request| !request.starts_with("GET ") || !UPKEEP.iter().any(|path| request.ends_with(path)));
    requests
}
