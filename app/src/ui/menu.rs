//! A list that opens at a button.

use leptos::html;
use leptos::prelude::*;

/// A button and the list that it opens. The browser shows the list over everything else, closes it at Escape or at a
/// click elsewhere, and gives the focus back; a choice closes it too.
#[component]
pub(crate) fn Menu(
    #[prop(into)] id: String,
    /// The name of the button.
    #[prop(into)]
    label: String,
    /// The class of the button.
    class: &'static str,
    /// What is seen of the button.
    face: AnyView,
    children: Children,
) -> impl IntoView {
    let list = NodeRef::<html::Div>::new();
    let chosen = move |_| {
        if let Some(list) = list.try_get_untracked().flatten() {
            // A list that is closed already need not be closed.
            let _ = list.hide_popover();
        }
    };
    view! {
        <button type="button" class=class aria-label=label.clone() title=label popovertarget=id.clone()>{face}</button>
        <div id=id popover="auto" class="menu" node_ref=list on:click=chosen>{children()}</div>
    }
}
