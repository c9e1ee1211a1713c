//! The body of an operation: its fields become arguments.

use serde_json::{Map, Value, json};

use super::document::Document;
use super::input::Input;
use super::operation::Operation;
use super::{Place, Problem};
use crate::toolkit::fault::pointer;
use crate::toolkit::limits;
use crate::toolkit::tool::{BodyPlan, BodyShape, Encoding};

/// How deep `allOf` may stand in `allOf`.
const NESTED: usize = 8;

pub(super) fn read<'a>(
    document: &Document<'a>,
    operation: &Operation<'a>,
    input: &mut Input<'_, 'a>,
) -> Result<Option<BodyPlan>, Problem> {
    let Some(body) = operation.place.child("requestBody") else { return Ok(None) };
    let body = document.follow(body)?;
    let required = body.flag("required");
    let (encoding, media) = encoding(&body)?;
    let Some(schema) = media.child("schema") else {
        let argument = input.add("body", "body", json!({}), required);
        return Ok(Some(BodyPlan { required, encoding, shape: BodyShape::Whole(argument) }));
    };
    let shape = match fields(document, schema.clone(), 0)? {
        Some(fields) => join(fields, required, input)?,
        None if matches!(encoding, Encoding::Form { .. }) => {
            return Err(schema.problem("must describe an object, because the body is a form"));
        }
        None => {
            let schema = input.schemas.convert(&schema)?;
            BodyShape::Whole(input.add("body", "body", schema, required))
        }
    };
    Ok(Some(BodyPlan { required, encoding, shape }))
}

/// Picks JSON, or a form where there is no JSON.
fn encoding<'a>(body: &Place<'a>) -> Result<(Encoding, Place<'a>), Problem> {
    let content = body.child("content").ok_or_else(|| body.problem("needs a `content`"))?;
    let Value::Object(types) = content.value else { return Err(content.problem("must be an object")) };
    let essence = |kind: &str| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let find = |wanted: &dyn Fn(&str) -> bool| types.keys().find(|kind| wanted(&essence(kind)));
    let json = |kind: &str| kind == "application/json";
    let other_json = |kind: &str| kind.starts_with("application/") && kind.ends_with("+json");
    if let Some(kind) = find(&json).or_else(|| find(&other_json)) {
        let media = Place { value: &types[kind], at: pointer(&content.at, kind) };
        return Ok((Encoding::Json(essence(kind)), media));
    }
    if let Some(kind) = find(&|kind| kind == "application/x-www-form-urlencoded") {
        let media = Place { value: &types[kind], at: pointer(&content.at, kind) };
        return Ok((Encoding::Form { deep: deep(&media) }, media));
    }
    Err(content
        .problem("is neither JSON nor a form; other bodies are not supported yet, remove the operation"))
}

/// The fields of a form that are written with brackets.
fn deep(media: &Place<'_>) -> Vec<String> {
    let encodings = media.value.get("encoding").and_then(Value::as_object);
    let is_deep = |value: &Value| value.get("style").and_then(Value::as_str) == Some("deepObject");
    encodings
        .into_iter()
        .flatten()
        .filter(|(_, value)| is_deep(value))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The fields of a body that is an object.
#[derive(Default)]
struct Fields<'a> {
    properties: Vec<(&'a str, Place<'a>)>,
    required: Vec<&'a str>,
    /// What further fields must be, if there may be any.
    others: Option<Place<'a>>,
}

fn fields<'a>(
    document: &Document<'a>,
    schema: Place<'a>,
    depth: usize,
) -> Result<Option<Fields<'a>>, Problem> {
    let schema = document.follow(schema)?;
    let mut all = Fields::default();
    let branches = schema.value.get("allOf").and_then(Value::as_array);
    if branches.is_none() && !is_object(schema.value) || depth > NESTED {
        return Ok(None);
    }
    for (index, value) in branches.into_iter().flatten().enumerate() {
        let at = pointer(&pointer(&schema.at, "allOf"), &index.to_string());
        match fields(document, Place { value, at }, depth + 1)? {
            Some(branch) => all.merge(branch),
            None => return Ok(None),
        }
    }
    if let Some(properties) = schema.child("properties") {
        let Value::Object(map) = properties.value else {
            return Err(properties.problem("must be an object"));
        };
        let own = map
            .iter()
            .map(|(name, value)| (name.as_str(), Place { value, at: pointer(&properties.at, name) }));
        all.properties.extend(own);
    }
    let required = schema.value.get("required").and_then(Value::as_array);
    all.required.extend(required.into_iter().flatten().filter_map(Value::as_str));
    let others = schema.child("additionalProperties").filter(|place| *place.value != Value::Bool(false));
    all.others = others.or(all.others);
    Ok(Some(all))
}

impl<'a> Fields<'a> {
    fn merge(&mut self, other: Fields<'a>) {
        self.properties.extend(other.properties);
        self.required.extend(other.required);
        self.others = other.others.or(self.others.take());
    }
}

fn is_object(schema: &Value) -> bool {
    let typed = match schema.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => false,
    };
    let choice = schema.get("oneOf").is_some() || schema.get("anyOf").is_some();
    schema.get("properties").is_some() || typed && !choice
}

/// Makes the fields arguments. A field that only the provider sets (`readOnly`) is left out.
fn join<'a>(all: Fields<'a>, required: bool, input: &mut Input<'_, 'a>) -> Result<BodyShape, Problem> {
    let mut renamed = Vec::new();
    let mut names = Vec::new();
    let mut needed = Vec::new();
    let free_form = all.properties.is_empty();
    if let Some((_, place)) = all.properties.get(limits::ARGUMENTS) {
        return Err(
            place.problem(format!("is one field too many; at most {} are allowed", limits::ARGUMENTS))
        );
    }
    for (field, place) in all.properties {
        if place.flag("readOnly") || names.iter().any(|(known, _)| *known == field) {
            continue;
        }
        let schema = input.schemas.convert(&place)?;
        let needs = all.required.contains(&field);
        let argument = input.add("body", field, schema, required && needs);
        if argument != field {
            renamed.push((argument.clone(), field.to_owned()));
        }
        if needs {
            needed.push(argument.clone());
        }
        names.push((field, argument));
    }
    // A body that may be left out is whole once one of its fields is there.
    if !required && !needed.is_empty() {
        let rules: Map<String, Value> =
            names.iter().map(|(_, argument)| (argument.clone(), json!(needed))).collect();
        input.object.insert("dependentRequired".to_owned(), Value::Object(rules));
    }
    match all.others {
        Some(place) => {
            let schema = input.schemas.convert(&place)?;
            input.object.insert("additionalProperties".to_owned(), schema);
        }
        None if free_form => {
            input.object.insert("additionalProperties".to_owned(), Value::Bool(true));
        }
        None => {}
    }
    Ok(BodyShape::Fields { renamed })
}
