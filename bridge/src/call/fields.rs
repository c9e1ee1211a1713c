//! The fields of a call's parameters, each as the text that it was sent as.
//!
//! Read by hand: this code runs in every page, and what serde derives for four structures weighs a twentieth
//! of the whole front end.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::page::MAX_EVENT_NAME;
use crate::json;
use crate::refusal::Refusal;
use crate::slug::Slug;

/// A JSON object, checked, with its values unread.
pub(crate) struct Fields<'a>(json::Fields<'a>);

impl<'a> Fields<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// `invalid_params` when the text is not one JSON object, with the place.
    pub(crate) fn read(params: &'a str) -> Result<Self, Refusal> {
        let fields = json::fields(params).map_err(|error| Refusal::field(error.pointer, error.what))?;
        fields.map(Self).ok_or_else(|| Refusal::field("", "must be an object"))
    }

    /// Takes the parameters of a method that has none: any object, unread.
    ///
    /// # Errors
    /// `invalid_params` when the text is something else.
    pub(crate) fn none(params: &'a str) -> Result<(), Refusal> {
        if params.trim_start().starts_with('{') { Ok(()) } else { Self::read(params).map(|_| ()) }
    }

    /// A field's value; none when it is missing.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| *value)
    }

    /// A field's value to keep; none when it is missing.
    pub(crate) fn kept(&self, name: &str) -> Option<Box<RawValue>> {
        // It has been checked, so it is a value.
        self.raw(name).and_then(|raw| RawValue::from_string(raw.to_owned()).ok())
    }

    /// A text that may be missing or null.
    ///
    /// # Errors
    /// `invalid_params` when it is something else.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.raw(name).filter(|raw| *raw != "null").map(|raw| text(name, raw)).transpose()
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
        let read = serde_json::from_str::<f64>;
        let wrong = |_| Refusal::field(format!("/{name}"), "must be a number");
        self.raw(name).map(read).transpose().map_err(wrong)
    }

    /// A number that may be missing or null.
    ///
    /// # Errors
    /// `invalid_params` when it is something else.
    pub(crate) fn number_or_null(&self, name: &str) -> Result<Option<f64>, Refusal> {
        match self.raw(name) {
            Some("null") => Ok(None),
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
            Some(raw) => {
                let object = raw.starts_with('{').then(|| self.kept(name)).flatten();
                object.ok_or_else(|| Refusal::field(format!("/{name}"), "must be an object"))
            }
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

fn text(name: &str, raw: &str) -> Result<String, Refusal> {
    let text = json::string(raw).map(Cow::into_owned);
    text.ok_or_else(|| Refusal::field(format!("/{name}"), "must be a text"))
}
