//! The page for addresses that lead nowhere.

use leptos::prelude::*;

use super::Page;

/// There is nothing here.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    view! {
        <Page title="There is nothing here" lead="The address is mistyped, or what it named is gone.">
            <p><a href="/" class="button primary">"To the workspace"</a></p>
        </Page>
    }
}
