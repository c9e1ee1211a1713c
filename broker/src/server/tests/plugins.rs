//! Plugins: what users allow them, and that the broker holds them to it by itself.

use http::Method;
use serde_json::{Value, json};
use taiku_bridge::{Call, Caller, Grant, Manifest, Slug, call};

use super::{Answer, TestApp, User};

const ID: &str = "test.plugin";
const GRANT: &str = "/api/v1/plugins/test.plugin/grant";
const PERMISSIONS: [&str; 3] = ["integrations.read", "integrations.connect", "integrations.execute"];

fn manifest(version: &str, permissions: &[&str], integrations: &[&str]) -> Value {
    json!({
        "id": ID, "name": "Test", "version": version, "permissions": permissions, "integrations": integrations,
        "panels": [{"id": "p", "title": "P", "position": "sidebar", "htmlUrl": "panel.html"}],
    })
}

fn grant(version: &str, permissions: &[&str], integrations: &[&str]) -> Value {
    json!({"version": version, "permissions": permissions, "integrations": integrations})
}

async fn as_plugin(user: &User, method: Method, path: &str) -> Answer {
    let ask = user.ask(method.clone(), path).header("taiku-plugin", ID);
    if method == Method::GET { ask.send().await } else { ask.json(&json!({})).send().await }
}

/// The four methods of the bridge as a plugin's calls, each with its answer.
async fn call_all(user: &User, toolkit: &str) -> [(taiku_bridge::Method, Answer); 4] {
    let of = |path: &str| format!("/api/v1/toolkits/{toolkit}/{path}");
    [
        (taiku_bridge::Method::IntegrationsList, as_plugin(user, Method::GET, "/api/v1/connections").await),
        (taiku_bridge::Method::IntegrationsConnect, as_plugin(user, Method::POST, &of("connections")).await),
        (taiku_bridge::Method::IntegrationsTools, as_plugin(user, Method::GET, &of("tools")).await),
        (
            taiku_bridge::Method::IntegrationsExecute,
            as_plugin(user, Method::POST, &of("tools/DEMO_LIST_ISSUES")).await,
        ),
    ]
}

