//! Reads what a panel sends, field by field and never more than is needed.
//!
//! What arrives went through structured cloning, so a field is plain data: reading it runs no code of the panel.

use js_sys::{JSON, JsString};
use taiku_bridge::mcp;
use taiku_bridge::message::{Envelope, Field, MAX_BYTES, MAX_ID, Params, REQUEST};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

/// The most of any other text that is looked at, in UTF-16 units: longer than every name and token of ours.
const MOST: u32 = 256;

#[wasm_bindgen]
extern "C" {
    /// An object that a panel sent. Getters cost a fraction of a look-up by a name that has to become a text first.
    pub(super) type Message;

    #[wasm_bindgen(method, getter, structural, js_name = "type")]
    fn kind(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn nonce(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn id(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter, structural, js_name = "pluginId")]
    fn plugin_id(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter, structural, js_name = "panelId")]
    fn panel_id(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter, structural, js_name = "authToken")]
    fn auth_token(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn method(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn params(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn jsonrpc(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn key(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    pub(super) fn back(this: &Message) -> JsValue;
}

thread_local! {
    static KIND_OF_REQUESTS: JsValue = REQUEST.into();
}

/// What came over a port, where a panel may send its messages as text.
pub(super) enum Post {
    /// A text to be read.
    Text(String),
    /// Anything else.
    Other(JsValue),
}

impl Post {
    /// A text that is longer than any message stays unread, and is no message of ours.
    pub(super) fn of(data: JsValue) -> Self {
        match data.dyn_ref::<JsString>() {
            Some(text) if text.length() <= length(2 * MAX_BYTES) => Self::Text(text.into()),
            Some(_) | None => Self::Other(data),
        }
    }
}

impl Message {
    /// Any object; nothing else has fields.
    pub(super) fn of(data: &JsValue) -> Option<&Self> {
        data.is_object().then(|| data.unchecked_ref())
    }

    /// Whether it says that it is a request.
    pub(super) fn is_request(&self) -> bool {
        KIND_OF_REQUESTS.with(|request| self.kind() == *request)
    }

    /// What it says that it is.
    pub(super) fn says(&self) -> String {
        text(&self.kind())
    }

    /// The number that tells a frame's first document; empty when there is none.
    pub(super) fn own_nonce(&self) -> String {
        text(&self.nonce())
    }

    /// The key that was pressed; empty when there is none.
    pub(super) fn pressed(&self) -> String {
        text(&self.key())
    }

    /// Whether it is a message of JSON-RPC 2.0, which panels speak that are written for MCP. It says no type.
    pub(super) fn is_jsonrpc(&self) -> bool {
        !self.kind().is_string() && text(&self.jsonrpc()) == mcp::JSONRPC
    }

    /// The fields of such a message as they are.
    pub(super) fn rpc(&self) -> mcp::Envelope {
        let id = self.id();
        // What is no JSON, or is long, is no id either.
        let written =
            |id: &JsValue| JSON::stringify(id).ok().filter(|text| text.length() <= MOST).map(String::from);
        mcp::Envelope {
            id: (!id.is_undefined()).then(|| written(&id).unwrap_or_default()),
            method: field(&self.method(), MOST),
            params: params(&self.params()),
        }
    }

    /// The fields of a request as they are. A claim that is exactly `own` is left out: it claims nothing else than
    /// the window that it came from says, and only that window was told it.
    pub(super) fn envelope(&self, own: &Own) -> Envelope {
        Envelope { params: params(&self.params()), ..self.head(own) }
    }

    /// The same without the parameters, of a request that is refused whatever they are.
    pub(super) fn head(&self, own: &Own) -> Envelope {
        Envelope {
            id: field(&self.id(), 2 * length(MAX_ID)),
            plugin_id: claim(&self.plugin_id(), &own.plugin_id),
            panel_id: claim(&self.panel_id(), &own.panel_id),
            auth_token: claim(&self.auth_token(), &own.auth_token),
            method: field(&self.method(), MOST),
            params: Params::Json("{}".into()),
        }
    }
}

/// What a document was told of itself, as the texts that its claims are compared with.
#[derive(Clone)]
pub(super) struct Own {
    plugin_id: JsValue,
    panel_id: JsValue,
    auth_token: JsValue,
}

impl Own {
    pub(super) fn new(plugin_id: &str, panel_id: &str, auth_token: &str) -> Self {
        Self { plugin_id: plugin_id.into(), panel_id: panel_id.into(), auth_token: auth_token.into() }
    }
}

/// A claim, unless it is `own`: then there is no need to copy it.
fn claim(value: &JsValue, own: &JsValue) -> Field {
    if value == own { Field::Missing } else { field(value, MOST) }
}

/// A text, cut; empty when it is none.
fn text(value: &JsValue) -> String {
    match field(value, MOST) {
        Field::Text(text) => text,
        Field::Missing | Field::Number(_) | Field::Other => String::new(),
    }
}

/// A field, a text being cut to `most` UTF-16 units.
fn field(value: &JsValue, most: u32) -> Field {
    match value.dyn_ref::<JsString>() {
        Some(text) => Field::Text(start(text, most)),
        None if value.is_undefined() || value.is_null() => Field::Missing,
        None => value.as_f64().map_or(Field::Other, Field::Number),
    }
}

/// Serialises the parameters, once: this text is decided on and sent.
fn params(value: &JsValue) -> Params {
    if value.is_undefined() || value.is_null() {
        return Params::Json("{}".into());
    }
    match JSON::stringify(value).map(JsValue::from).map(JsCast::dyn_into::<JsString>) {
        // One unit too many is enough to be refused for its size.
        Ok(Ok(text)) => Params::Json(start(&text, length(MAX_BYTES) + 1)),
        Ok(Err(_)) | Err(_) => Params::NotJson,
    }
}

fn start(text: &JsString, most: u32) -> String {
    if text.length() <= most { text.into() } else { text.slice(0, most).into() }
}

fn length(most: usize) -> u32 {
    u32::try_from(most).unwrap_or(u32::MAX)
}
