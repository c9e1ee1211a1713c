//! Which operations of a document can be tools, and what keeps the others from it.

use serde_json::{Map, Value};

use super::document::{Dialect, Document};
use super::operation::Operation;
use super::{Problem, input, naming, operation};
use crate::toolkit::fault::Faults;
use crate::toolkit::{arguments, limits};

/// How often a smaller document is looked at again: what is left out can take the name of what is kept with it.
const ROUNDS: usize = 5;
/// What is kept of an operation. Answers are not described by tools, and take most of a document.
const KEPT: [&str; 7] =
    ["summary", "operationId", "description", "deprecated", "parameters", "requestBody", "x-taiku-tool"];

/// The part of a document that makes tools.
#[derive(Debug)]
pub(crate) struct Survey {
    /// The document without the rest.
    pub(crate) document: Value,
    /// How many tools it makes.
    pub(crate) tools: usize,
    /// The operations that were left out, such as `POST /files`, and why.
    pub(crate) left_out: Vec<(String, String)>,
}

/// Takes what can be tools out of a document.
///
/// # Errors
/// When it is no document of a version that can be read, or nothing of it can be a tool.
pub(crate) fn survey(root: &Value, toolkit: &str) -> Result<Survey, String> {
    let mut survey = Survey { document: root.clone(), tools: 0, left_out: Vec::new() };
    for _ in 0..ROUNDS {
        let left = survey.left_out.len();
        survey = again(survey, toolkit)?;
        if survey.left_out.len() == left {
            break;
        }
    }
    if survey.tools == 0 { Err("has no operation that can be a tool".to_owned()) } else { Ok(survey) }
}

fn again(before: Survey, toolkit: &str) -> Result<Survey, String> {
    let Survey { document: root, mut left_out, .. } = before;
    let dialect = Dialect::of(&root)?;
    let document = Document::new(&root, dialect);
    let mut faults = Faults::of("");
    let operations = operation::all(&document, &mut faults);
    let slugs = naming::assign(toolkit, &operations, &mut Faults::of(""));
    let mut kept = Vec::new();
    for (operation, slug) in operations.iter().zip(slugs) {
        match fits(&document, operation, slug, kept.len()) {
            Ok(()) => kept.push(operation),
            Err(why) => left_out.push((format!("{} {}", operation.method, operation.path), why)),
        }
    }
    left_out.extend(faults.into_list().into_iter().map(|fault| (fault.at, fault.message)));
    let tools = kept.len();
    Ok(Survey { document: only(&root, &kept), tools, left_out })
}

fn fits(
    document: &Document<'_>,
    operation: &Operation<'_>,
    slug: Option<String>,
    so_far: usize,
) -> Result<(), String> {
    let slug = slug.ok_or("its name is too long, or that of another operation")?;
    if so_far >= limits::TOOLS {
        return Err(format!("a toolkit has at most {} tools", limits::TOOLS));
    }
    let tool = input::tool(document, operation, slug)
        .map_err(|Problem { at, message }| format!("{at} {message}"))?;
    // Patterns of other dialects are found only here.
    arguments::compile(tool.input.get())
        .map(|_| ())
        .map_err(|why| format!("its schema cannot be used: {why}"))
}

/// A document of these operations and the components that they name.
fn only(root: &Value, kept: &[&Operation<'_>]) -> Value {
    let mut paths = Map::new();
    for operation in kept {
        let item = paths.entry(operation.path).or_insert_with(|| shared(operation.item.value));
        if let Value::Object(item) = item {
            item.insert(operation.method.as_str().to_ascii_lowercase(), trimmed(operation.place.value));
        }
    }
    let mut document = Map::new();
    for key in ["openapi", "info", "servers", "security"] {
        if let Some(value) = root.get(key) {
            document.insert(key.to_owned(), value.clone());
        }
    }
    let paths = Value::Object(paths);
    document.insert("components".to_owned(), components(root, &paths));
    document.insert("paths".to_owned(), paths);
    Value::Object(document)
}

/// The parameters that the operations of a path share.
fn shared(item: &Value) -> Value {
    let parameters = item.get("parameters").map(|parameters| ("parameters".to_owned(), parameters.clone()));
    Value::Object(parameters.into_iter().collect())
}

fn trimmed(operation: &Value) -> Value {
    let kept = KEPT.iter().filter_map(|key| Some(((*key).to_owned(), operation.get(*key)?.clone())));
    Value::Object(kept.collect())
}

/// The components that are named, directly or by others that are, and how one signs in.
fn components(root: &Value, paths: &Value) -> Value {
    let mut found: Map<String, Value> = Map::new();
    let mut named = Vec::new();
    references(paths, &mut named);
    while let Some(reference) = named.pop() {
        let Some(rest) = reference.strip_prefix("#/components/") else { continue };
        let mut parts = rest.split('/');
        let (Some(kind), Some(name)) = (parts.next(), parts.next()) else { continue };
        let plain = name.replace("~1", "/").replace("~0", "~");
        let plain = percent_encoding::percent_decode_str(&plain).decode_utf8_lossy().into_owned();
        let group = found.entry(kind).or_insert_with(|| Value::Object(Map::new()));
        let (Some(component), Value::Object(group)) =
            (root.get("components").and_then(|all| all.get(kind)?.get(&plain)), group)
        else {
            continue;
        };
        if !group.contains_key(&plain) {
            references(component, &mut named);
            group.insert(plain, component.clone());
        }
    }
    if let Some(schemes) = root.get("components").and_then(|all| all.get("securitySchemes")) {
        found.insert("securitySchemes".to_owned(), schemes.clone());
    }
    Value::Object(found)
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.push(reference.clone());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
