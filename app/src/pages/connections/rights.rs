//! Rights that a connection was asked for and does not have.

use leptos::prelude::*;
use taiku_bridge::api::Connection;

use crate::connect::connect;
use crate::state::app;
use crate::text;

/// Names what is missing, with the one button that asks for it. Nothing where nothing is missing.
#[component]
pub(super) fn Missing(connection: Connection, who: String) -> impl IntoView {
    let app = app();
    if connection.missing_scopes.is_empty() {
        return ().into_any();
    }
    let scopes = connection.missing_scopes.iter().map(|scope| {
        view! { <li><code class="tag"><bdi>{text::shown(scope, text::NAME)}</bdi></code></li> }
    });
    view! {
        <div class="missing">
            <p class="small">"You did not allow:"</p>
            <ul class="chips">{scopes.collect_view()}</ul>
            <button type="button" class="button small" aria-label=format!("Allow what is missing for {who}")
                on:click=move |_| connect(app, connection.toolkit.clone(), Some(connection.id.clone()))>
                "Allow these, too"
            </button>
        </div>
    }
    .into_any()
}
