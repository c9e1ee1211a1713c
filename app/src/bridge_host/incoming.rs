//! Reads what a panel sends, field by field and never more than is needed.
//!
//! What arrives went through structured cloning, so a field is plain data: reading it runs no code of the panel.

use js_sys::{JSON, JsString, Reflect};
use taiku_bridge::mcp;
use taiku_bridge::message::{Envelope, Field, MAX_BYTES, MAX_ID, Params};
use wasm_bindgen::{JsCast, JsValue};

/// The most of any other text that is looked at, in UTF-16 units: longer than every name and token of ours.
const MOST: u32 = 256;

/// What came over a port, where a panel may send its messages as text. A text that is longer than any message stays
/// one, unread, and is no message of ours.
pub(super) fn message(data: JsValue) -> JsValue {
    let text = data.dyn_ref::<JsString>().filter(|text| text.length() <= length(2 * MAX_BYTES));
    text.and_then(|text| JSON::parse(&String::from(text)).ok()).unwrap_or(data)
}

/// The message's `type`.
pub(super) fn kind(data: &JsValue) -> Option<String> {
    if !data.is_object() {
        return None;
    }
    field(data, "type").dyn_into::<JsString>().ok().map(|kind| start(&kind, MOST))
}

/// A text, cut; empty when it is none.
pub(super) fn text(data: &JsValue, name: &str, most: u32) -> String {
    field(data, name).dyn_into::<JsString>().map(|text| start(&text, most)).unwrap_or_default()
}

/// The fields of a request as they are.
pub(super) fn envelope(data: &JsValue) -> Envelope {
    Envelope {
        id: id(&field(data, "id")),
        plugin_id: short(field(data, "pluginId")),
        panel_id: short(field(data, "panelId")),
        auth_token: short(field(data, "authToken")),
        method: short(field(data, "method")),
        params: params(&field(data, "params")),
    }
}

/// Whether a message is one of JSON-RPC 2.0, which panels speak that are written for MCP.
pub(super) fn is_jsonrpc(data: &JsValue) -> bool {
    data.is_object()
        && field(data, "jsonrpc").dyn_ref::<JsString>().is_some_and(|version| version == mcp::JSONRPC)
}

/// The fields of such a message as they are.
pub(super) fn jsonrpc(data: &JsValue) -> mcp::Envelope {
    let id = field(data, "id");
    // What is no JSON, or is long, is no id either.
    let text = |id: &JsValue| JSON::stringify(id).ok().filter(|text| text.length() <= MOST).map(String::from);
    mcp::Envelope {
        id: (!id.is_undefined()).then(|| text(&id).unwrap_or_default()),
        method: short(field(data, "method")),
        params: params(&field(data, "params")),
    }
}

/// The id that an answer to a malformed request names: its own, unless that is the fault.
pub(super) fn echo(data: &JsValue) -> JsValue {
    let id = field(data, "id");
    match id.dyn_ref::<JsString>() {
        Some(text) => start(text, length(MAX_ID)).into(),
        None if id.as_f64().is_some() => id,
        None => JsValue::NULL,
    }
}

/// A field; what cannot be read is not there.
fn field(data: &JsValue, name: &str) -> JsValue {
    Reflect::get(data, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn id(value: &JsValue) -> Field {
    match value.dyn_ref::<JsString>() {
        Some(text) if text.length() > length(MAX_ID) * 2 => Field::Other,
        Some(text) => Field::Text(text.into()),
        None if value.is_undefined() || value.is_null() => Field::Missing,
        None => Field::Other,
    }
}

fn short(value: JsValue) -> Field {
    if value.is_undefined() || value.is_null() {
        return Field::Missing;
    }
    value.dyn_into::<JsString>().map_or(Field::Other, |text| Field::Text(start(&text, MOST)))
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
