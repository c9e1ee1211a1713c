//! The one answer to a call, in the form that its way carries best.

use js_sys::{JSON, JsString, Object};
use taiku_bridge::Refusal;
use taiku_bridge::message::{Echo, RESPONSE};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

/// From this length on, in UTF-16 units, a result goes over a port as text: that is many times faster to send.
const TEXT_FROM: u32 = 16 * 1024;

/// What a call came to.
pub(super) enum Outcome {
    /// A value.
    Value(JsValue),
    /// JSON text of this page.
    Json(String),
    /// A provider's body, forwarded as it came. It never becomes a value of ours.
    Body(Body),
    /// A refusal, or a failure of the provider.
    Error(Refusal),
}

/// A provider's body that says of itself that it is JSON.
pub(super) struct Body {
    /// As it came.
    pub(super) text: JsString,
    /// Whether the broker has found it to be one JSON value.
    pub(super) is_checked: bool,
}

#[wasm_bindgen]
extern "C" {
    /// A `taiku:response`.
    type Reply;

    #[wasm_bindgen(method, setter, structural, js_name = "type")]
    fn set_kind(this: &Reply, kind: &JsValue);
    #[wasm_bindgen(method, setter, structural)]
    fn set_id(this: &Reply, id: &JsValue);
    #[wasm_bindgen(method, setter, structural)]
    fn set_result(this: &Reply, result: &JsValue);
    #[wasm_bindgen(method, setter, structural)]
    fn set_error(this: &Reply, error: &str);
    #[wasm_bindgen(method, setter, structural)]
    fn set_code(this: &Reply, code: &str);

    /// Reads a text without copying it into this program.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    fn parse(text: &JsString) -> Result<JsValue, JsValue>;
}

thread_local! {
    static KIND_OF_REPLIES: JsValue = RESPONSE.into();
}

impl Outcome {
    /// Whether it may go with others in one text.
    pub(super) fn is_light(&self) -> bool {
        match self {
            Self::Value(_) | Self::Error(_) => true,
            Self::Json(text) => u32::try_from(text.len()).is_ok_and(|length| length < TEXT_FROM),
            Self::Body(_) => false,
        }
    }

    /// Length of a result as JSON text, in UTF-16 units where it is not of ASCII letters.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Value(value) => stringified(value).len(),
            Self::Json(text) => text.len(),
            Self::Body(body) => body.text.length() as usize,
            Self::Error(_) => 0,
        }
    }
}

/// Answers that go over a port as one text.
#[derive(Default)]
pub(super) struct Replies(String);

impl Replies {
    /// Adds one.
    pub(super) fn push(&mut self, id: &Echo, outcome: Outcome) {
        self.0.push(if self.0.is_empty() { '[' } else { ',' });
        head(&mut self.0, id);
        match outcome {
            Outcome::Json(text) => field(&mut self.0, "result", &text),
            Outcome::Value(value) => field(&mut self.0, "result", &stringified(&value)),
            Outcome::Body(body) => field(&mut self.0, "result", &stringified(&body.value())),
            Outcome::Error(refusal) => {
                field(&mut self.0, "error", &quoted(&refusal.message));
                field(&mut self.0, "code", &quoted(refusal.code.as_str()));
            }
        }
        self.0.push('}');
    }

    /// The text; none when there is no answer.
    pub(super) fn text(mut self) -> Option<JsValue> {
        if self.0.is_empty() {
            return None;
        }
        self.0.push(']');
        Some(self.0.into())
    }
}

impl Body {
    /// The value; what says that it is JSON and is not stays the text that it is.
    fn value(&self) -> JsValue {
        parse(&self.text).unwrap_or_else(|_| self.text.clone().into())
    }

    /// Whether it is one JSON value, so that it can stand in a text without changing what stands around it.
    fn is_sound(&self) -> bool {
        self.is_checked || parse(&self.text).is_ok()
    }
}

/// An answer over a port: large results as text.
pub(super) fn for_port(id: &Echo, outcome: Outcome) -> JsValue {
    match outcome {
        Outcome::Body(body) if body.text.length() >= TEXT_FROM && body.is_sound() => {
            let mut before = String::new();
            head(&mut before, id);
            before.push_str(",\"result\":");
            // Joined by the browser: the body stays where it is.
            JsString::from(before).concat(&body.text).concat(&"}".into()).into()
        }
        Outcome::Json(text) if text.len() >= TEXT_FROM as usize => {
            let mut all = String::with_capacity(text.len() + 128);
            head(&mut all, id);
            field(&mut all, "result", &text);
            all.push('}');
            all.into()
        }
        Outcome::Body(_) | Outcome::Json(_) | Outcome::Value(_) | Outcome::Error(_) => object(id, outcome),
    }
}

/// An answer as a value.
pub(super) fn object(id: &Echo, outcome: Outcome) -> JsValue {
    let reply: Reply = Object::new().unchecked_into();
    KIND_OF_REPLIES.with(|kind| reply.set_kind(kind));
    reply.set_id(&match id {
        Echo::Text(id) => id.as_str().into(),
        Echo::Number(id) => (*id).into(),
        Echo::Nothing => JsValue::NULL,
    });
    match outcome {
        Outcome::Value(value) => reply.set_result(&value),
        Outcome::Json(text) => reply.set_result(&JSON::parse(&text).unwrap_or(JsValue::NULL)),
        Outcome::Body(body) => reply.set_result(&body.value()),
        Outcome::Error(refusal) => {
            reply.set_error(&refusal.message);
            reply.set_code(refusal.code.as_str());
        }
    }
    reply.into()
}

/// The beginning of an answer as text.
fn head(text: &mut String, id: &Echo) {
    text.push_str("{\"type\":\"");
    text.push_str(RESPONSE);
    text.push('"');
    let id = match id {
        Echo::Text(id) => quoted(id),
        Echo::Number(id) => stringified(&(*id).into()),
        Echo::Nothing => "null".into(),
    };
    field(text, "id", &id);
}

fn field(text: &mut String, name: &str, value: &str) {
    text.push_str(",\"");
    text.push_str(name);
    text.push_str("\":");
    text.push_str(value);
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into())
}

fn stringified(value: &JsValue) -> String {
    JSON::stringify(value).map_or_else(|_| "null".into(), String::from)
}
