//! The arguments of a tool: path, query, header and body parameters joined into one object.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use http::{HeaderName, Method};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use super::document::Document;
use super::operation::{Operation, class};
use super::schema::Schemas;
use super::{Place, Problem, body};
use crate::toolkit::fault::pointer;
use crate::toolkit::tool::{Haystack, Parameter, Piece, Plan, Style, Tool, Work};
use crate::toolkit::{address, headers, limits};

/// Reads one operation to the end.
pub(super) fn tool(
    document: &Document<'_>,
    operation: &Operation<'_>,
    slug: String,
) -> Result<Tool, Problem> {
    let mut input = Input::new(document);
    let plan = plan(document, operation, &mut input)?;
    let schema = input.finish(&operation.place)?;
    let raw = to_raw_value(&schema).map_err(|error| operation.place.problem(error.to_string()))?;
    let fallback = || format!("{} {}", operation.method, operation.path);
    let name = operation.summary.or(operation.id).map_or_else(fallback, str::to_owned);
    let description = operation.description.map_or_else(|| name.clone(), str::to_owned);
    Ok(Tool {
        haystack: Haystack::new(&slug, &name, &description),
        slug,
        name,
        description,
        class: operation.overrides.class.unwrap_or_else(|| class(&operation.method)),
        scopes: operation.overrides.scopes.clone(),
        token: operation.overrides.token.clone(),
        input: Arc::from(raw),
        schema: OnceLock::new(),
        plan: Work::Operation(plan),
    })
}

fn plan<'a>(
    document: &Document<'a>,
    operation: &Operation<'a>,
    input: &mut Input<'_, 'a>,
) -> Result<Plan, Problem> {
    let mut found = parameters(document, operation)?;
    let mut path = segments(operation)?;
    for segment in &mut path {
        for piece in segment {
            if let Piece::Argument(name) = piece {
                let index = found.iter().position(|p| p.place_in == "path" && p.name == name);
                let why =
                    || operation.item.problem(format!("has {{{name}}} in its path and no such parameter"));
                let parameter = found.remove(index.ok_or_else(why)?);
                let schema = parameter.schema(document, input)?;
                input.add("path", name, schema, true);
            }
        }
    }
    let mut query = Vec::new();
    for parameter in found.iter().filter(|p| p.place_in == "query") {
        let style = parameter.style()?;
        let schema = parameter.schema(document, input)?;
        let argument = input.add("query", parameter.name, schema, parameter.required);
        query.push(Parameter { argument, name: parameter.name.to_owned(), style });
    }
    let mut headers = Vec::new();
    for parameter in found.iter().filter(|p| p.place_in == "header") {
        let Some(name) = parameter.header()? else { continue };
        let schema = parameter.schema(document, input)?;
        let argument = input.add("header", parameter.name, schema, parameter.required);
        headers.push((name, argument));
    }
    if let Some(left) = found.iter().find(|p| !matches!(p.place_in, "query" | "header")) {
        let why = match left.place_in {
            "path" => "is not in the path of its operation",
            "cookie" => "is a cookie, and cookies are never sent",
            _ => "must be `in` path, query or header",
        };
        return Err(left.place.problem(format!("`{}` {why}; remove it", left.name)));
    }
    let body = match operation.method {
        Method::GET | Method::HEAD => None,
        _ => body::read(document, operation, input)?,
    };
    Ok(Plan { method: operation.method.clone(), path, query, headers, body })
}

/// The object of all arguments while it grows.
pub(super) struct Input<'d, 'a> {
    pub(super) schemas: Schemas<'d, 'a>,
    pub(super) object: Map<String, Value>,
    properties: Map<String, Value>,
    required: Vec<String>,
}

impl<'d, 'a> Input<'d, 'a> {
    fn new(document: &'d Document<'a>) -> Self {
        let mut object = Map::new();
        object.insert("type".to_owned(), "object".into());
        Self { schemas: Schemas::new(document), object, properties: Map::new(), required: Vec::new() }
    }

    /// Adds an argument, by another name if its own is taken, and says which it got.
    pub(super) fn add(&mut self, prefix: &str, name: &str, schema: Value, required: bool) -> String {
        let mut argument = name.to_owned();
        while self.properties.contains_key(&argument) {
            argument = format!("{prefix}_{argument}");
        }
        let schema = if schema == Value::Bool(true) { json!({}) } else { schema };
        self.properties.insert(argument.clone(), schema);
        if required {
            self.required.push(argument.clone());
        }
        argument
    }

    fn finish(self, place: &Place<'_>) -> Result<Value, Problem> {
        if self.properties.len() > limits::ARGUMENTS {
            let found = self.properties.len();
            return Err(
                place.problem(format!("has {found} arguments; at most {} are allowed", limits::ARGUMENTS))
            );
        }
        let mut object = self.object;
        object.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            object.insert("required".to_owned(), self.required.into());
        }
        if !object.contains_key("additionalProperties") {
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        let definitions = self.schemas.definitions()?;
        if !definitions.is_empty() {
            object.insert("$defs".to_owned(), Value::Object(definitions));
        }
        Ok(Value::Object(object))
    }
}

