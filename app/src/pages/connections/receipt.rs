//! What became of an account's tokens.

use leptos::prelude::*;
use taiku_bridge::api::{Receipt, Revoked};

use crate::dates;
use crate::state::{Tone, app};
use crate::ui::{Dialog, badge};

/// What died, and what could not be killed.
#[component]
pub(super) fn ReceiptDialog(receipt: Receipt) -> impl IntoView {
    let app = app();
    let rows = receipt.revoked.iter().map(token).collect_view();
    let none = rows.is_empty();
    view! {
        <Dialog title="Disconnected">
            <p>{format!("Our copies were destroyed {}.", dates::shown(&receipt.deleted_at))}</p>
            <ul class="wishes">{rows}</ul>
            {none.then(|| view! { <p class="muted">"There was nothing to take back at the service."</p> })}
            <div class="dialog-foot">
                <button type="button" class="button primary" on:click=move |_| app.close_dialog()>"Done"</button>
            </div>
        </Dialog>
    }
}

/// What became of one token.
pub(crate) fn token(revoked: &Revoked) -> impl IntoView + use<> {
    let (tone, outcome) = match revoked.outcome.as_str() {
        "revoked" => (Tone::Success, "taken back at the service"),
        "unsupported" => (Tone::Info, "the service cannot take it back; it ends by itself"),
        _ => (Tone::Error, "the service did not confirm; remove taiku in its settings"),
    };
    view! {
        <li class="wish">
            {badge(tone, revoked.token.replace('_', " "))}
            <span class="wish-text">{outcome}</span>
        </li>
    }
}
