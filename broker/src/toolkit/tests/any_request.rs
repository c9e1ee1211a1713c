//! The tool that makes any request.

use http::header::CONTENT_TYPE;
use proptest::prelude::*;

use super::*;

/// Two hosts, one with a path of its own, and a token in a header of its own.
const SETTINGS: &str = r#"
name = "Test"
description = "A toolkit of the tests"
[auth]
mode = "oauth2"
authorize_url = "https://auth.test/authorize"
token_url = "https://auth.test/token"
[api]
base_url = "https://api.test/base/"
hosts = ["https://files.test"]
headers = { Accept = "application/json", Version = "1" }
authorization_header = "X-Token"
[tools]
http_request = true
"#;

fn tool() -> (Toolkit, Arc<Tool>) {
    let toolkit = read(&Folder::in_memory("test", [("toolkit.toml", SETTINGS.as_bytes().to_vec())])).unwrap();
    let tool = toolkit.tool("TEST_HTTP_REQUEST").unwrap().clone();
    (toolkit, tool)
}

fn made(arguments: &Value) -> Prepared {
    prepare(&tool(), arguments).unwrap()
}

fn refused(arguments: &Value) -> String {
    pointer_of(&prepare(&tool(), arguments).unwrap_err()).to_owned()
}

#[test]
fn method_path_query_headers_and_body_are_sent_as_said() {
    let request = made(&json!({
        "method": "PATCH",
        "path": "/v1/items/a%20b",
        "query": { "q": "x&y=#", "page": 2, "tag": ["a", "b"], "deep": true },
        "headers": { "Version": "2", "If-Match": "\"etag\"" },
        "body": { "title": "ü", "n": [1, null] },
    }));
    assert_eq!(request.method, "PATCH");
    assert_eq!(
        request.url.as_str(),
        "https://api.test/base/v1/items/a%20b?q=x%26y%3D%23&page=2&tag=a&tag=b&deep=true"
    );
    assert_eq!(
        (&request.headers["version"], &request.headers["accept"]),
        (&"2".parse().unwrap(), &"application/json".parse().unwrap())
    );
    assert_eq!(request.headers["if-match"], "\"etag\"");
    let body = request.body.unwrap();
    assert_eq!(
        (body.content_type.to_str().unwrap(), &body.bytes[..]),
        ("application/json", "{\"title\":\"ü\",\"n\":[1,null]}".as_bytes())
    );
    assert!(made(&json!({ "method": "GET", "path": "/" })).body.is_none());
}

#[test]
fn bodies_are_json_a_form_or_a_text() {
    let body = |kind: &str, body: Value| {
        made(&json!({ "method": "POST", "path": "/x", "headers": { "content-type": kind }, "body": body }))
            .body
            .unwrap()
    };
    assert_eq!(
        &body("application/x-www-form-urlencoded", json!({ "a": "b c", "d": [1, 2] })).bytes[..],
        b"a=b+c&d=1&d=2"
    );
    assert_eq!(&body("text/csv", json!("a,b\n1,2")).bytes[..], b"a,b\n1,2");
    assert_eq!(&body("application/merge-patch+json", json!("text")).bytes[..], b"\"text\"");
    let request = made(
        &json!({ "method": "POST", "path": "/x", "headers": { "content-type": "text/csv" }, "body": "x" }),
    );
    assert!(!request.headers.contains_key(CONTENT_TYPE), "the body says it alone");
    let wrong =
        json!({ "method": "POST", "path": "/x", "headers": { "content-type": "text/csv" }, "body": {} });
    assert_eq!(refused(&wrong), "/arguments/body");
    assert_eq!(refused(&json!({ "method": "GET", "path": "/x", "body": 1 })), "/arguments/body");
}

