//! The fields of a JSON value.

use serde_json::Value;
use taiku_bridge::Slug;

use super::FromJson;

/// A value of an answer.
#[derive(Clone, Copy)]
pub(crate) struct Json<'a>(pub(super) &'a Value);

impl<'a> Json<'a> {
    /// A field; null is no field.
    pub(super) fn get(self, name: &str) -> Option<Self> {
        self.0.get(name).filter(|value| !value.is_null()).map(Json)
    }

    /// The text that this is.
    pub(super) fn as_text(self) -> Option<&'a str> {
        self.0.as_str()
    }

    /// A text that must be there.
    pub(super) fn text(self, name: &str) -> Option<String> {
        self.maybe(name).map(str::to_owned)
    }

    /// A text that may be missing.
    pub(super) fn maybe(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_text()
    }

    /// A text that may be missing, to keep.
    pub(super) fn optional(self, name: &str) -> Option<String> {
        self.text(name)
    }

    /// A flag; missing is no.
    pub(super) fn flag(self, name: &str) -> bool {
        self.get(name).and_then(|json| json.0.as_bool()).unwrap_or(false)
    }

    /// A number that is not negative.
    pub(super) fn number(self, name: &str) -> Option<u64> {
        self.get(name)?.0.as_u64()
    }

    /// A number of pixels or a status.
    pub(super) fn small<T: TryFrom<u64>>(self, name: &str) -> Option<T> {
        T::try_from(self.number(name)?).ok()
    }

    /// The items of a list; missing is empty.
    pub(super) fn items(self, name: &str) -> impl Iterator<Item = Json<'a>> + use<'a> {
        let items = self.0.get(name).and_then(Value::as_array);
        items.map(Vec::as_slice).unwrap_or_default().iter().map(Json)
    }

    /// A list, each item of which must be readable.
    pub(super) fn list<T: FromJson>(self, name: &str) -> Option<Vec<T>> {
        let mut list = Vec::new();
        for item in self.items(name) {
            list.push(T::from_json(item)?);
        }
        Some(list)
    }
}

impl FromJson for String {
    fn from_json(json: Json<'_>) -> Option<Self> {
        json.as_text().map(str::to_owned)
    }
}

impl FromJson for Slug {
    fn from_json(json: Json<'_>) -> Option<Self> {
        Self::parse(json.as_text()?).ok()
    }
}
