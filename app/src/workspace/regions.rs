//! Where the keyboard is: F6 goes from one part of the page to the next, Escape leaves a panel.
//!
//! Keys that are pressed in a panel never reach this page; the script at the top of its document tells these two.

use std::cell::Cell;
use std::time::Duration;

use leptos::prelude::*;
use taiku_bridge::api::segment;
use taiku_bridge::manifest::Position;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use super::{Frame, FrameState};
use crate::bridge_host;
use crate::state::App;

/// What marks a part of the page that F6 goes to.
const REGIONS: &str = "[data-region]";
/// What has the keyboard to itself as long as it is there.
const MODAL: &str = "dialog[open], [popover]:popover-open";

/// Hears the keys of the page as long as the workspace is there.
pub(super) fn follow(app: App) {
    let listener = window_event_listener(leptos::ev::keydown, move |event: KeyboardEvent| {
        let modal = document().query_selector(MODAL).ok().flatten().is_some();
        if !event.default_prevented() && !modal && act(app, &event.key(), event.shift_key()) {
            event.prevent_default();
        }
    });
    let elsewhere = window_event_listener(leptos::ev::pointerdown, move |event| {
        if let Some(pressed) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) {
            pressed_at(app, &pressed);
        }
    });
    let taken = window_event_listener(leptos::ev::blur, move |_| {
        // By the next turn the browser says who has it.
        set_timeout(move || keep_focus(app), Duration::ZERO);
    });
    on_cleanup(move || {
        taken.remove();
        listener.remove();
        elsewhere.remove();
    });
}

/// While this page asks something, the keyboard is its own. A panel can take the focus by a script even when it is
/// inert and cannot be seen (measured in Chromium 156): once it is given back, the second time the panel is stopped.
fn keep_focus(app: App) {
    thread_local! {
        static TOOK: Cell<Option<u32>> = const { Cell::new(None) };
    }
    let taker = document().active_element().filter(|active| active.tag_name() == "IFRAME");
    let question = document().query_selector("dialog[open] h2").ok().flatten();
    let (Some(taker), Some(question)) = (taker, question) else { return };
    focus(Some(question));
    let place = taker.closest(".panel-place").ok().flatten();
    let panel = taker.closest(".panel").ok().flatten().map(|panel| panel.id());
    let is_it = |frame: &&Frame| Some(frame.element_id()) == panel;
    let frame = app.frames.with_untracked(|frames| frames.iter().find(is_it).cloned());
    if let (Some(frame), Some(place)) = (frame, place) {
        if TOOK.get() == Some(frame.key) {
            bridge_host::unmount(&frame, &place, FrameState::Greedy);
        }
        TOOK.set(Some(frame.key));
    }
}

/// A tooltip goes away when something else is pressed, but for its button, which does so itself. So does an overlay when
/// what it covers is pressed.
fn pressed_at(app: App, pressed: &Element) {
    let within = |css: &str| pressed.closest(css).ok().flatten();
    if pressed.class_list().contains("overlays") {
        close_top(app);
    }
    if within(".tooltips").is_some() {
        return;
    }
    let opens = within("[data-opens]").and_then(|button| button.get_attribute("data-opens"));
    for frame in app.frames.get_untracked() {
        let is_its_own = opens.as_deref() == Some(&segment(&frame.path()));
        if frame.panel.position == Position::Tooltip && frame.open.get_untracked() && !is_its_own {
            frame.close(app);
        }
    }
}

/// A key that was pressed in a panel. It counts only while the panel has the focus: nobody else can press keys there.
pub(crate) fn pressed_in_panel(app: App, frame: &Frame, key: &str, back: bool) {
    if !has_focus(&frame.element_id()) {
        return;
    }
    focus(document().get_element_by_id(&frame.element_id()));
    if key == "F6" || is_over(frame) {
        act(app, key, back);
    }
}

/// Whether something was done.
fn act(app: App, key: &str, back: bool) -> bool {
    match key {
        "F6" => next_region(back),
        "Escape" => close_top(app),
        _ => false,
    }
}

/// Whether a panel stands over the page and is left by Escape.
fn is_over(frame: &Frame) -> bool {
    matches!(frame.panel.position, Position::Tooltip | Position::Overlay)
}

/// Closes what stands over the page and was opened last.
fn close_top(app: App) -> bool {
    let over = |frame: &&Frame| is_over(frame) && frame.open.get_untracked();
    let top = app.frames.with_untracked(|frames| {
        frames.iter().filter(over).max_by_key(|frame| frame.rank.get_untracked()).cloned()
    });
    if let Some(frame) = &top {
        frame.close(app);
    }
    top.is_some()
}

fn next_region(back: bool) -> bool {
    let Ok(all) = document().query_selector_all(REGIONS) else { return false };
    let mut regions: Vec<HtmlElement> = Vec::new();
    for place in 0..all.length() {
        let region = all.get(place).and_then(|node| node.dyn_into::<HtmlElement>().ok());
        // What is not shown has no size; what is behind an overlay cannot take the focus.
        regions
            .extend(region.filter(|r| r.offset_width() > 0 && r.closest("[inert]").ok().flatten().is_none()));
    }
    let active = document().active_element();
    let here = regions.iter().position(|region| region.contains(active.as_ref().map(AsRef::as_ref)));
    let count = regions.len();
    let next = match (here, back) {
        (None, _) => 0,
        (Some(here), false) => here + 1,
        (Some(here), true) => here + count - 1,
    };
    let Some(region) = regions.get(next.checked_rem(count).unwrap_or_default()) else { return false };
    region.focus().is_ok()
}

/// Whether the focus is in an element.
pub(super) fn has_focus(id: &str) -> bool {
    let active = document().active_element();
    document().get_element_by_id(id).is_some_and(|place| place.contains(active.as_ref().map(AsRef::as_ref)))
}

/// Gives the focus to the button of the toolbar that opens a panel, else to the page.
pub(super) fn focus_opener(path: &str) {
    focus(opener(path).or_else(|| document().get_element_by_id("main")));
}

/// Where a tooltip points: the middle of the lower edge of its button in the toolbar.
pub(super) fn anchor(path: &str) -> Option<(i32, i32)> {
    let shown =
        opener(path).map(|button| button.get_bounding_client_rect()).filter(|place| place.width() > 0.0);
    #[expect(clippy::cast_possible_truncation, reason = "no screen is that large, and the cast saturates")]
    shown.map(|place| ((place.left() + place.width() / 2.0) as i32, 0))
}

/// The button of the toolbar that opens a panel.
fn opener(path: &str) -> Option<Element> {
    document().query_selector(&format!("[data-opens=\"{}\"]", segment(path))).ok().flatten()
}

fn focus(element: Option<Element>) {
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // What cannot take the focus only leaves it where it is.
        let _ = element.focus();
    }
}