#[test]
fn the_hosts_of_the_api_are_reached_and_no_others() {
    let to = |host: &str| json!({ "method": "GET", "path": "/x", "host": host });
    assert_eq!(made(&to("files.test")).url.as_str(), "https://files.test/x");
    assert_eq!(made(&to("api.test")).url.as_str(), "https://api.test/base/x");
    for host in
        ["auth.test", "evil.test", "API.test", "api.test.", "api.test:443", "127.0.0.1", "", "files.test/x"]
    {
        assert_eq!(refused(&to(host)), "/arguments/host", "{host}");
    }
}

#[test]
fn a_path_stays_a_path() {
    for path in [
        "//evil.test/x",
        "/../x",
        "/a/../b",
        "/a/./b",
        "/%2e%2e/x",
        "/a/%2E./b",
        "/a%2f..%2fb",
        "/a%5c..%5cb",
        "/%252e%252e/x",
        "/a?b=c",
        "/a#b",
        "/a\\b",
        "/a b",
        "/ü",
        "/%",
        "/%zz",
        "/%0d%0a",
        "/%00",
        "/a\r\nb",
        "/a\tb",
        "/https://evil.test/../..",
    ] {
        assert_eq!(refused(&json!({ "method": "GET", "path": path })), "/arguments/path", "{path:?}");
    }
    for path in ["x", "", "https://evil.test/", "@evil.test", ":80/"] {
        assert_eq!(refused(&json!({ "method": "GET", "path": path })), "/arguments/path", "{path:?}");
    }
    for path in ["/", "/v1/@me/a:b;c=d,e/~f/%2Fg", "/a.b/..c/d.."] {
        let url = made(&json!({ "method": "GET", "path": path })).url;
        assert_eq!(url.as_str(), format!("https://api.test/base{path}"));
    }
}

#[test]
fn headers_of_the_connection_and_of_signing_in_cannot_be_set() {
    for name in [
        "Authorization",
        "X-Token",
        "x-token",
        "Host",
        "Cookie",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "X-HTTP-Method",
        "Origin",
        "Sec-Fetch-Site",
        "X-Forwarded-For",
    ] {
        let arguments = json!({ "method": "GET", "path": "/", "headers": { name: "x" } });
        assert_eq!(refused(&arguments), format!("/arguments/headers/{name}"));
    }
    for value in ["a\r\nb: c", "a\0", "é", "\n"] {
        let arguments = json!({ "method": "GET", "path": "/", "headers": { "x-a": value } });
        assert_eq!(refused(&arguments), "/arguments/headers/x-a", "{value:?}");
    }
    let query = json!({ "method": "POST", "path": "/", "query": { "_method": "DELETE" } });
    assert_eq!(refused(&query), "/arguments/query/_method");
}

#[test]
fn methods_are_a_closed_list() {
    for method in ["get", "CONNECT", "TRACE", "OPTIONS", "GET ", "GET\r\n", ""] {
        assert_eq!(refused(&json!({ "method": method, "path": "/" })), "/arguments/method", "{method:?}");
    }
    assert_eq!(refused(&json!({ "path": "/" })), "/arguments/method");
    assert_eq!(
        refused(&json!({ "method": "GET", "path": "/", "url": "https://evil.test" })),
        "/arguments/url"
    );
}

proptest! {
    #[test]
    fn whatever_is_said_goes_to_the_hosts_of_the_api(path in "/?[ -~éü]{0,40}", host in proptest::option::of("[a-z.:@/]{0,12}"), name in "[!-~]{1,8}", value in "[ -~]{0,12}") {
        let mut arguments = json!({ "method": "GET", "path": path, "query": { name.clone(): value }, "headers": { name: value } });
        if let Some(host) = host {
            arguments["host"] = host.into();
        }
        if let Ok(request) = prepare(&tool(), &arguments) {
            let host = request.url.host_str().unwrap().to_owned();
            prop_assert!(request.url.scheme() == "https" && (host == "api.test" || host == "files.test"));
            prop_assert!(request.url.username().is_empty() && request.url.port().is_none());
            prop_assert!(host == "files.test" || request.url.path().starts_with("/base/"));
            prop_assert!(!request.headers.contains_key("x-token") && !request.headers.contains_key("authorization"));
        }
    }
}
