//! What lies over a frame while it has nothing to show.

use leptos::prelude::*;

use crate::ui::live;
use crate::workspace::frame::{Frame, FrameState};

/// Says why there is nothing to see, and loads the panel again.
#[component]
pub(super) fn Cover(frame: Frame) -> impl IntoView {
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
            FrameState::Greedy => {
                "This panel took the keyboard while you were asked something, and was stopped."
            }
            FrameState::Stopped => "You stopped this panel. Nothing of it runs any more.",
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
