//! Modal dialogs.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement};

use super::effect;
use crate::state::{Question, app};

/// A modal dialog, shown as long as it is on the page. The browser keeps the focus in it and takes everything
/// else out of reach, panels included; afterwards the focus returns to where it was.
#[component]
pub(crate) fn Dialog(
    title: &'static str,
    #[prop(optional)] class: &'static str,
    /// Otherwise it goes away.
    #[prop(optional, into)]
    on_cancel: Option<Callback<()>>,
    children: Children,
) -> impl IntoView {
    let app = app();
    let node = NodeRef::<html::Dialog>::new();
    let before = document().active_element().and_then(|element| element.dyn_into::<HtmlElement>().ok());
    let before = StoredValue::new_local(before);
    effect(move || {
        if let Some(dialog) = node.get().filter(|dialog| !dialog.open()) {
            // It is in the document by now and closed, so it can be shown.
            let _ = dialog.show_modal();
        }
    });
    on_cleanup(move || {
        if let Some(Some(element)) = before.try_get_value() {
            // The element may be gone; then there is nothing to return to.
            let _ = element.focus();
        }
    });
    let cancel = move |event: Event| {
        // It goes away when its owner says so.
        event.prevent_default();
        match on_cancel {
            Some(on_cancel) => on_cancel.run(()),
            None => app.close_dialog(),
        }
    };
    view! {
        <dialog node_ref=node class=format!("dialog {class}") aria-labelledby="dialog-title" on:cancel=cancel>
            <h2 id="dialog-title" tabindex="-1" autofocus=true>{title}</h2>
            {children()}
        </dialog>
    }
}

/// Asks before something that cannot be taken back.
#[component]
pub(crate) fn Confirm(question: Question, then: Arc<dyn Fn() + Send + Sync>) -> impl IntoView {
    let app = app();
    let confirm = move |_| {
        app.close_dialog();
        then();
    };
    view! {
        <Dialog title=question.title>
            <p>{question.sentence}</p>
            <div class="dialog-foot">
                <button type="button" class="button" on:click=move |_| app.close_dialog()>"Cancel"</button>
                <button type="button" class="button danger" on:click=confirm>{question.action}</button>
            </div>
        </Dialog>
    }
}
