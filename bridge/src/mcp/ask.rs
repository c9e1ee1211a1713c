//! What a message of a panel asks for.

use super::{Message, quoted};
use crate::call::fields::Fields;
use crate::call::{Method, unknown};
use crate::refusal::Refusal;
use crate::slug::Slug;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// `ui/initialize`: what the host is and can do.
    Initialize,
    /// `ping`
    Ping,
    /// `ui/request-display-mode`: there is one.
    DisplayMode,
    /// `ui/open-link`: the address, not looked at yet.
    OpenLink(String),
    /// `tools/call`: `integrations.execute` with these parameters as JSON text.
    Execute(String),
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A call of the bridge with its parameters as JSON text, whose answer nobody waits for.
    Call(Method, String),
    /// Nothing that this host acts on.
    Ignored,
}

impl Ask {
    /// Gives a request its type. A tool belongs to the toolkit among `declared` whose name it begins with.
    ///
    /// # Errors
    /// `unknown_method`, or `invalid_params` with the place.
    pub fn read(message: &Message, declared: &[Slug]) -> Result<Self, Refusal> {
        match message.method.as_str() {
            "ui/initialize" => Ok(Self::Initialize),
            "ping" => Ok(Self::Ping),
            "ui/request-display-mode" => Ok(Self::DisplayMode),
            "ui/open-link" => Ok(Self::OpenLink(Fields::read(&message.params)?.needed("url")?)),
            "tools/call" => execute(&Fields::read(&message.params)?, declared).map(Self::Execute),
            other => Err(unknown(other)),
        }
    }
}

impl Note {
    /// Gives a notification its type. One that says nothing that can be read is ignored.
    #[must_use]
    pub fn read(message: &Message) -> Self {
        match message.method.as_str() {
            "ui/notifications/size-changed" => Self::Call(Method::ResizePanel, message.params.clone()),
            "ui/notifications/request-teardown" => Self::Call(Method::ClosePanel, "{}".to_owned()),
            _ => Self::Ignored,
        }
    }
}

fn execute(fields: &Fields<'_>, declared: &[Slug]) -> Result<String, Refusal> {
    let name = fields.needed("name")?;
    let toolkit = toolkit(&name, declared)?;
    let arguments = fields.object("arguments")?;
    let (toolkit, action) = (quoted(toolkit.as_str()), quoted(&name));
    Ok(format!(r#"{{"toolkit":{toolkit},"action":{action},"arguments":{}}}"#, arguments.get()))
}

/// The toolkit of a tool: the longest declared one that the tool's slug begins with. Of a tool of no declared toolkit
/// it is the first word, so that the gate can say what is not declared.
fn toolkit(tool: &str, declared: &[Slug]) -> Result<Slug, Refusal> {
    let begins = |slug: &&Slug| {
        let prefix: String = slug.as_str().chars().map(screaming).collect();
        tool.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with('_'))
    };
    if let Some(slug) = declared.iter().filter(begins).max_by_key(|slug| slug.as_str().len()) {
        return Ok(slug.clone());
    }
    let word = tool.split('_').next().unwrap_or_default();
    Slug::parse(word)
        .map_err(|_| Refusal::field("/name", "must be the slug of a tool, such as DEMO_LIST_ISSUES"))
}

/// How a character of a toolkit's slug stands in the slugs of its tools.
fn screaming(c: char) -> char {
    if c == '-' { '_' } else { c.to_ascii_uppercase() }
}
