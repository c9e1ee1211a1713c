//! Plugins that their authors try out: who sees them, and who learns of their calls.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::{Answer, Listening, TestApp, User};
use crate::plugin::{Files, archive};

const TRIAL: &str = "/api/v1/trials/test.trial";
const CALLS: &str = "/api/v1/trials/test.trial/calls";
const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

fn manifest(id: &str, permissions: &[&str]) -> Value {
    json!({
        "id": id, "name": "Trial", "version": "1.0.0", "permissions": permissions, "integrations": ["demo"],
        "panels": [{"id": "main", "title": "Trial", "position": "sidebar", "htmlUrl": "panel.html"}],
    })
}

fn packed(manifest: &Value, panel: &str) -> Vec<u8> {
    let files = [("manifest.json", manifest.to_string()), ("panel.html", panel.to_owned())];
    let files = files.map(|(path, text)| (path.to_owned(), text.into()));
    archive::write(&Files::new(BTreeMap::from(files))).unwrap()
}

async fn put(user: &User, path: &str, packed: Vec<u8>) -> Answer {
    user.ask(Method::PUT, path).body("application/zip", packed).send().await
}

async fn ids(user: &User) -> Vec<Value> {
    let plugins = user.get("/api/v1/plugins").await.ok()["plugins"].as_array().unwrap().clone();
    plugins.into_iter().map(|plugin| plugin["id"].clone()).collect()
}

async fn panel(user: &User, files: &Value) -> Answer {
    let path = format!("{}/panel.html", files.as_str().unwrap());
    user.ask(Method::GET, &path).header("host", "127.0.0.1:8080").send().await
}

fn call(method: &str) -> Value {
    json!({"at": 1.5, "panel": "main", "method": method, "params": {"a": 1}, "ms": 2.5})
}

#[tokio::test]
async fn a_plugin_on_trial_is_its_authors_alone() {
    let (_, ada, bob) = TestApp::start().await;
    let tool = ada.with_key().await;
    let first = packed(&manifest("test.trial", &["integrations.execute"]), "<p>first");
    assert_eq!(put(&bob, TRIAL, first.clone()).await.status, 403, "members do not try plugins out");
    assert_eq!(put(&tool, TRIAL, first.clone()).await.status, 204);
    assert!(
        ids(&ada).await.contains(&json!("test.trial")) && !ids(&bob).await.contains(&json!("test.trial"))
    );
    assert_eq!(bob.get("/api/v1/plugins/test.trial").await.status, 404);
    let plugin = ada.get("/api/v1/plugins/test.trial").await.ok();
    assert_eq!((&plugin["source"], &plugin["grant"]), (&json!("trial"), &Value::Null));
    assert!(panel(&ada, &plugin["files"]).await.text().contains("<p>first"));

    // The gate is the manifest's and the grant's, as for every plugin.
    let run = async |user: &User| {
        user.ask(Method::POST, LIST).header("taiku-plugin", "test.trial").json(&json!({})).send().await.code()
    };
    assert_eq!(
        (run(&ada).await.as_str(), run(&bob).await.as_str()),
        ("grant_missing", "plugin_not_installed")
    );
    let grant =
        json!({"version": "1.0.0", "permissions": ["integrations.execute"], "integrations": ["demo"]});
    assert_eq!(ada.put("/api/v1/plugins/test.trial/grant", &grant).await.status, 200);
    assert_eq!(run(&ada).await, "connection_missing", "it passed the gate");

    // The next content comes under the same version, and nothing is asked again while nothing more is asked for.
    let mut heard = ada.listen().await;
    let second = packed(&manifest("test.trial", &["integrations.execute"]), "<p>second");
    assert_eq!(put(&tool, TRIAL, second).await.status, 204);
    assert_eq!(until(&mut heard, "plugins_changed").await, json!({}));
    let next = ada.get("/api/v1/plugins/test.trial").await.ok();
    assert_eq!((&next["change"], next["grant"].is_object()), (&Value::Null, true));
    assert!(panel(&ada, &next["files"]).await.text().contains("<p>second"));
    assert!(
        panel(&ada, &plugin["files"]).await.text().contains("<p>first"),
        "open panels may still load from it"
    );
    let more = packed(&manifest("test.trial", &["integrations.execute", "session.read"]), "<p>third");
    assert_eq!(put(&tool, TRIAL, more).await.status, 204);
    let grown = ada.get("/api/v1/plugins/test.trial").await.ok();
    assert_eq!(grown["change"]["added"]["permissions"], json!(["session.read"]));

    assert_eq!(tool.delete(TRIAL).await.status, 204);
    assert_eq!(tool.delete(TRIAL).await.status, 404);
    assert_eq!(ada.get("/api/v1/plugins/test.trial").await.status, 404);
    assert_eq!(panel(&ada, &grown["files"]).await.status, 404);
}

