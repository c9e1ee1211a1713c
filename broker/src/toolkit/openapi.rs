//! Tools from an OpenAPI 3.0 or 3.1 document: one operation is one tool.

mod body;
mod document;
mod input;
mod naming;
mod operation;
mod schema;
mod survey;

use std::sync::Arc;

use serde_json::Value;

use self::document::{Dialect, Document};
pub(crate) use self::survey::{Survey, survey};
use super::fault::{Fault, Faults, pointer};
use super::limits;
use super::tool::Tool;

/// The tools of a document, sorted by slug.
///
/// `file` is the document's name for faults and `toolkit` the slug that tool slugs begin with.
pub(crate) fn tools(file: &str, bytes: &[u8], toolkit: &str) -> Result<Vec<Arc<Tool>>, Vec<Fault>> {
    let one = |at: &str, message: String| vec![Fault::new(file, at, message)];
    let root: Value =
        serde_json::from_slice(bytes).map_err(|error| one("", format!("is not JSON: {error}")))?;
    let dialect = Dialect::of(&root).map_err(|why| one("/openapi", why))?;
    let document = Document::new(&root, dialect);
    let mut faults = Faults::of(file);
    let operations = operation::all(&document, &mut faults);
    if operations.len() > limits::TOOLS {
        let found = operations.len();
        return Err(one("/paths", format!("has {found} operations; at most {} are allowed", limits::TOOLS)));
    }
    let slugs = naming::assign(toolkit, &operations, &mut faults);
    let mut tools = Vec::with_capacity(operations.len());
    for (operation, slug) in operations.iter().zip(slugs) {
        if faults.is_full() {
            break;
        }
        let Some(slug) = slug else { continue };
        match input::tool(&document, operation, slug) {
            Ok(tool) => tools.push(Arc::new(tool)),
            Err(problem) => faults.push(problem.at, problem.message),
        }
    }
    let faults = faults.into_list();
    if !faults.is_empty() {
        return Err(faults);
    }
    tools.sort_by(|a, b| a.slug.cmp(&b.slug));
    Ok(tools)
}

/// What is wrong at one place of the document.
#[derive(Debug)]
struct Problem {
    at: String,
    message: String,
}

impl Problem {
    fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into() }
    }
}

/// A value of the document and where it stands.
#[derive(Clone, Debug)]
struct Place<'a> {
    value: &'a Value,
    at: String,
}

impl<'a> Place<'a> {
    fn child(&self, key: &str) -> Option<Place<'a>> {
        Some(Place { value: self.value.get(key)?, at: pointer(&self.at, key) })
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.at.clone(), message)
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.value.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    fn flag(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool).unwrap_or(false)
    }
}
