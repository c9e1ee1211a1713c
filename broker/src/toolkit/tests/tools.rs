//! Tools from operations: slugs, classes and the schema of their arguments.

use super::*;

fn slugs(paths: &Value) -> Vec<String> {
    toolkit(paths).tools.iter().map(|tool| tool.slug.clone()).collect()
}

#[test]
fn a_slug_is_the_summary_then_the_id_then_method_and_path() {
    let paths = json!({
        "/a": {"get": {"summary": "Get a thing", "operationId": "ignored"}},
        "/b": {"get": {"operationId": "things/getOne"}},
        "/c/{id}": {"delete": {"parameters": [parameter("id", "path", &json!({}))]}},
    });
    assert_eq!(slugs(&paths), ["TEST_DELETE_C_ID", "TEST_GET_A_THING", "TEST_THINGS_GET_ONE"]);
}

#[test]
fn operations_that_collide_all_take_their_next_name() {
    let paths = json!({
        "/a": {"get": {"summary": "Get it", "operationId": "getA"}},
        "/b": {"get": {"summary": "get IT!", "operationId": "getB"}},
        "/c": {"get": {"summary": "Get it"}},
        "/d": {"get": {"operationId": "same"}, "post": {"operationId": "same"}},
    });
    assert_eq!(slugs(&paths), ["TEST_GET_A", "TEST_GET_B", "TEST_GET_C", "TEST_GET_D", "TEST_POST_D"]);
}

#[test]
fn collisions_without_a_way_out_are_faults() {
    let paths = json!({
        "/a": {"get": {"x-taiku-tool": {"slug": "TEST_SAME"}}, "put": {"x-taiku-tool": {"slug": "TEST_SAME"}}},
    });
    let faults = openapi_faults(&paths, &json!({}));
    assert!(
        faults.contains("/paths/~1a/put: would be the tool `TEST_SAME`, as /paths/~1a/get is"),
        "{faults}"
    );
}

#[test]
fn overrides_decide_slug_class_and_scopes() {
    let toolkit = toolkit(&json!({
        "/a": {"post": {"summary": "Find", "x-taiku-tool": {"slug": "TEST_LOOK", "class": "read", "scopes": ["a:b"]}}},
        "/b": {"get": {"summary": "G"}, "head": {"summary": "H"}, "post": {"summary": "P"},
               "put": {"summary": "U"}, "patch": {"summary": "A"}, "delete": {"summary": "D"},
               "options": {"summary": "O"}, "trace": {"summary": "T"}},
    }));
    let look = toolkit.tool("TEST_LOOK").unwrap();
    assert_eq!(
        (look.class, look.scopes.clone(), look.name.as_str()),
        (Class::Read, vec!["a:b".to_owned()], "Find")
    );
    let classes: Vec<_> =
        toolkit.tools.iter().map(|tool| (tool.name.as_str(), tool.class.as_str())).collect();
    assert_eq!(
        classes,
        [
            ("A", "write"),
            ("D", "destructive"),
            ("G", "read"),
            ("H", "read"),
            ("Find", "read"),
            ("P", "write"),
            ("U", "write")
        ]
    );
    for (table, fault) in [
        (json!({"slug": "OTHER_LOOK"}), "begins with `TEST_`"),
        (json!({"slug": "TEST_look"}), "has only `A-Z`"),
        (json!({"slug": "A".repeat(200)}), "has at most 160 characters"),
        (json!({"slug": 1}), "x-taiku-tool/slug: must be a text"),
        (json!({"class": "harmless"}), "x-taiku-tool/class: must be `read`, `write` or `destructive`"),
        (json!({"scopes": "a"}), "x-taiku-tool/scopes: must be a list of texts"),
        (json!({"klass": "read"}), "x-taiku-tool/klass: is not known"),
    ] {
        let faults = openapi_faults(&json!({"/a": {"get": {"x-taiku-tool": table}}}), &json!({}));
        assert!(faults.contains(fault), "{table}: {faults}");
    }
}

