//! What plugins store: whose it is, who reaches it, and how much of it there may be.

use http::Method;
use serde_json::{Value, json};

use super::{Answer, Ask, TestApp, User};
use crate::events::Event;

const ID: &str = "test.store";
const ALL: [&str; 4] = ["kv.read", "kv.write", "storage.read", "storage.write"];
const SHELVES: [&str; 3] = ["user-data", "kv", "files"];

fn manifest(id: &str, permissions: &[&str]) -> Value {
    json!({
        "id": id, "name": "Store", "version": "1.0.0", "permissions": permissions,
        "panels": [{"id": "p", "title": "P", "position": "sidebar", "htmlUrl": "panel.html"}],
    })
}

pub(super) async fn allow(user: &User, id: &str, permissions: &[&str]) {
    let body = json!({"version": "1.0.0", "permissions": permissions, "integrations": []});
    user.put(&format!("/api/v1/plugins/{id}/grant"), &body).await.ok();
}

/// A server with the plugin `test.store`, which ada and bob have allowed everything.
async fn start() -> (TestApp, User, User) {
    let (app, ada, bob) = TestApp::start().await;
    app.write_plugin(&manifest(ID, &ALL), "<p>").await;
    for user in [&ada, &bob] {
        allow(user, ID, &ALL).await;
    }
    (app, ada, bob)
}

fn path(shelf: &str, name: &str) -> String {
    format!("/api/v1/plugins/{ID}/{shelf}/{}", taiku_bridge::api::segment(name))
}

fn ask(user: &User, method: Method, path: &str) -> Ask {
    user.ask(method, path).header("taiku-plugin", ID)
}

async fn get(user: &User, shelf: &str, name: &str) -> Answer {
    ask(user, Method::GET, &path(shelf, name)).send().await
}

async fn put(user: &User, shelf: &str, name: &str, value: Value) -> Answer {
    ask(user, Method::PUT, &path(shelf, name)).json(&json!({ "value": value })).send().await
}

async fn list(user: &User, shelf: &str, search: &str) -> Value {
    ask(user, Method::GET, &format!("/api/v1/plugins/{ID}/{shelf}{search}")).send().await.ok()
}

#[tokio::test]
async fn what_a_plugin_stores_is_there_again_and_is_the_users() {
    let (_, ada, bob) = start().await;
    for shelf in SHELVES {
        assert_eq!(get(&bob, shelf, "notes/a.txt").await.ok(), Value::Null, "{shelf}");
        assert_eq!(put(&bob, shelf, "notes/a.txt", json!("ä\n\0")).await.status, 204);
        assert_eq!(get(&bob, shelf, "notes/a.txt").await.ok(), "ä\n\0", "{shelf}");
        let others = get(&ada, shelf, "notes/a.txt").await.ok();
        assert_eq!(others, if shelf == "kv" { json!("ä\n\0") } else { Value::Null }, "{shelf}");
        let gone = ask(&bob, Method::DELETE, &path(shelf, "notes/a.txt"));
        assert_eq!(gone.clone().send().await.status, 204);
        assert_eq!(gone.send().await.status, 204, "again is as good");
        assert_eq!(get(&bob, shelf, "notes/a.txt").await.ok(), Value::Null, "{shelf}");
    }
}

