//! Arguments that try to leave their place in the request.

use proptest::prelude::*;
use url::Url;

use super::*;

fn tool() -> (Toolkit, Arc<Tool>) {
    post(&json!({"parameters": [
        parameter("q", "query", &json!({"type": "string"})),
        parameter("X-Note", "header", &json!({"type": "string"})),
    ]}))
}

#[test]
fn a_path_argument_is_one_encoded_segment() {
    let tool = tool();
    for (value, path) in [
        ("../../user", "..%2F..%2Fuser"),
        ("%2e%2e", "%252e%252e"),
        ("%2e%2e%2fuser", "%252e%252e%252fuser"),
        ("a/b", "a%2Fb"),
        ("?x=", "%3Fx%3D"),
        ("#", "%23"),
        ("\\", "%5C"),
        ("..\\", "..%5C"),
        (";a=1", "%3Ba%3D1"),
        ("@evil.test", "%40evil.test"),
        ("a b+c", "a%20b%2Bc"),
        ("ü", "%C3%BC"),
        ("...", "..."),
        ("\u{2025}", "%E2%80%A5"),
    ] {
        let request = prepare(&tool, &json!({"id": value})).unwrap();
        assert_eq!(request.url.as_str(), format!("https://api.test/base/things/{path}"), "{value}");
    }
}

#[test]
fn a_path_argument_that_no_segment_can_carry_is_refused() {
    let tool = tool();
    for value in ["", ".", "..", "\0", "a\0b", "a\r\nb", "\n", "\t", "\x7f", "\u{85}"] {
        let refusal = prepare(&tool, &json!({"id": value})).unwrap_err();
        assert_eq!(pointer_of(&refusal), "/arguments/id", "{value:?}");
    }
    for value in [json!(null), json!({}), json!([]), json!([["a"]]), json!([""])] {
        assert_eq!(pointer_of(&prepare(&tool, &json!({"id": value})).unwrap_err()), "/arguments/id");
    }
}

