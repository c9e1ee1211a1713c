//! What the page tells the user without being asked.

use std::sync::Arc;

use leptos::prelude::*;

use super::{Keyed, keyed, live};
use crate::state::{App, BlockedPopup, OfferedLink, Toast, Tone, app};
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

/// Links to connect pages that the browser did not let open, and to pages that plugins ask the user to open.
#[component]
pub(crate) fn OfferedLinks() -> impl IntoView {
    let app = app();
    let notices = move || {
        let blocked = app.blocked.get().into_iter().map(|link| blocked(app, link));
        let offered = app.links.get().into_iter().map(|link| offered(app, link));
        blocked.chain(offered).map(notice).collect_view().into_any()
    };
    view! {
        <div class="notices" role="region" aria-label="Links to open" aria-live="polite">{live(notices)}</div>
    }
}

/// A sentence with a link below it; both buttons take it away.
struct Notice {
    sentence: AnyView,
    url: String,
    label: String,
    close: Arc<dyn Fn() + Send + Sync>,
}

fn blocked(app: App, link: BlockedPopup) -> Notice {
    let who = link.plugin.map(|plugin| text::shown(&plugin, text::NAME));
    let label = format!("Connect {} at {}", link.toolkit, host(&link.url));
    let toolkit = link.toolkit.clone();
    let sentence = view! {
        "The browser blocked a window. "
        {match who {
            Some(who) => view! { <bdi>{who}</bdi>" wants to connect " }.into_any(),
            None => "You wanted to connect ".into_any(),
        }}
        <strong>{link.toolkit}</strong>"."
    };
    let close = move || app.blocked.update(|blocked| blocked.retain(|b| b.toolkit != toolkit));
    Notice { sentence: sentence.into_any(), url: link.url, label, close: Arc::new(close) }
}

fn offered(app: App, link: OfferedLink) -> Notice {
    let (who, host) = (text::shown(&link.plugin, text::NAME), host(&link.url));
    let label = format!("Open {host}");
    let sentence = view! { <bdi>{who}</bdi>" wants to open a page of "<strong>{host}</strong>"." };
    let close = move || app.links.update(|links| links.retain(|other| other.plugin != link.plugin));
    Notice { sentence: sentence.into_any(), url: link.url, label, close: Arc::new(close) }
}

fn notice(notice: Notice) -> impl IntoView {
    let (opened, dismissed) = (notice.close.clone(), notice.close);
    view! {
        <div class="notice">
            <i class="icon i-alert" aria-hidden="true"></i>
            <p>{notice.sentence}</p>
            <a
                class="button primary"
                href=notice.url
                target="_blank"
                rel="noopener noreferrer external"
                on:click=move |_| opened()
            >
                {notice.label}<i class="icon i-external" aria-hidden="true"></i>
            </a>
            <button type="button" class="icon-button" aria-label="Dismiss" on:click=move |_| dismissed()>
                <i class="icon i-close" aria-hidden="true"></i>
            </button>
        </div>
    }
}

fn host(url: &str) -> String {
    web_sys::Url::new(url).map(|url| url.host()).unwrap_or_default()
}
