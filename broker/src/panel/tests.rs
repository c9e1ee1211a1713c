//! The panel origin as browsers and attackers ask it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::config::{Config, Source};

const PAGE: &str = "<!doctype html><p>panel";

fn panels() -> Panels {
    let variables = [
        ("TAIKU_PUBLIC_URL", "https://taiku.example"),
        ("TAIKU_PANEL_URL", "https://panels.example.net"),
        ("TAIKU_DATA_DIR", "data"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let source = Source::load(None, variables.into_iter()).unwrap();
    Panels::new(&Config::read(&source, false).unwrap().origins(443).unwrap())
}

fn files() -> Arc<Files> {
    let list = [
        ("panel.html", PAGE),
        ("sub/other.HTM", "<p>other"),
        ("app.js", "1"),
        ("style.css", "p{}"),
        ("data.json", "{}"),
        ("img/ä b.svg", "<svg/>"),
        ("a.wasm", "\0asm"),
        ("noext", "?"),
    ];
    let list = list.map(|(path, text)| (path.to_owned(), Bytes::from(text)));
    Arc::new(Files::new(BTreeMap::from(list)))
}

fn by_hash(files: &Arc<Files>) -> impl Fn(&str) -> Option<Arc<Files>> + '_ {
    |hash| (hash == files.hash()).then(|| Arc::clone(files))
}

fn ask(method: &Method, path: &str, if_none_match: Option<&str>) -> Response<Body> {
    panels().respond(Request { method, path, if_none_match }, by_hash(&files()))
}

fn get(name: &str) -> Response<Body> {
    ask(&Method::GET, &format!("/{}/{name}", files().hash()), None)
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn body(response: Response<Body>) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(axum::body::to_bytes(response.into_body(), 1 << 20)).unwrap().into()
}

#[track_caller]
fn assert_guarded_by_headers(response: &Response<Body>, own: &str) {
    let html = header(response, "content-type").starts_with("text/html");
    let sandbox = if html { "sandbox allow-scripts" } else { "sandbox" };
    let policy = format!(
        "{sandbox}; default-src 'none'; script-src {own}'unsafe-inline'; style-src {own}'unsafe-inline'; \
         img-src {own}data: blob:; font-src {own}data:; connect-src 'none'; worker-src 'none'; child-src 'none'; \
         frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; \
         frame-ancestors https://taiku.example; webrtc 'block'"
    );
    assert_eq!(header(response, "content-security-policy"), policy);
    for (name, value) in [
        ("connection-allowlist", "(response-origin)"),
        ("document-isolation-policy", "isolate-and-require-corp"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(header(response, name), value, "{name}");
    }
    let powers = header(response, "permissions-policy");
    assert!(powers.contains("camera=()") && powers.contains("clipboard-write=()"), "{powers}");
    assert!(!powers.contains("self"), "{powers}");
    assert!(!response.headers().contains_key("set-cookie"));
}

#[test]
fn a_document_is_served_under_the_headers_of_a_panel_and_asked_for_anew() {
    let response = get("panel.html");
    assert_eq!(response.status(), 200);
    assert_guarded_by_headers(&response, &format!("https://panels.example.net/{}/ ", files().hash()));
    assert_eq!(
        header(&response, "cache-control"),
        "no-cache",
        "a document carries the guard of this version"
    );
    let length: usize = header(&response, "content-length").parse().unwrap();
    let page = body(response);
    assert_eq!(page.len(), length);
    let page = String::from_utf8(page).unwrap();
    assert!(page.starts_with("<!doctype html><script>") && page.ends_with("</script><p>panel"), "{page}");
}

#[test]
fn content_types_follow_the_extension() {
    for (name, kind) in [
        ("panel.html", "text/html; charset=utf-8"),
        ("sub/other.HTM", "text/html; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("data.json", "application/json; charset=utf-8"),
        ("img/%C3%A4%20b.svg", "image/svg+xml"),
        ("a.wasm", "application/wasm"),
        ("noext", "application/octet-stream"),
    ] {
        let response = get(name);
        assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, kind), "{name}");
    }
    assert!(body(get("sub/other.HTM")).starts_with(b"<script>"), "each HTML file is guarded");
    let picture = get("img/%C3%A4%20b.svg");
    let own = format!("https://panels.example.net/{}/ ", files().hash());
    assert_guarded_by_headers(&picture, &own);
    assert!(!header(&picture, "content-security-policy").contains("allow-scripts"), "it has no guard");
    let script = get("app.js");
    assert_eq!(header(&script, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(body(script), b"1");
}

#[test]
fn paths_that_are_no_file_of_the_plugin_are_not_found() {
    let hash = files().hash().to_owned();
    let upper = hash.to_uppercase();
    let names = [
        "",
        "/",
        ".",
        "..",
        "./panel.html",
        "x/../panel.html",
        "../panel.html",
        "%2e%2e/panel.html",
        "%2e/panel.html",
        "%2E%2E%2Fpanel.html",
        "..%2fpanel.html",
        "..\\panel.html",
        "%5c..%5cpanel.html",
        "panel.html%00",
        "panel.html\0",
        "/etc/passwd",
        "%2fetc/passwd",
        "//panel.html",
        "panel.html/",
        "panel%2ehtml%20",
        "%70anel%252ehtml",
        "https://evil/x",
        "javascript:1",
        "panel.html%3f",
        "panel.html%23",
        "PANEL.html",
        "sub",
        "sub/",
        "%ff",
        "%",
        "%zz",
        "img/a\u{308} b.svg",
        "panel.html;x",
    ];
    let mut paths: Vec<String> = names.iter().map(|name| format!("/{hash}/{name}")).collect();
    paths.push(format!("/{hash}/{}", "a".repeat(4096)));
    paths.extend([
        format!("/{upper}/panel.html"),
        format!("//{hash}/panel.html"),
        format!("{hash}/panel.html"),
        format!("/{hash}"),
        format!("/{}/panel.html", "0".repeat(64)),
        format!("/{}/panel.html", &hash[1..]),
        "/panel.html".into(),
        "/".into(),
        String::new(),
    ]);
    for path in paths {
        let response = ask(&Method::GET, &path, None);
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(header(&response, "cache-control"), "no-store");
    }
    assert_eq!(ask(&Method::GET, &format!("/{hash}/%70anel.html"), None).status(), 200);
}

#[test]
fn errors_carry_the_same_headers() {
    let hash = files().hash().to_owned();
    let own = format!("https://panels.example.net/{hash}/ ");
    assert_guarded_by_headers(&ask(&Method::GET, &format!("/{hash}/gone"), None), &own);
    assert_guarded_by_headers(&ask(&Method::POST, &format!("/{hash}/panel.html"), None), &own);
    assert_guarded_by_headers(&ask(&Method::GET, "/; script-src */x", None), "");
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = panels().headers();
    assert_guarded_by_headers(&response, "");
}

#[test]
fn only_get_and_head_are_answered() {
    let path = format!("/{}/panel.html", files().hash());
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH, Method::TRACE] {
        let response = ask(&method, &path, None);
        assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "GET, HEAD"), "{method}");
    }
    let (got, head) = (get("panel.html"), ask(&Method::HEAD, &path, None));
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers(), got.headers());
    assert_eq!(body(head), b"");
}

