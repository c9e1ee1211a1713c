//! The operations of a document, each with what names it.

use http::Method;
use serde_json::Value;

use super::document::Document;
use super::{Place, Problem};
use crate::toolkit::fault::{Faults, pointer};
use crate::toolkit::tool::Class;

/// The methods that become tools. `options` and `trace` ask about the server and not about its data.
const METHODS: [(&str, Method); 6] = [
    ("get", Method::GET),
    ("head", Method::HEAD),
    ("post", Method::POST),
    ("put", Method::PUT),
    ("patch", Method::PATCH),
    ("delete", Method::DELETE),
];

/// An operation before its parameters are read.
#[derive(Debug)]
pub(super) struct Operation<'a> {
    pub(super) place: Place<'a>,
    /// The object of its path, whose parameters it shares.
    pub(super) item: Place<'a>,
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) summary: Option<&'a str>,
    pub(super) id: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    pub(super) overrides: Overrides<'a>,
}

/// What `x-taiku-tool` says.
#[derive(Debug, Default)]
pub(super) struct Overrides<'a> {
    pub(super) slug: Option<&'a str>,
    pub(super) class: Option<Class>,
    pub(super) scopes: Vec<String>,
    pub(super) token: Option<String>,
}

/// Every operation, in the order of the document.
pub(super) fn all<'a>(document: &Document<'a>, faults: &mut Faults) -> Vec<Operation<'a>> {
    let Some((Value::Object(paths), all)) = document.root().child("paths").map(|place| (place.value, place))
    else {
        faults.push("/paths", "is missing; it must be an object with the operations");
        return Vec::new();
    };
    let mut operations = Vec::new();
    for (path, item) in paths {
        if path.starts_with("x-") {
            continue;
        }
        let item = Place { value: item, at: pointer(&all.at, path) };
        match document.follow(item) {
            Ok(item) => of_path(path, &item, &mut operations, faults),
            Err(problem) => faults.push(problem.at, problem.message),
        }
    }
    operations
}

fn of_path<'a>(path: &'a str, item: &Place<'a>, operations: &mut Vec<Operation<'a>>, faults: &mut Faults) {
    for (key, method) in METHODS {
        let Some(place) = item.child(key) else { continue };
        match read(path, item, place, method) {
            Ok(operation) => operations.push(operation),
            Err(problem) => faults.push(problem.at, problem.message),
        }
    }
}

fn read<'a>(
    path: &'a str,
    item: &Place<'a>,
    place: Place<'a>,
    method: Method,
) -> Result<Operation<'a>, Problem> {
    if !place.value.is_object() {
        return Err(place.problem("must be an object"));
    }
    Ok(Operation {
        item: item.clone(),
        method,
        path,
        summary: place.text("summary"),
        id: place.text("operationId"),
        description: place.text("description"),
        overrides: overrides(&place)?,
        place,
    })
}

fn overrides<'a>(place: &Place<'a>) -> Result<Overrides<'a>, Problem> {
    let Some(table) = place.child("x-taiku-tool") else { return Ok(Overrides::default()) };
    let Value::Object(fields) = table.value else { return Err(table.problem("must be an object")) };
    let mut overrides = Overrides::default();
    for (key, value) in fields {
        let at = pointer(&table.at, key);
        match (key.as_str(), value) {
            ("slug", Value::String(slug)) => overrides.slug = Some(slug),
            ("class", Value::String(class)) => {
                let known = Class::parse(class);
                let why = "must be `read`, `write` or `destructive`";
                overrides.class = Some(known.ok_or_else(|| Problem::new(at, why))?);
            }
            ("scopes", value) => {
                let scopes = serde_json::from_value(value.clone());
                overrides.scopes = scopes.map_err(|_| Problem::new(at, "must be a list of texts"))?;
            }
            ("token", Value::String(token)) => overrides.token = Some(token.clone()),
            ("slug" | "class" | "token", _) => return Err(Problem::new(at, "must be a text")),
            _ => {
                return Err(Problem::new(
                    at,
                    "is not known; there are `slug`, `class`, `scopes` and `token`",
                ));
            }
        }
    }
    Ok(overrides)
}

/// What a method does to the provider's data, unless the document says otherwise.
pub(super) fn class(method: &Method) -> Class {
    match *method {
        Method::GET | Method::HEAD => Class::Read,
        Method::DELETE => Class::Destructive,
        _ => Class::Write,
    }
}
