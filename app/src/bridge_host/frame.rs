//! Puts a panel's frame on the page and watches its life.

use std::time::Duration;

use leptos::prelude::*;
use taiku_bridge::api::segment;
use taiku_bridge::panel::{Life, PanelDocument};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlIFrameElement};

use super::random::bits256;
use super::speakers::{self, Speaker};
use crate::state::App;
use crate::workspace::{Frame, FrameState};

/// How long after `load` a document may take to say its nonce, in milliseconds.
const HELLO_WAIT_MS: u64 = 5_000;

/// Loads a panel into its place on the page: a new frame, a new document, a new token.
pub(crate) fn mount(app: App, frame: &Frame, place: &Element) {
    forget(frame.key);
    place.set_text_content(None);
    frame.state.set(FrameState::Loading);
    if insert(app, frame, place).is_none() {
        frame.state.set(FrameState::Failed);
    }
}

/// Ends a frame's document.
pub(crate) fn forget(frame: u32) {
    speakers::remove(frame);
}

/// Says in the panel's frame that it is dead.
pub(super) fn show_death(document: u64) {
    if let Some(frame) = speakers::with(document, |speaker| speaker.frame.clone()) {
        frame.state.set(FrameState::Dead);
    }
}

fn insert(app: App, frame: &Frame, place: &Element) -> Option<()> {
    let (token, nonce) = (bits256()?, bits256()?);
    let iframe = element(app, frame, &nonce)?;
    let document = speakers::next_number();
    let loads = Closure::<dyn Fn(Event)>::new(move |_| loaded(document));
    iframe.add_event_listener_with_callback("load", loads.as_ref().unchecked_ref()).ok()?;
    place.append_child(&iframe).ok()?;
    let window = iframe.content_window()?;
    let state = PanelDocument::new(frame.plugin.id.as_str(), &frame.panel.id, token, nonce);
    let calls = Vec::new();
    let frame = frame.clone();
    speakers::add(Speaker {
        document,
        window,
        element: iframe,
        frame,
        state,
        greeted: false,
        speaks_mcp: false,
        calls,
        port: None,
        held: None,
        _loads: loads,
    });
    Some(())
}

/// The frame with all its limits; its address is set before it is inserted, so that it loads once.
fn element(app: App, frame: &Frame, nonce: &str) -> Option<HtmlIFrameElement> {
    let origin = app.session.with_untracked(|session| session.ready().map(|s| s.panel_origin.clone()))?;
    let iframe = document().create_element("iframe").ok()?;
    let attributes = [
        ("sandbox", "allow-scripts"),
        ("allow", ""),
        ("referrerpolicy", "no-referrer"),
        ("loading", "eager"),
        ("title", &frame.title()),
        ("data-plugin-id", frame.plugin.id.as_str()),
        ("data-panel-id", &frame.panel.id),
        ("src", &address(&origin, frame, nonce)),
    ];
    for (name, value) in attributes {
        iframe.set_attribute(name, value).ok()?;
    }
    let iframe: JsValue = iframe.into();
    iframe.dyn_into().ok()
}

fn address(origin: &str, frame: &Frame, nonce: &str) -> String {
    let file: Vec<String> = frame.panel.html_url.split('/').map(segment).collect();
    format!("{origin}{}/{}#taiku-{nonce}", frame.plugin.files, file.join("/"))
}

fn loaded(document: u64) {
    if speakers::with(document, |speaker| speaker.state.loaded()) == Some(true) {
        show_death(document);
        return;
    }
    // A page that is not ours, such as an error page, never says hello.
    set_timeout(move || check_hello(document), Duration::from_millis(HELLO_WAIT_MS));
}

fn check_hello(document: u64) {
    let silent = speakers::with(document, |speaker| {
        (speaker.state.life() == Life::Loading).then(|| speaker.frame.clone())
    });
    if let Some(Some(frame)) = silent {
        frame.state.set(FrameState::Failed);
    }
}
