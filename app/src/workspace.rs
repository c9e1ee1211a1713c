//! The workspace: panels in their places, and what is shown when there are none.
//!
//! A frame that moves in the document loads again, so every frame stays where it was first put; opening and
//! closing only changes its style.

mod frame;
mod home;
mod panel;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use taiku_bridge::manifest::Position;

use crate::state::{App, app};
use crate::ui::{Keyed, effect, flag, keyed};
pub(crate) use frame::{Frame, FrameState, panel_path};
use home::Home;
use panel::PanelView;

/// A place for panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dock {
    /// At the side.
    Side,
    /// Below.
    Bottom,
    /// Over the page.
    Floating,
}

impl Dock {
    fn of(position: Position) -> Self {
        match position {
            Position::Sidebar => Self::Side,
            Position::Bottom => Self::Bottom,
            Position::Floating | Position::Tooltip | Position::Overlay => Self::Floating,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Side => "dock side",
            Self::Bottom => "dock bottom",
            Self::Floating => "dock floating",
        }
    }
}

/// Whether a path shows the workspace.
pub(crate) fn is_workspace(path: &str) -> bool {
    path == "/" || path.starts_with("/panel/")
}

/// The workspace. It stays on the page when another page is shown, so that panels go on.
#[component]
pub(crate) fn Workspace() -> impl IntoView {
    let app = app();
    let path = use_location().pathname;
    follow_path(app);
    let shown = move || is_workspace(&path.get());
    view! {
        <div class="workspace" class:away=move || !shown() prop:inert=move || app.consent.get().is_some()>
            <main class="stage" id=move || shown().then_some("main") tabindex="-1">
                <Home/>
            </main>
            <Docked dock=Dock::Side/>
            <Docked dock=Dock::Bottom/>
            <Docked dock=Dock::Floating/>
        </div>
    }
}

#[component]
fn Docked(dock: Dock) -> impl IntoView {
    let app = app();
    let frames = move || {
        let mut frames = app.frames.get();
        frames.retain(|frame| Dock::of(frame.panel.position) == dock);
        frames
    };
    let vacant = move || !frames().iter().any(|frame| frame.open.get());
    let width = move || {
        let open = frames().into_iter().filter(|frame| frame.open.get());
        let widest = open.filter_map(|frame| frame.panel.default_width).max().unwrap_or(380);
        format!("{}px", widest.clamp(320, 960))
    };
    let height = move || {
        let open = frames().into_iter().filter(|frame| frame.open.get());
        let highest = open.filter_map(|frame| frame.panel.default_height).max().unwrap_or(300);
        format!("{}px", highest.clamp(160, 640))
    };
    view! {
        <div class=dock.class() class:vacant=vacant style:--dock-width=width style:--dock-height=height>
            {keyed(move || frames().into_iter().map(item).collect())}
        </div>
    }
}

fn item(frame: Frame) -> Keyed {
    Keyed { key: frame.key, view: Box::new(move || view! { <PanelView frame/> }.into_any()) }
}

/// Opens the panel that the address names.
fn follow_path(app: App) {
    let path = use_location().pathname;
    let navigate = use_navigate();
    let known = flag(move || app.plugins.with(|plugins| plugins.ready().is_some()));
    effect(move || {
        let path = path.get();
        if !known.get() {
            return;
        }
        let Some((plugin, panel)) = frame::named_by(&path) else { return };
        let opened = untrack(|| app.open_panel(&plugin, &panel));
        if let Err(sentence) = opened {
            app.toast(crate::state::Tone::Error, sentence);
            navigate("/", NavigateOptions { replace: true, ..Default::default() });
        }
    });
}
