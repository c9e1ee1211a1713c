//! JSON from strangers: well-formed, of bounded depth and without duplicate keys, or refused with the place.
//!
//! A text with a duplicate key means one thing to one reader and another to the next (RFC 8259, section 4), so
//! that what was checked might not be what is acted on.

mod scan;

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;

use scan::Scan;

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

/// The fields of an object: their names, and their values as the text that they are.
pub type Fields<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// Checks that a text is one JSON value, nested less than 128 deep, without duplicate keys.
///
/// # Errors
/// With the place of the first fault.
pub fn check(text: &str) -> Result<(), JsonError> {
    let mut scan = Scan::new(text);
    scan.whole().map_err(|fault| scan.explain(&fault))
}

/// Checks a text as [`check`] does, and gives the fields of the object that it is; nothing when it is another value.
///
/// # Errors
/// With the place of the first fault.
pub fn fields(text: &str) -> Result<Option<Fields<'_>>, JsonError> {
    let mut scan = Scan::new(text);
    let fields = scan.fields().and_then(|fields| scan.end().map(|()| fields));
    fields.map_err(|fault| scan.explain(&fault))
}

/// Checks a text as [`check`] does, and gives the fields of each object that is the text or an item of the array that
/// it is; items of other kinds are left out.
///
/// # Errors
/// With the place of the first fault.
pub fn objects(text: &str) -> Result<Vec<Fields<'_>>, JsonError> {
    let mut scan = Scan::new(text);
    let mut found = Vec::new();
    let outcome = match scan.peek() {
        Some(b'[') => scan.items(|scan| scan.fields().map(|fields| found.extend(fields))),
        Some(_) | None => scan.fields().map(|fields| found.extend(fields)),
    };
    outcome.and_then(|()| scan.end()).map_err(|fault| scan.explain(&fault))?;
    Ok(found)
}

/// The text of a JSON string that has been checked.
#[must_use]
pub fn string(value: &str) -> Option<Cow<'_, str>> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') {
        serde_json::from_str(value).map(Cow::Owned).ok()
    } else {
        Some(Cow::Borrowed(inside))
    }
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

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                proptest::collection::hash_map(any::<String>(), inner, 0..24)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

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

    #[test]
    fn fields_are_the_texts_of_their_values() {
        let text = r#" {"a" : [1, {"b":2}] , "\u0063":"x\ty","d":{} } "#;
        let found = fields(text).unwrap().unwrap();
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_ref(), *value)).collect();
        assert_eq!(found, [("a", r#"[1, {"b":2}]"#), ("c", r#""x\ty""#), ("d", "{}")]);
        assert_eq!(string(r#""x\ty""#).as_deref(), Some("x\ty"));
        assert_eq!(fields("[1]"), Ok(None));
        assert!(fields(r#"{"a":1} x"#).is_err());
    }

    #[test]
    fn objects_are_the_text_or_the_items_of_an_array() {
        let count = |text| objects(text).map(|found| found.len());
        assert_eq!(count(r#"[{"a":1}, 2, {"a":1}, [{"a":1}]]"#), Ok(2));
        assert_eq!(count(r#"{"a":1}"#), Ok(1));
        assert_eq!(count("[]"), Ok(0));
        assert_eq!(objects(r#"[{"a":1},{"a":1,"a":2}]"#).unwrap_err().pointer, "/1/a");
        assert!(count(r#"[{"a":1}"#).is_err() && count(r#"[{"a":1}]]"#).is_err());
    }

    #[test]
    fn a_key_that_stands_twice_among_many_is_found() {
        let keys = |last: &str| {
            let all: Vec<String> = (0..40).map(|i| format!("\"k{i}\":1")).collect();
            format!("{{{},\"{last}\":1}}", all.join(","))
        };
        assert!(check(&keys("k40")).is_ok());
        assert_eq!(fault(&keys("k3")), "/k3: stands twice");
        assert_eq!(fault(&keys("k\\u0033")), "/k3: stands twice");
    }

    /// Texts that are nearly JSON: the words of its grammar in any order.
    fn near_json() -> impl Strategy<Value = String> {
        const WORDS: &[&str] = &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"b\"",
            "\"\\u00e9\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud800\"",
            "\"\\x\"",
            "\"\n\"",
            "0",
            "-1",
            "01",
            "1.5",
            "1.",
            "2e3",
            "1e999",
            "-",
            "true",
            "nul",
            "null",
            " ",
            "\"",
        ];
        proptest::collection::vec(proptest::sample::select(WORDS), 0..12).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn what_is_nearly_json_is_what_serde_says(text in near_json()) {
            let serde = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            match check(&text) {
                Ok(()) => prop_assert!(serde),
                Err(error) => prop_assert!(!serde || error.what == "stands twice", "{text}: {error}"),
            }
        }

        #[test]
        fn any_json_passes_and_keeps_its_fields(value in any_json()) {
            let text = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(check(&text), Ok(()));
            if let Some(found) = fields(&text).unwrap() {
                for (name, slice) in found {
                    prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(slice).unwrap(), &value[name.as_ref()]);
                }
            }
        }

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
