//! One panel: its frame, the bars that change its size, and what is said when the frame has nothing to show.

mod cover;
mod header;

use leptos::html;
use leptos::prelude::*;
use taiku_bridge::manifest::Position;
use web_sys::{Element, KeyboardEvent};

use super::dock::open_frames;
use super::frame::Frame;
use super::geometry::{Axis, Limits};
use super::splitter::{Handle, Splitter, pixels};
use crate::bridge_host;
use crate::part::part;
use crate::state::{App, app};
use crate::ui::effect;
use cover::Cover;
use header::Header;

part! {
    /// A panel, with all that only panels need: their half of the bridge as well.
    pub(super) fn panel_view() -> panel, Frame => draw
}

fn draw(frame: Frame) -> AnyView {
    view! { <PanelView frame/> }.into_any()
}

/// A panel. Its frame is put into its place once, and again only when it is loaded again.
#[component]
fn PanelView(frame: Frame) -> impl IntoView {
    let app = app();
    let (section, place) = (NodeRef::<html::Section>::new(), NodeRef::<html::Div>::new());
    let (open, key) = (frame.open.clone(), frame.key);
    let (mounted, reloads) = (frame.clone(), frame.reloads.clone());
    effect(move || {
        reloads.track();
        if let Some(place) = place.get() {
            bridge_host::mount(app, &mounted, &place);
        }
    });
    let measured = frame.clone();
    effect(move || {
        if let Some(section) = section.get() {
            let style = web_sys::HtmlElement::style(&section);
            for (name, value) in measures(app, &measured) {
                // A name and a number are always a valid declaration.
                let _ = style.set_property(name, &value);
            }
        }
    });
    // The first key press goes to the panel as a whole; Enter goes into it.
    let enter = move |event: KeyboardEvent| {
        let itself = event.target() == event.current_target();
        if itself && event.key() == "Enter" {
            event.prevent_default();
            bridge_host::focus(key);
        }
    };
    let raised = frame.clone();
    view! {
        <section
            class="panel"
            class:closed=move || !open.get()
            class:front=move || app.layout.front.get() == Some(key)
            id=frame.element_id()
            tabindex="-1"
            data-region=""
            aria-label=format!("Panel {}", frame.title())
            node_ref=section
            on:keydown=enter
            on:focusin=move |_| raised.raise(app)
        >
            <Header frame=frame.clone() place/>
            <div class="panel-body">
                <div class="panel-place" node_ref=place></div>
                <Cover frame=frame.clone()/>
            </div>
            {bars(app, &frame)}
        </section>
    }
}

/// Where a panel stands and how large it is, for the style sheet.
fn measures(app: App, frame: &Frame) -> Vec<(&'static str, String)> {
    let (width, height) = (frame.size(app, Axis::Width), frame.size(app, Axis::Height));
    let pixels = |value: i32| format!("{value}px");
    let mut measures = vec![("--width", pixels(width)), ("--height", pixels(height))];
    let room = app.layout.room.get();
    match frame.panel.position {
        Position::Sidebar | Position::Bottom => {
            measures.push(("--share", share(app, frame).to_string()));
        }
        Position::Floating => {
            let (left, top) = spot(app, frame);
            measures.extend([("--left", pixels(left)), ("--top-edge", pixels(top))]);
        }
        Position::Tooltip => {
            let middle = frame.area.with(|area| area.spot).map_or(room.width, |(middle, _)| middle);
            let left = Limits::new(8, room.width - width - 8).hold(middle - width / 2);
            let caret = Limits::new(16, width - 16).hold(middle - left);
            measures.extend([("--left", pixels(left)), ("--caret", pixels(caret))]);
        }
        Position::Overlay => {}
    }
    measures.push(("--rank", frame.rank.get().to_string()));
    measures
}

/// The left and the upper edge of a floating panel.
pub(super) fn spot(app: App, frame: &Frame) -> (i32, i32) {
    let (width, height) = (frame.size(app, Axis::Width), frame.size(app, Axis::Height));
    let room = app.layout.room.get();
    let step = i32::try_from(frame.key).unwrap_or_default();
    let (left, top) = frame.area.with(|area| area.spot).unwrap_or_else(|| room.cascade(step, width, height));
    let (across, down) = room.spots(width);
    (across.hold(left), down.hold(top))
}

/// The part of its place that a panel has, in percent: what was chosen, else an even part of what the others leave.
fn share(app: App, frame: &Frame) -> i32 {
    let chosen = |frame: &Frame| frame.area.with(|area| area.share);
    let open = open_frames(app, frame.panel.position);
    let (mut taken, mut others) = (0, 0);
    for other in &open {
        match chosen(other) {
            Some(share) => taken += share,
            None => others += 1,
        }
    }
    chosen(frame).unwrap_or_else(|| (100 - taken).max(10) / others.max(1))
}

fn bars(app: App, frame: &Frame) -> AnyView {
    let title = frame.title();
    match frame.panel.position {
        Position::Sidebar => {
            let handle = share_handle(app, frame, Axis::Height);
            view! { <Splitter class="between" label=format!("Height of {title}") axis=Axis::Height handle/> }
                .into_any()
        }
        Position::Bottom => {
            let handle = share_handle(app, frame, Axis::Width);
            view! { <Splitter class="between" label=format!("Width of {title}") axis=Axis::Width handle/> }
                .into_any()
        }
        Position::Floating => {
            let (across, down) =
                (size_handle(app, frame, Axis::Width), size_handle(app, frame, Axis::Height));
            view! {
                <Splitter class="end" label=format!("Width of {title}") axis=Axis::Width handle=across/>
                <Splitter class="end" label=format!("Height of {title}") axis=Axis::Height handle=down/>
            }
            .into_any()
        }
        Position::Tooltip | Position::Overlay => ().into_any(),
    }
}

/// Changes the size of a floating panel.
fn size_handle(app: App, frame: &Frame, axis: Axis) -> Handle {
    let (shown, limited, changed, kept) = (frame.clone(), frame.clone(), frame.clone(), frame.clone());
    Handle {
        value: Signal::derive(move || shown.size(app, axis)),
        limits: Signal::derive(move || limited.limits(app, axis)),
        step: 16,
        per_pixel: pixels,
        grows: true,
        set: Callback::new(move |wanted| changed.area.update(|area| *area.size_mut(axis) = wanted)),
        keep: Callback::new(move |()| kept.keep(app)),
    }
}

/// Changes the part of its place that a panel has, in percent.
fn share_handle(app: App, frame: &Frame, axis: Axis) -> Handle {
    let (shown, changed, kept) = (frame.clone(), frame.clone(), frame.clone());
    Handle {
        value: Signal::derive(move || share(app, &shown)),
        limits: Signal::derive(|| Limits::new(10, 90)),
        step: 4,
        per_pixel: if axis == Axis::Width { percent_of_width } else { percent_of_height },
        grows: true,
        set: Callback::new(move |wanted| changed.area.update(|area| area.share = wanted)),
        keep: Callback::new(move |()| kept.keep(app)),
    }
}

fn percent_of_width(bar: &Element) -> f64 {
    100.0 / f64::from(place_of(bar).map_or(1_000, |place| place.client_width()).max(1))
}

fn percent_of_height(bar: &Element) -> f64 {
    100.0 / f64::from(place_of(bar).map_or(1_000, |place| place.client_height()).max(1))
}

/// The place that a bar's panel shares with others.
fn place_of(bar: &Element) -> Option<Element> {
    bar.closest(".dock-panels").ok().flatten()
}
