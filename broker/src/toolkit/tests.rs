//! The rules of toolkits, seen from outside of the module.

use serde_json::{Value, json};
use taiku_bridge::{Code, Refusal};

use super::*;

mod any_request;
mod built_in;
mod calls;
mod catalog;
mod catalogue;
mod escapes;
mod hostile;
mod pages;
mod reference;
mod settings;
mod tools;

/// A `toolkit.toml` without sign-in, whose API is a setting.
const OPEN: &str = r#"
name = "Test"
description = "A toolkit of the tests"

[[settings]]
key = "TEST_URL"
description = "Address of the API"
default = "https://api.test/base"

[auth]
mode = "none"

[api]
base_url = "{TEST_URL}"
headers = { Accept = "application/json" }

[tools]
openapi = "openapi.json"
"#;

/// Reads a folder `test` of these two files.
fn read_files(settings: &str, openapi: &str) -> Result<Toolkit, Vec<Fault>> {
    let files = [("toolkit.toml", settings.to_owned()), ("openapi.json", openapi.to_owned())];
    read(&Folder::in_memory("test", files.map(|(name, text)| (name, text.into_bytes()))))
}

/// An OpenAPI document of these paths and component schemas.
fn document(version: &str, paths: &Value, schemas: &Value) -> String {
    json!({"openapi": version, "paths": paths, "components": {"schemas": schemas}}).to_string()
}

/// A toolkit of these paths, in OpenAPI 3.1.
fn toolkit(paths: &Value) -> Toolkit {
    read_files(OPEN, &document("3.1.0", paths, &json!({}))).unwrap()
}

/// What is wrong with a document of these paths and schemas, as lines.
fn openapi_faults(paths: &Value, schemas: &Value) -> String {
    lines(&read_files(OPEN, &document("3.1.0", paths, schemas)).unwrap_err())
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The one tool of a toolkit with one operation `POST /things/{id}`, whose fields are merged from `operation`.
fn post(operation: &Value) -> (Toolkit, Arc<Tool>) {
    let mut all = json!({"summary": "Post", "parameters": [parameter("id", "path", &json!({}))]});
    for (key, value) in operation.as_object().unwrap() {
        match (key.as_str(), all.get_mut("parameters")) {
            ("parameters", Some(Value::Array(list))) => list.extend(value.as_array().unwrap().clone()),
            _ => all[key] = value.clone(),
        }
    }
    let toolkit = toolkit(&json!({"/things/{id}": {"post": all}}));
    let tool = toolkit.tool("TEST_POST").unwrap().clone();
    (toolkit, tool)
}

fn parameter(name: &str, place: &str, schema: &Value) -> Value {
    json!({"name": name, "in": place, "required": place == "path", "schema": schema})
}

/// A JSON body of this schema.
fn body(schema: &Value) -> Value {
    json!({"required": true, "content": {"application/json": {"schema": schema}}})
}

fn resolved(toolkit: &Toolkit) -> Resolved {
    toolkit.resolve(&|_| None, LoopbackHttp::Refused).unwrap()
}

fn prepare((toolkit, tool): &(Toolkit, Arc<Tool>), arguments: &Value) -> Result<Prepared, Refusal> {
    tool.prepare(&resolved(toolkit), &arguments.to_string())
}

fn schema(tool: &Tool) -> Value {
    serde_json::from_str(tool.input_parameters().get()).unwrap()
}

/// The pointer of a refusal for wrong parameters.
fn pointer_of(refusal: &Refusal) -> &str {
    assert_eq!(refusal.code, Code::InvalidParams, "{refusal}");
    refusal.pointer.as_deref().unwrap()
}
