//! The fields of a call's parameters, each as the text that it was sent as.
//!
//! Read by hand: this code runs in every page, and what serde derives for four structures weighs a twentieth
//! of the whole front end.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json;
use crate::refusal::Refusal;
use crate::slug::Slug;

/// A JSON object, checked, with its values unread.
pub(super) struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// `invalid_params` when the text is not one JSON object, with the place.
    pub(super) fn read(params: &'a str) -> Result<Self, Refusal> {
        json::check(params).map_err(|error| Refusal::field(error.pointer, error.what))?;
        serde_json::from_str(params).map_err(|_| Refusal::field("", "must be an object"))
    }

    /// A field's value; none when it is missing.
    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| *value)
    }

    /// A text that may be missing or null.
    ///
    /// # Errors
    /// `invalid_params` when it is something else.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.raw(name).filter(|raw| raw.get() != "null").map(|raw| text(name, raw)).transpose()
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// `invalid_params` when it is missing or something else.
    pub(super) fn needed(&self, name: &str) -> Result<String, Refusal> {
        let raw = self.raw(name).ok_or_else(|| Refusal::field("", format!("`{name}` is missing")))?;
        text(name, raw)
    }

    /// The toolkit that a call reaches for.
    ///
    /// # Errors
    /// `invalid_params` when it is missing or no slug.
    pub(super) fn toolkit(&self) -> Result<Slug, Refusal> {
        Slug::parse(&self.needed("toolkit")?).map_err(|error| Refusal::field("/toolkit", error))
    }

    /// A number that may be missing.
    ///
    /// # Errors
    /// `invalid_params` when it is something else, null included.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, Refusal> {
        let read = |raw: &RawValue| serde_json::from_str::<f64>(raw.get());
        let wrong = |_| Refusal::field(format!("/{name}"), "must be a number");
        self.raw(name).map(read).transpose().map_err(wrong)
    }
}

fn text(name: &str, raw: &RawValue) -> Result<String, Refusal> {
    serde_json::from_str(raw.get()).map_err(|_| Refusal::field(format!("/{name}"), "must be a text"))
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect).map(Fields)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}