#[test]
fn two_arguments_cannot_make_a_dot_segment_together() {
    let operation = json!({"summary": "Get", "parameters": [
        parameter("a", "path", &json!({})), parameter("b", "path", &json!({})),
    ]});
    let toolkit = toolkit(&json!({"/x/{a}.{b}/y": {"get": operation}, "/z/{a}{b}/y": {"post": operation}}));
    let resolved = resolved(&toolkit);
    let joined = toolkit.tool("TEST_POST_Z_A_B_Y").unwrap();
    assert!(joined.prepare(&resolved, r#"{"a": "-", "b": "x"}"#).is_ok());
    for arguments in [r#"{"a": ".", "b": "x"}"#, r#"{"a": ".", "b": "."}"#, r#"{"a": "x", "b": ".."}"#] {
        match joined.prepare(&resolved, arguments) {
            Ok(request) => assert_eq!(request.url.path_segments().unwrap().count(), 4, "{arguments}"),
            Err(refusal) => assert!(pointer_of(&refusal).starts_with("/arguments/"), "{arguments}"),
        }
    }
    assert!(joined.prepare(&resolved, r#"{"a": ".", "b": "."}"#).is_err());
    let dotted = toolkit.tool("TEST_GET_X_A_B_Y").unwrap();
    let request = dotted.prepare(&resolved, r#"{"a": "v1", "b": ".."}"#).unwrap();
    assert_eq!(request.url.path(), "/base/x/v1.../y");
}

#[test]
fn a_header_argument_is_visible_ascii() {
    let tool = tool();
    let good = prepare(&tool, &json!({"id": "1", "X-Note": "a b~!"})).unwrap();
    assert_eq!(good.headers["x-note"], "a b~!");
    for value in ["a\r\nX-Evil: 1", "a\nb", "\r", "\0", "ü", "€", " a", "\x7f", "a\tb"] {
        let refusal = prepare(&tool, &json!({"id": "1", "X-Note": value})).unwrap_err();
        assert_eq!(pointer_of(&refusal), "/arguments/X-Note", "{value:?}");
    }
}

#[test]
fn addresses_and_headers_are_bounded() {
    let tool = tool();
    let long = "a".repeat(limits::ADDRESS);
    for arguments in [json!({"id": long}), json!({"id": "1", "q": long})] {
        assert_eq!(pointer_of(&prepare(&tool, &arguments).map(|_| ()).unwrap_err()), "/arguments");
    }
    let refusal = prepare(&tool, &json!({"id": "1", "X-Note": long})).map(|_| ()).unwrap_err();
    assert_eq!(pointer_of(&refusal), "/arguments/X-Note");
}

#[test]
fn a_toolkit_cannot_map_an_argument_to_a_header_of_the_core() {
    for name in
        ["Cookie", "Host", "Content-Length", "Transfer-Encoding", "Connection", "Proxy-Authorization", "a b"]
    {
        let paths =
            json!({"/x": {"get": {"summary": "Get", "parameters": [parameter(name, "header", &json!({}))]}}});
        let faults = openapi_faults(&paths, &json!({}));
        assert!(faults.starts_with("openapi.json: /paths/~1x/get/parameters/0: "), "{faults}");
    }
    // OpenAPI says that these are ignored.
    let ignored = post(&json!({"parameters": [parameter("Authorization", "header", &json!({}))]}));
    assert_eq!(
        pointer_of(&prepare(&ignored, &json!({"id": "1", "Authorization": "x"})).unwrap_err()),
        "/arguments/Authorization"
    );
}

#[test]
fn servers_of_the_document_count_for_nothing() {
    let paths = json!({"/x": {
        "servers": [{"url": "https://evil.test"}],
        "get": {"summary": "Get", "servers": [{"url": "https://evil.test"}]},
    }});
    let mut text: Value = serde_json::from_str(&document("3.1.0", &paths, &json!({}))).unwrap();
    text["servers"] = json!([{"url": "https://evil.test"}]);
    let toolkit = read_files(OPEN, &text.to_string()).unwrap();
    let request = toolkit.tool("TEST_GET").unwrap().prepare(&resolved(&toolkit), "{}").unwrap();
    assert_eq!(request.url.as_str(), "https://api.test/base/x");
}

proptest! {
    #[test]
    fn no_argument_leaves_its_place(id in any::<String>(), q in any::<String>(), note in any::<String>()) {
        let tool = tool();
        let Ok(request) = prepare(&tool, &json!({"id": id, "q": q, "X-Note": note})) else { return Ok(()) };
        let url = Url::parse(request.url.as_str()).unwrap();
        prop_assert_eq!(url.origin(), resolved(&tool.0).api.base_url.origin());
        prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
        let segments: Vec<&str> = url.path_segments().unwrap().collect();
        prop_assert_eq!(segments.len(), 3);
        prop_assert_eq!(&segments[..2], &["base", "things"]);
        let decoded = percent_encoding::percent_decode_str(segments[2]).decode_utf8().unwrap().into_owned();
        prop_assert_eq!(decoded, id);
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(pairs, vec![("q".to_owned(), q)]);
        prop_assert_eq!(request.headers["x-note"].to_str().unwrap(), note);
        prop_assert_eq!(request.headers.len(), 2);
    }

    #[test]
    fn an_argument_of_url_syntax_leaves_its_place_no_more(id in r"[./\\%?#@:;&=2eE5cC]{0,12}") {
        let tool = tool();
        if let Ok(request) = prepare(&tool, &json!({"id": id})) {
            let segments: Vec<&str> = request.url.path_segments().unwrap().collect();
            prop_assert_eq!(segments.len(), 3);
            prop_assert_eq!(request.url.query(), None);
            let decoded = percent_encoding::percent_decode_str(segments[2]).decode_utf8().unwrap();
            prop_assert_eq!(decoded.as_ref(), id);
        } else {
            prop_assert!(matches!(id.as_str(), "" | "." | ".."));
        }
    }
}
