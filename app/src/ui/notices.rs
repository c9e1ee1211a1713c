//! What the page tells the user without being asked.

use leptos::prelude::*;

use super::{Keyed, keyed, live};
use crate::state::{App, BlockedPopup, Toast, Tone, app};
use crate::text;

/// Short messages, read out by assistive tools as they come.
#[component]
pub(crate) fn Toasts() -> impl IntoView {
    let app = app();
    view! {
        <div class="toasts" role="status" aria-live="polite" aria-relevant="additions">
            {keyed(move || app.toasts.get().into_iter().map(|toast| item(app, toast)).collect())}
        </div>
    }
}

fn item(app: App, toast: Toast) -> Keyed {
    Keyed { key: toast.id, view: Box::new(move || view! { <ToastView app toast/> }.into_any()) }
}

#[component]
fn ToastView(app: App, toast: Toast) -> impl IntoView {
    view! {
        <div class=format!("toast {}", toast.tone.class())>
            <i class=glyph(toast.tone) aria-hidden="true"></i>
            <p>
                {toast.plugin.map(|plugin| view! { <strong><bdi>{plugin}</bdi>": "</strong> })}
                <bdi>{toast.message}</bdi>
            </p>
            <button
                type="button"
                class="icon-button"
                aria-label="Close this message"
                on:click=move |_| app.close_toast(toast.id)
            >
                <i class="icon i-close" aria-hidden="true"></i>
            </button>
        </div>
    }
}

fn glyph(tone: Tone) -> &'static str {
    match tone {
        Tone::Info => "icon i-activity",
        Tone::Success => "icon i-check",
        Tone::Error => "icon i-alert",
    }
}

/// Links to connect pages that the browser did not let open.
#[component]
pub(crate) fn BlockedPopups() -> impl IntoView {
    let app = app();
    view! {
        <div class="notices" role="region" aria-label="Blocked windows" aria-live="polite">
            {live(move || app.blocked.get().into_iter().map(|link| blocked(app, link)).collect_view().into_any())}
        </div>
    }
}

fn blocked(app: App, link: BlockedPopup) -> impl IntoView {
    let close = move |toolkit: &str| app.blocked.update(|blocked| blocked.retain(|b| b.toolkit != toolkit));
    let (opened, dismissed) = (link.toolkit.clone(), link.toolkit.clone());
    let who = link.plugin.map(|plugin| text::shown(&plugin, text::NAME));
    let label = format!("Connect {} at {}", link.toolkit, host(&link.url));
    view! {
        <div class="notice">
            <i class="icon i-alert" aria-hidden="true"></i>
            <p>
                "The browser blocked a window. "
                {match who {
                    Some(who) => view! { <bdi>{who}</bdi>" wants to connect " }.into_any(),
                    None => "You wanted to connect ".into_any(),
                }}
                <strong>{link.toolkit}</strong>"."
            </p>
            <a
                class="button primary"
                href=link.url
                target="_blank"
                rel="noopener noreferrer external"
                on:click=move |_| close(&opened)
            >
                {label}<i class="icon i-external" aria-hidden="true"></i>
            </a>
            <button type="button" class="icon-button" aria-label="Dismiss" on:click=move |_| close(&dismissed)>
                <i class="icon i-close" aria-hidden="true"></i>
            </button>
        </div>
    }
}

fn host(url: &str) -> String {
    web_sys::Url::new(url).map(|url| url.host()).unwrap_or_default()
}
