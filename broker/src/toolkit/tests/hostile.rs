//! Files that are anything at all: reading them never panics.

use proptest::prelude::*;

use super::*;

fn read_bytes(settings: &[u8], openapi: &[u8]) -> Result<Toolkit, Vec<Fault>> {
    read(&Folder::in_memory(
        "test",
        [("toolkit.toml", settings.to_vec()), ("openapi.json", openapi.to_vec())],
    ))
}

/// Replaces `count` bytes of a text at `at`.
fn damaged(text: &str, at: usize, count: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let start = at % bytes.len();
    let end = (start + count).min(bytes.len());
    bytes.splice(start..end, with.iter().copied());
    bytes
}

fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "$ref",
        "#",
        "#/paths",
        "#/components/schemas/A",
        "type",
        "object",
        "properties",
        "allOf",
        "items",
        "name",
        "in",
        "path",
        "query",
        "header",
        "schema",
        "required",
        "nullable",
        "x-taiku-tool",
        "slug",
        "requestBody",
        "content",
        "application/json",
        "enum",
        "/",
        "{a}",
        "a",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn sample() -> String {
    let parameters = json!([parameter("id", "path", &json!({"type": "string"}))]);
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}});
    let paths = json!({"/x/{id}": {"post": {"summary": "Post", "parameters": parameters, "requestBody": body(&schema)}}});
    document("3.0.0", &paths, &json!({"A": {"type": "string", "nullable": true}}))
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_faults(settings in any::<Vec<u8>>(), openapi in any::<Vec<u8>>()) {
        prop_assert!(read_bytes(&settings, sample().as_bytes()).is_err());
        prop_assert!(read_bytes(OPEN.as_bytes(), &openapi).is_err());
    }

    #[test]
    fn damaged_files_never_panic(at in any::<usize>(), count in 0..20_usize, with in prop::collection::vec(any::<u8>(), 0..8)) {
        let _ = read_bytes(&damaged(OPEN, at, count, &with), sample().as_bytes());
        let _ = read_bytes(OPEN.as_bytes(), &damaged(&sample(), at, count, &with));
    }

    #[test]
    fn odd_documents_never_panic_and_what_they_give_can_be_called(
        operation in any_json(), schema in any_json(), arguments in any_json(),
    ) {
        let text = document("3.0.0", &json!({"/x/{a}": {"post": operation}}), &json!({"A": schema}));
        let Ok(toolkit) = read_files(OPEN, &text) else { return Ok(()) };
        for tool in &toolkit.tools {
            let _ = tool.prepare(&resolved(&toolkit), &arguments.to_string());
        }
        let named = json!({"$ref": "#/components/schemas/A"});
        let text = document("3.1.0", &json!({"/x": {"post": {"requestBody": body(&named)}}}), &json!({"A": schema}));
        let Ok(toolkit) = read_files(OPEN, &text) else { return Ok(()) };
        for tool in &toolkit.tools {
            let _ = tool.prepare(&resolved(&toolkit), &arguments.to_string());
        }
    }

    #[test]
    fn values_of_settings_never_move_the_host(value in any::<String>()) {
        let settings = OPEN.replace("{TEST_URL}", "https://{TEST_URL}.api.test/v1");
        let toolkit = read_files(&settings, &sample()).unwrap();
        if let Ok(resolved) = toolkit.resolve(&|_| Some(value.clone()), LoopbackHttp::Allowed) {
            let host = resolved.api.base_url.host_str().unwrap().to_owned();
            prop_assert!(host.ends_with(".api.test"), "{}", host);
            prop_assert_eq!(resolved.api.base_url.path(), "/v1");
        }
    }

    #[test]
    fn searches_and_cursors_never_panic(search in any::<String>(), limit in any::<usize>(), cursor in any::<String>()) {
        let toolkit = read_files(OPEN, &sample()).unwrap();
        let _ = toolkit.tools(Some(&search), limit, Some(&cursor));
    }
}

#[test]
fn a_file_nested_ten_thousand_deep_is_a_fault() {
    let deep = "[".repeat(10_000);
    assert!(read_bytes(OPEN.as_bytes(), deep.as_bytes()).is_err());
    assert!(read_bytes(format!("a = {deep}").as_bytes(), b"{}").is_err());
    let (toolkit, tool) = post(&json!({"requestBody": body(&json!({"properties": {"a": {}}}))}));
    let arguments = format!("{{\"id\": \"1\", \"a\": {deep}");
    assert!(tool.prepare(&resolved(&toolkit), &arguments).is_err());
}
