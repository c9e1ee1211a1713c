use proptest::prelude::*;

use super::*;
use crate::toolkit::testing::open;
use crate::toolkit::{LoopbackHttp, Toolkit};

const OPERATIONS: &str = r#"
query Issue($id: String!) @tool(title: "Get an issue", description: "Reads one issue.", scopes: ["read"]) {
  issue(id: $id) { ...Short team { ...Team } }
}
mutation IssueUpdate($id: String!, $input: IssueUpdateInput!, $notify: Boolean = true) {
  issueUpdate(id: $id, input: $input) { success issue { ...Short } }
}
mutation IssueDelete($id: String!) @tool(class: DESTRUCTIVE) { issueDelete(id: $id) { success } }
fragment Short on Issue { id title state { ...State } }
fragment State on WorkflowState { name }
fragment Team on Team { key }
fragment Unused on Team { name }
"#;

const TYPES: &str = r#"
"An issue's new values"
input IssueUpdateInput { title: String "0 to 4" priority: Int labelIds: [String!] dueDate: TimelessDate filter: Filter }
input Filter { and: [Filter!] kind: Kind! }
enum Kind { A B }
scalar TimelessDate
type Issue { id: ID! }
"#;

fn source<'a>(file: &'a str, text: &'a str) -> Source<'a> {
    Source { file, bytes: text.as_bytes() }
}

fn all(operations: &str, types: &str) -> Result<Vec<Arc<Tool>>, String> {
    let types = (!types.is_empty()).then(|| source("schema.graphql", types));
    let read = tools(source("operations.graphql", operations), types, "tracker");
    read.map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn tracker() -> Toolkit {
    open(
        "tracker",
        &[("operations.graphql", OPERATIONS), ("schema.graphql", TYPES)],
        "graphql = 'operations.graphql'\ngraphql_schema = 'schema.graphql'",
    )
}

#[test]
fn a_named_operation_is_a_tool() {
    let tools = all(OPERATIONS, TYPES).unwrap();
    let told: Vec<(&str, &str, &str)> =
        tools.iter().map(|tool| (&*tool.slug, tool.class.as_str(), &*tool.description)).collect();
    assert_eq!(
        told,
        [
            ("TRACKER_GET_AN_ISSUE", "read", "Reads one issue."),
            ("TRACKER_ISSUE_DELETE", "destructive", "IssueDelete"),
            ("TRACKER_ISSUE_UPDATE", "write", "IssueUpdate"),
        ]
    );
    assert_eq!(tools[0].scopes, ["read"]);
}

#[test]
fn variables_are_arguments() {
    let tools = all(OPERATIONS, TYPES).unwrap();
    let schema: Value = serde_json::from_str(tools[2].input.get()).unwrap();
    assert_eq!(schema["required"], json!(["id", "input"]));
    assert_eq!(schema["properties"]["input"], json!({"$ref": "#/$defs/IssueUpdateInput"}));
    assert_eq!(schema["properties"]["notify"], json!({"type": ["boolean", "null"], "default": true}));
    let input = &schema["$defs"]["IssueUpdateInput"];
    assert_eq!(
        input["properties"]["priority"],
        json!({"type": ["integer", "null"], "description": "0 to 4"})
    );
    assert_eq!(schema["$defs"]["Filter"]["required"], json!(["kind"]));
    let definitions: Vec<&String> = schema["$defs"].as_object().unwrap().keys().collect();
    assert_eq!(definitions, ["Filter", "IssueUpdateInput", "Kind", "TimelessDate"].each_ref());
}

#[test]
fn a_call_sends_its_operation_with_the_fragments_that_it_needs() {
    let toolkit = tracker();
    let resolved = toolkit.resolve(&|_| None, LoopbackHttp::Refused).unwrap();
    let tool = toolkit.tool("TRACKER_GET_AN_ISSUE").unwrap();
    let request = tool.prepare(&resolved, r#"{"id": "a\"}"}"#).unwrap();
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "https://api.test/graphql"));
    let body: Value = serde_json::from_slice(&request.body.unwrap().bytes).unwrap();
    assert_eq!((&body["operationName"], &body["variables"]), (&json!("Issue"), &json!({"id": "a\"}"})));
    let query = body["query"].as_str().unwrap();
    for part in ["query Issue($id: String!)", "fragment Short", "fragment State", "fragment Team"] {
        assert!(query.contains(part), "{query}");
    }
    assert!(
        !query.contains("@tool") && !query.contains("Unused") && !query.contains("IssueDelete"),
        "{query}"
    );
    graphql_parser::parse_query::<String>(query).unwrap();
    let update = toolkit.tool("TRACKER_ISSUE_UPDATE").unwrap();
    for wrong in [r#"{"id": "a"}"#, r#"{"id": "a", "input": {"no": 1}}"#, r#"{"id": 1, "input": {}}"#] {
        assert!(update.prepare(&resolved, wrong).is_err(), "{wrong}");
    }
    assert!(update.prepare(&resolved, r#"{"id": "a", "input": {"title": null, "labelIds": ["x"]}}"#).is_ok());
}

#[test]
fn every_fault_says_what_to_do() {
    for (operations, types, why) in [
        ("{ me { id } }", "", "operations.graphql: needs a name for each operation"),
        ("query { me { id } }", "", "operations.graphql: needs a name"),
        ("subscription S { x }", "", "operations.graphql: S: is a subscription"),
        ("query A { ...No }", "", "A: uses the fragment No, which is not there"),
        ("query A($x: No) { x }", "", "A: has a variable of the type No"),
        ("query A @tool(class: NO) { x }", "", "A: has a class that is not"),
        ("query A @tool(no: 1) { x }", "", "A: has @tool with a wrong `no`"),
        ("query A { x } query a { x }", "", "TRACKER_A: is there twice"),
        ("query", "", "operations.graphql: is not GraphQL"),
        ("query A { x }", "input", "schema.graphql: is not a GraphQL schema"),
        ("query A { x }", "input A { b: B }", "schema.graphql: A uses B, which is not there"),
    ] {
        let faults = all(operations, types).unwrap_err();
        assert!(faults.contains(why), "{operations}: {faults}");
    }
    let deep = "{".repeat(100_000);
    assert!(all(&deep, "").unwrap_err().contains("is nested more than"));
    assert!(all("query A { x }", &deep).unwrap_err().contains("is nested more than"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(operations in "(query|mutation|fragment|[A-Z(){}:!$@\\[\\]\" ]){0,40}", types in "(input|enum|[A-Z{}:!\\[\\] ]){0,30}") {
        let _ = all(&operations, &types);
    }
}
