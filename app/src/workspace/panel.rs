//! One panel: its header, its frame, and what is said when the frame has nothing to show.

use leptos::html::Div;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use super::frame::{Frame, FrameState};
use crate::bridge_host;
use crate::state::app;
use crate::ui::{PluginIcon, effect, live};

/// A panel. Its frame is put into its place once, and again only when it is loaded again.
#[component]
pub(super) fn PanelView(frame: Frame) -> impl IntoView {
    let app = app();
    let place = NodeRef::<Div>::new();
    let (open, reloads) = (frame.open.clone(), frame.reloads.clone());
    let mounted = frame.clone();
    effect(move || {
        reloads.track();
        if let Some(place) = place.get() {
            bridge_host::mount(app, &mounted, &place);
        }
    });
    let size = |pixels: Option<u32>, otherwise: u32| format!("{}px", pixels.unwrap_or(otherwise));
    let width = size(frame.panel.default_width, 420);
    let height = size(frame.panel.default_height, 480);
    let label = format!("Panel {}", frame.title());
    view! {
        <section
            class="panel"
            class:closed=move || !open.get()
            aria-label=label
            style:--panel-width=width
            style:--panel-height=height
        >
            <Header frame=frame.clone()/>
            <div class="panel-body">
                <div class="panel-place" node_ref=place></div>
                <Cover frame/>
            </div>
        </section>
    }
}

#[component]
fn Header(frame: Frame) -> impl IntoView {
    let navigate = use_navigate();
    let path = use_location().pathname;
    let (title, name) = (frame.title(), frame.plugin_name());
    let (reloads, open, own_path) = (frame.reloads.clone(), frame.open.clone(), frame.path());
    let close = move |_| {
        open.set(false);
        // The address must not bring it back.
        if path.get_untracked() == own_path {
            navigate("/", NavigateOptions { replace: true, ..Default::default() });
        }
    };
    let reload_label = format!("Reload {title}");
    let close_label = format!("Close {title}");
    view! {
        <header class="panel-head">
            <PluginIcon plugin=frame.plugin.clone()/>
            <h2><bdi>{title.clone()}</bdi></h2>
            <span class="panel-plugin">{(name != title).then(|| view! { <bdi>{name}</bdi> })}</span>
            <button
                type="button"
                class="icon-button"
                aria-label=reload_label.clone()
                title=reload_label
                on:click=move |_| reloads.update(|reloads| *reloads += 1)
            >
                <i class="icon i-reload" aria-hidden="true"></i>
            </button>
            <button
                type="button"
                class="icon-button"
                aria-label=close_label.clone()
                title=close_label
                on:click=close
            >
                <i class="icon i-close" aria-hidden="true"></i>
            </button>
        </header>
    }
}

/// What lies over the frame while it has nothing to show.
#[component]
fn Cover(frame: Frame) -> impl IntoView {
    let state = frame.state.clone();
    live(move || {
        let reloads = frame.reloads.clone();
        let sentence = match state.get() {
            FrameState::Live => return ().into_any(),
            FrameState::Loading => {
                return view! {
                    <div class="panel-cover loading" role="status">
                        <span class="spinner" aria-hidden="true"></span>
                        <span class="visually-hidden">"Loading the panel"</span>
                    </div>
                }
                .into_any();
            }
            FrameState::Failed => "This panel did not load. Its files may have changed or be missing.",
            FrameState::Dead => {
                "This panel left its page and was stopped. Nothing that it asks for is done any more."
            }
            FrameState::Flooded => "This panel sent far more messages than a panel may, and was stopped.",
        };
        view! {
            <div class="panel-cover" role="alert">
                <i class="icon i-stop" aria-hidden="true"></i>
                <p>{sentence}</p>
                <button type="button" class="button" on:click=move |_| reloads.update(|r| *r += 1)>
                    "Reload panel"
                </button>
            </div>
        }
        .into_any()
    })
}
