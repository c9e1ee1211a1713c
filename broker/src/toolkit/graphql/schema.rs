//! Types of variables as JSON Schema.

use std::collections::{BTreeMap, BTreeSet};

use graphql_parser::query::{Type, Value as Constant};
use graphql_parser::schema::{Definition, InputValue, TypeDefinition};
use serde_json::{Map, Value, json};

use super::{Source, text};
use crate::toolkit::fault::Fault;
use crate::toolkit::limits;

/// The types of a schema file that variables can have.
#[derive(Default)]
pub(super) struct Types {
    known: BTreeMap<String, Known>,
}

struct Known {
    /// The type's own schema; it names the types of its fields by reference.
    schema: Value,
    /// The types that it names.
    uses: BTreeSet<String>,
}

impl Types {
    pub(super) fn parse(source: Source<'_>) -> Result<Self, Vec<Fault>> {
        let wrong = |why: String| vec![Fault::new(source.file, "", why)];
        let document = graphql_parser::parse_schema::<String>(text(source)?)
            .map_err(|error| wrong(format!("is not a GraphQL schema: {error}")))?;
        let mut types = Self::default();
        for definition in document.definitions {
            let Definition::TypeDefinition(definition) = definition else { continue };
            let (name, known) = match definition {
                TypeDefinition::Scalar(scalar) => {
                    let schema = described(json!({}), scalar.description.as_deref());
                    (scalar.name, Known { schema, uses: BTreeSet::new() })
                }
                TypeDefinition::Enum(choice) => {
                    let names: Vec<String> = choice.values.into_iter().map(|value| value.name).collect();
                    let schema = described(json!({"enum": names}), choice.description.as_deref());
                    (choice.name, Known { schema, uses: BTreeSet::new() })
                }
                TypeDefinition::InputObject(input) => {
                    let known = object(&input.fields, input.description.as_deref());
                    (input.name, known)
                }
                TypeDefinition::Object(_) | TypeDefinition::Interface(_) | TypeDefinition::Union(_) => {
                    continue;
                }
            };
            types.known.insert(name, known);
        }
        let missing = types.known.iter().find_map(|(name, known)| {
            let missing = known.uses.iter().find(|used| !types.known.contains_key(*used))?;
            Some(format!("{name} uses {missing}, which is not there"))
        });
        match missing {
            Some(why) => Err(wrong(why)),
            None => Ok(types),
        }
    }

    /// The schema of one variable; notes the types that it names.
    pub(super) fn schema(
        &self,
        kind: &Type<'_, String>,
        used: &mut BTreeSet<String>,
    ) -> Result<Value, String> {
        let schema = of_type(kind, used);
        match used.iter().find(|name| !self.known.contains_key(*name)) {
            Some(name) => Err(format!("has a variable of the type {name}, which tools.graphql_schema lacks")),
            None => Ok(schema),
        }
    }

    /// The schemas of those types and of all that they lead to.
    pub(super) fn definitions(&self, mut used: BTreeSet<String>) -> Result<Map<String, Value>, String> {
        let mut definitions = BTreeMap::new();
        while let Some(name) = used.pop_first() {
            let Some(known) = self.known.get(&name) else { continue };
            if definitions.insert(name, known.schema.clone()).is_none() {
                used.extend(known.uses.iter().filter(|name| !definitions.contains_key(*name)).cloned());
            }
            if definitions.len() > limits::ARGUMENTS {
                return Err(format!("needs more than {} types", limits::ARGUMENTS));
            }
        }
        Ok(definitions.into_iter().collect())
    }
}

fn object(fields: &[InputValue<'_, String>], description: Option<&str>) -> Known {
    let mut uses = BTreeSet::new();
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut schema = described(of_type(&field.value_type, &mut uses), field.description.as_deref());
        match &field.default_value {
            Some(value) => note_default(&mut schema, value),
            None if is_required(&field.value_type) => required.push(field.name.clone()),
            None => {}
        }
        properties.insert(field.name.clone(), schema);
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    Known { schema: described(schema, description), uses }
}

fn described(mut schema: Value, description: Option<&str>) -> Value {
    if let (Some(text), Some(fields)) = (description, schema.as_object_mut()) {
        fields.insert("description".to_owned(), text.trim().into());
    }
    schema
}

/// Whether a value must be there and not null.
pub(super) fn is_required(kind: &Type<'_, String>) -> bool {
    matches!(kind, Type::NonNullType(_))
}

/// What is not marked by `!` may be null.
fn of_type(kind: &Type<'_, String>, used: &mut BTreeSet<String>) -> Value {
    match kind {
        Type::NonNullType(inner) => never_null(inner, used),
        other => match never_null(other, used) {
            Value::Object(mut fields) if fields.get("type").is_some_and(Value::is_string) => {
                let name = fields["type"].take();
                fields.insert("type".to_owned(), json!([name, "null"]));
                Value::Object(fields)
            }
            schema => json!({"anyOf": [schema, {"type": "null"}]}),
        },
    }
}

fn never_null(kind: &Type<'_, String>, used: &mut BTreeSet<String>) -> Value {
    match kind {
        Type::NonNullType(inner) => never_null(inner, used),
        Type::ListType(items) => json!({"type": "array", "items": of_type(items, used)}),
        Type::NamedType(name) => match name.as_str() {
            "String" | "ID" => json!({"type": "string"}),
            "Int" => json!({"type": "integer"}),
            "Float" => json!({"type": "number"}),
            "Boolean" => json!({"type": "boolean"}),
            name => {
                used.insert(name.to_owned());
                json!({"$ref": format!("#/$defs/{name}")})
            }
        },
    }
}

/// Says which value counts where none is given. The provider fills it in, so it is not sent.
pub(super) fn note_default(schema: &mut Value, default: &Constant<'_, String>) {
    if let (Some(value), Some(fields)) = (json_of(default), schema.as_object_mut()) {
        fields.insert("default".to_owned(), value);
    }
}

fn json_of(constant: &Constant<'_, String>) -> Option<Value> {
    Some(match constant {
        Constant::Int(number) => number.as_i64()?.into(),
        Constant::Float(number) => (*number).into(),
        Constant::String(text) | Constant::Enum(text) => text.clone().into(),
        Constant::Boolean(flag) => (*flag).into(),
        Constant::Null => Value::Null,
        Constant::List(items) => Value::Array(items.iter().map(json_of).collect::<Option<_>>()?),
        Constant::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Some((name.clone(), json_of(value)?)));
            Value::Object(fields.collect::<Option<_>>()?)
        }
        Constant::Variable(_) => return None,
    })
}
