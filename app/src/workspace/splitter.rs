//! The bars by which sizes are changed: dragged, or moved by the arrow keys.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, PointerEvent};

use super::geometry::{Axis, Limits};
use crate::state::app;

/// What a bar changes.
#[derive(Clone, Copy)]
pub(super) struct Handle {
    /// The value that it shows.
    pub(super) value: Signal<i32>,
    /// Between which values it can be moved.
    pub(super) limits: Signal<Limits>,
    /// How far a key moves it.
    pub(super) step: i32,
    /// How much a pixel changes the value, at the bar that is dragged.
    pub(super) per_pixel: fn(&Element) -> f64,
    /// Whether moving towards the end (right, down) makes the value larger.
    pub(super) grows: bool,
    /// Takes a value on, none for what it is without a choice.
    pub(super) set: Callback<Option<i32>>,
    /// Keeps what was chosen.
    pub(super) keep: Callback<()>,
}

/// A pixel is a pixel.
pub(super) fn pixels(_: &Element) -> f64 {
    1.0
}

/// A bar. `axis` is what it changes: a bar that changes a width stands upright.
#[component]
pub(super) fn Splitter(class: &'static str, label: String, axis: Axis, handle: Handle) -> impl IntoView {
    let app = app();
    // Where the drag began, in pixels, and the value there.
    let drag = StoredValue::new(None::<(f64, i32)>);
    let place = move |event: &PointerEvent| match axis {
        Axis::Width => f64::from(event.client_x()),
        Axis::Height => f64::from(event.client_y()),
    };
    let choose = move |wanted: i32| handle.set.run(Some(handle.limits.get_untracked().hold(wanted)));
    let begin = move |event: PointerEvent| {
        let Some(bar) = bar(&event) else { return };
        // Without the capture the drag only ends where the pointer leaves the page.
        let _ = bar.set_pointer_capture(event.pointer_id());
        drag.set_value(Some((place(&event), handle.value.get_untracked())));
        app.layout.dragging.set(true);
    };
    let moved = move |event: PointerEvent| {
        if let (Some((from, value)), Some(bar)) = (drag.get_value(), bar(&event)) {
            let way = if handle.grows { 1.0 } else { -1.0 };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "no screen is that large, and the cast saturates"
            )]
            let change = ((place(&event) - from) * way * (handle.per_pixel)(&bar)).round() as i32;
            choose(value.saturating_add(change));
        }
    };
    let end = move |_| {
        if drag.get_value().is_some() {
            drag.set_value(None);
            app.layout.dragging.set(false);
            handle.keep.run(());
        }
    };
    let press = move |event: KeyboardEvent| {
        let (value, limits) = (handle.value.get_untracked(), handle.limits.get_untracked());
        let step = if event.shift_key() { 4 * handle.step } else { handle.step };
        let towards_end = if handle.grows { step } else { -step };
        let wanted = match (event.key().as_str(), axis) {
            ("ArrowRight", Axis::Width) | ("ArrowDown", Axis::Height) => Some(value + towards_end),
            ("ArrowLeft", Axis::Width) | ("ArrowUp", Axis::Height) => Some(value - towards_end),
            ("Home", _) => Some(limits.least),
            ("End", _) => Some(limits.most),
            ("Enter", _) => None,
            _ => return,
        };
        event.prevent_default();
        handle.set.run(wanted.map(|wanted| limits.hold(wanted)));
        handle.keep.run(());
    };
    let reset = move |_| {
        handle.set.run(None);
        handle.keep.run(());
    };
    let orientation = if axis == Axis::Width { "vertical" } else { "horizontal" };
    view! {
        <div
            class=format!("splitter {orientation} {class}")
            role="separator"
            tabindex="0"
            aria-label=label
            aria-orientation=orientation
            aria-valuenow=move || handle.value.get().to_string()
            aria-valuemin=move || handle.limits.get().least.to_string()
            aria-valuemax=move || handle.limits.get().most.to_string()
            on:pointerdown=begin
            on:pointermove=moved
            on:pointerup=end
            on:lostpointercapture=end
            on:keydown=press
            on:dblclick=reset
        ></div>
    }
}

fn bar(event: &PointerEvent) -> Option<Element> {
    event.current_target()?.dyn_into().ok()
}
