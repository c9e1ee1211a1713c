//! Reads the broker's answers.
//!
//! The types are the bridge's. They are read by hand from one parsed value, because the readers that serde
//! derives for them would be a third of what this page weighs. Tests hold them to what serde writes.

mod admin;
mod json;
mod plugins;
mod users;

#[cfg(test)]
mod tests;

use serde_json::Value;

use json::Json;

/// What can be read from an answer.
pub(crate) trait FromJson: Sized {
    /// The value, or none when the answer is not of the promised shape.
    fn from_json(json: Json<'_>) -> Option<Self>;
}

/// Reads an answer.
pub(crate) fn read<T: FromJson>(value: &Value) -> Option<T> {
    T::from_json(Json(value))
}
