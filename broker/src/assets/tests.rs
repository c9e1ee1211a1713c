//! The front end as browsers ask for it.

use super::*;
use crate::config::{Config, Origins, Source};

const WASM: &str = "/assets/app-0123456789abcdef.wasm";

fn bundle(name: &str) -> Option<Bytes> {
    Some(Bytes::from_static(match name {
        "index.html" => b"<!doctype html>index",
        "index.html.br" => b"index in brotli",
        "assets/app-0123456789abcdef.wasm" => b"\0asm",
        "assets/app-0123456789abcdef.wasm.br" => b"wasm in brotli",
        "assets/app-0123456789abcdef.wasm.gz" => b"wasm in gzip",
        "assets/boot-0123456789abcdef.js" => b"boot",
        _ => return None,
    }))
}

fn get(path: &str, accept: Option<&str>) -> Response<Body> {
    Bundle(&bundle).serve(path, accept, None)
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn body(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.into()).unwrap()
}

#[tokio::test]
async fn hashed_files_are_kept_for_a_year_and_the_page_is_asked_for_again() {
    let response = get(WASM, None);
    assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&response, "content-type"), "application/wasm");
    assert_eq!(header(&response, "content-encoding"), "");
    assert_eq!(body(response).await, "\0asm");
    let response = get("/", None);
    assert_eq!(header(&response, "cache-control"), "no-cache");
    assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn the_encoding_is_the_browsers_choice_among_those_at_hand() {
    for (path, accept, encoding, content) in [
        (WASM, "gzip, br", "br", "wasm in brotli"),
        (WASM, "gzip, br;q=0.5", "gzip", "wasm in gzip"),
        (WASM, "br;q=0, gzip;q=0", "", "\0asm"),
        ("/", "gzip, br;q=0.5", "br", "index in brotli"),
        ("/", "gzip", "", "<!doctype html>index"),
        ("/assets/boot-0123456789abcdef.js", "br", "", "boot"),
    ] {
        let response = get(path, Some(accept));
        assert_eq!(header(&response, "content-encoding"), encoding, "{path} {accept}");
        assert_eq!(header(&response, "vary"), "accept-encoding");
        assert_eq!(header(&response, "content-length"), content.len().to_string());
        assert_eq!(body(response).await, content, "{path} {accept}");
    }
}

#[test]
fn each_encoding_has_a_tag_of_its_own_and_is_not_sent_twice() {
    let tags = [None, Some("br"), Some("gzip")].map(|accept| header(&get(WASM, accept), "etag").to_owned());
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{tags:?}");
    let again = |tag: &str| Bundle(&bundle).serve(WASM, Some("br"), Some(tag));
    let response = again(&tags[1]);
    assert_eq!((response.status().as_u16(), header(&response, "vary")), (304, "accept-encoding"));
    assert_eq!(header(&response, "content-encoding"), "");
    assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(again(&tags[0]).status(), 200);
}

#[tokio::test]
async fn missing_files_are_missing_below_assets_only() {
    for path in [
        "/assets/",
        "/assets/gone.js",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/app-0123456789abcdef.wasm.br",
        "/assets//app-0123456789abcdef.wasm",
    ] {
        let response = get(path, None);
        assert_eq!(
            (response.status().as_u16(), header(&response, "cache-control")),
            (404, "no-store"),
            "{path}"
        );
    }
    for path in [
        "/",
        "/panel/example.integrations/integrations-panel",
        "/a.js",
        "/../x",
        "/assets",
        "",
        "/index.html.br",
    ] {
        assert_eq!(body(get(path, None)).await, "<!doctype html>index", "{path}");
    }
}

#[tokio::test]
async fn without_a_bundle_the_page_says_what_to_run() {
    let response = Bundle(&|_| None).serve("/", Some("br"), None);
    assert_eq!((response.status().as_u16(), header(&response, "cache-control")), (503, "no-store"));
    assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
    assert!(body(response).await.contains("The front end is not built: run <code>cargo xtask web</code>"));
    assert_eq!(Bundle(&|_| None).serve(WASM, None, None).status(), 404);
}

fn origins(variables: &[(&str, &str)]) -> Origins {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let source = Source::load(None, variables).unwrap();
    Config::read(&source, false).unwrap().origins(8080).unwrap()
}

#[test]
fn the_host_page_has_its_constant_headers() {
    let headers = host_page_headers(&origins(&[]));
    let get = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    assert_eq!(
        get("content-security-policy"),
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; frame-src http://127.0.0.1:8080; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types default"
    );
    assert_eq!(get("cross-origin-opener-policy"), "same-origin");
    assert_eq!(get("x-content-type-options"), "nosniff");
    assert_eq!(get("referrer-policy"), "no-referrer");
    let powers = get("permissions-policy");
    assert!(powers.contains("camera=()") && powers.contains("clipboard-write=(self)"), "{powers}");
    assert_eq!(powers.matches("self").count(), 1, "{powers}");
    assert_eq!(get("strict-transport-security"), "", "plain http on loopback");
    let secure =
        [("TAIKU_PUBLIC_URL", "https://taiku.example"), ("TAIKU_PANEL_URL", "https://panels.example.net")];
    assert_eq!(host_page_headers(&origins(&secure))["strict-transport-security"], "max-age=63072000");
}
