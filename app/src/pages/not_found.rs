//! The page for addresses that lead nowhere.

use leptos::prelude::*;
use leptos_router::components::A;

use super::Page;

/// There is nothing here.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    view! {
        <Page title="There is nothing here" lead="The address is mistyped, or what it named is gone.">
            <p><A href="/" attr:class="button primary">"To the workspace"</A></p>
        </Page>
    }
}
