//! What an address may answer, and what is made of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::plugin::{Files, archive, hex};
use crate::server::tests::{Answer, TestApp, User};
use crate::vault::hash::sha256;

const INSTALL: &str = "/api/v1/admin/plugins";

/// A site on the web that a test fills as it likes.
#[derive(Clone)]
struct Site {
    origin: String,
    pages: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let site = Self { origin, pages: Arc::default(), asked: Arc::default() };
        let router = Router::new().fallback(answer).with_state(site.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        site
    }

    fn put(&self, path: &str, content: impl Into<Vec<u8>>) -> String {
        self.pages.lock().unwrap().insert(path.to_owned(), content.into());
        format!("{}{path}", self.origin)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

async fn answer(State(site): State<Site>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    site.asked.lock().unwrap().push(path.clone());
    let page = site.pages.lock().unwrap().get(&path).cloned();
    match page {
        Some(page) if page.starts_with(b"redirect ") => {
            let to = String::from_utf8(page[9..].to_vec()).unwrap();
            (StatusCode::FOUND, [("location", to)]).into_response()
        }
        Some(page) => Body::from(page).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn manifest(id: &str, version: &str, more: &Value) -> String {
    let mut manifest = json!({
        "id": id, "name": "From the web", "version": version, "permissions": ["ui.toast"],
        "panels": [{"id": "p", "title": "P", "position": "sidebar", "htmlUrl": "ui/panel.html"}],
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        manifest[key] = value.clone();
    }
    manifest.to_string()
}

fn packed(id: &str, version: &str, panel: &str) -> Vec<u8> {
    let files = [("manifest.json", manifest(id, version, &json!({}))), ("ui/panel.html", panel.to_owned())];
    let files = files.map(|(path, text)| (path.to_owned(), text.into()));
    archive::write(&Files::new(BTreeMap::from(files))).unwrap()
}

async fn from_url(user: &User, url: &str) -> Answer {
    user.post(INSTALL, &json!({"url": url})).await
}

#[tokio::test]
async fn a_manifest_brings_the_files_that_it_names_and_no_others() {
    let (_, ada, bob) = TestApp::start().await;
    let site = Site::start().await;
    let text = manifest("web.plugin", "1.0.0", &json!({"files": ["ui/app.js", "img/a b.svg"]}));
    let url = site.put("/p/manifest.json", text);
    site.put("/p/ui/panel.html", "<!doctype html><script src=app.js></script><img src=secret.png>");
    site.put("/p/ui/app.js", "1");
    site.put("/p/ui/secret.png", "x");
    site.put("/p/img/a%20b.svg", "<svg/>");
    let answer = from_url(&ada, &url).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(site.asked(), ["/p/manifest.json", "/p/img/a%20b.svg", "/p/ui/app.js", "/p/ui/panel.html"]);
    let plugin = bob.get("/api/v1/plugins/web.plugin").await.ok();
    assert_eq!((&plugin["source"], &plugin["publisher"]), (&json!("url"), &json!(site.origin)));
    let file = bob.ask(http::Method::GET, &format!("{}/ui/app.js", plugin["files"].as_str().unwrap()));
    assert_eq!(file.header("host", "127.0.0.1:8080").send().await.text(), "1");
}

#[tokio::test]
async fn a_packed_plugin_can_be_at_an_address() {
    let (_, ada, _) = TestApp::start().await;
    let site = Site::start().await;
    let url = site.put("/p.zip", packed("web.plugin", "1.0.0", "<p>"));
    assert_eq!(from_url(&ada, &url).await.ok()["version"], "1.0.0");
    site.put("/p.zip", &b"PK\x03\x04 and nothing"[..]);
    from_url(&ada, &url).await.refused("plugin_invalid");
}

#[tokio::test]
async fn addresses_that_may_not_be_asked_are_not() {
    let (_, ada, _) = TestApp::start().await;
    for url in [
        "",
        "nonsense",
        "ftp://127.0.0.1/manifest.json",
        "file:///etc/passwd",
        "http://example.com/manifest.json",
        "http://localhost/manifest.json",
        "https://10.0.0.1/manifest.json",
        "https://169.254.169.254/latest",
        "https://user:secret@example.com/manifest.json",
        "https://example.com/manifest.json?x=1",
        "https://example.com/manifest.json#x",
        "data:application/json,{}",
    ] {
        let refused = from_url(&ada, url).await;
        assert_eq!(refused.refused("invalid_params")["pointer"], "/url", "{url}");
    }
}

#[tokio::test]
async fn what_an_address_answers_instead_of_a_plugin_is_said() {
    let (_, ada, _) = TestApp::start().await;
    let site = Site::start().await;
    for (page, code, says) in [
        ("<html>".to_owned(), "plugin_invalid", "is not valid JSON"),
        (String::new(), "plugin_invalid", "manifest"),
        ("{\"id\": 5}".into(), "plugin_invalid", "/id"),
        (
            "redirect https://example.com/manifest.json".into(),
            "plugin_unreachable",
            "leads to another address",
        ),
        (manifest("web.plugin", "1.0.0", &json!({})), "plugin_unreachable", "it answered 404"),
        (manifest("web.plugin", "1.0.0", &json!({"files": ["../x"]})), "plugin_invalid", "/files/0"),
        (manifest("web.plugin", "1.0.0", &json!({"files": ["//evil.test/x"]})), "plugin_invalid", "/files/0"),
        (
            manifest("web.plugin", "1.0.0", &json!({"files": ["https://evil.test/x"]})),
            "plugin_invalid",
            "/files/0",
        ),
        (manifest("web.plugin", "1.0.0", &json!({"files": "x"})), "plugin_invalid", "/files"),
        (manifest("web.plugin", "1.0.0", &json!({"files": [1]})), "plugin_invalid", "/files/0"),
        (manifest("web.plugin", "1.0.0", &json!({"files": vec!["a"; 3]})), "plugin_unreachable", "404"),
        (manifest("comes.", "1.0.0", &json!({})), "plugin_invalid", "/id"),
        ("x".repeat(9 << 20), "plugin_unreachable", "8 MiB"),
    ] {
        let url = site.put("/manifest.json", page);
        let answer = from_url(&ada, &url).await;
        let problem = answer.refused(code);
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    let many: Vec<String> = (0..300).map(|index| format!("f{index}")).collect();
    let url = site.put("/manifest.json", manifest("web.plugin", "1.0.0", &json!({"files": many})));
    site.asked();
    from_url(&ada, &url).await.refused("plugin_invalid");
    assert_eq!(site.asked(), ["/manifest.json"], "too many files are not begun with");
    let gone = "http://127.0.0.1:1/manifest.json";
    from_url(&ada, gone).await.refused("plugin_unreachable");
    assert_eq!(ada.get("/api/v1/admin/plugins").await.ok()["failed"], json!([]));
}

#[tokio::test]
async fn a_body_names_one_place() {
    let (_, ada, _) = TestApp::start().await;
    for body in [
        json!({}),
        json!({"url": "https://a.test/", "registry": "https://a.test/", "plugin": "x"}),
        json!({"registry": "https://a.test/"}),
        json!({"plugin": "x"}),
        json!({"registry": "https://a.test/", "plugin": "x"}),
        json!({"registry": "https://a.test/", "plugin": "no id"}),
    ] {
        ada.post(INSTALL, &body).await.refused("invalid_params");
    }
}

fn entry(id: &str, version: &str, package: &str, content: &[u8]) -> Value {
    json!({"id": id, "version": version, "name": "Offered", "author": "Somebody", "description": "Does it",
           "package": package, "sha256": hex(&sha256(content))})
}

async fn with_registry(ada: &User, site: &Site, entries: &[Value]) -> String {
    let url = site.put("/registry.json", json!({"plugins": entries}).to_string());
    ada.put("/api/v1/admin/plugin-policy", &json!({"registries": [url]})).await.ok();
    url
}

#[tokio::test]
async fn a_registry_offers_and_its_hash_counts() {
    let (app, ada, bob) = TestApp::start().await;
    let site = Site::start().await;
    let (one, two) = (packed("web.plugin", "1.0.0", "<p>1"), packed("web.plugin", "1.1.0", "<p>2"));
    site.put("/pkg/one.zip", one.clone());
    let url = with_registry(&ada, &site, &[entry("web.plugin", "1.0.0", "pkg/one.zip", &one)]).await;
    let offers = bob.get("/api/v1/registries").await.ok();
    assert_eq!(
        offers,
        json!({"registries": [{"url": url, "error": null, "plugins": [{
            "id": "web.plugin", "name": "Offered", "version": "1.0.0", "author": "Somebody",
            "description": "Does it", "installed": null,
        }]}]})
    );
    let body = json!({"registry": url, "plugin": "Web.Plugin"});
    assert_eq!(ada.post(INSTALL, &body).await.status, 201);
    let plugin = bob.get("/api/v1/plugins/web.plugin").await.ok();
    assert_eq!((&plugin["source"], &plugin["publisher"]), (&json!("registry"), &json!(url)));
    assert_eq!(bob.get("/api/v1/registries").await.ok()["registries"][0]["plugins"][0]["installed"], "1.0.0");

    // A new version is what the list says now, and only with the content that it names.
    let update = "/api/v1/admin/plugins/web.plugin/update";
    site.put("/pkg/two.zip", two.clone());
    with_registry(&ada, &site, &[entry("web.plugin", "1.1.0", "pkg/two.zip", &one)]).await;
    let refused = ada.post(update, &json!({})).await;
    assert!(refused.refused("plugin_invalid").to_string().contains("hash"), "{}", refused.text());
    with_registry(&ada, &site, &[entry("web.plugin", "1.2.0", "pkg/two.zip", &two)]).await;
    let refused = ada.post(update, &json!({})).await;
    assert!(refused.refused("plugin_invalid").to_string().contains("web.plugin 1.1.0"), "{}", refused.text());
    with_registry(&ada, &site, &[entry("web.plugin", "1.1.0", "pkg/two.zip", &two)]).await;
    let updated = ada.post(update, &json!({})).await;
    assert_eq!(updated.status, 200);
    assert_eq!((&updated.ok()["version"], &updated.ok()["previous"]), (&json!("1.1.0"), &json!("1.0.0")));
    with_registry(&ada, &site, &[]).await;
    ada.post(update, &json!({})).await.refused("not_found");
    ada.put("/api/v1/admin/plugin-policy", &json!({"registries": []})).await.ok();
    ada.post(INSTALL, &body).await.refused("invalid_params");
    drop(app);
}

#[tokio::test]
async fn a_registry_that_is_wrong_says_so_and_hides_no_other() {
    let (_, ada, bob) = TestApp::start().await;
    let site = Site::start().await;
    let good = packed("web.plugin", "1.0.0", "<p>");
    let elsewhere = entry("web.plugin", "1.0.0", "https://other.test/p.zip", &good);
    let list = site.put("/good.json", json!({"plugins": [elsewhere]}).to_string());
    let twice = [entry("A.b", "1.0.0", "a", b""), entry("a.B", "1.0.0", "b", b"")];
    let wrong = [
        ("/html", "<html>".to_owned()),
        ("/fields", json!({"plugins": [{"id": "x"}]}).to_string()),
        ("/twice", json!({"plugins": twice}).to_string()),
        ("/large", " ".repeat((1 << 20) + 1)),
        ("/many", json!({"plugins": vec![entry("x", "1.0.0", "a", b""); 1001]}).to_string()),
    ];
    let mut urls: Vec<String> = wrong.into_iter().map(|(path, text)| site.put(path, text)).collect();
    urls.push(format!("{}/gone", site.origin));
    urls.push(list.clone());
    ada.put("/api/v1/admin/plugin-policy", &json!({"registries": urls})).await.ok();
    let shown = bob.get("/api/v1/registries").await.ok();
    let shown = shown["registries"].as_array().unwrap();
    assert_eq!(shown.len(), urls.len());
    for registry in &shown[..urls.len() - 1] {
        assert!(registry["error"].is_string() && registry["plugins"] == json!([]), "{registry}");
    }
    assert_eq!(shown.last().unwrap()["plugins"][0]["id"], "web.plugin");
    // Allowing a registry allows its own origin.
    let refused = ada.post(INSTALL, &json!({"registry": list, "plugin": "web.plugin"})).await;
    assert!(refused.refused("plugin_invalid").to_string().contains("another origin"), "{}", refused.text());
}

#[tokio::test]
async fn registries_are_addresses_that_may_be_asked_each_once() {
    let (_, ada, _) = TestApp::start().await;
    let policy = "/api/v1/admin/plugin-policy";
    for (urls, pointer) in [
        (json!(["http://example.com/r.json"]), "/registries/0"),
        (json!(["https://a.test/r.json", "https://A.test:443/r.json"]), "/registries/1"),
        (json!(["https://127.0.0.2/r.json"]), "/registries/0"),
        (json!(vec!["https://a.test/"; 21]), "/registries"),
    ] {
        let refused = ada.put(policy, &json!({"registries": urls})).await;
        assert_eq!(refused.refused("invalid_params")["pointer"], pointer);
    }
    assert_eq!(ada.get(policy).await.ok()["registries"], json!([]));
}

#[tokio::test]
async fn an_update_is_of_the_same_plugin() {
    let (_, ada, _) = TestApp::start().await;
    let site = Site::start().await;
    let url = site.put("/p.zip", packed("web.plugin", "1.0.0", "<p>"));
    from_url(&ada, &url).await.ok();
    site.put("/p.zip", packed("web.other", "2.0.0", "<p>"));
    let update = "/api/v1/admin/plugins/web.plugin/update";
    let refused = ada.post(update, &json!({})).await;
    assert!(refused.refused("plugin_invalid").to_string().contains("web.other 2.0.0"), "{}", refused.text());
    ada.get("/api/v1/plugins/web.other").await.refused("not_found");
    site.put("/p.zip", packed("web.plugin", "2.0.0", "<p>"));
    assert_eq!(ada.post(update, &json!({})).await.ok()["previous"], "1.0.0");
    ada.post("/api/v1/admin/plugins/none/update", &json!({})).await.refused("not_found");
    ada.post("/api/v1/admin/plugins/example.boundaries/update", &json!({})).await.refused("not_found");
}
