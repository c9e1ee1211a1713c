//! JSON from strangers: well-formed, of bounded depth and without duplicate keys, or refused with the place.
//!
//! A text with a duplicate key means one thing to one reader and another to the next (RFC 8259, section 4), so
//! that what was checked might not be what is acted on.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

/// What is wrong with a JSON text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// JSON pointer (RFC 6901) of the place; empty for the whole text.
    pub pointer: String,
    /// A sentence without its subject.
    pub what: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.what)
        } else {
            write!(f, "{}: {}", self.pointer, self.what)
        }
    }
}

impl std::error::Error for JsonError {}

/// Checks that a text is one JSON value, nested at most 128 deep, without duplicate keys.
///
/// # Errors
/// With the place of the first fault.
pub fn check(text: &str) -> Result<(), JsonError> {
    let path = RefCell::new(Vec::new());
    let fault = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Walk { path: &path, fault: &fault }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|error| fault.take().unwrap_or_else(|| syntax(&error, &path.borrow())))
}

/// Checks a text as [`check`] does and reads it as `T`.
///
/// # Errors
/// With the pointer of the field that is missing or of the wrong type.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    check(text)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let segments: Vec<String> = error.path().iter().filter_map(segment).collect();
        JsonError { pointer: pointer(&segments), what: without_position(error.inner()) }
    })
}

/// Joins the segments of a path to a JSON pointer (RFC 6901).
#[must_use]
pub fn pointer<S: AsRef<str>>(segments: &[S]) -> String {
    segments
        .iter()
        .map(|segment| format!("/{}", segment.as_ref().replace('~', "~0").replace('/', "~1")))
        .collect()
}

fn segment(segment: &serde_path_to_error::Segment) -> Option<String> {
    use serde_path_to_error::Segment;
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

fn syntax(error: &serde_json::Error, path: &[String]) -> JsonError {
    JsonError { pointer: pointer(path), what: format!("is not valid JSON: {error}") }
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    path: &'a RefCell<Vec<String>>,
    fault: &'a RefCell<Option<JsonError>>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            self.path.borrow_mut().push(index.to_string());
            if seq.next_element_seed(self)?.is_none() {
                break;
            }
            self.path.borrow_mut().pop();
        }
        self.path.borrow_mut().pop();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            self.path.borrow_mut().push(key.clone());
            if !seen.insert(key) {
                let pointer = pointer(&self.path.borrow());
                *self.fault.borrow_mut() = Some(JsonError { pointer, what: "stands twice".into() });
                return Err(A::Error::custom("duplicate key"));
            }
            map.next_value_seed(self)?;
            self.path.borrow_mut().pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> String {
        check(text).unwrap_err().to_string()
    }

    #[test]
    fn duplicate_keys_are_found_at_any_depth() {
        assert_eq!(fault(r#"{"a":1,"a":2}"#), "/a: stands twice");
        assert_eq!(fault(r#"{"x":[1,{"a/b":1,"a\/b":2}]}"#), "/x/1/a~1b: stands twice");
        assert!(check(r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(check(&nested(127)).is_ok());
        assert!(fault(&nested(129)).contains("recursion limit"));
        assert!(check(&nested(100_000)).is_err());
    }

    #[test]
    fn what_follows_the_value_is_refused() {
        assert!(fault("{} {}").contains("trailing characters"));
        assert!(fault("").contains("EOF"));
        assert!(fault(r#"{"a": NaN}"#).starts_with("/a: is not valid JSON"));
    }

    #[test]
    fn a_wrong_type_names_its_field() {
        #[derive(Debug, serde::Deserialize)]
        struct Body {
            #[expect(dead_code, reason = "only its type matters")]
            list: Vec<u8>,
        }
        let error = parse::<Body>(r#"{"list":[1,"x"]}"#).unwrap_err();
        assert_eq!(error.pointer, "/list/1");
        assert_eq!(error.what, "invalid type: string \"x\", expected u8");
    }

    proptest! {
        #[test]
        fn it_agrees_with_serde_on_what_is_json(text in any::<String>()) {
            if check(&text).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            }
        }

        #[test]
        fn what_serde_writes_passes(keys in proptest::collection::hash_set(any::<String>(), 0..8)) {
            let value: serde_json::Map<String, serde_json::Value> =
                keys.into_iter().map(|key| (key, serde_json::json!([1.5, null, "x"]))).collect();
            prop_assert_eq!(check(&serde_json::to_string(&value).unwrap()), Ok(()));
        }
    }
}
