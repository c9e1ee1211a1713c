//! An OpenAPI document and the references within it.

use std::cell::Cell;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Place, Problem};
use crate::toolkit::limits;

/// Which JSON Schema the document speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAPI 3.0: an extended subset of JSON Schema draft 5.
    V30,
    /// OpenAPI 3.1: JSON Schema 2020-12.
    V31,
}

impl Dialect {
    pub(super) fn of(root: &Value) -> Result<Self, String> {
        match root.get("openapi").and_then(Value::as_str) {
            Some(version) if version.starts_with("3.0.") => Ok(Self::V30),
            Some(version) if version.starts_with("3.1.") => Ok(Self::V31),
            Some(version) => {
                let version: String = version.chars().take(20).collect();
                Err(format!("is `{version}`; OpenAPI 3.0 and 3.1 are supported"))
            }
            None => Err("is missing; the file must be an OpenAPI 3.0 or 3.1 document".to_owned()),
        }
    }
}

/// A document that is being read.
#[derive(Debug)]
pub(super) struct Document<'a> {
    root: &'a Value,
    pub(super) dialect: Dialect,
    /// How much schemas may still hold, over all tools.
    left: Cell<usize>,
}

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Value, dialect: Dialect) -> Self {
        Self { root, dialect, left: Cell::new(limits::SCHEMAS) }
    }

    pub(super) fn root(&self) -> Place<'a> {
        Place { value: self.root, at: String::new() }
    }

    /// Takes `amount` from what the schemas of the whole document may hold.
    pub(super) fn spend(&self, amount: usize, at: &str) -> Result<(), Problem> {
        let left = self.left.get().checked_sub(amount);
        self.left.set(left.unwrap_or(0));
        match left {
            Some(_) => Ok(()),
            None => {
                Err(Problem::new(at, "is too much: the schemas of all operations together are too large"))
            }
        }
    }

    /// What a reference names. Only references within the document are followed; nothing is ever fetched.
    pub(super) fn target(&self, reference: &str, at: &str) -> Result<Place<'a>, Problem> {
        let shown: String = reference.chars().take(200).collect();
        let Some(fragment) = reference.strip_prefix('#') else {
            let message = format!(
                "refers to `{shown}` outside of this document, which is never fetched; bundle it into the document"
            );
            return Err(Problem::new(at, message));
        };
        let pointer = percent_decode_str(fragment).decode_utf8_lossy();
        match self.root.pointer(&pointer) {
            Some(value) => Ok(Place { value, at: pointer.into_owned() }),
            None => Err(Problem::new(at, format!("refers to `{shown}`, which is not in this document"))),
        }
    }

    /// Follows `$ref` until something else stands there.
    pub(super) fn follow(&self, mut place: Place<'a>) -> Result<Place<'a>, Problem> {
        for _ in 0..limits::REFERENCE_HOPS {
            match place.value.get("$ref") {
                None => return Ok(place),
                Some(Value::String(reference)) => place = self.target(reference, &place.at)?,
                Some(_) => return Err(place.problem("has a `$ref` that is not a text")),
            }
        }
        Err(place.problem(format!("is behind more than {} references in a row", limits::REFERENCE_HOPS)))
    }
}