#[tokio::test]
async fn a_value_is_kept_as_the_text_that_was_sent_and_null_deletes_it() {
    let (_, _, bob) = start().await;
    let text = r#"{ "big": 12345678901234567890123, "one": 1.0 }"#;
    for shelf in ["user-data", "kv"] {
        let body = format!(r#"{{"value":{text}}}"#).into_bytes();
        ask(&bob, Method::PUT, &path(shelf, "k")).body("application/json", body).send().await.ok();
        let answer = get(&bob, shelf, "k").await;
        assert_eq!((answer.text().as_str(), answer.header("content-type")), (text, Some("application/json")));
        put(&bob, shelf, "k", Value::Null).await.ok();
        assert_eq!(list(&bob, shelf, "").await["keys"], json!([]), "{shelf}");
    }
}

#[tokio::test]
async fn a_file_is_text_or_base64() {
    let (app, _, bob) = start().await;
    let write = async |value: &str, encoding: &str| {
        let body = json!({"value": value, "encoding": encoding});
        ask(&bob, Method::PUT, &path("files", "f")).json(&body).send().await
    };
    let read = async |encoding: &str| {
        ask(&bob, Method::GET, &format!("{}?encoding={encoding}", path("files", "f"))).send().await
    };
    write("aGk=", "base64").await.ok();
    assert_eq!((read("utf8").await.ok(), read("base64").await.ok()), (json!("hi"), json!("aGk=")));
    app.advance(1_000);
    write("/w==", "base64").await.ok();
    assert_eq!(read("base64").await.ok(), "/w==");
    assert_eq!(read("utf8").await.refused("invalid_params")["pointer"], "/encoding");
    assert_eq!(read("latin1").await.refused("invalid_params")["pointer"], "/encoding");
    assert_eq!(write("a", "base64").await.refused("invalid_params")["pointer"], "/value");
    let big = "x".repeat(1_000_001);
    assert_eq!(write(&big, "utf8").await.refused("invalid_params")["pointer"], "/value");
    assert_eq!(write(&big[1..], "utf8").await.status, 204);
    let file = list(&bob, "files", "").await["files"][0].clone();
    assert_eq!(file, json!({"name": "f", "size": 1_000_000, "updatedAt": "2027-01-15T08:00:01Z"}));
}

#[tokio::test]
async fn names_are_listed_in_pages_with_what_is_used() {
    let (_, _, bob) = start().await;
    for name in ["a/1", "a/2", "b"] {
        put(&bob, "kv", name, json!(1)).await.ok();
    }
    let first = list(&bob, "kv", "?prefix=a%2F&limit=1").await;
    assert_eq!(first, json!({"keys": ["a/1"], "nextCursor": "a/1", "usedBytes": 10, "maxBytes": 10_485_760}));
    let second = list(&bob, "kv", "?prefix=a%2F&limit=1&cursor=a%2F1").await;
    assert_eq!((&second["keys"], &second["nextCursor"]), (&json!(["a/2"]), &Value::Null));
    let wrong = ask(&bob, Method::GET, &format!("/api/v1/plugins/{ID}/kv?limit=many")).send().await;
    assert_eq!(wrong.refused("invalid_params")["pointer"], "/limit");
}

#[tokio::test]
async fn the_gate_decides_for_every_shelf_and_verb() {
    let (app, ada, bob) = start().await;
    let held = ["kv.read", "storage.read"];
    app.write_plugin(&manifest("test.reads", &held), "<p>").await;
    app.write_plugin(&manifest("test.other", &ALL), "<p>").await;
    allow(&bob, "test.reads", &held).await;
    for shelf in SHELVES {
        let base = format!("/api/v1/plugins/test.reads/{shelf}");
        for (method, path) in [
            (Method::GET, base.clone()),
            (Method::GET, format!("{base}/k")),
            (Method::PUT, format!("{base}/k")),
            (Method::DELETE, format!("{base}/k")),
        ] {
            let send = async |user: &User, plugin: &str| {
                let ask = user.ask(method.clone(), &path).header("taiku-plugin", plugin);
                if method == Method::PUT { ask.json(&json!({"value": "x"})) } else { ask }.send().await
            };
            let writes = method == Method::PUT || method == Method::DELETE;
            let expected = if writes && shelf != "user-data" { "permission_missing" } else { "" };
            assert_eq!(send(&bob, "test.reads").await.code(), expected, "{method} {path}");
            send(&ada, "test.reads").await.refused(if expected.is_empty() {
                "grant_missing"
            } else {
                expected
            });
            send(&bob, "test.other").await.refused("identity_mismatch");
            send(&bob, "no.such.plugin").await.refused("plugin_not_installed");
            send(&app.visitor(), "test.reads").await.refused("not_signed_in");
        }
    }
}

#[tokio::test]
async fn what_a_plugin_may_is_said_before_what_is_wrong_with_its_call() {
    let (_, _, bob) = start().await;
    bob.delete(&format!("/api/v1/plugins/{ID}/grant")).await.ok();
    put(&bob, "kv", "..", json!(1)).await.refused("grant_missing");
    allow(&bob, ID, &ALL).await;
    let long = "x".repeat(201);
    for (name, pointer) in [("a\u{7}", "/key"), (long.as_str(), "/key")] {
        assert_eq!(put(&bob, "kv", name, json!(1)).await.refused("invalid_params")["pointer"], pointer);
    }
    let big = put(&bob, "user-data", "k", json!("x".repeat(65_536))).await;
    assert_eq!(big.refused("invalid_params")["pointer"], "/value");
}

#[tokio::test]
async fn users_see_and_delete_what_is_stored_for_them_and_only_plugins_store() {
    let (app, ada, bob) = start().await;
    for shelf in SHELVES {
        put(&bob, shelf, "k", json!("mine")).await.ok();
    }
    put(&ada, "files", "k", json!("ada's")).await.ok();
    bob.delete(&format!("/api/v1/plugins/{ID}/grant")).await.ok();
    std::fs::remove_dir_all(app.plugin_dir().join(ID)).unwrap();
    app.broker.plugins.on_disk().await;
    for shelf in ["user-data", "files"] {
        assert_eq!(bob.get(&path(shelf, "k")).await.ok(), "mine", "{shelf}");
        bob.put(&path(shelf, "k"), &json!({"value": "x"})).await.refused("bad_message");
        let all = format!("/api/v1/plugins/{ID}/{shelf}");
        let by_plugin = bob.ask(Method::DELETE, &all).header("taiku-plugin", ID).send().await;
        by_plugin.refused("bad_message");
        assert_eq!(bob.delete(&all).await.status, 204);
        assert_eq!(bob.get(&path(shelf, "k")).await.ok(), Value::Null, "{shelf}");
    }
    assert_eq!(ada.get(&path("files", "k")).await.ok(), "ada's");
    for method in [Method::GET, Method::DELETE] {
        bob.ask(method, &path("kv", "k")).send().await.refused("bad_message");
    }
    bob.get("/api/v1/plugins/a%00b/files").await.refused("not_found");
}

#[tokio::test]
async fn an_admin_deletes_what_a_plugin_shares_and_that_is_noted() {
    let (_, ada, bob) = start().await;
    put(&bob, "kv", "k", json!(1)).await.ok();
    let all = format!("/api/v1/admin/plugins/{ID}/kv");
    bob.delete(&all).await.refused("forbidden");
    assert_eq!(get(&bob, "kv", "k").await.ok(), 1);
    assert_eq!(ada.delete(&all).await.status, 204);
    assert_eq!(get(&bob, "kv", "k").await.ok(), Value::Null);
    let entry = ada.get("/api/v1/admin/audit").await.ok()["entries"][0].clone();
    assert_eq!((&entry["action"], &entry["subject"]), (&json!("plugin.kv_delete"), &json!(ID)));
    assert_eq!(entry["detail"], json!({"keys": 1, "bytes": 2}));
}

#[tokio::test]
async fn a_full_shelf_says_what_is_full_and_what_to_do() {
    let (app, _, bob) = start().await;
    put(&bob, "user-data", "k", json!("x")).await.ok();
    app.sql("update plugin_shelves set bytes = 1048576", &[]).await;
    let full = put(&bob, "user-data", "other", json!("x")).await;
    assert_eq!(full.status, 413);
    let detail = full.refused("quota_exceeded")["detail"].clone();
    assert_eq!(
        detail,
        "The user data of this plugin would be larger than 1048576 bytes, names included. Delete some keys or store \
         less."
    );
    assert_eq!(get(&bob, "user-data", "other").await.ok(), Value::Null, "nothing of it was stored");
    put(&bob, "user-data", "k", Value::Null).await.ok();
}

#[tokio::test]
async fn a_user_who_writes_without_end_waits_and_others_do_not() {
    let (app, ada, bob) = start().await;
    for _ in 0..1_000 {
        app.broker.limits.store(&bob.id, app.broker.clock.now()).unwrap();
    }
    let refused = put(&bob, "kv", "k", json!(1)).await;
    refused.refused("rate_limited");
    assert_eq!(refused.header("retry-after"), Some("1"));
    ask(&bob, Method::DELETE, &path("kv", "k")).send().await.refused("rate_limited");
    assert_eq!(get(&bob, "kv", "k").await.ok(), Value::Null, "reading goes on");
    put(&ada, "kv", "k", json!(1)).await.ok();
    app.advance(1_000);
    put(&bob, "kv", "k", json!(2)).await.ok();
}

#[tokio::test]
async fn a_change_of_what_is_shared_is_told_to_those_who_may_read_it() {
    let (app, ada, bob) = TestApp::start().await;
    let asked = ["kv.read", "kv.write", "events.subscribe"];
    app.write_plugin(&manifest(ID, &asked), "<p>").await;
    allow(&bob, ID, &asked).await;
    allow(&ada, ID, &["events.subscribe"]).await;
    let (mut his, mut hers) = (bob.listen().await, ada.listen().await);
    put(&bob, "user-data", "k", json!(1)).await.ok();
    put(&bob, "kv", "k", json!(1)).await.ok();
    ask(&bob, Method::DELETE, &path("kv", "nothing")).send().await.ok();
    ask(&bob, Method::DELETE, &path("kv", "k")).send().await.ok();
    let changed = ("data_changed".to_owned(), json!({"pluginId": ID, "key": "k"}));
    assert_eq!(his.next().await.unwrap(), changed);
    assert_eq!(his.next().await.unwrap(), changed);
    app.broker.events.tell_all(&Event::PluginsChanged);
    assert_eq!(his.name().await.unwrap(), "plugins_changed");
    assert_eq!(hers.name().await.unwrap(), "plugins_changed", "a key is not hers to know");
}
