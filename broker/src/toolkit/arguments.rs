//! Checks arguments against the schema of their tool.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};
use taiku_bridge::{Code, Refusal};

use super::fault::pointer;
use super::limits;
use super::tool::Tool;

/// Where arguments stand in the body of a call and in the parameters of the bridge.
pub const ARGUMENTS: &str = "/arguments";

/// Characters of a sentence about an argument.
const SENTENCE: usize = 300;

/// Parses and checks the arguments of one call. What this returns is what is sent.
pub(crate) fn check(tool: &Tool, arguments: &str) -> Result<Map<String, Value>, Refusal> {
    let value: Value = serde_json::from_str(arguments)
        .map_err(|error| Refusal::field(ARGUMENTS, format!("is not JSON: {error}")))?;
    let validator = validator(tool).map_err(|why| {
        Refusal::new(Code::Internal, format!("The toolkit's description of {} is wrong: {why}", tool.slug))
    })?;
    if let Err(error) = validator.validate(&value) {
        return Err(refusal(tool, &error));
    }
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(Refusal::field(ARGUMENTS, "must be an object")),
    }
}

/// The compiled schema of a tool, compiled when it is first needed.
pub(crate) fn validator(tool: &Tool) -> Result<&Validator, &str> {
    tool.schema.get_or_init(|| compile(tool.input.get())).as_ref().map_err(String::as_str)
}

/// Compiles a schema. Patterns run in time linear in the text they look at, and nothing is fetched.
pub(crate) fn compile(schema: &str) -> Result<Validator, String> {
    let schema: Value = serde_json::from_str(schema).map_err(|error| error.to_string())?;
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(false)
        .with_pattern_options(
            PatternOptions::regex().size_limit(limits::PATTERN_BYTES).dfa_size_limit(limits::PATTERN_BYTES),
        )
        .build(&schema)
        .map_err(|error| {
            let text = format!("{}: {}", error.instance_path(), error.masked());
            text.chars().take(SENTENCE).collect()
        })
}

/// Whether a tool cannot be called without arguments.
pub(crate) fn needs_arguments(tool: &Tool) -> bool {
    check(tool, "{}").is_err()
}

fn refusal(tool: &Tool, error: &ValidationError<'_>) -> Refusal {
    let at = format!("{ARGUMENTS}{}", error.instance_path());
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            Refusal::field(pointer(&at, name), "is missing")
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let name: String =
                unexpected.first().map(String::as_str).unwrap_or_default().chars().take(100).collect();
            let owner = if at == ARGUMENTS { tool.slug.as_str() } else { at.as_str() };
            Refusal::field(pointer(&at, &name), format!("is not a parameter of {owner}"))
        }
        _ => {
            let sentence: String =
                error.masked_with("the value").to_string().chars().take(SENTENCE).collect();
            Refusal::field(at, sentence)
        }
    }
}
