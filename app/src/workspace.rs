//! The workspace: panels in their places, and what is shown when there are none.
//!
//! A frame that moves in the document loads again, so every frame stays where it was first put; opening and
//! closing only changes its style.

mod dock;
mod frame;
mod geometry;
mod home;
mod layout;
mod panel;
mod regions;
mod splitter;
mod tabs;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use taiku_bridge::api::segment;
use taiku_bridge::manifest::Position;

use crate::state::{App, app};
use crate::ui::{effect, flag};
use dock::{Dock, Layer, is_covered};
pub(crate) use frame::{Frame, FrameState, panel_path};
pub(crate) use geometry::Axis;
use home::Home;
pub(crate) use layout::Layout;
pub(crate) use regions::pressed_in_panel;
use tabs::Tabs;

/// Whether a path shows the workspace.
pub(crate) fn is_workspace(path: &str) -> bool {
    path == "/" || path.starts_with("/panel/")
}

/// The workspace. It stays on the page when another page is shown, so that panels go on.
#[component]
pub(crate) fn Workspace() -> impl IntoView {
    let app = app();
    let path = use_location().pathname;
    app.layout.follow();
    regions::follow(app);
    effect(move || app.load_background());
    follow_path(app);
    follow_visits(app);
    crate::hotkeys::follow(app);
    let shown = move || is_workspace(&path.get());
    let asking = move || app.consent.with(Option::is_some);
    view! {
        <main
            class="workspace"
            class:away=move || !shown()
            class:asking=asking
            class:dragging=move || app.layout.dragging.get()
            class:behind=move || app.layout.front.get().is_none()
            prop:inert=asking
        >
            <Tabs/>
            <div
                class="stage"
                id=move || shown().then_some("main")
                tabindex="-1"
                data-region=""
                prop:inert=move || is_covered(app)
            >
                <Home/>
            </div>
            <Dock position=Position::Sidebar axis=Axis::Width/>
            <Dock position=Position::Bottom axis=Axis::Height/>
            <Layer position=Position::Floating/>
            <Layer position=Position::Overlay/>
            <Layer position=Position::Tooltip/>
        </main>
    }
}

/// Goes to the panel that the user chose elsewhere: by a shortcut, or a notification.
fn follow_visits(app: App) {
    let path = use_location().pathname;
    let navigate = use_navigate();
    effect(move || {
        let Some((plugin, panel)) = app.visit.get() else { return };
        app.visit.set(None);
        let known =
            app.plugin_untracked(&plugin).and_then(|plugin| untrack(|| app.known_frame(&plugin, &panel)));
        let open = known.filter(|frame| frame.open.get_untracked() && is_workspace(&path.get_untracked()));
        match open {
            Some(frame) => frame.raise(app),
            None => navigate(&format!("/panel/{plugin}/{}", segment(&panel)), Default::default()),
        }
        // By then it is on the page.
        request_animation_frame(move || {
            let known = app.plugin_untracked(&plugin).and_then(|plugin| app.known_frame(&plugin, &panel));
            if let Some(frame) = known {
                crate::ui::focus(&frame.element_id());
            }
        });
    });
}

/// Opens the panel that the address names. Once that panel is closed, the address must not bring it back.
fn follow_path(app: App) {
    let path = use_location().pathname;
    let navigate = use_navigate();
    let known = flag(move || app.plugins.with(|plugins| plugins.ready().is_some()));
    let leave = move || navigate("/", NavigateOptions { replace: true, ..Default::default() });
    let left = leave.clone();
    let opened = StoredValue::new(None::<String>);
    effect(move || {
        let path = path.get();
        if !known.get() {
            return;
        }
        opened.set_value(None);
        let Some((plugin, panel)) = frame::named_by(&path) else { return };
        match untrack(|| app.open_panel(&plugin, &panel)) {
            Ok(()) => opened.set_value(Some(path)),
            Err(sentence) => {
                app.toast(crate::state::Tone::Error, sentence);
                leave();
            }
        }
    });
    effect(move || {
        let path = path.get();
        let closed = |frame: &Frame| frame.path() == path && !frame.open.get();
        let closed = app.frames.with(|frames| frames.iter().any(closed));
        if closed && opened.get_value().as_deref() == Some(path.as_str()) {
            left();
        }
    });
}
