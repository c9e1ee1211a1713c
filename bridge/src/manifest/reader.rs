//! Reads fields of a JSON value and collects what is wrong with them.

use serde_json::{Map, Value};

use super::{Fault, MAX_NAME};

/// Faults stop a load, warnings do not.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
}

/// An object and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Object<'a> {
    fields: &'a Map<String, Value>,
    pointer: &'a str,
}

impl Object<'_> {
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }
}

impl Reader {
    pub(super) fn fault(&mut self, pointer: impl Into<String>, what: impl Into<String>) {
        self.faults.push(Fault { pointer: pointer.into(), what: what.into() });
    }

    pub(super) fn warn(&mut self, pointer: impl Into<String>, what: impl Into<String>) {
        self.warnings.push(Fault { pointer: pointer.into(), what: what.into() });
    }

    pub(super) fn object<'a>(&mut self, value: &'a Value, pointer: &'a str) -> Option<Object<'a>> {
        let Value::Object(fields) = value else {
            self.fault(pointer, "must be an object");
            return None;
        };
        Some(Object { fields, pointer })
    }

    /// Warns about fields that look like a misspelt known one.
    pub(super) fn near_misses(&mut self, object: Object<'_>, known: &[&str]) {
        for name in object.fields.keys().filter(|name| !known.contains(&name.as_str())) {
            if let Some(meant) = known.iter().find(|known| is_near(name, known)) {
                let shown: String = name.chars().take(MAX_NAME).collect();
                self.warn(object.at(&shown), format!("is not known and ignored; did you mean `{meant}`?"));
            }
        }
    }

    /// A text of 1 to `max` characters.
    pub(super) fn text(&mut self, object: Object<'_>, name: &str, max: usize) -> Option<String> {
        let text = self.optional_text(object, name, max);
        if text.is_none() && !object.fields.contains_key(name) {
            self.fault(object.at(name), "is missing: a text is needed here");
        }
        text
    }

    pub(super) fn optional_text(&mut self, object: Object<'_>, name: &str, max: usize) -> Option<String> {
        match object.fields.get(name)? {
            Value::String(text) => {
                let length = text.chars().count();
                if length == 0 || length > max {
                    self.fault(object.at(name), format!("must have 1 to {max} characters, it has {length}"));
                    return None;
                }
                if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
                    self.fault(object.at(name), "must not have control characters");
                    return None;
                }
                Some(text.clone())
            }
            _ => {
                self.fault(object.at(name), "must be a text");
                None
            }
        }
    }

    pub(super) fn optional_size(&mut self, object: Object<'_>, name: &str) -> Option<u32> {
        let value = object.fields.get(name)?;
        let size = value.as_u64().filter(|size| (1..=10_000).contains(size));
        if size.is_none() {
            self.fault(object.at(name), "must be a whole number of pixels between 1 and 10000");
        }
        size.and_then(|size| u32::try_from(size).ok())
    }

    pub(super) fn flag(&mut self, object: Object<'_>, name: &str) -> bool {
        match object.fields.get(name) {
            None | Some(Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(_) => {
                self.fault(object.at(name), "must be true or false");
                false
            }
        }
    }

    pub(super) fn value<'a>(&mut self, object: Object<'a>, name: &str) -> Option<&'a Value> {
        object.fields.get(name)
    }

    /// The items of a list with their pointers; a missing list is empty unless it is required.
    pub(super) fn list<'a>(
        &mut self,
        object: Object<'a>,
        name: &str,
        max: usize,
        required: bool,
    ) -> Vec<(String, &'a Value)> {
        let pointer = object.at(name);
        match object.fields.get(name) {
            None => {
                if required {
                    self.fault(pointer, "is missing: a list is needed here, which may be empty");
                }
                Vec::new()
            }
            Some(Value::Array(items)) if items.len() > max => {
                self.fault(pointer, format!("has {} entries, at most {max} are allowed", items.len()));
                Vec::new()
            }
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(index, item)| (format!("{pointer}/{index}"), item)).collect()
            }
            Some(_) => {
                self.fault(pointer, "must be a list");
                Vec::new()
            }
        }
    }
}

/// Whether two names differ by case, or by at most two letters added, left out, changed or swapped.
pub(super) fn is_near(name: &str, known: &str) -> bool {
    name.len() <= 2 * known.len()
        && (name.eq_ignore_ascii_case(known)
            || (known.len() > 4 && strsim::damerau_levenshtein(name, known) <= 2))
}
