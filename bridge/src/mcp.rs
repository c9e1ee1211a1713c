//! MCP Apps: panels that speak the open wire of the Model Context Protocol, JSON-RPC 2.0 over window messages.
//!
//! Each of their requests becomes a call of the bridge and passes the same gate; a declared toolkit's tools are the
//! tools of the panel. What the host answers is made here too. Source: the MCP Apps extension, version 2026-01-26.

mod answer;
mod ask;

pub use answer::{
    Context, context_changed, error, initialized, mode, result, tool_failed, tool_json, tool_text,
};
pub use ask::{Ask, Note};

use serde_json::value::RawValue;

use crate::message::{Field, MAX_BYTES, MAX_ID, Params};
use crate::refusal::{Code, Refusal};

/// The version of MCP Apps that this host speaks.
pub const PROTOCOL_VERSION: &str = "2026-01-26";
/// What a message's `jsonrpc` must be.
pub const JSONRPC: &str = "2.0";

/// Largest number of a request: what every reader of JSON keeps exact.
const MAX_NUMBER: i64 = 9_007_199_254_740_991;

/// The id of a request, as the JSON text that its answer repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(String);

impl Id {
    /// A text of 1 to 64 characters or a whole number; nothing for any other JSON.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        let is_text = || {
            let text: Option<String> = serde_json::from_str(json).ok();
            text.is_some_and(|text| !text.is_empty() && text.chars().count() <= MAX_ID)
        };
        let is_number = || {
            let number: Option<i64> = serde_json::from_str(json).ok();
            number.is_some_and(|number| (-MAX_NUMBER..=MAX_NUMBER).contains(&number))
        };
        (is_text() || is_number()).then(|| Self(json.to_owned()))
    }

    /// As JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

/// The fields of a message as they were found.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The `id` as JSON text; none when there is no such field.
    pub id: Option<String>,
    /// The `method`.
    pub method: Field,
    /// The `params`.
    pub params: Params,
}

/// A message of the right shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The id of a request; a notification has none.
    pub id: Option<Id>,
    /// What it is about.
    pub method: String,
    /// With what, as JSON text.
    pub params: String,
}

/// What to do with a message of the wrong shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing: it is an answer, or a notification that nobody waits for.
    Drop,
    /// Answer with a refusal, to a request whose id can be told or not.
    Refuse(Option<Id>, Refusal),
}

impl Envelope {
    /// Checks the shape, and nothing else.
    ///
    /// # Errors
    /// [`Malformed::Drop`] for what is no request, else `bad_message`.
    pub fn read(self) -> Result<Message, Malformed> {
        let method = match self.method {
            // An answer to a request of ours: this host sends none.
            Field::Missing => return Err(Malformed::Drop),
            Field::Text(method) => Some(method),
            Field::Number(_) | Field::Other => None,
        };
        let id = match self.id.as_deref().map(Id::parse) {
            None => None,
            Some(Some(id)) => Some(id),
            Some(None) => {
                return Err(refuse(None, "id must be a whole number or a text of 1 to 64 characters"));
            }
        };
        let wrong = |id: Option<Id>, what| match id {
            Some(id) => Err(refuse(Some(id), what)),
            None => Err(Malformed::Drop),
        };
        let Some(method) = method else { return wrong(id, "method must be a text") };
        match self.params {
            Params::NotJson => wrong(id, "params must be JSON: no BigInt, no cycles, no functions"),
            Params::Json(text) if text.len() > MAX_BYTES => wrong(id, "the message is larger than 1 MiB"),
            Params::Json(params) => Ok(Message { id, method, params }),
        }
    }
}

fn refuse(id: Option<Id>, what: &str) -> Malformed {
    Malformed::Refuse(id, Refusal::new(Code::BadMessage, what))
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| RawValue::NULL.get().to_owned())
}

#[cfg(test)]
mod tests;