/// A parameter as the document has it.
struct Found<'a> {
    place: Place<'a>,
    name: &'a str,
    place_in: &'a str,
    required: bool,
}

/// The parameters of an operation, where its own replace those of its path.
fn parameters<'a>(document: &Document<'a>, operation: &Operation<'a>) -> Result<Vec<Found<'a>>, Problem> {
    let mut found: Vec<Found<'a>> = Vec::new();
    for owner in [&operation.item, &operation.place] {
        let Some(list) = owner.child("parameters") else { continue };
        let Value::Array(items) = list.value else { return Err(list.problem("must be a list")) };
        if items.len() > limits::ARGUMENTS {
            return Err(list.problem(format!("has more than {} parameters", limits::ARGUMENTS)));
        }
        let mut own = HashSet::new();
        for (index, value) in items.iter().enumerate() {
            let at = pointer(&list.at, &index.to_string());
            let place = document.follow(Place { value, at })?;
            let name = place.text("name").ok_or_else(|| place.problem("needs a `name`"))?;
            let place_in = place.text("in").ok_or_else(|| place.problem("needs an `in`"))?;
            if name.len() > 200 || name.chars().any(char::is_control) {
                return Err(place.problem("has a name that is too long or has control characters"));
            }
            if !own.insert((name, place_in)) {
                return Err(place.problem(format!("`{name}` is there twice")));
            }
            let required = place.flag("required");
            let parameter = Found { place, name, place_in, required };
            match found.iter_mut().find(|known| known.name == name && known.place_in == place_in) {
                Some(known) => *known = parameter,
                None => found.push(parameter),
            }
        }
    }
    Ok(found)
}

impl<'a> Found<'a> {
    fn schema(&self, document: &Document<'a>, input: &mut Input<'_, 'a>) -> Result<Value, Problem> {
        let place = self.place.child("schema").or_else(|| self.content_schema());
        let mut schema = match place {
            Some(place) => input.schemas.convert(&place)?,
            None => json!({}),
        };
        document.spend(1, &self.place.at)?;
        if let (Value::Object(fields), Some(description)) = (&mut schema, self.place.text("description"))
            && !fields.contains_key("description")
        {
            fields.insert("description".to_owned(), description.into());
        }
        Ok(schema)
    }

    fn content_schema(&self) -> Option<Place<'a>> {
        self.place.child("content")?.child("application/json")?.child("schema")
    }

    fn style(&self) -> Result<Style, Problem> {
        if self.place.value.get("content").is_some() {
            return match self.place.child("content").and_then(|content| content.child("application/json")) {
                Some(_) => Ok(Style::Json),
                None => Err(self.place.problem("has a content that is not application/json")),
            };
        }
        let style = self.place.text("style").unwrap_or("form");
        let explode = self.place.value.get("explode").and_then(Value::as_bool).unwrap_or(style == "form");
        match (style, explode) {
            ("form" | "spaceDelimited" | "pipeDelimited", true) => Ok(Style::Repeated),
            ("form", false) => Ok(Style::Joined(",")),
            ("spaceDelimited", false) => Ok(Style::Joined("%20")),
            ("pipeDelimited", false) => Ok(Style::Joined("%7C")),
            ("deepObject", _) => Ok(Style::Deep),
            _ => Err(self.place.problem(format!("has the style `{style}`, which a query does not have"))),
        }
    }

    /// The header's name; `None` for those that OpenAPI says to ignore.
    fn header(&self) -> Result<Option<HeaderName>, Problem> {
        let wrong = || self.place.problem(format!("`{}` is not a header name", self.name));
        let name = HeaderName::try_from(self.name).map_err(|_| wrong())?;
        if matches!(name.as_str(), "accept" | "content-type" | "authorization") {
            return Ok(None);
        }
        if headers::is_owned(&name) {
            return Err(self.place.problem(format!("`{name}` is set by taiku or by nobody; remove it")));
        }
        Ok(Some(name))
    }
}

/// Reads the path, such as `/repos/{owner}/{repo}`.
fn segments(operation: &Operation<'_>) -> Result<Vec<Vec<Piece>>, Problem> {
    let wrong = |why: &str| Err(operation.item.problem(format!("the path {why}")));
    let Some(path) = operation.path.strip_prefix('/') else { return wrong("must begin with `/`") };
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let texts: Vec<&str> = path.split('/').collect();
    let mut segments = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        if text.is_empty() && index + 1 < texts.len() || address::is_dot_segment(text) {
            return wrong("has an empty segment, `.` or `..`");
        }
        match pieces(text) {
            Some(pieces) => segments.push(pieces),
            None => return wrong("has braces that do not match or characters that need encoding"),
        }
    }
    Ok(segments)
}

fn pieces(segment: &str) -> Option<Vec<Piece>> {
    let literal = |text: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&b);
        text.bytes().all(allowed)
    };
    let mut pieces = Vec::new();
    let mut rest = segment;
    while let Some((text, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        if !literal(text) || name.is_empty() || name.contains('{') {
            return None;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        pieces.push(Piece::Argument(name.to_owned()));
        rest = after;
    }
    if !literal(rest) {
        return None;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Some(pieces)
}
