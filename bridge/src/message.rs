//! The messages between a panel and the host page, as names and shapes.
//!
//! The host reads the envelope field by field from a JavaScript value, because converting a whole message
//! costs as much as the message is long; what it found goes into [`Envelope`]. A text that came over a port becomes
//! envelopes in one pass ([`written`]), and its parameters stay the text that they are.

use std::borrow::Cow;

use crate::json;
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
/// Panel document to host, sent by the same script: a key was pressed that leaves the panel, Escape or F6.
pub const LEAVE: &str = "taiku:leave";

/// Longest request id, in characters.
pub const MAX_ID: usize = 64;
/// Largest message, in bytes of its parameters as JSON text.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Within this time the host answers what it answers itself, in milliseconds: published panels wait 5 s.
pub const HOST_ANSWER_MS: u32 = 4_000;
/// Within this time a panel has an answer to a call that reaches the broker, in milliseconds: they wait 20 s.
pub const BROKER_ANSWER_MS: u32 = 18_000;

/// A field of a message as it was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field {
    /// Not there, `undefined` or `null`.
    #[default]
    Missing,
    /// A string.
    Text(String),
    /// A number.
    Number(f64),
    /// Anything else.
    Other,
}

impl Field {
    /// Of a value that has been checked.
    fn of(value: &str) -> Self {
        match value.as_bytes().first() {
            None | Some(b'n') => Self::Missing,
            Some(b'"') => json::string(value).map_or(Self::Other, |text| Self::Text(text.into_owned())),
            Some(b'-' | b'0'..=b'9') => value.parse().map_or(Self::Other, Self::Number),
            Some(_) => Self::Other,
        }
    }

    /// The text; missing is empty.
    fn text_or_empty(self, name: &str) -> Result<String, Refusal> {
        match self {
            Self::Missing => Ok(String::new()),
            Self::Text(text) => Ok(text),
            Self::Number(_) | Self::Other => {
                Err(Refusal::new(Code::BadMessage, format!("{name} must be a text")))
            }
        }
    }
}

/// The parameters of a request after serialising them, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Params {
    /// JSON text: written by `JSON.stringify`, or checked.
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
    /// With what, as JSON text: written by `JSON.stringify`, or checked.
    pub params: String,
}

/// What to do with a message of the wrong shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Malformed {
    /// Nothing: without an id there is nobody to answer.
    Drop,
    /// Answer with a refusal.
    Refuse(Echo, Refusal),
}

/// The id that an answer to a malformed message names: its own, unless that is the fault.
#[derive(Clone, Debug, PartialEq)]
pub enum Echo {
    /// A text, cut to [`MAX_ID`] characters.
    Text(String),
    /// A number.
    Number(f64),
    /// It has none.
    Nothing,
}

impl Echo {
    fn of(id: &Field) -> Self {
        match id {
            Field::Text(text) => Self::Text(text.chars().take(MAX_ID).collect()),
            Field::Number(number) => Self::Number(*number),
            Field::Missing | Field::Other => Self::Nothing,
        }
    }
}

/// The requests of a text that came over a port, one message or an array of them, as they were found; messages of
/// other types are left out.
///
/// # Errors
/// When the text is not JSON: then it is no message of ours.
pub fn written(text: &str) -> Result<Vec<Envelope>, json::JsonError> {
    Ok(json::objects(text)?.into_iter().filter_map(Envelope::of).collect())
}

impl Envelope {
    /// Of the fields of a message; nothing when it is no request.
    fn of(fields: json::Fields<'_>) -> Option<Self> {
        let mut kind = None;
        let mut found = Self {
            id: Field::Missing,
            plugin_id: Field::Missing,
            panel_id: Field::Missing,
            auth_token: Field::Missing,
            method: Field::Missing,
            params: Params::Json("{}".into()),
        };
        for (name, value) in fields {
            match name.as_ref() {
                "type" => kind = json::string(value),
                "id" => found.id = Field::of(value),
                "pluginId" => found.plugin_id = Field::of(value),
                "panelId" => found.panel_id = Field::of(value),
                "authToken" => found.auth_token = Field::of(value),
                "method" => found.method = Field::of(value),
                "params" if value != "null" => found.params = Params::Json(value.to_owned()),
                _ => {}
            }
        }
        (kind == Some(Cow::Borrowed(REQUEST))).then_some(found)
    }