/// What the host page decides on the same call.
fn host_verdict(
    manifest: &Manifest,
    grant: Option<&Grant>,
    method: taiku_bridge::Method,
    toolkit: &str,
) -> String {
    let caller = Caller { integrations_enabled: true, signed_in: true, manifest, grant };
    let toolkit = Slug::parse(toolkit).unwrap();
    let decided = caller.decide_with(method, || {
        Ok(match method {
            taiku_bridge::Method::IntegrationsConnect => {
                Call::Connect(call::Connect { toolkit, callback_url: None })
            }
            taiku_bridge::Method::IntegrationsTools => {
                Call::Tools(call::Tools { toolkit, search: None, limit: 50 })
            }
            taiku_bridge::Method::IntegrationsExecute => {
                let text = format!(r#"{{"toolkit":"{toolkit}","action":"DEMO_LIST_ISSUES"}}"#);
                Call::parse(method, &text)?
            }
            _ => Call::List,
        })
    });
    decided.err().map(|refusal| refusal.code.as_str().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn the_broker_decides_as_the_host_does_for_every_combination() {
    let (app, _, bob) = TestApp::start().await;
    let mut verdicts = std::collections::BTreeMap::<String, usize>::new();
    for subset in 0..8_usize {
        let held: Vec<&str> =
            (0..3).filter(|bit| subset & (1 << bit) != 0).map(|bit| PERMISSIONS[bit]).collect();
        let version = format!("1.0.{subset}");
        let text = manifest(&version, &held, &["demo"]);
        app.write_plugin(&text, "<p>").await;
        let parsed = Manifest::parse(&text.to_string()).unwrap().manifest;
        for granted in [false, true] {
            let all = Grant::all_of(&parsed);
            if granted {
                bob.put(GRANT, &grant(&version, &held, &["demo"])).await.ok();
            } else {
                assert_eq!(bob.delete(GRANT).await.status, 204);
            }
            for toolkit in ["demo", "github"] {
                for (method, answer) in call_all(&bob, toolkit).await {
                    let expected = host_verdict(&parsed, granted.then_some(&all), method, toolkit);
                    let found = match answer.code().as_str() {
                        // What comes after the gate: nothing is connected here.
                        "connection_missing" | "rate_limited" => String::new(),
                        code => code.to_owned(),
                    };
                    assert_eq!(found, expected, "{held:?} granted: {granted} {toolkit} {method:?}");
                    *verdicts.entry(found).or_default() += 1;
                }
            }
        }
    }
    assert_eq!(verdicts.values().sum::<usize>(), 128);
    let kinds: Vec<&str> = verdicts.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["", "grant_missing", "permission_missing", "toolkit_not_declared"]);
    assert_eq!(app.demo.seen().len(), 0, "the provider heard of none of them");
}

#[tokio::test]
async fn what_a_plugin_may_is_said_before_what_is_wrong_with_its_call() {
    let (app, _, bob) = TestApp::start().await;
    app.write_plugin(&manifest("1.0.0", &["integrations.read"], &["demo"]), "<p>").await;
    for path in ["/api/v1/toolkits/no%20slug/connections", "/api/v1/toolkits/no%20slug/tools/X"] {
        let ask = bob.ask(Method::POST, path).header("taiku-plugin", ID);
        let wrong = json!({"callbackUrl": 1, "arguments": []});
        ask.clone().json(&wrong).send().await.refused("permission_missing");
    }
    let tools = bob.ask(Method::GET, "/api/v1/toolkits/demo/tools?limit=x").header("taiku-plugin", ID);
    tools.clone().send().await.refused("grant_missing");
    bob.put(GRANT, &grant("1.0.0", &["integrations.read"], &["demo"])).await.ok();
    tools.send().await.refused("invalid_params");
}

#[tokio::test]
async fn a_plugin_is_named_by_one_valid_id() {
    let (_, _, bob) = TestApp::start().await;
    let list = |plugin: &str| bob.ask(Method::GET, "/api/v1/connections").header("taiku-plugin", plugin);
    list("no.such.plugin").send().await.refused("plugin_not_installed");
    for wrong in ["", ".", "../x", "a b", "example.integrations."] {
        list(wrong).send().await.refused("bad_message");
    }
    list("example.integrations").send().await.refused("grant_missing");
    let mut twice = list("example.integrations").request();
    twice.headers_mut().append("taiku-plugin", http::HeaderValue::from_static("example.integrations"));
    bob.app.send(twice).await.refused("bad_message");
}

#[tokio::test]
async fn users_allow_a_part_of_what_is_asked_and_never_more() {
    let (app, ada, bob) = TestApp::start().await;
    let asked = ["integrations.read", "integrations.execute", "future.permission"];
    app.write_plugin(&manifest("1.0.0", &asked, &["demo", "github"]), "<p>").await;
    for (body, pointer) in [
        (grant("1.0.0", &["integrations.connect"], &[]), "/permissions/0"),
        (grant("1.0.0", &["integrations.read", "storage.read"], &[]), "/permissions/1"),
        (grant("1.0.0", &[], &["demo", "slack"]), "/integrations/1"),
    ] {
        let answer = bob.put(GRANT, &body).await;
        assert_eq!(answer.refused("invalid_params")["pointer"], pointer);
        assert_eq!(answer.status, 422);
    }
    for version in ["0.9.0", "1.0.1", "", "1.0.0 "] {
        let answer = bob.put(GRANT, &grant(version, &[], &[])).await;
        answer.refused("conflict");
        assert_eq!(answer.status, 409);
    }
    let mine = async |user: &User| user.get("/api/v1/plugins/test.plugin").await.ok();
    assert_eq!(mine(&bob).await["grant"], Value::Null);
    let stored =
        bob.put(GRANT, &grant("1.0.0", &["integrations.read", "future.permission"], &["demo"])).await;
    assert_eq!(
        stored.ok()["permissions"],
        json!(["integrations.read"]),
        "what this host lacks is not granted"
    );
    let plugin = mine(&bob).await;
    assert_eq!(plugin["grant"]["integrations"], json!(["demo"]));
    assert_eq!(plugin["change"]["added"]["integrations"], json!(["github"]));
    assert_eq!(plugin["change"]["added"]["permissions"], json!(["integrations.execute"]));
    assert_eq!(mine(&ada).await["grant"], Value::Null, "a grant is its user's own");
    as_plugin(&bob, Method::GET, "/api/v1/connections").await.ok();
    as_plugin(&ada, Method::GET, "/api/v1/connections").await.refused("grant_missing");
    assert_eq!(bob.delete(GRANT).await.status, 204);
    as_plugin(&bob, Method::GET, "/api/v1/connections").await.refused("grant_missing");
    assert_eq!(bob.delete(GRANT).await.status, 204);
    bob.delete("/api/v1/plugins/none.none/grant").await.refused("not_found");
    bob.put("/api/v1/plugins/none.none/grant", &grant("1.0.0", &[], &[])).await.refused("not_found");
}

#[tokio::test]
async fn a_new_version_keeps_the_grant_and_gets_no_more() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.write_plugin(&manifest("1.0.0", &PERMISSIONS, &["demo"]), "<p>").await;
    bob.put(GRANT, &grant("1.0.0", &PERMISSIONS, &["demo"])).await.ok();
    app.write_plugin(&manifest("1.1.0", &PERMISSIONS, &["demo", "github"]), "<b>").await;
    let plugin = bob.get("/api/v1/plugins/test.plugin").await.ok();
    assert_eq!((&plugin["version"], &plugin["grant"]["version"]), (&json!("1.1.0"), &json!("1.0.0")));
    assert_eq!(plugin["change"]["added"], json!({"permissions": [], "integrations": ["github"]}));
    let run = "tools/DEMO_LIST_ISSUES";
    as_plugin(&bob, Method::POST, &format!("/api/v1/toolkits/demo/{run}")).await.ok();
    as_plugin(&bob, Method::POST, "/api/v1/toolkits/github/tools/X").await.refused("grant_missing");
    bob.put(GRANT, &grant("1.1.0", &PERMISSIONS, &["demo", "github"])).await.ok();
    as_plugin(&bob, Method::POST, "/api/v1/toolkits/github/tools/X").await.refused("toolkit_disabled");
    let activity = bob.get("/api/v1/activity").await.ok();
    assert!(activity["entries"].as_array().unwrap().iter().any(|entry| entry["plugin"] == ID));
}

#[tokio::test]
async fn content_that_changed_under_its_version_waits_for_an_admin() {
    let (app, ada, bob) = TestApp::start().await;
    let text = manifest("1.0.0", &PERMISSIONS, &["demo"]);
    app.write_plugin(&text, "<p>honest").await;
    bob.put(GRANT, &grant("1.0.0", &PERMISSIONS, &["demo"])).await.ok();
    let files = async || bob.get("/api/v1/plugins/test.plugin").await.ok()["files"].clone();
    let honest = files().await;
    app.write_plugin(&text, "<p>changed").await;
    assert_eq!(files().await, honest, "what the user saw is what is served");
    let admins = ada.get("/api/v1/admin/plugins").await.ok();
    let failed = admins["failed"].to_string();
    assert!(failed.contains("changed under the same version 1.0.0"), "{admins}");
    assert_eq!(admins["failed"][0]["reload"], ID);
    let reload = "/api/v1/admin/plugins/test.plugin/reload";
    bob.post(reload, &json!({})).await.refused("forbidden");
    assert_eq!(files().await, honest);
    assert_eq!(ada.post(reload, &json!({})).await.status, 204);
    let changed = files().await;
    assert_ne!(changed, honest);
    let panel = bob.ask(Method::GET, &format!("{}/panel.html", changed.as_str().unwrap()));
    assert!(panel.header("host", "127.0.0.1:8080").send().await.text().contains("changed"));
    let audit = ada.get("/api/v1/admin/audit").await.ok();
    assert_eq!(
        (&audit["entries"][0]["action"], &audit["entries"][0]["subject"]),
        (&json!("plugin.reload"), &json!(ID))
    );
    assert_eq!(audit["entries"][0]["actor"], ada.id);
    ada.post("/api/v1/admin/plugins/none.none/reload", &json!({})).await.refused("not_found");
    let admins = ada.get("/api/v1/admin/plugins").await.ok();
    assert_eq!(admins["failed"], json!([]));
}

#[tokio::test]
async fn a_plugin_that_was_removed_reaches_nothing() {
    let (app, ada, bob) = TestApp::start().await;
    app.write_plugin(&manifest("1.0.0", &PERMISSIONS, &["demo"]), "<p>").await;
    bob.put(GRANT, &grant("1.0.0", &PERMISSIONS, &["demo"])).await.ok();
    as_plugin(&bob, Method::GET, "/api/v1/connections").await.ok();
    std::fs::remove_dir_all(app.plugin_dir().join(ID)).unwrap();
    app.broker.plugins.on_disk().await;
    as_plugin(&bob, Method::GET, "/api/v1/connections").await.refused("plugin_not_installed");
    bob.get("/api/v1/plugins/test.plugin").await.refused("not_found");
    // A folder that cannot be loaded is listed with its error.
    let broken = json!({"id": ID, "name": "Test"});
    app.write_plugin(&broken, "<p>").await;
    let failed = ada.get("/api/v1/admin/plugins").await.ok()["failed"].clone();
    assert_eq!(failed.as_array().unwrap().len(), 1, "{failed}");
    assert!(failed.to_string().contains("version"), "{failed}");
}
