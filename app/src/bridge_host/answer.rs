//! What the host sends to a panel: who it is, and the one answer to each call.

use js_sys::{Array, Object, Reflect};
use leptos::prelude::*;
use taiku_bridge::message::{Echo, INIT, PROTOCOL_VERSION};
use taiku_bridge::panel::Life;
use taiku_bridge::{Refusal, Slug};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageChannel, MessageEvent, MessagePort};

use super::reply::{self, Outcome, Replies};
use super::{inspect, mcp, speakers};
use crate::state::App;
use crate::workspace::{Frame, FrameState};

/// What is said of an answer that cannot be sent.
pub(super) const UNSENT: &str = "an answer could not be sent to its panel";

/// The way that a call came in, and its answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// The window.
    Window,
    /// The port that came with `taiku:init`.
    Port,
    /// The window, in JSON-RPC.
    JsonRpc,
    /// The window, by somebody who waits for no answer.
    Silent,
}

/// A call under way.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    /// Who called.
    pub(super) document: u64,
    /// The panel's id of the call.
    pub(super) id: String,
    /// Which call of that id.
    pub(super) number: u64,
    /// Where it came in.
    pub(super) door: Door,
}

/// Sends a document its `taiku:init`, once, when it says that it has loaded: a listener that comes late would miss an
/// earlier one. It has said its nonce before, and a second document would have said hello before it says this.
pub(super) fn greet(app: App, document: u64) {
    let due = speakers::with(document, |speaker| {
        let due = !speaker.greeted && speaker.state.life() == Life::Live;
        speaker.greeted |= due;
        due
    });
    if due == Some(true) {
        init(app, document);
    }
}

/// Tells a document who it is, and gives it a port.
fn init(app: App, document: u64) {
    let Some((frame, window, token)) = speakers::with(document, |speaker| {
        (speaker.frame.clone(), speaker.window.clone(), speaker.state.token().to_owned())
    }) else {
        return;
    };
    let message = identity(app, &frame, &token);
    let sent = match port(app, document) {
        Some(port) => window.post_message_with_transfer(&message, "*", &Array::of1(&port)),
        None => window.post_message(&message, "*"),
    };
    inspect::said(document, INIT, &JsValue::UNDEFINED);
    frame.state.set(if sent.is_ok() { FrameState::Live } else { FrameState::Failed });
}

fn identity(app: App, frame: &Frame, token: &str) -> JsValue {
    let id = frame.plugin.id.as_str();
    let granted = app.plugin_untracked(id).and_then(|plugin| plugin.grant.as_ref().map(|g| g.grant.clone()));
    let granted = granted.unwrap_or_default();
    let message = Object::new();
    set(&message, "type", INIT.into());
    set(&message, "pluginId", id.into());
    set(&message, "panelId", frame.panel.id.as_str().into());
    set(&message, "sessionId", app.session_id().into());
    set(&message, "authToken", token.into());
    set(&message, "protocolVersion", PROTOCOL_VERSION.into());
    set(&message, "theme", app.theme.get_untracked().seen().into());
    set(&message, "locale", crate::dates::locale().into());
    let list = |items: &mut dyn Iterator<Item = &str>| items.map(JsValue::from_str).collect::<Array>();
    set(&message, "permissions", list(&mut granted.permissions.iter().map(|p| p.as_str())).into());
    set(&message, "integrations", list(&mut granted.integrations.iter().map(Slug::as_str)).into());
    message.into()
}

/// Opens a channel, keeps one end and returns the other.
fn port(app: App, document: u64) -> Option<MessagePort> {
    let channel = MessageChannel::new().ok()?;
    let hear = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        super::understand_post(app, document, event.data());
    });
    let ours = channel.port1();
    ours.set_onmessage(Some(hear.as_ref().unchecked_ref()));
    speakers::with(document, |speaker| speaker.port = Some((ours, hear)))?;
    Some(channel.port2())
}

/// Answers a call, once, if its document still lives.
pub(super) fn answer(ticket: &Ticket, outcome: Outcome) {
    let alive = speakers::with(ticket.document, |speaker| {
        let Some(at) = speaker.calls.iter().position(|(_, number)| *number == ticket.number) else {
            return false;
        };
        speaker.calls.swap_remove(at);
        speaker.state.finish(&ticket.id)
    });
    if alive == Some(true) {
        send(ticket.document, ticket.door, &Echo::Text(ticket.id.clone()), outcome);
    }
}

/// Refuses a message that is no call under way.
pub(super) fn refuse(document: u64, door: Door, id: &Echo, refusal: Refusal) {
    send(document, door, id, Outcome::Error(refusal));
}

/// From now on, what is answered over the port waits for [`release`].
pub(super) fn hold(document: u64) {
    speakers::with(document, |speaker| speaker.held = Some(Replies::default()));
}

/// Sends what was answered since [`hold`], as one text.
pub(super) fn release(document: u64) {
    let held = speakers::with(document, |speaker| {
        let text = speaker.held.take().and_then(Replies::text);
        text.zip(speaker.port.as_ref().map(|(port, _)| port.clone()))
    });
    if let Some(Some((text, port))) = held {
        report(port.post_message(&text));
    }
}

fn send(document: u64, door: Door, id: &Echo, outcome: Outcome) {
    let sent = speakers::with(document, |speaker| {
        if let Some(watch) = &mut speaker.watch {
            watch.answered(id, &outcome);
        }
        match (door, &speaker.port, &mut speaker.held) {
            (Door::Port, Some(_), Some(held)) if outcome.is_light() => {
                held.push(id, outcome);
                Ok(())
            }
            (Door::Port, Some((port, _)), _) => port.post_message(&reply::for_port(id, outcome)),
            (Door::JsonRpc, ..) => mcp::answer(&speaker.window, id, outcome),
            (Door::Silent, ..) => Ok(()),
            (Door::Window | Door::Port, ..) => speaker.window.post_message(&reply::object(id, outcome), "*"),
        }
    });
    report(sent.unwrap_or(Ok(())));
}

fn report(sent: Result<(), JsValue>) {
    if sent.is_err() {
        leptos::logging::error!("{UNSENT}");
    }
}

pub(super) fn set(object: &Object, name: &str, value: JsValue) {
    // Setting a field of a fresh object cannot fail.
    let _ = Reflect::set(object, &name.into(), &value);
}
