//! Puts a panel's frame on the page and watches its life.

use std::time::Duration;

use leptos::prelude::*;
use taiku_bridge::api::segment;
use taiku_bridge::panel::PanelDocument;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlIFrameElement};

use super::incoming::Own;
use super::inspect::{self, Watch};
use super::random::bits256;
use super::speakers::{self, Speaker};
use crate::consent::Consent;
use crate::state::App;
use crate::workspace::{Frame, FrameState};

/// How long after `load` a document may take to say its nonce, in milliseconds.
const HELLO_WAIT_MS: u64 = 5_000;

/// Loads a panel into its place on the page: a new frame, a new document, a new token.
pub(super) fn mount(app: App, frame: &Frame, place: &Element) {
    forget(frame.key);
    place.set_text_content(None);
    frame.state.set(FrameState::Loading);
    if insert(app, frame, place).is_none() {
        frame.state.set(FrameState::Failed);
    }
}

/// Takes a frame off the page, whatever its document does.
pub(crate) fn unmount(frame: &Frame, place: &Element, why: FrameState) {
    forget(frame.key);
    place.set_text_content(None);
    frame.state.set(why);
}

/// Gives the focus to a frame's document.
pub(crate) fn focus(frame: u32) {
    if let Some(window) = speakers::all(|s| (s.frame.key == frame).then(|| s.window.clone())).first() {
        // A document that cannot take the focus leaves it where it is.
        let _ = window.focus();
    }
}

/// Ends a frame's document.
pub(crate) fn forget(frame: u32) {
    speakers::remove(frame);
}

/// Says in the panel's frame that it is dead, and closes its port.
pub(super) fn show_death(document: u64) {
    let frame = speakers::with(document, |speaker| {
        if let Some((port, _)) = &speaker.port {
            port.close();
        }
        speaker.frame.clone()
    });
    if let Some(frame) = frame {
        frame.state.set(FrameState::Dead);
    }
}

/// Takes a frame off the page whose document sends so much that others would not be heard.
pub(super) fn end_flood(document: u64) {
    let found = speakers::with(document, |speaker| (speaker.frame.clone(), speaker.element.clone()));
    if let Some((frame, element)) = found {
        element.remove();
        forget(frame.key);
        frame.state.set(FrameState::Flooded);
    }
}

fn insert(app: App, frame: &Frame, place: &Element) -> Option<()> {
    let (token, nonce) = (bits256()?, bits256()?);
    let files = files(app, frame);
    let iframe = element(app, frame, &files, &nonce)?;
    let document = speakers::next_number();
    let loads = Closure::<dyn Fn(Event)>::new(move |_| loaded(document));
    iframe.add_event_listener_with_callback("load", loads.as_ref().unchecked_ref()).ok()?;
    place.append_child(&iframe).ok()?;
    let window = iframe.content_window()?;
    let own = Own::new(frame.plugin.id.as_str(), &frame.panel.id, &token);
    let state = PanelDocument::new(frame.plugin.id.as_str(), &frame.panel.id, token, nonce);
    let calls = Vec::new();
    let watch = Watch::of(app, frame);
    let frame = frame.clone();
    speakers::add(Speaker {
        document,
        window,
        element: iframe,
        frame,
        own,
        state,
        greeted: false,
        speaks_mcp: false,
        calls,
        port: None,
        held: None,
        watch,
        files,
        _loads: loads,
    });
    Some(())
}

/// The frame with all its limits; its address is set before it is inserted, so that it loads once.
fn element(app: App, frame: &Frame, files: &str, nonce: &str) -> Option<HtmlIFrameElement> {
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
        ("src", &address(&origin, frame, files, nonce)),
    ];
    for (name, value) in attributes {
        iframe.set_attribute(name, value).ok()?;
    }
    let iframe: JsValue = iframe.into();
    iframe.dyn_into().ok()
}

/// Where the files are that a panel is loaded from: those it was opened with, unless its plugin is on trial.
fn files(app: App, frame: &Frame) -> String {
    let trial = inspect::trial(app, frame);
    trial.map_or_else(|| frame.plugin.files.clone(), |plugin| plugin.files.clone())
}

/// Loads the panels again whose plugins are on trial and have other files now, and asks for consent where the plugin
/// wants more than before.
pub(crate) fn follow_trials(app: App) {
    let old = speakers::all(|speaker| {
        let trial = inspect::trial(app, &speaker.frame).filter(|plugin| plugin.files != speaker.files);
        trial.map(|plugin| (speaker.frame.clone(), plugin))
    });
    for (frame, plugin) in old {
        frame.reloads.update(|reloads| *reloads += 1);
        let grown = plugin.change.as_ref().is_some_and(|change| change.added != Default::default());
        if grown || plugin.grant.is_none() {
            app.consent.set(Some(Consent { plugin, panel: None }));
        }
    }
}

fn address(origin: &str, frame: &Frame, files: &str, nonce: &str) -> String {
    let file: Vec<String> = frame.panel.html_url.split('/').map(segment).collect();
    format!("{origin}{files}/{}#taiku-{nonce}", file.join("/"))
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
        // It may also have said hello and gone elsewhere before it had loaded.
        (!speaker.greeted).then(|| {
            speaker.state.kill();
            speaker.frame.clone()
        })
    });
    if let Some(Some(frame)) = silent {
        frame.state.set(FrameState::Failed);
    }
}
