//! The description of the API as tests look at it.

use http::{Method, header};
use serde_json::{Map, Value, json};

use crate::server::OPENAPI;
use crate::server::tests::Answer;

pub(super) struct Document(pub(super) Value);

impl Document {
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(OPENAPI).unwrap())
    }

    /// Path, method in lower case and description of every operation.
    pub(super) fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.0["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
    }

    pub(super) fn operation(&self, method: &Method, path: &str) -> &Value {
        &self.0["paths"][path][method.as_str().to_ascii_lowercase()]
    }

    /// The described path that a filled-in one is of.
    pub(super) fn template(&self, filled: &str) -> &str {
        let filled: Vec<&str> = filled.split('?').next().unwrap().split('/').collect();
        let fits = |path: &str| {
            let parts: Vec<&str> = path.split('/').collect();
            let same = |(a, b): (&&str, &&str)| a.starts_with('{') || a == b;
            parts.len() == filled.len() && parts.iter().zip(&filled).all(same)
        };
        self.operations().map(|(path, _, _)| path).find(|path| fits(path)).unwrap()
    }

    pub(super) fn components(&self, kind: &str) -> &Map<String, Value> {
        self.0["components"][kind].as_object().unwrap()
    }

    pub(super) fn schema(&self, name: &str) -> &Value {
        &self.0["components"]["schemas"][name]
    }

    pub(super) fn parameters(&self, operation: &Value) -> Vec<&Value> {
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        parameters.iter().map(|parameter| self.at(&resolve("", parameter))).collect()
    }

    pub(super) fn is_request_body(&self, schema: &str) -> bool {
        let pointer = "/requestBody/content/application~1json/schema/$ref";
        let reference = format!("#/components/schemas/{schema}");
        self.operations()
            .any(|(_, _, operation)| operation.pointer(pointer).is_some_and(|to| *to == reference))
    }

    fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or_else(|| panic!("nothing is at {pointer}"))
    }

    fn errors(&self, pointer: &str, value: &Value) -> Vec<String> {
        let root = json!({ "allOf": [self.at(pointer)], "components": self.0["components"] });
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&root)
            .unwrap();
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    pub(super) fn accepts(&self, pointer: &str, value: &Value) -> bool {
        self.errors(pointer, value).is_empty()
    }

    /// Panics unless the schema at `pointer` accepts the value.
    pub(super) fn check(&self, pointer: &str, value: &Value) {
        let errors = self.errors(pointer, value);
        assert!(errors.is_empty(), "{pointer}: {value}: {errors:?}");
    }

    /// Panics unless an operation describes the answer: its status, headers, content type and body.
    pub(super) fn check_answer(&self, method: &Method, path: &str, answer: &Answer) {
        let method = method.as_str().to_ascii_lowercase();
        let status = answer.status.as_u16();
        let place = format!("/paths/{}/{method}/responses/{status}", path.replace('/', "~1"));
        let described = self
            .0
            .pointer(&place)
            .unwrap_or_else(|| panic!("{method} {path} answers {status}: {}", answer.text()));
        let place = resolve(&place, described);
        let response = self.at(&place);
        self.check_headers(response, answer);
        let Some(content) = response.get("content") else {
            assert_eq!(answer.bytes, b"", "{method} {path} has a body");
            return;
        };
        let content_type = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
        assert!(content.get(content_type).is_some(), "{method} {path} answers {content_type}");
        if content_type == "text/event-stream" {
            return;
        }
        let schema = format!("{place}/content/{}/schema", content_type.replace('/', "~1"));
        self.check(&schema, &answer.json());
    }

    fn check_headers(&self, response: &Value, answer: &Answer) {
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let header = self.at(&resolve("", header));
            let present = answer.headers.contains_key(name);
            assert!(present || header["required"] != true, "{name} is missing");
        }
    }
}

/// The pointer that a value stands at or refers to.
fn resolve(pointer: &str, value: &Value) -> String {
    match value["$ref"].as_str() {
        Some(reference) => reference.trim_start_matches('#').to_owned(),
        None => pointer.to_owned(),
    }
}
