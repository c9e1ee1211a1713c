//! Tools from GraphQL: one named operation is one tool.
//!
//! Each operation says by the directive `@tool(title: "…", description: "…", class: READ, scopes: ["…"])` what the tool
//! is; the directive is not sent. Its variables are the tool's arguments. The types of variables that are neither
//! built in nor scalars come from the schema file, which needs to hold no more than these.

mod schema;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use graphql_parser::query::{
    Definition, Directive, Document, FragmentDefinition, Mutation, OperationDefinition, Query, Selection,
    SelectionSet, Value as Constant, VariableDefinition,
};
use http::Method;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use self::schema::Types;
use super::fault::{Fault, Faults};
use super::limits;
use super::naming::screaming;
use super::tool::{BodyPlan, BodyShape, Class, Encoding, Haystack, Plan, Tool, Work};

/// The name of the directive.
const TOOL: &str = "tool";

/// A GraphQL document of the folder: its name for faults, and its text.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) bytes: &'a [u8],
}

/// The tools of a document, sorted by slug. `toolkit` is the slug that tool slugs begin with.
pub(crate) fn tools(
    operations: Source<'_>,
    types: Option<Source<'_>>,
    toolkit: &str,
) -> Result<Vec<Arc<Tool>>, Vec<Fault>> {
    let text = text(operations)?;
    let document = graphql_parser::parse_query::<String>(text)
        .map_err(|error| vec![Fault::new(operations.file, "", format!("is not GraphQL: {error}"))])?;
    let types = match types {
        Some(source) => Types::parse(source)?,
        None => Types::default(),
    };
    let mut faults = Faults::of(operations.file);
    let mut tools: Vec<Arc<Tool>> = Vec::new();
    for definition in &document.definitions {
        let Definition::Operation(operation) = definition else { continue };
        let Some(tool) = Named::of(operation, &mut faults)
            .and_then(|named| read(&document, named, &types, toolkit, &mut faults))
        else {
            continue;
        };
        if tools.iter().any(|known| known.slug == tool.slug) {
            faults.push(&tool.slug, "is there twice; give one of the operations another name or title");
        }
        tools.push(Arc::new(tool));
    }
    if tools.len() > limits::TOOLS {
        faults.push("", format!("has more than {} operations", limits::TOOLS));
    }
    let faults = faults.into_list();
    if !faults.is_empty() {
        return Err(faults);
    }
    tools.sort_by(|a, b| a.slug.cmp(&b.slug));
    Ok(tools)
}

/// The parser calls itself for what is nested, so depth is bounded before it runs.
fn text(source: Source<'_>) -> Result<&str, Vec<Fault>> {
    let wrong = |why: String| vec![Fault::new(source.file, "", why)];
    let text = std::str::from_utf8(source.bytes).map_err(|_| wrong("is not UTF-8".into()))?;
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limits::SCHEMA_DEPTH {
            return Err(wrong(format!("is nested more than {} deep", limits::SCHEMA_DEPTH)));
        }
    }
    Ok(text)
}

/// An operation that has a name.
struct Named<'a, 'd> {
    name: &'a str,
    variables: &'a [VariableDefinition<'d, String>],
    directives: &'a [Directive<'d, String>],
    selection: &'a SelectionSet<'d, String>,
    class: Class,
    /// The operation without the directive, as it is sent.
    sent: String,
}

impl<'a, 'd> Named<'a, 'd> {
    fn of(operation: &'a OperationDefinition<'d, String>, faults: &mut Faults) -> Option<Self> {
        let nameless = "needs a name for each operation";
        match operation {
            OperationDefinition::Query(query) => {
                let Some(name) = &query.name else {
                    faults.push("", nameless);
                    return None;
                };
                let directives = without_tool(&query.directives);
                Some(Self {
                    name,
                    variables: &query.variable_definitions,
                    directives: &query.directives,
                    selection: &query.selection_set,
                    class: Class::Read,
                    sent: Query { directives, ..query.clone() }.to_string(),
                })
            }
            OperationDefinition::Mutation(mutation) => {
                let Some(name) = &mutation.name else {
                    faults.push("", nameless);
                    return None;
                };
                let directives = without_tool(&mutation.directives);
                Some(Self {
                    name,
                    variables: &mutation.variable_definitions,
                    directives: &mutation.directives,
                    selection: &mutation.selection_set,
                    class: Class::Write,
                    sent: Mutation { directives, ..mutation.clone() }.to_string(),
                })
            }
            OperationDefinition::SelectionSet(_) => {
                faults.push("", nameless);
                None
            }
            OperationDefinition::Subscription(subscription) => {
                let name = subscription.name.as_deref().unwrap_or_default();
                faults.push(name, "is a subscription, which no request can carry; remove it");
                None
            }
        }
    }
}

fn without_tool<'d>(directives: &[Directive<'d, String>]) -> Vec<Directive<'d, String>> {
    directives.iter().filter(|directive| directive.name != TOOL).cloned().collect()
}

