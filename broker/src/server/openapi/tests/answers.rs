//! Real answers are as they are described.

use http::Method;
use serde_json::{Value, json};

use super::document::Document;
use crate::server::tests::{TestApp, User};

/// A path as it is described, and filled in where that differs.
const READ: &[(&str, &str)] = &[
    ("/api/v1/openapi.json", ""),
    ("/api/v1/session", ""),
    ("/api/v1/api-keys", ""),
    ("/api/v1/plugins", ""),
    ("/api/v1/plugins/{id}", "/api/v1/plugins/example.integrations"),
    ("/api/v1/plugins/{id}", "/api/v1/plugins/nobody.has-this"),
    ("/api/v1/plugins/{id}", "/api/v1/plugins/%ff"),
    ("/api/v1/plugins/{id}", "/api/v1/plugins/a%00b"),
    ("/api/v1/plugins/{id}/user-data", "/api/v1/plugins/example.integrations/user-data"),
    ("/api/v1/plugins/{id}/user-data", "/api/v1/plugins/example.integrations/user-data?limit=x"),
    ("/api/v1/plugins/{id}/user-data/{key}", "/api/v1/plugins/example.integrations/user-data/%00"),
    ("/api/v1/plugins/{id}/kv", "/api/v1/plugins/example.integrations/kv"),
    ("/api/v1/plugins/{id}/kv/{key}", VALUE[1]),
    ("/api/v1/plugins/{id}/files", FILES[1]),
    ("/api/v1/plugins/{id}/files/{name}", FILE[1]),
    ("/api/v1/connections", ""),
    ("/api/v1/toolkits", ""),
    ("/api/v1/toolkits/{slug}/tools", "/api/v1/toolkits/demo/tools?limit=2"),
    ("/api/v1/toolkits/{slug}/tools", "/api/v1/toolkits/demo/tools?limit=two"),
    ("/api/v1/toolkits/{slug}/tools", "/api/v1/toolkits/demo/tools?limit=2&limit=3"),
    ("/api/v1/toolkits/{slug}/tools", "/api/v1/toolkits/demo/tools?cursor=%25"),
    ("/api/v1/toolkits/{slug}/tools", "/api/v1/toolkits/de%20mo/tools"),
    ("/api/v1/toolkits/{slug}/tools", "/api/v1/toolkits/nothing/tools"),
    ("/api/v1/activity", ""),
    ("/api/v1/events", ""),
    ("/api/v1/activity", "/api/v1/activity?cursor=1.x%00"),
    ("/api/v1/admin/toolkits", ""),
    ("/api/v1/admin/toolkits/{slug}", "/api/v1/admin/toolkits/demo"),
    ("/api/v1/admin/toolkits/{slug}", "/api/v1/admin/toolkits/nothing"),
    ("/api/v1/admin/toolkits/{slug}/revocations", REVOCATIONS[1]),
    ("/api/v1/admin/toolkits/{slug}/revocations", "/api/v1/admin/toolkits/%ff/revocations"),
    (REVOCATION, "/api/v1/admin/toolkits/demo/revocations/rev_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
    (REVOCATION, "/api/v1/admin/toolkits/demo/revocations/%00"),
    ("/api/v1/registries", ""),
    ("/api/v1/admin/plugins", ""),
    ("/api/v1/admin/plugin-policy", ""),
    ("/api/v1/admin/users", ""),
    ("/api/v1/admin/audit", ""),
    ("/api/v1/admin/audit", "/api/v1/admin/audit?cursor=newest"),
];

/// A request that changes something: its method, its path as described and filled in, and its body.
type Change = (Method, &'static str, &'static str, Value);

const KEYS: &str = "/api/v1/api-keys";
const GRANT: [&str; 2] = ["/api/v1/plugins/{id}/grant", "/api/v1/plugins/example.integrations/grant"];
const TOOLKIT: [&str; 2] = ["/api/v1/admin/toolkits/{slug}", "/api/v1/admin/toolkits/demo"];
const REVOCATION: &str = "/api/v1/admin/toolkits/{slug}/revocations/{id}";
const REVOCATIONS: [&str; 2] =
    ["/api/v1/admin/toolkits/{slug}/revocations", "/api/v1/admin/toolkits/demo/revocations"];
const TOOL: [&str; 2] =
    ["/api/v1/toolkits/{slug}/tools/{tool}", "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES"];
const CONNECTION: [&str; 2] =
    ["/api/v1/connections/{id}", "/api/v1/connections/con_aaaaaaaaaaaaaaaaaaaaaaaaaa"];
const CONNECT: [&str; 2] = ["/api/v1/toolkits/{slug}/connections", "/api/v1/toolkits/demo/connections"];
const RELOAD: [&str; 2] =
    ["/api/v1/admin/plugins/{id}/reload", "/api/v1/admin/plugins/example.integrations/reload"];
const VALUE: [&str; 2] = ["/api/v1/plugins/{id}/kv/{key}", "/api/v1/plugins/example.integrations/kv/k"];
const FILE: [&str; 2] = ["/api/v1/plugins/{id}/files/{name}", "/api/v1/plugins/example.integrations/files/f"];
const FILES: [&str; 2] = ["/api/v1/plugins/{id}/files", "/api/v1/plugins/example.integrations/files"];
const SHARED: [&str; 2] = ["/api/v1/admin/plugins/{id}/kv", "/api/v1/admin/plugins/example.integrations/kv"];
const INSTALL: [&str; 2] = ["/api/v1/admin/plugins"; 2];
const RULE: [&str; 2] = ["/api/v1/admin/plugins/{id}", "/api/v1/admin/plugins/my-org.plugin"];
const POLICY: [&str; 2] = ["/api/v1/admin/plugin-policy"; 2];
const SESSION: &str = "/api/v1/session";

/// What is sent in this order, with the status that it is meant to have for an admin.
fn changes() -> Vec<(u16, Change)> {
    let put = |[path, filled]: [&'static str; 2], body| (Method::PUT, path, filled, body);
    let post = |[path, filled]: [&'static str; 2], body| (Method::POST, path, filled, body);
    let delete = |[path, filled]: [&'static str; 2]| (Method::DELETE, path, filled, Value::Null);
    let add_key = |body| post([KEYS, KEYS], body);
    let sign_in = |body| post([SESSION, SESSION], body);
    let grant = |version: &str, permissions: Value| {
        put(GRANT, json!({"version": version, "permissions": permissions, "integrations": ["demo"]}))
    };
    let setup = json!({"token": "x", "email": "x", "name": "x", "password": "x"});
    let key = ["/api/v1/api-keys/{id}", "/api/v1/api-keys/key_aaaaaaaaaaaaaaaaaaaaaaaaaa"];
    vec![
        (200, put(TOOLKIT, json!({"enabled": true}))),
        (422, put(TOOLKIT, json!({"settings": {"NO_SUCH_SETTING": "x"}}))),
        (201, post(REVOCATIONS, json!({"perMinute": 60}))),
        (422, post(REVOCATIONS, json!({"perMinute": 0}))),
        (404, post([REVOCATIONS[0], "/api/v1/admin/toolkits/none/revocations"], json!({}))),
        (201, add_key(json!({"name": "a", "scopes": ["read"]}))),
        (422, add_key(json!({"name": "a", "scopes": []}))),
        (422, add_key(json!({"name": "\n a"}))),
        (422, add_key(json!({"name": "a", "expiresAt": "2001-01-01T00:00:00Z"}))),
        (404, delete(key)),
        (422, delete([key[0], "/api/v1/api-keys/%00"])),
        (422, delete([CONNECTION[0], "/api/v1/connections/%00"])),
        (409, grant("0.0.0", json!([]))),
        (422, grant("1.0.0", json!(["no.such"]))),
        (200, grant("1.0.0", json!(["integrations.read"]))),
        (204, delete(GRANT)),
        (400, put(VALUE, json!({"value": 1}))),
        (422, put(FILE, json!({"value": 1}))),
        (204, delete(FILE)),
        (400, delete(VALUE)),
        (204, delete(FILES)),
        (404, delete([FILES[0], "/api/v1/plugins/%00/files"])),
        (204, delete(SHARED)),
        (404, (Method::PATCH, CONNECTION[0], CONNECTION[1], json!({"alias": "work"}))),
        (404, delete(CONNECTION)),
        (409, post(TOOL, json!({"arguments": {}}))),
        (422, post(TOOL, json!({"arguments": []}))),
        (403, post(CONNECT, json!({}))),
        (204, post(RELOAD, Value::Null)),
        (422, post(INSTALL, json!({"url": "http://example.com/"}))),
        (502, post(INSTALL, json!({"url": "http://127.0.0.1:1/manifest.json"}))),
        (422, post(["/api/v1/plugins"; 2], json!({"url": 1}))),
        (404, delete([RULE[0], "/api/v1/admin/plugins/%00"])),
        (404, delete(RULE)),
        (404, post(["/api/v1/admin/plugins/{id}/update", "/api/v1/admin/plugins/none/update"], Value::Null)),
        (200, put(RULE, json!({"rule": "allowed", "preinstalled": true}))),
        (422, put(RULE, json!({"rule": "maybe"}))),
        (200, put(POLICY, json!({"members": "registries", "registries": ["http://127.0.0.1:1/r.json"]}))),
        (422, put(POLICY, json!({"registries": ["nonsense"]}))),
        (204, delete(["/api/v1/plugins/{id}", "/api/v1/plugins/example.boundaries"])),
        (404, delete(["/api/v1/plugins/{id}", "/api/v1/plugins/none"])),
        (404, post(["/api/v1/setup"; 2], setup)),
        (401, sign_in(json!({"email": "a@b.c", "password": "x"}))),
        (422, sign_in(json!(["ada@example.test", "x"]))),
        (422, sign_in(json!({"email": "a\u{0}@b.c", "password": "x"}))),
        (204, delete([SESSION, SESSION])),
    ]
}

/// Everybody who may ask, the admin's script first.
async fn everybody() -> Vec<User> {
    let (app, ada, bob) = TestApp::start().await;
    let reading = ada.post("/api/v1/api-keys", &json!({"name": "a", "scopes": ["read"]})).await.ok();
    let reading = ada.script(reading["key"].as_str().unwrap());
    vec![ada.with_key().await, bob.with_key().await, reading, ada.script("wrong"), app.visitor()]
}

#[tokio::test]
async fn answers_are_as_described() {
    let (document, everybody) = (Document::read(), everybody().await);
    for (status, (method, path, filled, body)) in changes() {
        for (index, user) in everybody.iter().enumerate() {
            let ask = user.ask(method.clone(), filled);
            let answer = if body.is_null() { ask } else { ask.json(&body) }.send().await;
            assert!(index > 0 || answer.status == status, "{method} {filled} {body}: {}", answer.text());
            document.check_answer(&method, path, &answer);
        }
    }
    for (path, filled) in READ {
        let filled = if filled.is_empty() { path } else { filled };
        for user in &everybody {
            document.check_answer(&Method::GET, path, &user.get(filled).await);
        }
    }
}

#[tokio::test]
async fn what_is_done_with_a_connected_account_is_answered_as_described() {
    let (_, _, bob) = TestApp::start().await;
    let document = Document::read();
    let id = bob.connect("robin").await;
    let own = format!("/api/v1/connections/{id}");
    let missing = "/api/v1/toolkits/demo/tools/DEMO_GET_AN_ISSUE";
    for (status, (method, path, filled, body)) in [
        (200, (Method::POST, TOOL[0], TOOL[1], json!({"arguments": {}, "connectionId": id}))),
        (502, (Method::POST, TOOL[0], missing, json!({"arguments": {"number": 99}}))),
        (200, (Method::PATCH, CONNECTION[0], &*own, json!({"alias": "work", "default": true}))),
        (422, (Method::PATCH, CONNECTION[0], &*own, json!({"default": false}))),
        (201, (Method::POST, CONNECT[0], CONNECT[1], json!({}))),
        (422, (Method::POST, CONNECT[0], CONNECT[1], json!({"callbackUrl": "//evil.example"}))),
        (200, (Method::GET, "/api/v1/connections", "/api/v1/connections", Value::Null)),
        (200, (Method::GET, "/api/v1/activity", "/api/v1/activity", Value::Null)),
        (200, (Method::DELETE, CONNECTION[0], &*own, Value::Null)),
    ] {
        let ask = bob.ask(method.clone(), filled);
        let answer = if body.is_null() { ask } else { ask.json(&body) }.send().await;
        assert_eq!(answer.status, status, "{method} {filled} {body}: {}", answer.text());
        document.check_answer(&method, path, &answer);
    }
}

#[tokio::test]
async fn what_a_plugin_stores_is_answered_as_described() {
    let (app, _, bob) = TestApp::start().await;
    let document = Document::read();
    let manifest = json!({
        "id": "test.store", "name": "Store", "version": "1.0.0",
        "permissions": ["kv.read", "kv.write", "storage.read", "storage.write"], "panels": [],
    });
    app.write_plugin(&manifest, "<p>").await;
    let grant = json!({"version": "1.0.0", "permissions": manifest["permissions"], "integrations": []});
    bob.put("/api/v1/plugins/test.store/grant", &grant).await.ok();
    for (shelf, last, name) in [("user-data", "{key}", "k"), ("kv", "{key}", "k"), ("files", "{name}", "f")] {
        let template = format!("/api/v1/plugins/{{id}}/{shelf}");
        let one = (format!("{template}/{last}"), format!("/api/v1/plugins/test.store/{shelf}/{name}"));
        for (status, method, (path, filled), body) in [
            (200, Method::GET, one.clone(), Value::Null),
            (204, Method::PUT, one.clone(), json!({"value": "text"})),
            (422, Method::PUT, one.clone(), json!({})),
            (200, Method::GET, one.clone(), Value::Null),
            (200, Method::GET, (template, format!("/api/v1/plugins/test.store/{shelf}")), Value::Null),
            (204, Method::DELETE, one.clone(), Value::Null),
        ] {
            let ask = bob.ask(method.clone(), &filled).header("taiku-plugin", "test.store");
            let answer = if body.is_null() { ask } else { ask.json(&body) }.send().await;
            assert_eq!(answer.status, status, "{method} {filled} {body}: {}", answer.text());
            document.check_answer(&method, &path, &answer);
        }
    }
}

#[tokio::test]
async fn integrations_that_are_switched_off_answer_as_described() {
    let app = TestApp::empty(&[("TAIKU_INTEGRATIONS", "off"), ("TAIKU_ANONYMOUS", "off")]).await;
    let document = Document::read();
    for (path, status) in [("/api/v1/connections", 503), ("/api/v1/toolkits", 503), ("/api/v1/plugins", 401)]
    {
        let answer = app.visitor().get(path).await;
        assert_eq!(answer.status, status, "{path}");
        document.check_answer(&Method::GET, path, &answer);
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_405_and_names_those_that_it_has() {
    let app = TestApp::empty(&[]).await;
    let answer = app.visitor().patch(SESSION, &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET,HEAD,POST,DELETE")));
    let place = "/components/responses/MethodNotAllowed/content/application~1problem+json/schema";
    Document::read().check(place, &answer.json());
}
