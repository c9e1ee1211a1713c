//! What stands where data will be, is not, or could not be had.

use leptos::prelude::*;

use crate::http::HttpError;
use crate::state::Tone;

/// Nothing here yet, and what to do about it.
#[component]
pub(crate) fn Empty(glyph: &'static str, title: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class="empty">
            <i class=glyph aria-hidden="true"></i>
            <h2>{title}</h2>
            <p>{children()}</p>
        </div>
    }
}

/// It could not be had, and why.
#[component]
pub(crate) fn Failure(error: HttpError, #[prop(into)] retry: Callback<()>) -> impl IntoView {
    view! {
        <div class="empty failed" role="alert">
            <i class="icon i-alert" aria-hidden="true"></i>
            <h2>"This could not be loaded"</h2>
            <p>{error.sentence()}</p>
            <button type="button" class="button" on:click=move |_| retry.run(())>"Try again"</button>
        </div>
    }
}

/// It is on its way.
#[component]
pub(crate) fn Skeleton(rows: usize) -> impl IntoView {
    view! {
        <div class="skeleton" role="status">
            <span class="visually-hidden">"Loading"</span>
            {(0..rows).map(|_| view! { <div class="bone"></div> }).collect_view()}
        </div>
    }
}

/// The state of something, as a word and a colour.
pub(crate) fn badge(tone: Tone, word: impl Into<String>) -> AnyView {
    let class = match tone {
        Tone::Info => "status",
        Tone::Success => "status good",
        Tone::Error => "status bad",
    };
    view! { <span class=class>{word.into()}</span> }.into_any()
}

/// Whether a toolkit is enabled.
pub(crate) fn switch_badge(enabled: bool) -> AnyView {
    if enabled { badge(Tone::Success, "Enabled") } else { badge(Tone::Info, "Off") }
}
