//! The fields of a call's parameters, each as the text that it was sent as.
//!
//! Read by hand: this code runs in every page, and what serde derives for four structures weighs a twentieth
//! of the whole front end.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::page::MAX_EVENT_NAME;
use crate::json;
use crate::refusal::Refusal;
use crate::slug::Slug;

/// A JSON object, checked, with its values unread.
pub(crate) struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// `invalid_params` when the text is not one JSON object, with the place.
    pub(crate) fn read(params: &'a str) -> Result<Self, Refusal> {
        json::check(params).map_err(|error| Refusal::field(error.pointer, error.what))?;
        serde_json::from_str(params).map_err(|_| Refusal::field("", "must be an object"))
    }

    /// A field's value; none when it is missing.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| *value)
    }

    /// A text that may be missing or null.
    ///
    /// # Errors
    /// `invalid_params` when it is something else.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.raw(name).filter(|raw| raw.get() != "null").map(|raw| text(name, raw)).transpose()
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// `invalid_params` when it is missing or something else.
    pub(crate) fn needed(&self, name: &str) -> Result<String, Refusal> {
        let raw = self.raw(name).ok_or_else(|| Refusal::field("", format!("`{name}` is missing")))?;
        text(name, raw)
    }

    /// The toolkit that a call reaches for.
    ///
    /// # Errors
    /// `invalid_params` when it is missing or no slug.
    pub(crate) fn toolkit(&self) -> Result<Slug, Refusal> {
        Slug::parse(&self.needed("toolkit")?).map_err(|error| Refusal::field("/toolkit", error))
    }

    /// A number that may be missing.
    ///
    /// # Errors
    /// `invalid_params` when it is something else, null included.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Refusal> {
        let read = |raw: &RawValue| serde_json::from_str::<f64>(raw.get());
        let wrong = |_| Refusal::field(format!("/{name}"), "must be a number");
        self.raw(name).map(read).transpose().map_err(wrong)
    }

    /// A number that may be missing or null.
    ///
    /// # Errors
    /// `invalid_params` when it is something else.
    pub(crate) fn number_or_null(&self, name: &str) -> Result<Option<f64>, Refusal> {
        match self.raw(name) {
            Some(raw) if raw.get() == "null" => Ok(None),
            Some(_) | None => self.number(name),
        }
    }

    /// An id or another short name that may be missing.
    ///
    /// # Errors
    /// `invalid_params` when it is something else or not as [`checked_name`] wants it.
    pub(crate) fn name(&self, name: &str) -> Result<Option<String>, Refusal> {
        let text = self.text(name)?;
        text.as_deref().map_or(Ok(()), |text| checked_name(name, text))?;
        Ok(text)
    }

    /// An object as its text; an empty one when it is missing.
    ///
    /// # Errors
    /// `invalid_params` when it is something else, null included.
    pub(crate) fn object(&self, name: &str) -> Result<Box<RawValue>, Refusal> {
        match self.raw(name) {
            None => Ok(RawValue::from_string("{}".into()).unwrap_or_else(|_| RawValue::NULL.to_owned())),
            Some(raw) if raw.get().starts_with('{') => Ok(raw.to_owned()),
            Some(_) => Err(Refusal::field(format!("/{name}"), "must be an object")),
        }
    }
}

/// Checks a short name: 1 to [`MAX_EVENT_NAME`] characters without control characters.
///
/// # Errors
/// `invalid_params` with the pointer of the field.
pub(crate) fn checked_name(field: &str, text: &str) -> Result<(), Refusal> {
    if text.is_empty() || text.chars().count() > MAX_EVENT_NAME || text.chars().any(char::is_control) {
        let rule = format!("must have 1 to {MAX_EVENT_NAME} characters and no control characters");
        return Err(Refusal::field(format!("/{field}"), rule));
    }
    Ok(())
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