async fn until(heard: &mut Listening, name: &str) -> Value {
    loop {
        let (heard, data) = heard.next().await.expect("the stream has ended");
        if heard == name {
            return data;
        }
    }
}

#[tokio::test]
async fn a_trial_stands_in_the_place_of_what_is_installed_while_it_lasts() {
    let (_, ada, bob) = TestApp::start().await;
    let path = "/api/v1/trials/Example.Integrations";
    let own = packed(&manifest("Example.Integrations", &[]), "<p>mine");
    assert_eq!(put(&ada, path, own).await.status, 204);
    let source =
        async |user: &User| user.get("/api/v1/plugins/example.integrations").await.ok()["source"].clone();
    assert_eq!((source(&ada).await, source(&bob).await), (json!("trial"), json!("registry")));
    assert_eq!(ada.delete(path).await.status, 204);
    assert_eq!(source(&ada).await, json!("registry"));
}

#[tokio::test]
async fn what_is_no_plugin_is_refused_with_its_fault() {
    let (_, ada, _) = TestApp::start().await;
    let wrong = manifest("test.other", &[]);
    for (packed, words) in [
        (b"PK".to_vec(), "not a .zip archive"),
        (packed(&wrong, ""), "The manifest's id is test.other"),
        (packed(&json!({"id": "test.trial"}), ""), "faults; the first: /"),
    ] {
        let answer = put(&ada, TRIAL, packed).await;
        assert!(answer.status == 422 && answer.text().contains(words), "{words}: {}", answer.text());
    }
    assert_eq!(put(&ada, "/api/v1/trials/no%20id", packed(&wrong, "")).await.status, 404);
    let as_json = ada.ask(Method::PUT, TRIAL).body("text/plain", "PK").send().await;
    assert_eq!(as_json.status, 415);
}

#[tokio::test]
async fn calls_are_numbered_and_read_by_their_author_alone() {
    let (app, ada, bob) = TestApp::start().await;
    let tool = ada.with_key().await;
    let calls = async |methods: &[&str]| {
        let calls: Vec<Value> = methods.iter().map(|method| call(method)).collect();
        ada.post(CALLS, &json!({"calls": calls})).await.status
    };
    assert_eq!(calls(&["early"]).await, 404);
    assert_eq!(tool.get(CALLS).await.status, 404);
    assert_eq!(put(&tool, TRIAL, packed(&manifest("test.trial", &[]), "")).await.status, 204);
    assert_eq!(calls(&["a", "b"]).await, 204);
    assert_eq!(bob.post(CALLS, &json!({"calls": [call("forged")]})).await.status, 404);
    assert_eq!(bob.get(CALLS).await.status, 404);
    assert_eq!(app.visitor().get(CALLS).await.status, 401);
    let found = tool.get(CALLS).await.ok();
    assert_eq!(
        found["calls"][1],
        json!({"number": 2, "at": 1.5, "panel": "main", "method": "b", "params": {"a": 1}, "ms": 2.5})
    );
    let newer = ada.get(&format!("{CALLS}?after=1")).await.ok();
    assert_eq!(
        (newer["calls"].as_array().map(Vec::len), &newer["calls"][0]["method"]),
        (Some(1), &json!("b"))
    );

    // Who asks for what is not there yet is answered when it comes.
    let waiting = tokio::spawn({
        let tool = tool.clone();
        async move { tool.get(&format!("{CALLS}?after=2")).await.ok() }
    });
    tokio::task::yield_now().await;
    assert_eq!(calls(&["c"]).await, 204);
    assert_eq!(waiting.await.unwrap()["calls"][0]["number"], 3);
    assert_eq!(ada.post(CALLS, &json!({"calls": [{"at": "x"}]})).await.status, 422);
}