    /// Checks the shape, and nothing else.
    ///
    /// # Errors
    /// [`Malformed::Drop`] without an id, else `bad_message`.
    pub fn read(self) -> Result<Request, Malformed> {
        let Self { id, plugin_id, panel_id, auth_token, method, params } = self;
        let id = match id {
            Field::Missing => return Err(Malformed::Drop),
            Field::Text(id) if !id.is_empty() && is_short(&id) => id,
            id => {
                let refusal = bad("id must be a text of 1 to 64 characters");
                return Err(Malformed::Refuse(Echo::of(&id), refusal));
            }
        };
        let rest = || {
            let params = sized(params)?;
            let Field::Text(method) = method else { return Err(bad("method must be a text")) };
            Ok((
                plugin_id.text_or_empty("pluginId")?,
                panel_id.text_or_empty("panelId")?,
                auth_token.text_or_empty("authToken")?,
                method,
                params,
            ))
        };
        match rest() {
            Ok((plugin_id, panel_id, auth_token, method, params)) => {
                Ok(Request { id, plugin_id, panel_id, auth_token, method, params })
            }
            Err(refusal) => Err(Malformed::Refuse(Echo::Text(id), refusal)),
        }
    }
}

fn bad(what: &str) -> Refusal {
    Refusal::new(Code::BadMessage, what)
}

/// Whether an id is not too long: a character has at least one byte and at most four.
fn is_short(id: &str) -> bool {
    id.len() <= MAX_ID || (id.len() <= 4 * MAX_ID && id.chars().count() <= MAX_ID)
}

fn sized(params: Params) -> Result<String, Refusal> {
    match params {
        Params::NotJson => Err(bad("params must be JSON: no BigInt, no cycles, no functions")),
        Params::Json(text) if text.len() > MAX_BYTES => Err(bad("the message is larger than 1 MiB")),
        Params::Json(text) => Ok(text),
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
            Err(Malformed::Refuse(_, refusal)) => refusal.code,
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
    fn a_text_is_one_message_or_many_and_what_is_no_request_is_left_out() {
        let text = r#"[{"type":"taiku:request","id":"1","method":"a","params":{"x":[1, 2]},"more":1},
            {"type":"taiku:ready"}, 7, {"type":"taiku:request","id":"2","method":"b","params":null}]"#;
        let read: Vec<Request> = written(text).unwrap().into_iter().map(|e| e.read().unwrap()).collect();
        let [first, second] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((first.id.as_str(), first.params.as_str()), ("1", r#"{"x":[1, 2]}"#));
        assert_eq!((second.method.as_str(), second.params.as_str()), ("b", "{}"));
        assert_eq!(written(r#"{"type":"taiku:request","id":"1"}"#).unwrap().len(), 1);
        for text in ["", "[", r#"{"type":"taiku:request","type":"taiku:request"}"#, "{}}"] {
            assert!(written(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_refusal_names_the_id_that_there_was() {
        let echo = |id: Field| match (Envelope { id, method: Field::Missing, ..envelope() }).read() {
            Err(Malformed::Refuse(echo, _)) => echo,
            other => panic!("{other:?}"),
        };
        assert_eq!(echo(Field::Text("7".into())), Echo::Text("7".into()));
        assert_eq!(echo(Field::Text("x".repeat(65))), Echo::Text("x".repeat(64)));
        assert_eq!(echo(Field::Number(7.0)), Echo::Number(7.0));
        assert_eq!(echo(Field::Other), Echo::Nothing);
    }

    #[test]
    fn an_id_of_64_characters_is_the_longest() {
        assert!(Envelope { id: Field::Text("ä".repeat(64)), ..envelope() }.read().is_ok());
    }
}
