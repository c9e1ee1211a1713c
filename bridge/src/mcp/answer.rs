//! What the host says to a panel that speaks MCP, as JSON text.

use serde::de::IgnoredAny;

use super::{Id, PROTOCOL_VERSION, quoted};
use crate::refusal::{Code, Refusal};

/// How the panel is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context<'a> {
    /// `light` or `dark`.
    pub theme: &'a str,
    /// BCP 47.
    pub locale: &'a str,
    /// Width and height of the panel in CSS pixels, while it is shown.
    pub size: Option<(u32, u32)>,
}

/// An answer that worked, with its result as JSON text.
#[must_use]
pub fn result(id: &Id, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, id.as_json())
}

/// A refusal. Its `data` has the code of the bridge.
#[must_use]
pub fn error(id: Option<&Id>, refusal: &Refusal) -> String {
    let id = id.map_or("null", Id::as_json);
    let (message, name) = (quoted(&refusal.message), quoted(refusal.code.as_str()));
    let pointer =
        refusal.pointer.as_deref().map_or_else(String::new, |at| format!(r#","pointer":{}"#, quoted(at)));
    let number = number(refusal.code);
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{number},"message":{message},"data":{{"code":{name}{pointer}}}}}}}"#
    )
}

/// JSON-RPC 2.0, section 5.1; what has no number of its own there has the first of those left to servers.
fn number(code: Code) -> i32 {
    match code {
        Code::BadMessage | Code::DuplicateId => -32600,
        Code::UnknownMethod => -32601,
        Code::InvalidParams => -32602,
        Code::Internal => -32603,
        _ => -32000,
    }
}

/// The result of `ui/initialize`.
#[must_use]
pub fn initialized(context: &Context<'_>) -> String {
    let size = context.size.map_or_else(String::new, |(width, height)| {
        format!(r#","containerDimensions":{{"width":{width},"height":{height}}}"#)
    });
    let (theme, locale) = (quoted(context.theme), quoted(context.locale));
    let host = concat!(r#"{"name":"taiku","version":""#, env!("CARGO_PKG_VERSION"), r#""}"#);
    format!(
        r#"{{"protocolVersion":"{PROTOCOL_VERSION}","hostInfo":{host},"hostCapabilities":{{"openLinks":{{}},"serverTools":{{}}}},"hostContext":{{"theme":{theme},"locale":{locale},"displayMode":"inline","availableDisplayModes":["inline"],"platform":"web","userAgent":"taiku"{size}}}}}"#
    )
}

/// The result of `ui/request-display-mode`: the one mode that there is.
#[must_use]
pub fn mode() -> &'static str {
    r#"{"mode":"inline"}"#
}

/// The notification that a part of the context is another now, as JSON text of the part.
#[must_use]
pub fn context_changed(part: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"ui/notifications/host-context-changed","params":{part}}}"#)
}

/// The result of a tool that answered JSON: as text, and structured. What is no object is its field `result`, since
/// structured content is an object. What says that it is JSON and is not is text alone.
#[must_use]
pub fn tool_json(body: &str) -> String {
    tool(body, structured(body), false)
}

/// The result of a tool that answered text, or nothing.
#[must_use]
pub fn tool_text(body: Option<&str>) -> String {
    body.map_or_else(|| r#"{"content":[]}"#.to_owned(), |body| tool(body, None, false))
}

/// The result of a tool that failed at the provider, with the provider's body.
#[must_use]
pub fn tool_failed(body: &str) -> String {
    tool(body, structured(body).filter(|_| body.trim_start().starts_with('{')), true)
}

fn structured(body: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(body).ok()?;
    let is_object = body.trim_start().starts_with('{');
    Some(if is_object { body.to_owned() } else { format!(r#"{{"result":{body}}}"#) })
}

fn tool(body: &str, structured: Option<String>, failed: bool) -> String {
    let structured = structured.map_or_else(String::new, |value| format!(r#","structuredContent":{value}"#));
    let failed = if failed { r#","isError":true"# } else { "" };
    format!(r#"{{"content":[{{"type":"text","text":{}}}]{structured}{failed}}}"#, quoted(body))
}
