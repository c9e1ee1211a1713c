//! A text to take away.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use super::live_text;

/// How long the button says that it worked.
const SAID_MS: u64 = 2_000;

/// A text that is only read, with a button that copies it.
#[component]
pub(crate) fn CopyField(
    id: &'static str,
    #[prop(into)] label: String,
    #[prop(into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
) -> impl IntoView {
    let said = RwSignal::new("");
    let copied = value.clone();
    let copy = move |_| {
        let promise = window().navigator().clipboard().write_text(&copied);
        spawn_local(async move {
            let done = JsFuture::from(promise).await.is_ok();
            // The page may be gone by now.
            let _ = said.try_set(if done { "Copied" } else { "Select and copy it by hand" });
            let forget = move || {
                let _ = said.try_set("");
            };
            set_timeout(forget, Duration::from_millis(SAID_MS));
        });
    };
    let hint_id = format!("{id}-hint");
    view! {
        <div class="field">
            <label for=id>{label.clone()}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id.clone()>{hint}</p> })}
            <div class="copy">
                <input id=id readonly=true value=value aria-describedby=hint_id on:focus:target=move |event| event.target().select()/>
                <button type="button" class="button" aria-label=format!("Copy {label}") on:click=copy>
                    <i class="icon i-copy" aria-hidden="true"></i>
                    <span aria-live="polite">{live_text(move || if said.get().is_empty() { "Copy" } else { said.get() }.into())}</span>
                </button>
            </div>
        </div>
    }
}
