//! What an answer must look like to mean something: that a token is dead, that a success is a failure, that it was
//! one call too many.

use std::fmt;

use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::Value;

/// A condition on an answer, written `[STATUS] [SUBJECT [== JSON]]`, such as `401`, `/ok == false`,
/// `403 x-ratelimit-remaining == 0` or `400 /errors/0/extensions/code == "RATELIMITED"`.
///
/// The subject is a JSON pointer into the body, or the name of a header. Without a value it has to be there, and to be
/// neither null, `false` nor empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    status: Option<StatusCode>,
    subject: Option<(Subject, Option<Value>)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Subject {
    Body(String),
    Header(HeaderName),
}

const FORM: &str = "must be `[STATUS] [/POINTER or header-name [== JSON]]`, such as `401`, `/ok == false` or \
                    `403 x-ratelimit-remaining == 0`";

impl Condition {
    /// Reads a condition.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (left, value) = match text.split_once("==") {
            Some((left, value)) => (left, Some(serde_json::from_str(value.trim()).map_err(|_| FORM)?)),
            None => (text, None),
        };
        let mut words = left.split_whitespace().peekable();
        let status = match words.peek() {
            Some(word) if word.bytes().all(|b| b.is_ascii_digit()) => {
                let status = StatusCode::from_bytes(word.as_bytes()).map_err(|_| FORM)?;
                words.next();
                Some(status)
            }
            _ => None,
        };
        let subject = words.next().map(Subject::parse).transpose()?;
        if words.next().is_some() || subject.is_none() && (status.is_none() || value.is_some()) {
            return Err(FORM);
        }
        Ok(Self { status, subject: subject.map(|subject| (subject, value)) })
    }

    /// Whether it can hold for an answer of 2xx.
    pub(crate) fn may_be_success(&self) -> bool {
        self.status.is_none_or(|status| status.is_success())
    }

    /// Whether it is about what is within the answer, and not about the status alone.
    pub(crate) fn has_subject(&self) -> bool {
        self.subject.is_some()
    }

    fn holds(&self, said: &Said<'_>) -> bool {
        if self.status.is_some_and(|status| status != said.status) {
            return false;
        }
        match &self.subject {
            None => true,
            Some((Subject::Header(name), value)) => {
                let text = said.headers.get(name).and_then(|text| text.to_str().ok());
                match (text, value) {
                    (None, _) => false,
                    (Some(text), None) => !text.is_empty(),
                    (Some(text), Some(Value::String(wanted))) => text == wanted,
                    (Some(text), Some(wanted)) => {
                        let wanted = wanted.to_string();
                        text == wanted
                    }
                }
            }
            Some((Subject::Body(pointer), value)) => {
                let found = said.json().and_then(|body| body.pointer(pointer));
                match (found, value) {
                    (None, _) => false,
                    (Some(found), None) => is_something(found),
                    (Some(found), Some(wanted)) => found == wanted,
                }
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map(|status| status.as_str().to_owned());
        let subject = self.subject.as_ref().map(|(subject, value)| {
            let name = match subject {
                Subject::Body(pointer) => pointer.as_str(),
                Subject::Header(name) => name.as_str(),
            };
            value.as_ref().map_or(name.to_owned(), |value| format!("{name} == {value}"))
        });
        f.write_str(&[status, subject].into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

impl Subject {
    fn parse(word: &str) -> Result<Self, &'static str> {
        if word.starts_with('/') {
            return Ok(Self::Body(word.to_owned()));
        }
        // No header that says such things lacks a hyphen, and a pointer whose slash was forgotten mostly does.
        let header = HeaderName::try_from(word).ok().filter(|_| word.contains('-'));
        header.map(Self::Header).ok_or(FORM)
    }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// An answer that conditions are held against. Its body is parsed when the first of them asks for it.
pub struct Said<'a> {
    status: StatusCode,
    headers: &'a HeaderMap,
    body: &'a [u8],
    json: std::cell::OnceCell<Option<Value>>,
}

impl<'a> Said<'a> {
    /// An answer of these parts.
    #[must_use]
    pub fn new(status: StatusCode, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self { status, headers, body, json: std::cell::OnceCell::new() }
    }

    fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_slice(self.body).ok()).as_ref()
    }

    /// Whether one of the conditions holds.
    #[must_use]
    pub fn is_any(&self, conditions: &[Condition]) -> bool {
        conditions.iter().any(|condition| condition.holds(self))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn holds(condition: &str, status: u16, body: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
        let status = StatusCode::from_u16(status).unwrap();
        Said::new(status, &headers, body.as_bytes()).is_any(&[Condition::parse(condition).unwrap()])
    }

    #[test]
    fn a_condition_holds_for_what_it_says_and_nothing_else() {
        for (condition, status, body, expected) in [
            ("401", 401, "", true),
            ("401", 403, "", false),
            ("/ok == false", 200, r#"{"ok": false}"#, true),
            ("/ok == false", 200, r#"{"ok": true}"#, false),
            ("/ok == false", 200, "[]", false),
            ("/ok == false", 200, "ok == false", false),
            ("/errors", 200, r#"{"errors": [{}]}"#, true),
            ("/errors", 200, r#"{"errors": []}"#, false),
            ("/errors", 200, r#"{"errors": null}"#, false),
            ("/errors", 200, "{}", false),
            ("403 x-ratelimit-remaining == 0", 403, "", true),
            ("403 x-ratelimit-remaining == \"0\"", 403, "", true),
            ("403 x-ratelimit-remaining == 1", 403, "", false),
            ("403 x-ratelimit-remaining == 0", 404, "", false),
            ("x-ratelimit-remaining", 200, "", true),
            ("x-other", 200, "", false),
            ("200 /error == \"token_revoked\"", 200, r#"{"error": "token_revoked"}"#, true),
            ("200 /error == \"token_revoked\"", 400, r#"{"error": "token_revoked"}"#, false),
            (
                "400 /errors/0/extensions/code == \"RATELIMITED\"",
                400,
                r#"{"errors": [{"extensions": {"code": "RATELIMITED"}}]}"#,
                true,
            ),
        ] {
            assert_eq!(holds(condition, status, body), expected, "{condition} {status} {body}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in ["", "ok == no", "== 1", "200 == 1", "1000", "12", "/a /b", "200 /a /b == 1", "a:b"] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_and_no_answer_makes_it_panic(text in "\\PC{0,40}", body in "\\PC{0,80}", status in 100u16..600) {
            if let Ok(condition) = Condition::parse(&text) {
                let headers = HeaderMap::new();
                let status = StatusCode::from_u16(status).unwrap();
                let _ = Said::new(status, &headers, body.as_bytes()).is_any(&[condition]);
            }
        }
    }
}
