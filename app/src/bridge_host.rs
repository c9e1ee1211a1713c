//! The host's side of the bridge: frames panels, hears their calls, decides, carries out and answers.
//!
//! A panel is known by the window that its messages come from, and by nothing that it says. The order is
//! fixed: who speaks, of what shape, as whom, may it; only then something happens. Ignored silently is what is
//! not ours, answered precisely what is ours but wrong.

mod answer;
mod calls;
mod events;
mod frame;
mod incoming;
mod mcp;
mod popup;
mod random;
mod speakers;

use leptos::prelude::*;
use taiku_bridge::message::{HELLO, READY, REQUEST};
use taiku_bridge::panel::Hello;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::MessageEvent;

use crate::state::App;
use answer::Door;
pub(crate) use events::Event;
pub(crate) use frame::{forget, mount};
pub(crate) use popup::{Popup, is_safe_target};

/// Hears every message to this window, from now on. Must run before the first frame is inserted.
pub(crate) fn listen(app: App) {
    let hear = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| hear(app, &event));
    let added = window().add_event_listener_with_callback("message", hear.as_ref().unchecked_ref());
    if added.is_err() {
        leptos::logging::error!("the page cannot hear its panels");
    }
    // It lives as long as the page.
    hear.forget();
}

fn hear(app: App, event: &MessageEvent) {
    let speaker = event.source().filter(|_| event.is_trusted()).and_then(|source| speakers::find(&source));
    match speaker {
        Some(document) => understand(app, document, &event.data(), Door::Window),
        None => app.dropped.update(|dropped| *dropped += 1),
    }
}

/// Acts on a message of a known panel.
fn understand(app: App, document: u64, data: &JsValue, door: Door) {
    match incoming::kind(data).as_deref() {
        Some(HELLO) if door == Door::Window => hello(document, data),
        Some(READY) if door == Door::Window => answer::greet(app, document),
        Some(REQUEST) => calls::request(app, document, data, door),
        None if door == Door::Window && incoming::is_jsonrpc(data) => mcp::hear(app, document, data),
        _ => {}
    }
}

fn hello(document: u64, data: &JsValue) {
    let nonce = incoming::text(data, "nonce", 256);
    if speakers::with(document, |speaker| speaker.state.hello(&nonce)) == Some(Hello::Died) {
        frame::show_death(document);
    }
}