#[test]
fn what_the_browser_has_is_not_sent_again() {
    let path = format!("/{}/panel.html", files().hash());
    let tag = header(&get("panel.html"), "etag").to_owned();
    assert_ne!(tag, header(&get("app.js"), "etag"));
    let response = ask(&Method::GET, &path, Some(&tag));
    assert_eq!((response.status().as_u16(), header(&response, "etag")), (304, tag.as_str()));
    assert_eq!(body(response), b"");
    assert_eq!(ask(&Method::GET, &path, Some("\"other\"")).status(), 200);
}

fn any_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "/",
            "%2f",
            ".",
            "..",
            "%2e",
            "%252e",
            "\\",
            "%5c",
            "%00",
            "panel",
            ".html",
            "panel.html",
            "img",
            "sub",
            "%20",
            "ä",
            "%C3%A4",
            "?",
            "#",
            "%",
            "manifest.json",
            "etc/passwd",
            ":",
        ])
        .prop_map(str::to_owned),
        ".{0,3}",
    ];
    let name = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    let hash = prop_oneof![4 => Just(files().hash().to_owned()), 1 => "[0-9a-f]{60,66}", 1 => ".{0,8}"];
    let start = prop_oneof![8 => Just("/"), 1 => Just(""), 1 => Just("//")];
    (start, hash, name).prop_map(|(start, hash, name)| format!("{start}{hash}/{name}"))
}

proptest! {
    #[test]
    fn no_path_leads_out_of_the_plugin(path in any_path(), tag in proptest::option::of(".{0,8}")) {
        let files = files();
        let request = Request { method: &Method::GET, path: &path, if_none_match: tag.as_deref() };
        let response = panels().respond(request, by_hash(&files));
        prop_assert!(response.headers().contains_key("content-security-policy"));
        if response.status() == 200 {
            let (hash, name) = path::parse(&path).unwrap();
            prop_assert_eq!(hash, files.hash());
            prop_assert!(!name.split('/').any(|part| matches!(part, "" | "." | "..")));
            let content = files.get(&name).unwrap();
            let expected = if content_type::is_html(&name) { guard::inject(content) } else { content.clone() };
            prop_assert_eq!(body(response), expected);
        } else {
            prop_assert!(matches!(response.status().as_u16(), 404 | 304), "{}", response.status());
        }
    }

    #[test]
    fn the_guard_leaves_the_authors_bytes(html in prop::collection::vec(any::<u8>(), 0..64), start in any_start()) {
        let html = [start.as_bytes(), &html].concat();
        let guarded = guard::inject(&html);
        let added = guarded.len() - html.len();
        let at = guarded.windows(8).position(|window| window == b"<script>").unwrap();
        prop_assert_eq!([&guarded[..at], &guarded[at + added..]].concat(), html);
    }
}

fn any_start() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\u{feff}",
        " ",
        "<!--",
        "-->",
        "--!>",
        "<!-->",
        "-",
        ">",
        "<!doctype",
        " html>",
        "<?x",
        "<p>",
    ]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}
