//! On a small screen one panel is shown at a time; these buttons choose which.

use leptos::html;
use leptos::prelude::*;

use super::frame::Frame;
use crate::state::{App, app};
use crate::ui::{Keyed, effect, flag, keyed};

/// A button for each panel that is open, and one for the page itself.
#[component]
pub(super) fn Tabs() -> impl IntoView {
    let app = app();
    let open = move || {
        let mut frames = app.frames.get();
        frames.retain(|frame| frame.open.get());
        frames
    };
    let vacant = flag(move || open().is_empty());
    let start = move || app.layout.front.get().is_none().to_string();
    view! {
        <div class="tabs" class:vacant=move || vacant.get() role="group" aria-label="Open panels">
            <h1 class="visually-hidden">"Workspace"</h1>
            <button
                type="button"
                class="tab"
                aria-label="Start"
                aria-pressed=start
                on:click=move |_| app.layout.front.set(None)
            >
                <i class="icon i-grid" aria-hidden="true"></i>
            </button>
            {keyed(move || open().into_iter().map(|frame| item(app, frame)).collect())}
        </div>
    }
}

fn item(app: App, frame: Frame) -> Keyed {
    let key = frame.key;
    let draw = move || {
        let pressed = move || (app.layout.front.get() == Some(key)).to_string();
        let title = frame.title();
        let tab = NodeRef::<html::Button>::new();
        // The one that is shown is in sight.
        effect(move || {
            if app.layout.front.get() == Some(key)
                && let Some(tab) = tab.get()
            {
                tab.scroll_into_view();
            }
        });
        view! {
            <button type="button" class="tab" node_ref=tab aria-pressed=pressed on:click=move |_| frame.raise(app)>
                <bdi>{title}</bdi>
            </button>
        }
        .into_any()
    };
    Keyed { key, view: Box::new(draw) }
}
