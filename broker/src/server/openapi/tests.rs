mod answers;
mod document;
mod manual;

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use taiku_bridge::{Code, Permission};

use self::document::Document;
use crate::server::tests::TestApp;
use crate::server::{Access, table};

#[tokio::test]
async fn every_route_is_described_and_every_description_is_a_route() {
    let app = TestApp::empty(&[]).await;
    let routes: BTreeSet<(String, String)> = table(&app.broker)
        .into_iter()
        .map(|route| (route.path.to_owned(), route.method.as_str().to_ascii_lowercase()))
        .collect();
    let document = Document::read();
    let described: BTreeSet<(String, String)> =
        document.operations().map(|(path, method, _)| (path.to_owned(), method.to_owned())).collect();
    assert_eq!(routes, described);
}

#[tokio::test]
async fn the_security_of_an_operation_is_the_access_of_its_route() {
    let app = TestApp::empty(&[]).await;
    let document = Document::read();
    for route in table(&app.broker) {
        let operation = document.operation(&route.method, route.path);
        let names: Vec<BTreeSet<&str>> = operation["security"].as_array().unwrap().iter().map(keys).collect();
        let (key, cookie) = (BTreeSet::from(["apiKey"]), BTreeSet::from(["session"]));
        let anybody = match route.method.is_safe() {
            true => BTreeSet::new(),
            false => BTreeSet::from(["hostPage"]),
        };
        let browser = &cookie | &anybody;
        let expected = match route.access {
            Access::Anyone | Access::Visitor if route.method.is_safe() => vec![anybody, key, browser],
            Access::Anyone | Access::Visitor => vec![key, browser, anybody],
            Access::User | Access::Stream | Access::Integrations | Access::Admin => vec![key, browser],
            Access::Browser => vec![browser],
        };
        assert_eq!(names, expected, "{} {}", route.method, route.path);
        let scope = match (route.access, route.method.is_safe()) {
            (Access::Admin, _) => "admin",
            (_, true) => "read",
            (_, false) => "write",
        };
        for scopes in operation["security"].as_array().unwrap().iter().filter_map(|way| way.get("apiKey")) {
            assert_eq!(scopes[0], scope, "{} {}", route.method, route.path);
        }
    }
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn operations_are_named_and_explained() {
    let document = Document::read();
    let mut names = BTreeSet::new();
    for (path, method, operation) in document.operations() {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
        for field in ["summary", "description"] {
            assert!(
                operation[field].as_str().is_some_and(|text| !text.is_empty()),
                "{method} {path} {field}"
            );
        }
        let wanted: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = document.parameters(operation);
        let given = parameters.iter().filter(|parameter| parameter["in"] == "path");
        let given: BTreeSet<&str> = given.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(given, wanted, "{method} {path}");
    }
}

#[test]
fn every_code_and_permission_is_there() {
    let document = Document::read();
    let names = |schema: &str| document.schema(schema)["enum"].as_array().unwrap().clone();
    assert_eq!(names("Code"), Code::ALL.iter().map(|code| Value::from(code.as_str())).collect::<Vec<_>>());
    let permissions = Permission::ALL.iter().map(|permission| Value::from(permission.as_str()));
    assert_eq!(names("Permission"), permissions.collect::<Vec<_>>());
    let text = document.schema("Code")["description"].as_str().unwrap();
    for code in Code::ALL {
        assert!(text.contains(&format!("`{code}`, {}: ", code.status())), "{code}");
    }
}

/// A response of a status lists exactly the codes that have this status.
#[test]
fn refusals_have_the_codes_of_their_status() {
    let document = Document::read();
    let mut found = BTreeSet::new();
    for response in document.components("responses").values() {
        let Some(schema) = response.pointer("/content/application~1problem+json/schema") else { continue };
        let schema = schema.pointer("/anyOf/0").unwrap_or(schema);
        let status = schema.pointer("/properties/status/const").and_then(Value::as_u64).unwrap();
        let codes = Code::ALL.iter().filter(|code| u64::from(code.status()) == status);
        let codes: Vec<Value> = codes.map(|code| Value::from(code.as_str())).collect();
        assert_eq!(schema.pointer("/properties/code/enum"), Some(&Value::from(codes)), "{status}");
        found.insert(status);
    }
    assert_eq!(found, Code::ALL.iter().map(|code| u64::from(code.status())).collect());
}

#[test]
fn every_schema_is_explained_and_has_examples_that_it_accepts() {
    let document = Document::read();
    for (name, schema) in document.components("schemas") {
        assert!(jsonschema::meta::is_valid(schema), "{name} is no JSON Schema");
        assert!(schema["description"].is_string(), "{name} says nothing");
        let examples = schema["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            document.check(&format!("/components/schemas/{name}"), example);
        }
    }
}

#[test]
fn nothing_is_described_that_nothing_refers_to() {
    let document = Document::read();
    let text = document.0.to_string();
    for kind in ["schemas", "responses", "headers", "parameters"] {
        for name in document.components(kind).keys() {
            // A path has no 405: it is the answer to methods that it does not have.
            let used =
                text.contains(&format!("\"#/components/{kind}/{name}\"")) || name == "MethodNotAllowed";
            assert!(used, "{kind}/{name}");
        }
    }
}

/// Objects that we answer are closed, so that a field cannot be added without being described.
#[test]
fn answers_are_closed() {
    let document = Document::read();
    let open = ["Description", "UserFields"];
    for (name, schema) in document.components("schemas") {
        let is_body = document.is_request_body(name);
        if schema.get("properties").is_some() && !is_body && !open.contains(&name.as_str()) {
            let closed = |keyword: &str| schema.get(keyword) == Some(&Value::Bool(false));
            assert!(closed("additionalProperties") || closed("unevaluatedProperties"), "{name}");
        }
    }
}

#[test]
fn a_wrong_value_is_noticed() {
    let document = Document::read();
    let user = document.schema("User")["examples"][0].as_object().unwrap().clone();
    let broken: [fn(&mut Map<String, Value>); 3] = [
        |user| drop(user.remove("email")),
        |user| drop(user.insert("role".into(), "owner".into())),
        |user| drop(user.insert("password".into(), "x".into())),
    ];
    for change in broken {
        let mut user = user.clone();
        change(&mut user);
        assert!(!document.accepts("/components/schemas/User", &user.into()));
    }
}