/// What `@tool` says.
#[derive(Default)]
struct Told {
    title: Option<String>,
    description: Option<String>,
    class: Option<Class>,
    scopes: Vec<String>,
}

impl Told {
    fn read(directives: &[Directive<'_, String>]) -> Result<Self, String> {
        let mut told = Self::default();
        let all = directives.iter().filter(|directive| directive.name == TOOL);
        for (name, value) in all.flat_map(|directive| &directive.arguments) {
            match (name.as_str(), value) {
                ("title", Constant::String(text)) => told.title = Some(text.trim().to_owned()),
                ("description", Constant::String(text)) => told.description = Some(text.trim().to_owned()),
                ("class", Constant::Enum(word)) => {
                    let class = Class::parse(&word.to_ascii_lowercase());
                    told.class = Some(class.ok_or("has a class that is not READ, WRITE or DESTRUCTIVE")?);
                }
                ("scopes", Constant::List(items)) => {
                    let text = |item: &Constant<'_, String>| match item {
                        Constant::String(scope) => Ok(scope.clone()),
                        _ => Err("has scopes that are no texts".to_owned()),
                    };
                    told.scopes = items.iter().map(text).collect::<Result<_, _>>()?;
                }
                _ => {
                    return Err(format!(
                        "has @tool with a wrong `{name}`; there are title, description, class and scopes"
                    ));
                }
            }
        }
        Ok(told)
    }
}

fn read(
    document: &Document<'_, String>,
    operation: Named<'_, '_>,
    types: &Types,
    toolkit: &str,
    faults: &mut Faults,
) -> Option<Tool> {
    let told = faults.take(operation.name, Told::read(operation.directives))?;
    let input = faults.take(operation.name, input(operation.variables, types))?;
    let fragments = faults.take(operation.name, fragments(document, operation.selection))?;
    let name = told.title.unwrap_or_else(|| operation.name.to_owned());
    let description = told.description.unwrap_or_else(|| name.clone());
    let slug = format!("{}_{}", screaming(toolkit), screaming(&name));
    if slug.len() > limits::TOOL_SLUG {
        faults.push(operation.name, format!("makes a slug of more than {} characters", limits::TOOL_SLUG));
    }
    let query = operation.sent + &fragments;
    let raw = faults.take(operation.name, to_raw_value(&input))?;
    let encoding = Encoding::GraphQl { query, operation: operation.name.to_owned() };
    let shape = BodyShape::Fields { renamed: Vec::new() };
    Some(Tool {
        haystack: Haystack::new(&slug, &name, &description),
        slug,
        name,
        description,
        class: told.class.unwrap_or(operation.class),
        scopes: told.scopes,
        token: None,
        input: Arc::from(raw),
        schema: OnceLock::new(),
        plan: Work::Operation(Plan {
            method: Method::POST,
            path: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Some(BodyPlan { required: true, encoding, shape }),
        }),
    })
}

/// The schema of all variables together.
fn input(variables: &[VariableDefinition<'_, String>], types: &Types) -> Result<Value, String> {
    if variables.len() > limits::ARGUMENTS {
        return Err(format!("has more than {} variables", limits::ARGUMENTS));
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut used = BTreeSet::new();
    for variable in variables {
        let mut schema = types.schema(&variable.var_type, &mut used)?;
        match &variable.default_value {
            Some(value) => schema::note_default(&mut schema, value),
            None if schema::is_required(&variable.var_type) => required.push(variable.name.clone()),
            None => {}
        }
        properties.insert(variable.name.clone(), schema);
    }
    let mut object = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    let definitions = types.definitions(used)?;
    if !definitions.is_empty() {
        object["$defs"] = Value::Object(definitions);
    }
    Ok(object)
}

/// The fragments that a selection needs, those that fragments need included: a provider refuses unused ones.
fn fragments(
    document: &Document<'_, String>,
    selection: &SelectionSet<'_, String>,
) -> Result<String, String> {
    let mut names = Vec::new();
    spreads(selection, &mut names);
    let mut texts = String::new();
    let mut index = 0;
    while let Some(name) = names.get(index).cloned() {
        let fragment = document.definitions.iter().find_map(|definition| match definition {
            Definition::Fragment(fragment) if fragment.name == name => Some(fragment),
            Definition::Fragment(_) | Definition::Operation(_) => None,
        });
        let fragment: &FragmentDefinition<'_, String> =
            fragment.ok_or_else(|| format!("uses the fragment {name}, which is not there"))?;
        spreads(&fragment.selection_set, &mut names);
        texts.push_str(&fragment.to_string());
        index += 1;
    }
    Ok(texts)
}

fn spreads(selection: &SelectionSet<'_, String>, names: &mut Vec<String>) {
    for item in &selection.items {
        match item {
            Selection::Field(field) => spreads(&field.selection_set, names),
            Selection::InlineFragment(fragment) => spreads(&fragment.selection_set, names),
            Selection::FragmentSpread(spread) if !names.contains(&spread.fragment_name) => {
                names.push(spread.fragment_name.clone());
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
