//! The places of panels: at the side, below, and over the page.

use leptos::prelude::*;
use taiku_bridge::manifest::Position;

use super::frame::Frame;
use super::geometry::Axis;
use super::panel::panel_view;
use super::splitter::{Handle, Splitter, pixels};
use crate::part;
use crate::state::{App, app};
use crate::ui::{Keyed, keyed};

/// A place that panels share. Each has its size along one axis, which the user changes at its inner edge.
#[component]
pub(super) fn Dock(position: Position, axis: Axis) -> impl IntoView {
    let app = app();
    let size = Signal::derive(move || size(app, position, axis));
    let handle = Handle {
        value: size,
        limits: Signal::derive(move || app.layout.room.get().limits(position, axis)),
        step: 16,
        per_pixel: pixels,
        grows: false,
        set: Callback::new(move |wanted| {
            if let Some(chosen) = app.layout.chosen(position) {
                chosen.set(wanted);
            }
        }),
        keep: Callback::new(move |()| app.layout.keep(app, position)),
    };
    let (class, name, label) = match position {
        Position::Bottom => ("dock bottom", "Panels below", "Height of the panels below"),
        _ => ("dock side", "Panels at the side", "Width of the panels at the side"),
    };
    view! {
        <div
            class=class
            role="region"
            aria-label=name
            class:vacant=move || open_frames(app, position).is_empty()
            style:--dock-size=move || format!("{}px", size.get())
            prop:inert=move || is_covered(app)
        >
            <Splitter class="edge" label=label.into() axis handle/>
            <div class="dock-panels">{panels(app, position)}</div>
        </div>
    }
}

/// The panels of a position that stands over the page.
#[component]
pub(super) fn Layer(position: Position) -> impl IntoView {
    let app = app();
    let class = match position {
        Position::Tooltip => "layer tooltips",
        Position::Overlay => "layer overlays",
        _ => "layer floats",
    };
    let behind = move || position == Position::Floating && is_covered(app);
    view! {
        <div
            class=class
            class:vacant=move || open_frames(app, position).is_empty()
            prop:inert=behind
        >
            {panels(app, position)}
        </div>
    }
}

/// Whether an overlay covers the workspace. On a small screen it does so while it is in front.
pub(super) fn is_covered(app: App) -> bool {
    app.layout.room.track();
    app.layout.front.track();
    open_frames(app, Position::Overlay).iter().any(|frame| app.layout.shows(frame))
}

/// The panels of a place, each drawn once: a frame that moves in the document loads again.
fn panels(app: App, position: Position) -> AnyView {
    keyed(move || frames(app, position).into_iter().map(item).collect())
}

fn item(frame: Frame) -> Keyed {
    Keyed { key: frame.key, view: Box::new(move || part::show(panel_view, frame)) }
}

fn frames(app: App, position: Position) -> Vec<Frame> {
    let mut frames = app.frames.get();
    frames.retain(|frame| frame.panel.position == position);
    frames
}

/// The panels of a place that are shown.
pub(super) fn open_frames(app: App, position: Position) -> Vec<Frame> {
    let mut frames = frames(app, position);
    frames.retain(|frame| frame.open.get());
    frames
}

/// The size of a place: as it was chosen, else that of the largest panel in it.
fn size(app: App, position: Position, axis: Axis) -> i32 {
    let limits = app.layout.room.get().limits(position, axis);
    let chosen = app.layout.chosen(position).and_then(|chosen| chosen.get());
    let largest = || {
        let open = open_frames(app, position);
        open.iter().map(|frame| frame.size(app, axis)).max().unwrap_or(limits.least)
    };
    limits.hold(chosen.unwrap_or_else(largest))
}
