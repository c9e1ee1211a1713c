//! Input fields with their labels, hints and errors.

use leptos::prelude::*;

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::live_text;

/// A text field. Its label, hint and error are tied to it.
#[component]
pub(crate) fn Field(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] required: bool,
    #[prop(optional, into)] placeholder: String,
) -> impl IntoView {
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = format!("{hint_id} {error_id}");
    view! {
        <div class="field" class:invalid=move || error.with(Option::is_some)>
            <label for=id.clone()>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            <input
                name=id.clone()
                id=id
                type=kind
                autocomplete=autocomplete
                placeholder=placeholder
                required=required
                spellcheck="false"
                autocapitalize="off"
                aria-describedby=described
                aria-invalid=move || error.with(|error| error.is_some().then_some("true"))
                prop:value=move || value.get()
                on:input:target=move |event| value.set(event.target().value())
            />
            <p class="error" id=error_id>{live_text(move || error.get().unwrap_or_default())}</p>
        </div>
    }
}

/// Moves the focus to the first field that has an error, once the error is shown.
pub(crate) fn focus_first_error() {
    request_animation_frame(|| take_focus(document().query_selector("[aria-invalid=true]").ok().flatten()));
}

/// Moves the focus to an element by its id.
pub(crate) fn focus(id: &str) {
    take_focus(document().get_element_by_id(id));
}

fn take_focus(element: Option<Element>) {
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // What cannot take the focus only leaves it where it is.
        let _ = element.focus();
    }
}
