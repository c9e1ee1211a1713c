//! Panels that speak MCP: hears their messages, and puts answers into their words. What they may is decided where it
//! is decided for every panel.

use leptos::prelude::*;
use taiku_bridge::mcp::{self, Ask, Context, Id, Malformed, Message, Note};
use taiku_bridge::message::{Echo, Request};
use taiku_bridge::panel::Life;
use taiku_bridge::{Code, Method, Refusal};
use wasm_bindgen::JsValue;
use web_sys::Window;

use super::answer::{self, Door};
use super::incoming;
use super::popup::link_target;
use super::reply::Outcome;
use super::{calls, speakers};
use crate::dates;
use crate::state::{App, OfferedLink};

/// What stands before the id of a request in the list of calls under way, so that 1 and "1" are two.
const KEY: &str = "jsonrpc:";

/// Hears a message whose `jsonrpc` is `2.0`.
pub(super) fn hear(app: App, document: u64, message: &incoming::Message) {
    match message.rpc().read() {
        Ok(Message { id: Some(id), method, params }) => {
            let message = Message { id: None, method, params };
            if let Err(refusal) = request(app, document, &id, &message) {
                say(document, &mcp::error(Some(&id), &refusal));
            }
        }
        Ok(message) => {
            if let Note::Call(method, params) = Note::read(&message) {
                call(app, document, String::new(), method, params, Door::Silent);
            }
        }
        Err(Malformed::Refuse(id, refusal)) => say(document, &mcp::error(id.as_ref(), &refusal)),
        Err(Malformed::Drop) => {}
    }
}

/// Refuses such a message, whatever it asks.
pub(super) fn refuse(document: u64, message: &incoming::Message, refusal: &Refusal) {
    if let Ok(Message { id: Some(id), .. }) = message.rpc().read() {
        say(document, &mcp::error(Some(&id), refusal));
    }
}

fn request(app: App, document: u64, id: &Id, message: &Message) -> Result<(), Refusal> {
    let Some(plugin) = speakers::with(document, |speaker| speaker.frame.plugin.clone()) else {
        return Ok(());
    };
    let result = match Ask::read(message, &plugin.manifest.integrations)? {
        // This one is admitted as any other call.
        Ask::Execute(params) => {
            let key = format!("{KEY}{}", id.as_json());
            call(app, document, key, Method::IntegrationsExecute, params, Door::JsonRpc);
            return Ok(());
        }
        ask => {
            calls::admit(document, &plain(String::new(), String::new(), String::new()))?;
            match ask {
                Ask::Initialize => initialize(app, document),
                Ask::DisplayMode => mcp::mode().to_owned(),
                Ask::OpenLink(url) => open_link(app, plugin.name.clone(), &url)?,
                Ask::Ping | Ask::Execute(_) => "{}".to_owned(),
            }
        }
    };
    say(document, &mcp::result(id, &result));
    Ok(())
}

fn call(app: App, document: u64, id: String, method: Method, params: String, door: Door) {
    calls::admitted(app, document, &plain(id, method.as_str().to_owned(), params), door);
}

/// A request that claims nothing of who speaks: the window says it.
fn plain(id: String, method: String, params: String) -> Request {
    let claim = String::new;
    Request { id, plugin_id: claim(), panel_id: claim(), auth_token: claim(), method, params }
}

fn initialize(app: App, document: u64) -> String {
    let element = speakers::with(document, |speaker| {
        speaker.speaks_mcp = true;
        speaker.element.clone()
    });
    let size = element.map(|element| (element.client_width(), element.client_height()));
    let size =
        size.and_then(|(width, height)| Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?)));
    let (theme, locale) = (app.theme.get_untracked().seen(), dates::locale());
    let shown = size.filter(|(width, height)| *width > 0 && *height > 0);
    mcp::initialized(&Context { theme, locale: &locale, size: shown })
}

/// A link is a way out for whatever the panel knows. So the page shows it with the host that it leads to, and only
/// the user's own click there opens it.
fn open_link(app: App, plugin: String, url: &str) -> Result<String, Refusal> {
    let url = link_target(url)
        .ok_or_else(|| Refusal::field("/url", "must be an https: address without a user name"))?;
    app.offer_page(OfferedLink { plugin, url });
    Ok("{}".to_owned())
}

/// Answers a call in the words of MCP.
pub(super) fn answer(window: &Window, key: &Echo, outcome: Outcome) -> Result<(), JsValue> {
    let Echo::Text(key) = key else { return Ok(()) };
    let Some(id) = key.strip_prefix(KEY).and_then(Id::parse) else { return Ok(()) };
    let text = match outcome {
        Outcome::Json(body) => mcp::result(&id, &mcp::tool_json(&body)),
        Outcome::Body(body) => mcp::result(&id, &mcp::tool_json(&String::from(body.text))),
        Outcome::Value(value) => mcp::result(&id, &mcp::tool_text(value.as_string().as_deref())),
        Outcome::Error(Refusal { code: Code::UpstreamFailed, message, .. }) => {
            mcp::result(&id, &mcp::tool_failed(&message))
        }
        Outcome::Error(refusal) => mcp::error(Some(&id), &refusal),
    };
    post(window, &text)
}

/// Tells the panels that speak MCP of a part of their context, as it is now.
pub(super) fn context_changed(part: &JsValue) {
    let Ok(part) = js_sys::JSON::stringify(part) else { return };
    let text = mcp::context_changed(&String::from(part));
    let hears = |speaker: &speakers::Speaker| speaker.speaks_mcp && speaker.state.life() == Life::Live;
    for window in speakers::all(|speaker| hears(speaker).then(|| speaker.window.clone())) {
        report(post(&window, &text));
    }
}

fn say(document: u64, text: &str) {
    let alive = |speaker: &mut speakers::Speaker| {
        (speaker.state.life() != Life::Dead).then(|| speaker.window.clone())
    };
    if let Some(Some(window)) = speakers::with(document, alive) {
        report(post(&window, text));
    }
}

fn post(window: &Window, text: &str) -> Result<(), JsValue> {
    window.post_message(&js_sys::JSON::parse(text)?, "*")
}

fn report(sent: Result<(), JsValue>) {
    if sent.is_err() {
        leptos::logging::error!("{}", answer::UNSENT);
    }
}