#[test]
fn path_query_header_and_body_are_one_object() {
    let (_, tool) = post(&json!({
        "parameters": [
            parameter("id", "query", &json!({"type": "integer"})),
            {"name": "q", "in": "query", "required": true, "description": "What to find", "schema": {"type": "string"}},
            parameter("X-A", "header", &json!({"type": "string"})),
        ],
        "requestBody": body(&json!({
            "type": "object",
            "required": ["title", "made"],
            "properties": {"id": {"type": "boolean"}, "title": {"type": "string"}, "made": {"readOnly": true}},
        })),
    }));
    assert_eq!(
        schema(&tool),
        json!({
            "type": "object",
            "properties": {
                "id": {},
                "query_id": {"type": "integer"},
                "q": {"type": "string", "description": "What to find"},
                "X-A": {"type": "string"},
                "body_id": {"type": "boolean"},
                "title": {"type": "string"},
            },
            "required": ["id", "q", "title"],
            "additionalProperties": false,
        })
    );
}

#[test]
fn an_operation_replaces_the_parameters_of_its_path() {
    let toolkit = toolkit(&json!({"/x/{id}": {
        "parameters": [parameter("id", "path", &json!({"type": "string"})), parameter("a", "query", &json!({}))],
        "get": {"summary": "Get", "parameters": [parameter("id", "path", &json!({"type": "integer"}))]},
    }}));
    assert_eq!(
        schema(toolkit.tool("TEST_GET").unwrap())["properties"],
        json!({"id": {"type": "integer"}, "a": {}})
    );
}

/// The properties that a 3.0 body of this schema becomes.
fn from_3_0(schema_3_0: &Value) -> Value {
    let paths = json!({"/x": {"post": {
        "summary": "Post",
        "requestBody": body(&json!({"type": "object", "properties": {"a": schema_3_0}})),
    }}});
    let schemas = json!({"Named": {"type": "string"}});
    let toolkit = read_files(OPEN, &document("3.0.3", &paths, &schemas)).unwrap();
    schema(toolkit.tool("TEST_POST").unwrap())["properties"]["a"].clone()
}

#[test]
fn openapi_3_0_becomes_json_schema_2020_12() {
    for (old, new) in [
        (json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]})),
        (
            json!({"enum": ["a"], "type": "string", "nullable": true}),
            json!({"enum": ["a", null], "type": ["string", "null"]}),
        ),
        (json!({"type": "string", "nullable": false}), json!({"type": "string"})),
        (json!({"minimum": 1, "exclusiveMinimum": true}), json!({"exclusiveMinimum": 1})),
        (json!({"maximum": 9, "exclusiveMaximum": true}), json!({"exclusiveMaximum": 9})),
        (json!({"minimum": 1, "exclusiveMinimum": false}), json!({"minimum": 1})),
        (json!({"example": 5}), json!({"examples": [5]})),
        (json!({"x-internal": 1, "discriminator": {}, "xml": {}, "externalDocs": {}}), json!({})),
        (json!({"$ref": "#/components/schemas/Named", "nullable": true}), json!({"$ref": "#/$defs/Named"})),
        (
            json!({"allOf": [{"$ref": "#/components/schemas/Named"}], "nullable": true}),
            json!({"anyOf": [{"allOf": [{"$ref": "#/$defs/Named"}]}, {"type": "null"}]}),
        ),
        (
            json!({"type": "array", "items": {"type": "number", "nullable": true}}),
            json!({"type": "array", "items": {"type": ["number", "null"]}}),
        ),
    ] {
        assert_eq!(from_3_0(&old), new, "{old}");
    }
}

