//! The messages between a panel and the host page, as names and shapes.
//!
//! The host reads the envelope field by field from a JavaScript value, because converting a whole message
//! costs as much as the message is long; what it found goes into [`Envelope`].

use crate::refusal::{Code, Refusal};

/// Version of the protocol, sent in `taiku:init`.
pub const PROTOCOL_VERSION: u32 = 1;
/// Host to panel, once per document: who the panel is.
pub const INIT: &str = "taiku:init";
/// Panel to host: a call.
pub const REQUEST: &str = "taiku:request";
/// Host to panel: its answer.
pub const RESPONSE: &str = "taiku:response";
/// Host to panel: something happened.
pub const EVENT: &str = "taiku:event";
/// Panel document to host, sent by the host's own script at the top of each document: the frame's nonce.
pub const HELLO: &str = "taiku:hello";
/// Panel document to host, sent by the same script when the document has loaded: it can hear `taiku:init` now.
pub const READY: &str = "taiku:ready";

/// Longest request id, in characters.
pub const MAX_ID: usize = 64;
/// Largest message, in bytes of its parameters as JSON text.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Within this time the host answers what it answers itself, in milliseconds: published panels wait 5 s.
pub const HOST_ANSWER_MS: u32 = 4_000;
/// Within this time a panel has an answer to a call that reaches the broker, in milliseconds: they wait 20 s.
pub const BROKER_ANSWER_MS: u32 = 18_000;

/// A field of a message as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// Not there, `undefined` or `null`.
    #[default]
    Missing,
    /// A string.
    Text(String),
    /// Anything else.
    Other,
}

impl Field {
    /// The text; missing is empty.
    fn text_or_empty(&self, name: &str) -> Result<&str, Refusal> {
        match self {
            Self::Missing => Ok(""),
            Self::Text(text) => Ok(text),
            Self::Other => Err(Refusal::new(Code::BadMessage, format!("{name} must be a text"))),
        }
    }
}

/// The parameters of a request after serialising them, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Params {
    /// JSON text.
    Json(String),
    /// What `JSON.stringify` refused, such as a `BigInt` or a cycle.
    NotJson,
}

/// The fields of a `taiku:request` as they were found.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The panel's own counter.
    pub id: Field,
    /// Who the panel says it is.
    pub plugin_id: Field,
    /// Which panel it says it is.
    pub panel_id: Field,
    /// The token that it was given.
    pub auth_token: Field,
    /// What it calls.
    pub method: Field,
    /// With what.
    pub params: Params,
}

/// An envelope of the right shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The panel's own counter.
    pub id: String,
    /// Who the panel says it is; may be empty.
    pub plugin_id: String,
    /// Which panel it says it is; may be empty.
    pub panel_id: String,
    /// The token that it was given; may be empty.
    pub auth_token: String,
    /// What it calls.
    pub method: String,
    /// With what, as JSON text.
    pub params: String,
}

/// What to do with a message of the wrong shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing: without an id there is nobody to answer.
    Drop,
    /// Answer with a refusal.
    Refuse(Refusal),
}

impl Envelope {
    /// Checks the shape, and nothing else.
    ///
    /// # Errors
    /// [`Malformed::Drop`] without an id, else `bad_message`.
    pub fn read(self) -> Result<Request, Malformed> {
        let bad = |what: &str| Malformed::Refuse(Refusal::new(Code::BadMessage, what));
        let id = match self.id {
            Field::Missing => return Err(Malformed::Drop),
            Field::Text(id) if !id.is_empty() && id.chars().count() <= MAX_ID => id,
            Field::Text(_) | Field::Other => return Err(bad("id must be a text of 1 to 64 characters")),
        };
        let params = match self.params {
            Params::NotJson => return Err(bad("params must be JSON: no BigInt, no cycles, no functions")),
            Params::Json(text) if text.len() > MAX_BYTES => {
                return Err(bad("the message is larger than 1 MiB"));
            }
            Params::Json(text) => text,
        };
        let Field::Text(method) = self.method else { return Err(bad("method must be a text")) };
        let text =
            |field: &Field, name| field.text_or_empty(name).map(str::to_owned).map_err(Malformed::Refuse);
        Ok(Request {
            id,
            plugin_id: text(&self.plugin_id, "pluginId")?,
            panel_id: text(&self.panel_id, "panelId")?,
            auth_token: text(&self.auth_token, "authToken")?,
            method,
            params,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            id: Field::Text("ig_1".into()),
            plugin_id: Field::Text(String::new()),
            panel_id: Field::Missing,
            auth_token: Field::Missing,
            method: Field::Text("integrations.list".into()),
            params: Params::Json("{}".into()),
        }
    }

    fn refused(envelope: Envelope) -> Code {
        match envelope.read() {
            Err(Malformed::Refuse(refusal)) => refusal.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_call_of_the_published_pattern_has_the_right_shape() {
        assert_eq!(envelope().read().unwrap().auth_token, "");
    }

    #[test]
    fn without_an_id_nobody_is_answered() {
        assert_eq!(Envelope { id: Field::Missing, ..envelope() }.read(), Err(Malformed::Drop));
    }

    #[test]
    fn wrong_shapes_are_bad_messages() {
        let long = Field::Text("x".repeat(65));
        let big = Params::Json("x".repeat(MAX_BYTES + 1));
        for envelope in [
            Envelope { id: Field::Other, ..envelope() },
            Envelope { id: long, ..envelope() },
            Envelope { id: Field::Text(String::new()), ..envelope() },
            Envelope { method: Field::Missing, ..envelope() },
            Envelope { method: Field::Other, ..envelope() },
            Envelope { plugin_id: Field::Other, ..envelope() },
            Envelope { panel_id: Field::Other, ..envelope() },
            Envelope { auth_token: Field::Other, ..envelope() },
            Envelope { params: Params::NotJson, ..envelope() },
            Envelope { params: big, ..envelope() },
        ] {
            assert_eq!(refused(envelope), Code::BadMessage);
        }
    }

    #[test]
    fn an_id_of_64_characters_is_the_longest() {
        assert!(Envelope { id: Field::Text("ä".repeat(64)), ..envelope() }.read().is_ok());
    }
}
