//! The host's side of the bridge: frames panels, hears their calls, decides, carries out and answers.
//!
//! A panel is known by the window that its messages come from, and by nothing that it says. The order is
//! fixed: who speaks, of what shape, as whom, may it; only then something happens. Ignored silently is what is
//! not ours, answered precisely what is ours but wrong.

mod answer;
mod broadcast;
mod calls;
mod events;
mod frame;
mod incoming;
mod inspect;
mod mcp;
mod popup;
mod random;
mod reply;
mod sound;
mod speakers;

use std::cell::Cell;
use std::time::Duration;

use leptos::prelude::*;
use taiku_bridge::Refusal;
use taiku_bridge::message::{self, HELLO, LEAVE, READY};
use taiku_bridge::panel::Hello;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, MessageEvent, Performance};

use crate::state::App;
use crate::workspace::{Frame, pressed_in_panel};
use answer::Door;
pub(crate) use broadcast::heard;
pub(crate) use events::Event;
pub(crate) use frame::{focus, follow_trials, forget, unmount};
use incoming::{Message, Post};
pub(crate) use popup::{Popup, is_safe_target};

/// Acts on a message of a known panel.
type Understand = fn(App, u64, &JsValue);

thread_local! {
    /// What understands panels. It is there as soon as the first is: so the code for it need not be loaded before.
    static HEARS: Cell<Option<Understand>> = const { Cell::new(None) };
}

/// Loads a panel into its place on the page, and hears it from then on.
pub(crate) fn mount(app: App, frame: &Frame, place: &Element) {
    // Opaque, or the compiler sees that it can only ever be this one, calls it directly and so loads it at once.
    HEARS.set(Some(std::hint::black_box(understand as Understand)));
    frame::mount(app, frame, place);
}

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
        Some(document) => {
            if let Some(understand) = HEARS.get() {
                understand(app, document, &event.data());
            }
        }
        None => drop_one(app),
    }
}

/// Counts a message of nobody. It is told now and then, since there may be a hundred thousand in a second.
fn drop_one(app: App) {
    thread_local! {
        static UNTOLD: Cell<u32> = const { Cell::new(0) };
    }
    if UNTOLD.replace(UNTOLD.get() + 1) == 0 {
        let tell = move || app.dropped.update(|dropped| *dropped += UNTOLD.take());
        set_timeout(tell, Duration::from_millis(100));
    }
}

thread_local! {
    /// It never runs back.
    static CLOCK: Option<Performance> = window().performance();
}

/// Milliseconds since the page began to load.
fn now() -> f64 {
    CLOCK.with(|clock| clock.as_ref().map_or(0.0, Performance::now))
}

/// Counts a message of a panel, whatever is in it. A flood takes the panel off the page.
fn count(document: u64) -> Result<(), Refusal> {
    let counted = speakers::with(document, |speaker| (speaker.state.count(now), speaker.state.is_flood()));
    let Some((counted, flood)) = counted else { return Ok(()) };
    if flood {
        frame::end_flood(document);
    }
    counted
}

/// Acts on a message that a known panel sent over the window.
fn understand(app: App, document: u64, data: &JsValue) {
    let Some(message) = Message::of(data) else {
        // Nothing answers it; it has cost its turn all the same.
        let _ = count(document);
        return;
    };
    if message.is_request() {
        return request(app, document, message, Door::Window);
    }
    let counted = count(document);
    match message.says().as_str() {
        // Heard beyond every limit: a second document must not pass for the first.
        HELLO => hello(document, message),
        READY => answer::greet(app, document),
        LEAVE if counted.is_ok() => leave(app, document, message),
        _ if message.is_jsonrpc() => match counted {
            Ok(()) => mcp::hear(app, document, message),
            Err(refusal) => mcp::refuse(document, message, &refusal),
        },
        _ => {}
    }
}

/// Acts on what a known panel sent over its port: only requests, as objects or as texts.
fn understand_post(app: App, document: u64, data: JsValue) {
    match Post::of(data) {
        Post::Text(text) => understand_text(app, document, &text),
        Post::Other(data) => match Message::of(&data) {
            Some(message) if message.is_request() => request(app, document, message, Door::Port),
            Some(_) | None => {
                let _ = count(document);
            }
        },
    }
}

/// Acts on a text of one message or of several. What several are answered at once goes back as one text too.
fn understand_text(app: App, document: u64, text: &str) {
    let requests = message::written(text).unwrap_or_default();
    if requests.is_empty() {
        let _ = count(document);
    }
    let batch = requests.len() > 1;
    if batch {
        answer::hold(document);
    }
    for request in requests {
        calls::request(app, document, request, count(document), Door::Port);
    }
    if batch {
        answer::release(document);
    }
}

/// Counted before its parameters are serialised, which may take long: what is refused costs the page little.
fn request(app: App, document: u64, message: &Message, door: Door) {
    let counted = count(document);
    let envelope = speakers::with(document, |speaker| match counted {
        Ok(()) => message.envelope(&speaker.own),
        Err(_) => message.head(&speaker.own),
    });
    if let Some(envelope) = envelope {
        calls::request(app, document, envelope, counted, door);
    }
}

fn hello(document: u64, message: &Message) {
    let nonce = message.own_nonce();
    if speakers::with(document, |speaker| speaker.state.hello(&nonce)) == Some(Hello::Died) {
        frame::show_death(document);
    }
}

/// A key was pressed in a panel that leaves it.
fn leave(app: App, document: u64, message: &Message) {
    if let Some(frame) = speakers::with(document, |speaker| speaker.frame.clone()) {
        pressed_in_panel(app, &frame, &message.pressed(), message.back().is_truthy());
    }
}
