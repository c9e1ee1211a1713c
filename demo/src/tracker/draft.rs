//! What somebody sends to create an issue.

use serde_json::{Map, Value};

/// The longest title, in characters.
const MAX_TITLE: usize = 200;
/// The longest body, in characters.
const MAX_BODY: usize = 10_000;

/// A valid new issue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) body: Option<String>,
}

/// One field that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FieldError {
    /// JSON pointer to the field.
    pub(crate) pointer: String,
    /// What is wrong and what would be right.
    pub(crate) message: String,
}

impl FieldError {
    fn new(pointer: &str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), message: message.into() }
    }
}

impl Draft {
    /// Reads a JSON body.
    ///
    /// # Errors
    /// Every field that is wrong, not only the first.
    pub(crate) fn read(body: &Value) -> Result<Self, Vec<FieldError>> {
        let Value::Object(fields) = body else {
            return Err(vec![FieldError::new("", "must be an object with a title")]);
        };
        let mut errors = unknown_fields(fields);
        let title = title(fields.get("title")).map_err(|error| errors.push(error));
        let body = text(fields.get("body")).map_err(|error| errors.push(error));
        match (title, body) {
            (Ok(title), Ok(body)) if errors.is_empty() => Ok(Self { title, body }),
            _ => Err(errors),
        }
    }
}

fn unknown_fields(fields: &Map<String, Value>) -> Vec<FieldError> {
    let unknown = fields.keys().filter(|name| !matches!(name.as_str(), "title" | "body"));
    let escaped = unknown.map(|name| name.replace('~', "~0").replace('/', "~1"));
    escaped
        .map(|name| {
            FieldError::new(&format!("/{name}"), "is not a field of an issue; there are title and body")
        })
        .collect()
}

fn title(value: Option<&Value>) -> Result<String, FieldError> {
    let wrong = |message: String| FieldError::new("/title", message);
    let title = match value {
        None => return Err(wrong("is missing; every issue has a title".into())),
        Some(Value::String(title)) => title.trim(),
        Some(_) => return Err(wrong("must be a string".into())),
    };
    if title.is_empty() {
        return Err(wrong("must not be empty".into()));
    }
    if title.chars().any(char::is_control) {
        return Err(wrong("must be one line without control characters".into()));
    }
    let length = title.chars().count();
    if length > MAX_TITLE {
        return Err(wrong(format!("has {length} characters; at most {MAX_TITLE} are allowed")));
    }
    Ok(title.to_owned())
}

fn text(value: Option<&Value>) -> Result<Option<String>, FieldError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= MAX_BODY => Ok(Some(text.clone())),
        Some(Value::String(_)) => {
            Err(FieldError::new("/body", format!("is longer than {MAX_BODY} characters")))
        }
        Some(_) => Err(FieldError::new("/body", "must be a string, null or absent")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointers(body: &Value) -> Vec<String> {
        Draft::read(body).unwrap_err().into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn a_title_is_enough_and_is_trimmed() {
        let draft = Draft::read(&json!({ "title": "  It <b>works</b> " })).unwrap();
        assert_eq!(draft, Draft { title: "It <b>works</b>".into(), body: None });
        let draft = Draft::read(&json!({ "title": "a", "body": "b\nc" })).unwrap();
        assert_eq!(draft.body.as_deref(), Some("b\nc"));
    }

    #[test]
    fn every_wrong_field_is_named() {
        assert_eq!(pointers(&json!([])), [""]);
        assert_eq!(pointers(&json!({})), ["/title"]);
        for bad in [json!(null), json!(1), json!(""), json!(" \t"), json!("a\nb"), json!("x".repeat(201))] {
            assert_eq!(pointers(&json!({ "title": bad })), ["/title"], "{bad}");
        }
        assert_eq!(pointers(&json!({ "a/b": 1, "title": 1, "body": 1 })), ["/a~1b", "/title", "/body"]);
        assert_eq!(pointers(&json!({ "title": "a", "body": "x".repeat(10_001) })), ["/body"]);
    }

    #[test]
    fn lengths_count_characters_and_not_bytes() {
        assert!(Draft::read(&json!({ "title": "é".repeat(200) })).is_ok());
    }
}
