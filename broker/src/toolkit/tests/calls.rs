//! Calls of tools: what is refused before anything is sent, and what is sent.

use super::*;

#[test]
fn a_tool_is_found_by_its_exact_slug_only() {
    let (toolkit, _) = post(&json!({}));
    assert!(toolkit.find("TEST_POST").is_ok());
    for slug in ["test_post", "TEST_POST ", "OTHER_POST", "", "TEST_POST\0", &"A".repeat(1_000_000)] {
        let refusal = toolkit.find(slug).unwrap_err();
        assert_eq!(refusal.code, Code::ToolUnknown);
        assert!(refusal.message.len() < 300);
    }
}

#[test]
fn wrong_arguments_are_named_by_pointer() {
    let tool = post(&json!({
        "parameters": [parameter("limit", "query", &json!({"type": "integer", "maximum": 10}))],
        "requestBody": body(&json!({
            "type": "object",
            "required": ["title"],
            "properties": {
                "title": {"type": "string"},
                "kind": {"enum": ["a", "b"]},
                "tags/~": {"type": "array", "items": {"type": "string", "maxLength": 3}},
            },
        })),
    }));
    for (arguments, pointer) in [
        (json!({"id": "1"}), "/arguments/title"),
        (json!({"title": "t"}), "/arguments/id"),
        (json!({"id": "1", "title": 5}), "/arguments/title"),
        (json!({"id": "1", "title": null}), "/arguments/title"),
        (json!({"id": "1", "title": "t", "limit": "5"}), "/arguments/limit"),
        (json!({"id": "1", "title": "t", "limit": 11}), "/arguments/limit"),
        (json!({"id": "1", "title": "t", "kind": "c"}), "/arguments/kind"),
        (json!({"id": "1", "title": "t", "tags/~": ["abc", "abcd"]}), "/arguments/tags~1~0/1"),
        (json!({"id": "1", "title": "t", "extra": 1}), "/arguments/extra"),
        (json!({"id": "1", "title": "t", "__proto__": 1}), "/arguments/__proto__"),
        (json!({"id": {}, "title": "t"}), "/arguments/id"),
        (json!([]), "/arguments"),
        (json!(null), "/arguments"),
        (json!("x"), "/arguments"),
    ] {
        let refusal = prepare(&tool, &arguments).unwrap_err();
        assert_eq!(pointer_of(&refusal), pointer, "{arguments}: {refusal}");
    }
    assert_eq!(tool.1.prepare(&resolved(&tool.0), "{").unwrap_err().pointer.as_deref(), Some("/arguments"));
}

#[test]
fn a_refusal_reads_well_and_never_repeats_the_value() {
    let tool = post(&json!({"requestBody": body(&json!({"properties": {"n": {"type": "integer"}}}))}));
    let refusal = prepare(&tool, &json!({"id": "1", "n": "s3cret"})).unwrap_err();
    assert_eq!(refusal.message, "/arguments/n: the value is not of type \"integer\"");
    let refusal = prepare(&tool, &json!({"id": "1", "m": "s3cret"})).unwrap_err();
    assert_eq!(refusal.message, "/arguments/m: is not a parameter of TEST_POST");
    let refusal = prepare(&tool, &json!({"n": 1})).unwrap_err();
    assert_eq!(refusal.message, "/arguments/id: is missing");
}

