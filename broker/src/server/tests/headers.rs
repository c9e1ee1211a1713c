//! Which host answers, and the headers that every answer has.

use http::{HeaderValue, Method};

use super::{Answer, TestApp};

const EVERYWHERE: [&str; 5] = [
    "content-security-policy",
    "cross-origin-opener-policy",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
];

#[track_caller]
fn assert_headers(answer: &Answer, what: &str) {
    for name in EVERYWHERE {
        assert!(answer.header(name).is_some(), "{what} lacks {name}: {:?}", answer.headers);
    }
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{what}: {policy}");
    assert!(policy.contains("frame-ancestors 'none'") || policy.contains("sandbox"), "{what}: {policy}");
    assert!(answer.header("taiku-request-id").is_some_and(|id| id.starts_with("req_")), "{what}");
    assert!(!answer.headers.contains_key("access-control-allow-origin"), "{what}");
    assert!(!answer.headers.contains_key("strict-transport-security"), "{what} came over plain http");
}

#[tokio::test]
async fn every_answer_of_the_app_has_its_headers() {
    let (app, ada, bob) = TestApp::start().await;
    for (method, path, status) in [
        (Method::GET, "/", None),
        (Method::GET, "/no/such/page", None),
        (Method::GET, "/no-such-file.js", None),
        (Method::POST, "/", Some(405)),
        (Method::TRACE, "/", Some(405)),
        (Method::GET, "/healthz", Some(200)),
        (Method::GET, "/readyz", Some(200)),
        (Method::POST, "/healthz", Some(405)),
        (Method::GET, "/logos/demo.svg", Some(200)),
        (Method::GET, "/logos/none.svg", Some(404)),
        (Method::GET, "/oauth/start/none", Some(400)),
        (Method::GET, "/oauth/callback/none?state=x", Some(400)),
        (Method::GET, "/oauth/callback/%ff", Some(400)),
        (Method::GET, "/api/v1/session", Some(200)),
        (Method::GET, "/api/v1/none", Some(404)),
        (Method::POST, "/api/v1/connections", Some(405)),
        (Method::GET, "/api/v1/admin/users", Some(403)),
        (Method::GET, "/api/v1/openapi.json", Some(200)),
    ] {
        let answer = bob.ask(method.clone(), path).send().await;
        let what = format!("{method} {path} {}", answer.status);
        assert!(status.is_none_or(|status| answer.status == status), "{what}");
        assert_headers(&answer, &what);
        if path.starts_with("/api") {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
            assert!(answer.header("content-security-policy").unwrap().contains("sandbox"), "{what}");
        }
    }
    assert_headers(&app.visitor().get("/api/v1/api-keys").await, "401");
    assert_headers(&ada.ask(Method::GET, "/").header("host", "evil.example").send().await, "421");
}

#[tokio::test]
async fn an_internal_failure_tells_its_id_and_nothing_else() {
    let (app, _, bob) = TestApp::start().await;
    app.sql("alter table api_keys rename to gone", &[]).await;
    let answer = bob.get("/api/v1/api-keys").await;
    let problem = answer.refused("internal");
    assert_eq!(answer.status, 500);
    assert_headers(&answer, "500");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let id = answer.header("taiku-request-id").unwrap();
    assert_eq!(problem["detail"], format!("Something went wrong on our side. Request id: {id}"));
    assert!(!answer.text().contains("api_keys"), "{}", answer.text());
}

#[tokio::test]
async fn only_the_two_hosts_answer() {
    let (app, _, bob) = TestApp::start().await;
    for host in [
        "evil.example",
        "localhost",
        "localhost:8081",
        "localhost:8080.evil.example",
        "127.0.0.1:8081",
        "[::1]:8080",
        "localhost:8080@evil",
        "",
    ] {
        for path in ["/", "/api/v1/session", "/oauth/start/x"] {
            let answer = bob.ask(Method::GET, path).header("host", host).send().await;
            answer.refused("misdirected_request");
            assert_eq!(answer.status, 421, "{host} {path}");
        }
        for path in ["/healthz", "/readyz"] {
            let answer = bob.ask(Method::GET, path).header("host", host).send().await;
            assert_eq!(answer.status, 200, "{host} {path}");
        }
    }
    bob.ask(Method::GET, "/").without("host").send().await.refused("misdirected_request");
    let mut two = bob.ask(Method::GET, "/").request();
    two.headers_mut().append("host", HeaderValue::from_static("evil.example"));
    app.send(two).await.refused("misdirected_request");
    let upper = bob.ask(Method::GET, "/api/v1/session").header("host", "LOCALHOST:8080").send().await;
    assert_eq!(upper.status, 200);
}

#[tokio::test]
async fn the_panels_host_has_no_api_and_no_pages() {
    let (_, _, bob) = TestApp::start().await;
    let at_panels = |path: &str| bob.ask(Method::GET, path).header("host", "127.0.0.1:8080");
    for path in ["/", "/api/v1/session", "/oauth/start/x", "/index.html"] {
        let answer = at_panels(path).send().await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(answer.header("content-security-policy").unwrap().contains("sandbox"), "{path}");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let health = at_panels("/healthz").send().await;
    assert!(health.header("content-security-policy").unwrap().contains("sandbox"));
    let plugins = bob.get("/api/v1/plugins").await.ok();
    let plugin = plugins["plugins"].as_array().unwrap().iter().find(|it| it["id"] == "example.integrations");
    let files = plugin.unwrap()["files"].as_str().unwrap().to_owned();
    let panel = at_panels(&format!("{files}/panel.html")).send().await;
    assert_eq!(panel.status, 200);
    assert!(panel.header("content-security-policy").unwrap().contains("sandbox allow-scripts"));
    let at_app = bob.get(&format!("{files}/panel.html")).await;
    assert!(!at_app.text().contains("integrations-panel"), "panels are not served by the app's origin");
}
