//! Schemas of OpenAPI 3.0 and 3.1 as JSON Schema 2020-12.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::document::{Dialect, Document};
use super::{Place, Problem};
use crate::toolkit::fault::pointer;
use crate::toolkit::limits;

/// Keywords that are kept as they are.
const PLAIN: [&str; 28] = [
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "type",
    "enum",
    "const",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxContains",
    "minContains",
    "maxProperties",
    "minProperties",
    "required",
    "dependentRequired",
    "format",
];
/// Keywords that hold one schema, about a part of the value.
const INNER: [&str; 6] = [
    "items",
    "contains",
    "additionalProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords that hold schemas by name, about parts of the value.
const INNER_MAPS: [&str; 2] = ["properties", "patternProperties"];
/// Keywords that hold one schema, about the value itself.
const SAME: [&str; 4] = ["not", "if", "then", "else"];
/// Keywords that hold a list of schemas, about the value itself.
const SAME_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords that would change what a reference means.
const REFUSED: [&str; 6] =
    ["$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"];

/// Converts the schemas of one tool and collects those they refer to.
pub(super) struct Schemas<'d, 'a> {
    document: &'d Document<'a>,
    /// The name under `$defs` of each place that is referred to.
    names: BTreeMap<String, String>,
    /// How many definitions have each name so far.
    taken: HashMap<String, usize>,
    queue: Vec<(String, Place<'a>)>,
    /// Which definitions stand for the same value as another one: a cycle of these has no end.
    same: BTreeMap<String, BTreeSet<String>>,
    held: usize,
}

/// Where a schema stands.
#[derive(Clone, Copy)]
struct Context<'c> {
    depth: usize,
    /// The definition whose value this schema is about, if it is about the same one.
    same: Option<&'c str>,
}

impl<'c> Context<'c> {
    fn inner(self) -> Self {
        Self { depth: self.depth + 1, same: None }
    }

    fn same(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

impl<'d, 'a> Schemas<'d, 'a> {
    pub(super) fn new(document: &'d Document<'a>) -> Self {
        Self {
            document,
            names: BTreeMap::new(),
            taken: HashMap::new(),
            queue: Vec::new(),
            same: BTreeMap::new(),
            held: 0,
        }
    }

    /// Converts one schema of a parameter or a body.
    pub(super) fn convert(&mut self, place: &Place<'a>) -> Result<Value, Problem> {
        self.schema(place, Context { depth: 0, same: None })
    }

    /// The definitions that the converted schemas refer to.
    pub(super) fn definitions(mut self) -> Result<Map<String, Value>, Problem> {
        let mut definitions = Map::new();
        while let Some((name, place)) = self.queue.pop() {
            let schema = self.schema(&place, Context { depth: 0, same: Some(&name) })?;
            definitions.insert(name, schema);
        }
        self.refuse_endless()?;
        definitions.sort_keys();
        Ok(definitions)
    }

    fn schema(&mut self, place: &Place<'a>, context: Context<'_>) -> Result<Value, Problem> {
        self.spend(1, place)?;
        if context.depth > limits::SCHEMA_DEPTH {
            return Err(place.problem(format!("is nested more than {} schemas deep", limits::SCHEMA_DEPTH)));
        }
        let fields = match place.value {
            Value::Bool(all) => return Ok(Value::Bool(*all)),
            Value::Object(fields) => fields,
            _ => return Err(place.problem("must be a schema: an object")),
        };
        let mut out = Map::new();
        if let Some(reference) = fields.get("$ref") {
            let Value::String(reference) = reference else {
                return Err(place.problem("has a `$ref` that is not a text"));
            };
            out.insert("$ref".to_owned(), self.reference(reference, place, context)?.into());
            if self.document.dialect == Dialect::V30 {
                return Ok(Value::Object(out));
            }
        }
        for key in fields.keys() {
            if let Some(child) = place.child(key) {
                self.keyword(key, &child, context, &mut out)?;
            }
        }
        if self.document.dialect == Dialect::V30 {
            modernise(fields, &mut out);
        }
        Ok(Value::Object(out))
    }

    fn keyword(
        &mut self,
        key: &str,
        child: &Place<'a>,
        context: Context<'_>,
        out: &mut Map<String, Value>,
    ) -> Result<(), Problem> {
        let converted = match key {
            _ if PLAIN.contains(&key) => {
                self.spend(weight(child.value), child)?;
                child.value.clone()
            }
            _ if INNER.contains(&key) => self.schema(child, context.inner())?,
            _ if INNER_MAPS.contains(&key) => self.map(child, context.inner())?,
            "dependentSchemas" => self.map(child, context.same())?,
            "prefixItems" => self.list(child, context.inner())?,
            _ if SAME.contains(&key) => self.schema(child, context.same())?,
            _ if SAME_LISTS.contains(&key) => self.list(child, context.same())?,
            "example" => {
                self.spend(weight(child.value), child)?;
                out.insert("examples".to_owned(), json!([child.value]));
                return Ok(());
            }
            _ if REFUSED.contains(&key) => {
                return Err(child.problem("is not supported; refer by `#/components/schemas/…` only"));
            }
            // What is left is about documents (`xml`, `discriminator`, `x-…`) or about no argument at all.
            _ => return Ok(()),
        };
        out.insert(key.to_owned(), converted);
        Ok(())
    }

    fn map(&mut self, place: &Place<'a>, context: Context<'_>) -> Result<Value, Problem> {
        let Value::Object(fields) = place.value else { return Err(place.problem("must be an object")) };
        let mut out = Map::new();
        for (key, value) in fields {
            let child = Place { value, at: pointer(&place.at, key) };
            out.insert(key.clone(), self.schema(&child, context)?);
        }
        Ok(Value::Object(out))
    }

    fn list(&mut self, place: &Place<'a>, context: Context<'_>) -> Result<Value, Problem> {
        let Value::Array(items) = place.value else { return Err(place.problem("must be a list")) };
        let schemas = items.iter().enumerate().map(|(index, value)| {
            let child = Place { value, at: pointer(&place.at, &index.to_string()) };
            self.schema(&child, context)
        });
        Ok(Value::Array(schemas.collect::<Result<_, _>>()?))
    }

    fn reference(
        &mut self,
        reference: &str,
        place: &Place<'a>,
        context: Context<'_>,
    ) -> Result<String, Problem> {
        let target = self.document.target(reference, &place.at)?;
        let name = match self.names.get(&target.at) {
            Some(name) => name.clone(),
            None => {
                let name = self.free_name(&target.at);
                self.names.insert(target.at.clone(), name.clone());
                self.queue.push((name.clone(), target));
                name
            }
        };
        if let Some(from) = context.same {
            self.same.entry(from.to_owned()).or_default().insert(name.clone());
        }
        Ok(format!("#/$defs/{name}"))
    }

    fn free_name(&mut self, at: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' };
        let last: String = at.rsplit('/').next().unwrap_or_default().chars().map(plain).take(80).collect();
        let base = if last.is_empty() { "root".to_owned() } else { last };
        loop {
            let count = self.taken.entry(base.clone()).or_default();
            *count += 1;
            let name = if *count == 1 { base.clone() } else { format!("{base}_{count}") };
            if name == base || !self.taken.contains_key(&name) {
                self.taken.entry(name.clone()).or_insert(1);
                return name;
            }
        }
    }

    /// A definition that is itself, such as `A = allOf [A]`, describes nothing and would never be done.
    fn refuse_endless(&self) -> Result<(), Problem> {
        // Kahn's algorithm: take away what nothing else leads to; only cycles are left.
        let mut leading: BTreeMap<&str, usize> = BTreeMap::new();
        for (from, to) in &self.same {
            leading.entry(from).or_default();
            for name in to {
                *leading.entry(name).or_default() += 1;
            }
        }
        let mut free: Vec<&str> =
            leading.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        while let Some(name) = free.pop() {
            leading.remove(name);
            for next in self.same.get(name).into_iter().flatten() {
                if let Some(count) = leading.get_mut(next.as_str()) {
                    *count -= 1;
                    if *count == 0 {
                        free.push(next);
                    }
                }
            }
        }
        let Some(name) = leading.keys().next() else { return Ok(()) };
        let at = self.names.iter().find(|(_, known)| known == name).map_or("", |(at, _)| at.as_str());
        Err(Problem::new(at, "refers to itself without an end; let it refer to itself in a property or item"))
    }

    fn spend(&mut self, amount: usize, place: &Place<'a>) -> Result<(), Problem> {
        self.document.spend(amount, &place.at)?;
        self.held += amount;
        if self.held > limits::SCHEMAS_PER_TOOL {
            return Err(place.problem("is too much: the schemas of one operation are too large"));
        }
        Ok(())
    }
}

/// How much a value holds: one for each value in it and each 64 bytes of text.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + text.len() / 64,
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(fields) => {
            1 + fields.iter().map(|(key, value)| key.len() / 64 + weight(value)).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

/// Says in 2020-12 what OpenAPI 3.0 says with `nullable` and with boolean exclusive bounds.
fn modernise(fields: &Map<String, Value>, out: &mut Map<String, Value>) {
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        match fields.get(exclusive) {
            Some(Value::Bool(true)) => {
                out.remove(exclusive);
                if let Some(limit) = out.remove(bound) {
                    out.insert(exclusive.to_owned(), limit);
                }
            }
            Some(Value::Bool(false)) => {
                out.remove(exclusive);
            }
            _ => {}
        }
    }
    if fields.get("nullable") == Some(&Value::Bool(true)) {
        allow_null(out);
    }
}

fn allow_null(out: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = out.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    match out.get("type").cloned() {
        Some(Value::String(kind)) => {
            out.insert("type".to_owned(), json!([kind, "null"]));
        }
        _ if SAME_LISTS.iter().any(|key| out.contains_key(*key)) => {
            let schema = Value::Object(std::mem::take(out));
            out.insert("anyOf".to_owned(), json!([schema, {"type": "null"}]));
        }
        _ => {}
    }
}
