//! Who can speak: one entry per panel document, found by its window.

use std::cell::{Cell, RefCell};

use js_sys::Object;
use taiku_bridge::panel::PanelDocument;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use web_sys::{Event, HtmlIFrameElement, MessageEvent, MessagePort, Window};

use super::incoming::Own;
use super::inspect::Watch;
use super::reply::Replies;
use crate::workspace::Frame;

/// A panel document.
pub(super) struct Speaker {
    /// Tells it from every other document that this page has shown.
    pub(super) document: u64,
    /// The frame's window.
    pub(super) window: Window,
    /// The element that shows it.
    pub(super) element: HtmlIFrameElement,
    /// The frame on the page.
    pub(super) frame: Frame,
    /// What it was told of itself.
    pub(super) own: Own,
    /// What the protocol knows of it.
    pub(super) state: PanelDocument,
    /// Whether it was sent its `taiku:init`.
    pub(super) greeted: bool,
    /// Whether it has begun to speak MCP.
    pub(super) speaks_mcp: bool,
    /// The calls under way by the panel's id: which of them it is, since a panel may use an id again.
    pub(super) calls: Vec<(String, u64)>,
    /// Our end of the port that came with `taiku:init`, and what hears it.
    pub(super) port: Option<Port>,
    /// Answers over the port that wait for the others of their batch.
    pub(super) held: Option<Replies>,
    /// Tells the author of its messages, where the plugin is on trial.
    pub(super) watch: Option<Box<Watch>>,
    /// Where its files are.
    pub(super) files: String,
    /// Hears `load` of the frame, as long as this lives.
    pub(super) _loads: Closure<dyn Fn(Event)>,
}

/// Our end of a port, and what hears it.
pub(super) type Port = (MessagePort, Closure<dyn Fn(MessageEvent)>);

thread_local! {
    static SPEAKERS: RefCell<Vec<Speaker>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u64> = const { Cell::new(1) };
}

/// A number that this page has not used yet, for documents and calls.
pub(super) fn next_number() -> u64 {
    NEXT.with(|next| next.replace(next.get() + 1))
}

/// The document of a window.
pub(super) fn find(source: &Object) -> Option<u64> {
    SPEAKERS.with_borrow(|speakers| {
        speakers.iter().find(|speaker| is_same(&speaker.window, source)).map(|speaker| speaker.document)
    })
}

/// Whether two references name one window. A window of another site can be compared and little else.
fn is_same(window: &Window, source: &Object) -> bool {
    let window: &JsValue = window.as_ref();
    Object::is(window, source)
}

/// Does something with a document that is still on the page. `act` must not call back into this module.
pub(super) fn with<R>(document: u64, act: impl FnOnce(&mut Speaker) -> R) -> Option<R> {
    SPEAKERS
        .with_borrow_mut(|speakers| speakers.iter_mut().find(|speaker| speaker.document == document).map(act))
}

/// What `look` finds in each document on the page. It must not call back into this module.
pub(super) fn all<R>(look: impl Fn(&Speaker) -> Option<R>) -> Vec<R> {
    SPEAKERS.with_borrow(|speakers| speakers.iter().filter_map(look).collect())
}

/// Takes a document in.
pub(super) fn add(speaker: Speaker) {
    SPEAKERS.with_borrow_mut(|speakers| speakers.push(speaker));
}

/// Takes the documents of a frame out.
pub(super) fn remove(frame: u32) {
    let gone = SPEAKERS.with_borrow_mut(|speakers| {
        let (gone, kept) = std::mem::take(speakers).into_iter().partition(|s| s.frame.key == frame);
        *speakers = kept;
        gone
    });
    let gone: Vec<Speaker> = gone;
    for (port, _) in gone.iter().filter_map(|speaker| speaker.port.as_ref()) {
        port.close();
    }
}