#[test]
fn every_argument_goes_to_its_place() {
    let tool = post(&json!({
        "parameters": [
            parameter("id", "query", &json!({"type": "string"})),
            parameter("X-Kind", "header", &json!({"type": "string"})),
            parameter("tag", "query", &json!({"type": "array"})),
            parameter("flat", "query", &json!({})).as_object().map(|p| {
                let mut p = p.clone();
                p.insert("explode".to_owned(), json!(false));
                p
            }),
            json!({"name": "at", "in": "query", "style": "deepObject", "schema": {}}),
            json!({"name": "filter", "in": "query", "content": {"application/json": {"schema": {}}}}),
        ],
        "requestBody": body(&json!({"type": "object", "properties": {"id": {}, "title": {}, "n": {}}})),
    }));
    let arguments = json!({
        "n": 1.5, "id": "p/1", "query_id": "q", "body_id": [1], "title": "t", "X-Kind": "k v",
        "tag": ["a&b", "c"], "flat": ["x", "y,z"], "at": {"gte": 3}, "filter": {"a": [1]},
    });
    let request = prepare(&tool, &arguments).unwrap();
    assert_eq!(
        request.url.as_str(),
        "https://api.test/base/things/p%2F1?id=q&tag=a%26b&tag=c&flat=x,y%2Cz&at%5Bgte%5D=3\
         &filter=%7B%22a%22%3A%5B1%5D%7D"
    );
    assert_eq!(request.headers["x-kind"], "k v");
    assert_eq!(request.headers["accept"], "application/json");
    let body = request.body.unwrap();
    assert_eq!(body.content_type, "application/json");
    assert_eq!(body.bytes, r#"{"n":1.5,"id":[1],"title":"t"}"#);
}

#[test]
fn a_body_that_is_no_object_is_one_argument() {
    let tool = post(&json!({"requestBody": body(&json!({"type": "array", "items": {"type": "integer"}}))}));
    assert_eq!(schema(&tool.1)["required"], json!(["id", "body"]));
    let request = prepare(&tool, &json!({"id": "1", "body": [1, 2]})).unwrap();
    assert_eq!(request.body.unwrap().bytes, "[1,2]");
    let refusal = prepare(&tool, &json!({"id": "1", "body": ["x"]})).unwrap_err();
    assert_eq!(pointer_of(&refusal), "/arguments/body/0");
}

#[test]
fn a_body_that_may_be_left_out_is_whole_or_absent() {
    let fields = json!({"type": "object", "required": ["a"], "properties": {"a": {}, "b": {}}});
    let optional = json!({"content": {"application/json": {"schema": fields}}});
    let tool = post(&json!({"requestBody": optional}));
    assert!(prepare(&tool, &json!({"id": "1"})).unwrap().body.is_none());
    assert_eq!(prepare(&tool, &json!({"id": "1", "a": 1})).unwrap().body.unwrap().bytes, r#"{"a":1}"#);
    assert!(prepare(&tool, &json!({"id": "1", "b": 1})).is_err());
    let empty = post(&json!({"requestBody": body(&json!({"type": "object", "properties": {"a": {}}}))}));
    assert_eq!(prepare(&empty, &json!({"id": "1"})).unwrap().body.unwrap().bytes, "{}");
}

#[test]
fn an_open_body_takes_further_fields_and_a_closed_one_does_not() {
    let open =
        json!({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "integer"}});
    let tool = post(&json!({"requestBody": body(&open)}));
    let request = prepare(&tool, &json!({"id": "1", "a": "x", "more": 5})).unwrap();
    assert_eq!(request.body.unwrap().bytes, r#"{"a":"x","more":5}"#);
    let refusal = prepare(&tool, &json!({"id": "1", "more": "x"})).unwrap_err();
    assert_eq!(pointer_of(&refusal), "/arguments/more");
    let free = post(&json!({"requestBody": body(&json!({"type": "object"}))}));
    assert_eq!(prepare(&free, &json!({"id": "1", "x": {}})).unwrap().body.unwrap().bytes, r#"{"x":{}}"#);
}

#[test]
fn a_form_is_written_as_a_form() {
    let form = json!({"required": true, "content": {"application/x-www-form-urlencoded": {
        "schema": {"type": "object", "properties": {"text": {}, "list": {}, "object": {}, "deep": {}}},
        "encoding": {"deep": {"style": "deepObject"}},
    }}});
    let tool = post(&json!({"requestBody": form}));
    let arguments = json!({"id": "1", "text": "a&b=c", "list": [1, 2], "object": {"x": 1}, "deep": {"x": 1}});
    let body = prepare(&tool, &arguments).unwrap().body.unwrap();
    assert_eq!(body.content_type, "application/x-www-form-urlencoded");
    assert_eq!(body.bytes, "text=a%26b%3Dc&list=1&list=2&object=%7B%22x%22%3A1%7D&deep%5Bx%5D=1");
}

#[test]
fn patterns_take_time_linear_in_the_text() {
    let tool = post(&json!({
        "requestBody": body(&json!({"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}})),
    }));
    let evil = format!("{}!", "a".repeat(100_000));
    let before = std::time::Instant::now();
    assert_eq!(pointer_of(&prepare(&tool, &json!({"id": "1", "a": evil})).unwrap_err()), "/arguments/a");
    assert!(before.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn a_recursive_schema_is_checked_to_its_depth() {
    let node = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {"next": {"$ref": "#/components/schemas/Node"}},
    });
    let paths = json!({"/x": {"post": {
        "summary": "Post",
        "requestBody": body(&json!({"type": "array", "items": {"$ref": "#/components/schemas/Node"}})),
    }}});
    let toolkit = read_files(OPEN, &document("3.1.0", &paths, &json!({"Node": node}))).unwrap();
    let tool = (toolkit.tool("TEST_POST").unwrap().clone(), resolved(&toolkit));
    let deep = |leaf: &Value| (0..50).fold(leaf.clone(), |inner, _| json!({"next": inner}));
    let call = |leaf: &Value| tool.0.prepare(&tool.1, &json!({"body": [deep(leaf)]}).to_string());
    assert!(call(&json!({})).is_ok());
    let refusal = call(&json!({"wrong": 1})).unwrap_err();
    assert!(pointer_of(&refusal).ends_with("/next/next/wrong"), "{refusal}");
}
