//! How a panel is served. Case B6 at serve time, and the headers that keep a panel in.

use std::net::SocketAddr;

use reqwest::Method;
use taiku_bridge::api::Plugin;
use taiku_tests::{Answer, Client, PROBE, PluginFolders, TestApp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const SECRET: &str = "beside the plugin, not in it";

async fn start() -> (TestApp, Client, String) {
    let folders = PluginFolders::new().with("a.plugin", &[], &[], PROBE);
    folders.write(".", "secret.txt", SECRET);
    folders.write("a.plugin", "code.js", "// code\n");
    folders.write("a.plugin/deep", "page.html", "<!DOCTYPE html><p>deep</p>");
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    app.grant_all(&user, "a.plugin").await;
    let plugin: Plugin = user.get("/api/v1/plugins/a.plugin").await.read();
    // The folder must live as long as the program; it is a temporary one and may stay.
    std::mem::forget(folders);
    (app, user, plugin.files)
}

async fn panel(app: &TestApp, path: &str) -> Answer {
    Client::new(&app.panel_url).bare(Method::GET, path).send().await
}

#[tokio::test]
async fn a_panel_is_kept_in_by_its_headers() {
    let (app, _, files) = start().await;
    let page = panel(&app, &format!("{files}/panel.html")).await.expect(200);
    let policy = page.header("content-security-policy").to_owned();
    let own = format!("{}{files}/", app.panel_url.as_str().trim_end_matches('/'));
    for directive in [
        "sandbox allow-scripts".to_owned(),
        "default-src 'none'".to_owned(),
        format!("script-src {own} 'unsafe-inline'"),
        format!("style-src {own} 'unsafe-inline'"),
        format!("img-src {own} data: blob:"),
        format!("font-src {own} data:"),
        "connect-src 'none'".to_owned(),
        "worker-src 'none'".to_owned(),
        "child-src 'none'".to_owned(),
        "frame-src 'none'".to_owned(),
        "object-src 'none'".to_owned(),
        "base-uri 'none'".to_owned(),
        "form-action 'none'".to_owned(),
        format!("frame-ancestors {}", app.url.as_str().trim_end_matches('/')),
        "webrtc 'block'".to_owned(),
    ] {
        assert!(policy.split(';').any(|found| found.trim() == directive), "{directive}\nis not in {policy}");
    }
    assert_eq!(page.header("connection-allowlist"), "(response-origin)");
    assert_eq!(page.header("document-isolation-policy"), "isolate-and-require-corp");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("access-control-allow-origin"), "*");
    assert_eq!(page.header("cross-origin-resource-policy"), "cross-origin");
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!(page.header("cache-control"), "no-cache", "the guard in it may change with the server");
    let script = panel(&app, &format!("{files}/code.js")).await.expect(200);
    assert!(script.header("cache-control").contains("immutable"));
    assert!(page.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn every_page_begins_with_the_guard_and_other_files_are_as_they_are() {
    let (app, _, files) = start().await;
    for (file, doctype) in [("panel.html", "<!doctype html>"), ("deep/page.html", "<!DOCTYPE html>")] {
        let page = panel(&app, &format!("{files}/{file}")).await.expect(200).text;
        let (before, after) = page.split_once("<script>").expect("a script");
        assert_eq!(before, doctype, "{file}: nothing between the doctype and the guard");
        assert!(after.starts_with(
            include_str!("../../../broker/src/panel/guard.js").trim_end().get(..20).unwrap_or_default()
        ));
        assert!(after.contains("taiku:hello"), "{file}");
    }
    assert_eq!(panel(&app, &format!("{files}/code.js")).await.expect(200).text, "// code\n");
    assert!(panel(&app, &format!("{files}/code.js")).await.header("content-type").contains("javascript"));
}

#[tokio::test]
async fn nothing_outside_the_folder_can_be_had() {
    let (app, _, files) = start().await;
    for rest in [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..\\secret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/%2fetc%2fpasswd",
        "//etc/passwd",
        "/panel.html%00",
        "/panel.html/../../secret.txt",
        "/./../secret.txt",
        "/deep/../../secret.txt",
        "/%252e%252e/secret.txt",
        "/deep",
        "/",
        "",
    ] {
        let answer = raw(&app, &format!("{files}{rest}")).await;
        let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
        assert!(["301", "308", "400", "403", "404", "414"].contains(&status.as_str()), "{rest}: {answer}");
        assert!(!answer.contains(SECRET) && !answer.contains("root:"), "{rest}: {answer}");
    }
    let long = raw(&app, &format!("{files}/{}", "x".repeat(4096))).await;
    assert!(!long.contains("200 OK"), "{long}");
}

/// Sends a path as it is, because every HTTP client tidies it up first.
async fn raw(app: &TestApp, path: &str) -> String {
    let port = app.panel_url.port().expect("the listener has a port");
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn each_origin_answers_what_is_its_own_and_no_other_name() {
    let (app, user, files) = start().await;
    assert_eq!(panel(&app, "/api/v1/session").await.status, 404, "no API where panels are");
    assert_eq!(panel(&app, "/").await.status, 404, "no host page where panels are");
    let on_app = user.bare(Method::GET, &format!("{files}/panel.html")).send().await;
    assert!(!on_app.text.contains("Probe"), "no panel where the app is");
    let port = app.url.port().expect("the listener has a port");
    for host in [
        format!("evil.example:{port}"),
        "localhost".to_owned(),
        format!("127.0.0.2:{port}"),
        format!("[::1]:{port}"),
    ] {
        let answer = user.bare(Method::GET, "/api/v1/session").host(&host).send().await;
        assert_eq!(answer.status, 421, "{host}");
    }
    for path in ["/healthz", "/readyz"] {
        let answer = user.bare(Method::GET, path).host("anything.example").send().await;
        assert_eq!(answer.status, 200, "{path} answers under any name");
    }
}

#[tokio::test]
async fn the_host_page_and_the_api_have_their_headers() {
    let (app, user, _) = start().await;
    let page = user.get("/").await.expect(200);
    let policy = page.header("content-security-policy");
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"] {
        assert!(policy.contains(directive), "{directive}\nis not in {policy}");
    }
    let frames = format!("frame-src {}", app.panel_url.as_str().trim_end_matches('/'));
    assert!(policy.split(';').any(|found| found.trim() == frames), "{policy}");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(user.get("/api/v1/session").await.header("cache-control"), "no-store");
}
