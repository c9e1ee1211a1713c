//! Requests of other sites, on every unsafe route. Cases H1 to H5.

use reqwest::Method;
use serde_json::json;
use taiku_tests::{Answer, Client, Sent, TestApp};

/// The table of routes as the broker has it, so that a new route cannot be forgotten here.
const TABLE: &str = include_str!("../../../broker/src/server/routes.rs");

/// Every route of the API that is not safe, with parameters filled in.
fn unsafe_routes() -> Vec<(Method, String)> {
    let routes: Vec<_> = TABLE.lines().filter_map(route).collect();
    assert!(routes.len() >= 12, "the table of routes reads otherwise than this test expects: {routes:?}");
    routes
}

/// A line such as `.on(POST, "/api/v1/session", Anyone, session::begin)`.
fn route(line: &str) -> Option<(Method, String)> {
    let (method, rest) = line.trim().strip_prefix(".on(")?.split_once(", \"")?;
    let method = match method {
        "GET" => return None,
        other => Method::from_bytes(other.as_bytes()).expect("a method"),
    };
    let filled = [
        ("{slug}", "demo"),
        ("{tool}", "DEMO_LIST_ISSUES"),
        ("/plugins/{id}", "/plugins/example.integrations"),
        ("{id}", "nothing"),
        ("{key}", "nothing"),
        ("{name}", "nothing"),
    ];
    let path = rest.split('"').next()?.to_owned();
    let path = filled.iter().fold(path, |path, (name, value)| path.replace(name, value));
    assert!(!path.contains('{'), "{path} has a parameter that this test does not know");
    Some((method, path))
}

/// What a stranger's page makes of a request that our own page would send.
type Change = fn(Sent<'_>) -> Sent<'_>;

const FOREIGN: &[(&str, Change)] = &[
    ("cross-site", |sent| sent.header("sec-fetch-site", "cross-site")),
    ("same-site", |sent| sent.header("sec-fetch-site", "same-site")),
    ("typed by the user", |sent| sent.header("sec-fetch-site", "none")),
    ("neither header", |sent| sent.without("origin")),
    ("a sandboxed frame", |sent| sent.header("origin", "null")),
    ("another origin", |sent| sent.header("origin", "https://evil.example")),
    ("another port", |sent| sent.header("origin", "http://localhost:1")),
    ("another origin that claims to be the same", |sent| {
        sent.header("origin", "https://evil.example").header("sec-fetch-site", "same-origin")
    }),
    ("without our header", |sent| sent.without("x-taiku-request")),
];

async fn send(client: &Client, method: &Method, path: &str, change: Change) -> Answer {
    change(client.request(method.clone(), path).json(&json!({}))).send().await
}

#[tokio::test]
async fn no_unsafe_route_takes_a_request_of_another_site() {
    let app = TestApp::start().await;
    let admin = app.ada().await;
    for (method, path) in unsafe_routes() {
        for (who, change) in FOREIGN {
            let answer = send(&admin, &method, &path, *change).await;
            assert_eq!(answer.problem(), (403, "cross_site".into()), "{method} {path}: {who}");
        }
    }
    assert_eq!(
        admin.get("/api/v1/session").await.json()["user"]["email"],
        "ada@example.test",
        "still signed in"
    );
}

#[tokio::test]
async fn a_body_that_a_form_can_send_is_refused() {
    let app = TestApp::start().await;
    let admin = app.ada().await;
    for (method, path) in unsafe_routes() {
        if method == Method::DELETE || path.ends_with("/reload") {
            continue;
        }
        for content_type in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
        {
            let sent = admin.request(method.clone(), &path).body(content_type, "{}");
            let (status, _) = sent.send().await.problem();
            assert_eq!(status, 415, "{method} {path}: {content_type}");
        }
    }
}

#[tokio::test]
async fn a_script_needs_no_proof_of_its_origin() {
    let app = TestApp::start().await;
    let script = app.script().await;
    let sent = script.bare(Method::POST, "/api/v1/api-keys").json(&json!({ "name": "another" }));
    assert_eq!(sent.send().await.status, 201);
}
