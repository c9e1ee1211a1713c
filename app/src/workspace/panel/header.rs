//! The header of a panel, which is always the host's: who it is, and what can be done with it.

use leptos::html;
use leptos::prelude::*;
use taiku_bridge::manifest::Position;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, PointerEvent};

use super::spot;
use crate::bridge_host;
use crate::state::{App, app};
use crate::ui::{Menu, PluginIcon, live_text};
use crate::workspace::frame::{Frame, FrameState};

/// The header. A floating panel is moved by it.
#[component]
pub(super) fn Header(frame: Frame, place: NodeRef<html::Div>) -> impl IntoView {
    let app = app();
    let (title, name) = (frame.title(), frame.plugin_name());
    let floats = frame.panel.position == Position::Floating;
    // Where the pointer took hold, from the panel's corner.
    let hold = StoredValue::new(None::<(i32, i32)>);
    let (taken, moved, dropped) = (frame.clone(), frame.clone(), frame.clone());
    let take = move |event: PointerEvent| {
        let on_button = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let on_button = on_button.is_some_and(|target| target.closest("button").ok().flatten().is_some());
        let Some(header) = event.current_target().and_then(|header| header.dyn_into::<Element>().ok()) else {
            return;
        };
        if !floats || on_button {
            return;
        }
        // Without the capture the drag only ends where the pointer leaves the page.
        let _ = header.set_pointer_capture(event.pointer_id());
        let (left, top) = untrack(|| spot(app, &taken));
        hold.set_value(Some((event.client_x() - left, event.client_y() - top)));
        app.layout.dragging.set(true);
    };
    let drag = move |event: PointerEvent| {
        if let Some((x, y)) = hold.get_value() {
            move_to(app, &moved, event.client_x() - x, event.client_y() - y);
        }
    };
    let end = move |_| {
        if hold.get_value().is_some() {
            hold.set_value(None);
            app.layout.dragging.set(false);
            dropped.keep(app);
        }
    };
    let closed = frame.clone();
    let close_label = format!("Close {title}");
    view! {
        <header
            class="panel-head"
            on:pointerdown=take
            on:pointermove=drag
            on:lostpointercapture=end
        >
            <PluginIcon plugin=frame.plugin.clone()/>
            <h2><bdi>{title.clone()}</bdi></h2>
            <span class="panel-plugin">{(name != title).then(|| view! { <bdi>{name}</bdi> })}</span>
            {floats.then(|| view! { <Grip frame=frame.clone()/> })}
            <PanelMenu frame place/>
            <button
                type="button"
                class="icon-button"
                aria-label=close_label.clone()
                title=close_label
                on:click=move |_| closed.close(app)
            >
                <i class="icon i-close" aria-hidden="true"></i>
            </button>
        </header>
    }
}

/// Moves a floating panel, as far as its header stays in sight.
fn move_to(app: App, frame: &Frame, left: i32, top: i32) {
    frame.area.update(|area| area.spot = Some((left, top)));
    let held = untrack(|| spot(app, frame));
    frame.area.update(|area| area.spot = Some(held));
}

/// A button by which the arrow keys move a floating panel.
#[component]
fn Grip(frame: Frame) -> impl IntoView {
    let app = app();
    let label = format!("Move {} with the arrow keys", frame.title());
    let press = move |event: KeyboardEvent| {
        let step = if event.shift_key() { 64 } else { 16 };
        let (left, top) = untrack(|| spot(app, &frame));
        let (left, top) = match event.key().as_str() {
            "ArrowLeft" => (left - step, top),
            "ArrowRight" => (left + step, top),
            "ArrowUp" => (left, top - step),
            "ArrowDown" => (left, top + step),
            _ => return,
        };
        event.prevent_default();
        move_to(app, &frame, left, top);
        frame.keep(app);
    };
    view! {
        <button type="button" class="icon-button grip" aria-label=label.clone() title=label on:keydown=press>
            <i class="icon i-move" aria-hidden="true"></i>
        </button>
    }
}

/// What can be done with a panel whatever it does itself: the frame is the host's to take away.
#[component]
fn PanelMenu(frame: Frame, place: NodeRef<html::Div>) -> impl IntoView {
    let app = app();
    let title = frame.title();
    let (reloads, stopped) = (frame.reloads.clone(), frame.clone());
    let stop = move |_| {
        if let Some(place) = place.get_untracked() {
            bridge_host::unmount(&stopped, &place, FrameState::Stopped);
        }
    };
    let id = frame.plugin.id.clone();
    let of = id.clone();
    let muted = move || {
        app.choices_changed.track();
        app.is_muted(&id)
    };
    let mute = move |_| app.mute(&of, !app.is_muted(&of));
    let muted = StoredValue::new(muted);
    let muted = move || muted.with_value(|muted| muted());
    let face = view! { <i class="icon i-more" aria-hidden="true"></i> }.into_any();
    view! {
        <Menu id=format!("menu-{}", frame.key) label=format!("More about {title}") class="icon-button" face>
            <p class="menu-who">
                <strong><bdi>{title.clone()}</bdi></strong>
                <bdi class="muted small">{frame.plugin.id.to_string()}</bdi>
            </p>
            <button type="button" on:click=move |_| reloads.update(|reloads| *reloads += 1)>
                <i class="icon i-reload" aria-hidden="true"></i>"Reload"
            </button>
            <button type="button" on:click=stop>
                <i class="icon i-stop" aria-hidden="true"></i>"Stop"
            </button>
            <button type="button" aria-pressed=move || muted().to_string() on:click=mute>
                <i class="icon i-mute" aria-hidden="true"></i>
                {live_text(move || if muted() { "Let it be heard again" } else { "Mute" }.into())}
            </button>
            <a href="/plugins"><i class="icon i-shield" aria-hidden="true"></i>"What it may do"</a>
        </Menu>
    }
}