#[test]
fn local_references_become_definitions_recursive_ones_too() {
    let paths = json!({"/x": {"post": {
        "summary": "Post",
        "parameters": [{"$ref": "#/components/schemas/P"}],
        "requestBody": {"$ref": "#/components/schemas/B"},
    }}});
    let schemas = json!({
        "P": parameter("p", "query", &json!({"$ref": "#/components/schemas/Other/properties/x~1y"})),
        "B": body(&json!({"$ref": "#/components/schemas/Tree"})),
        "Tree": {"allOf": [
            {"$ref": "#/components/schemas/Named"},
            {"properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
        ]},
        "Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        "Other": {"properties": {"x/y": {"type": "integer"}}},
    });
    let toolkit = read_files(OPEN, &document("3.1.0", &paths, &schemas)).unwrap();
    let schema = schema(toolkit.tool("TEST_POST").unwrap());
    assert_eq!(schema["required"], json!(["name"]));
    assert_eq!(schema["properties"]["p"], json!({"$ref": "#/$defs/x_1y"}));
    assert_eq!(schema["properties"]["children"]["items"], json!({"$ref": "#/$defs/Tree"}));
    let definitions: Vec<&String> = schema["$defs"].as_object().unwrap().keys().collect();
    assert_eq!(definitions, ["Named", "Tree", "x_1y"]);
}

fn schema_faults(schema: &Value, schemas: &Value) -> String {
    let paths = json!({"/x": {"get": {"summary": "Get", "parameters": [parameter("a", "query", schema)]}}});
    openapi_faults(&paths, schemas)
}

#[test]
fn schemas_that_lead_outside_or_nowhere_are_faults() {
    let at = "openapi.json: /paths/~1x/get/parameters/0/schema";
    for (reference, why) in [
        ("https://evil.test/schema.json", "outside of this document, which is never fetched"),
        ("//evil.test/x", "never fetched"),
        ("file:///etc/passwd", "never fetched"),
        ("other.json#/a", "never fetched"),
        ("#/components/schemas/No", "which is not in this document"),
    ] {
        let faults = schema_faults(&json!({"$ref": reference}), &json!({}));
        assert!(faults.starts_with(at) && faults.contains(why), "{reference}: {faults}");
    }
    for key in ["$id", "$anchor", "$dynamicRef", "$dynamicAnchor"] {
        let faults = schema_faults(&json!({key: "https://evil.test/"}), &json!({}));
        assert!(faults.contains("is not supported"), "{faults}");
    }
    assert!(schema_faults(&json!(5), &json!({})).contains("must be a schema"));
    assert!(schema_faults(&json!({"properties": []}), &json!({})).contains("must be an object"));
    assert!(schema_faults(&json!({"anyOf": {}}), &json!({})).contains("must be a list"));
}

#[test]
fn a_schema_that_is_only_itself_is_a_fault() {
    let start = json!({"$ref": "#/components/schemas/A"});
    let to = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    for schemas in [
        json!({"A": to("A")}),
        json!({"A": {"allOf": [to("B")]}, "B": {"anyOf": [{"type": "string"}, to("A")]}}),
        json!({"A": {"not": to("A")}}),
        json!({"A": {"if": {"oneOf": [to("B")]}}, "B": to("C"), "C": to("A")}),
    ] {
        let faults = schema_faults(&start, &schemas);
        assert!(faults.contains("refers to itself without an end"), "{schemas}: {faults}");
    }
    let fine = json!({"A": {"anyOf": [{"type": "null"}, {"properties": {"next": to("A")}}]}});
    let paths = json!({"/x": {"get": {"summary": "Get", "parameters": [parameter("a", "query", &start)]}}});
    assert!(read_files(OPEN, &document("3.1.0", &paths, &fine)).is_ok());
}

#[test]
fn depth_size_and_number_are_bounded() {
    let deep = (0..limits::SCHEMA_DEPTH + 1).fold(json!({}), |inner, _| json!({"items": inner}));
    assert!(schema_faults(&deep, &json!({})).contains("schemas deep"));
    let wide: serde_json::Map<_, _> =
        (0..limits::SCHEMAS_PER_TOOL).map(|index| (format!("p{index}"), json!({}))).collect();
    assert!(schema_faults(&json!({"properties": wide}), &json!({})).contains("too large"));
    let hops = json!({"A": {"$ref": "#/components/schemas/A"}});
    let paths = json!({"/x": {"get": {"parameters": [{"$ref": "#/components/schemas/A"}]}}});
    assert!(openapi_faults(&paths, &hops).contains("references in a row"));
    let many: serde_json::Map<_, _> =
        (0..=limits::TOOLS).map(|index| (format!("/x{index}"), json!({"get": {}}))).collect();
    assert!(openapi_faults(&Value::Object(many), &json!({})).contains("at most 2000"));
    let parameters: Vec<Value> =
        (0..=limits::ARGUMENTS).map(|index| parameter(&format!("p{index}"), "query", &json!({}))).collect();
    let paths = json!({"/x": {"get": {"parameters": parameters}}});
    assert!(openapi_faults(&paths, &json!({})).contains("more than 256 parameters"));
}

#[test]
fn one_large_value_shared_by_many_operations_is_bounded() {
    let big = json!({"Big": {"enum": (0..15_000).map(|n| n.to_string()).collect::<Vec<_>>()}});
    let operation = json!({"get": {"parameters": [parameter("a", "query", &json!({"$ref": "#/components/schemas/Big"}))]}});
    let paths: serde_json::Map<_, _> =
        (0..100).map(|index| (format!("/x{index}"), operation.clone())).collect();
    let faults = openapi_faults(&Value::Object(paths), &big);
    assert!(faults.contains("the schemas of all operations together are too large"), "{faults}");
}

#[test]
fn operations_that_cannot_be_called_are_faults() {
    for (path, operation, why) in [
        ("x", json!({}), "the path must begin with `/`"),
        ("/a/../b", json!({}), "has an empty segment, `.` or `..`"),
        ("/a//b", json!({}), "has an empty segment"),
        ("/a?b=c", json!({}), "characters that need encoding"),
        ("/a#b", json!({}), "characters that need encoding"),
        ("/a%2fb", json!({}), "characters that need encoding"),
        ("/{a", json!({}), "braces that do not match"),
        ("/{a}", json!({}), "has {a} in its path and no such parameter"),
        ("/a", json!({"parameters": [parameter("b", "path", &json!({}))]}), "`b` is not in the path"),
        ("/a", json!({"parameters": [parameter("b", "cookie", &json!({}))]}), "cookies are never sent"),
        (
            "/a",
            json!({"parameters": [parameter("b", "body", &json!({}))]}),
            "must be `in` path, query or header",
        ),
        ("/a", json!({"parameters": [{"in": "query"}]}), "needs a `name`"),
        (
            "/a",
            json!({"parameters": [parameter("b", "query", &json!({})), parameter("b", "query", &json!({}))]}),
            "is there twice",
        ),
        ("/a", json!({"parameters": {}}), "must be a list"),
        (
            "/a",
            json!({"requestBody": {"content": {"multipart/form-data": {}}}}),
            "other bodies are not supported yet",
        ),
        ("/a", json!({"requestBody": {}}), "needs a `content`"),
        ("/a", json!([]), "must be an object"),
    ] {
        let faults = openapi_faults(&json!({path: {"post": operation}}), &json!({}));
        assert!(
            faults.starts_with("openapi.json: /paths/") && faults.contains(why),
            "{path} {operation}: {faults}"
        );
    }
}

#[test]
fn only_openapi_3_is_read() {
    for (text, why) in [
        ("{", "openapi.json: is not JSON"),
        ("[]", "openapi.json: /openapi: is missing"),
        (r#"{"swagger": "2.0"}"#, "/openapi: is missing"),
        (r#"{"openapi": "4.0.0", "paths": {}}"#, "/openapi: is `4.0.0`; OpenAPI 3.0 and 3.1"),
        (r#"{"openapi": "3.1.0"}"#, "/paths: is missing"),
    ] {
        let faults = lines(&read_files(OPEN, text).unwrap_err());
        assert!(faults.contains(why), "{faults}");
    }
}
