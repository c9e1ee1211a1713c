//! What the page tells the user without being asked.

use std::sync::Arc;

use leptos::prelude::*;
use taiku_bridge::Slug;

use super::{Keyed, keyed, live};
use crate::connect::{connect, reason};
use crate::state::{App, Mend, OfferedLink, Toast, Tone, Unfinished, app};
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

/// What waits for the user: connections to be finished, and pages that plugins ask to be opened.
#[component]
pub(crate) fn Notices() -> impl IntoView {
    let app = app();
    let notices = move || {
        let unfinished = app.unfinished.get().into_iter().map(|connection| unfinished(app, connection));
        let offered = app.links.get().into_iter().map(|link| offered(app, link));
        unfinished.chain(offered).map(notice).collect_view().into_any()
    };
    view! {
        <div class="notices" role="region" aria-label="Links to open" aria-live="polite">{live(notices)}</div>
    }
}

/// A sentence with the one thing to do about it; doing it and dismissing it take it away.
struct Notice {
    sentence: AnyView,
    button: AnyView,
    close: Arc<dyn Fn() + Send + Sync>,
}

fn unfinished(app: App, connection: Unfinished) -> Notice {
    let Unfinished { plugin, toolkit, mend } = connection;
    let who = plugin.map(|plugin| text::shown(&plugin, text::NAME));
    let (slug, name) = (Slug::parse(&toolkit).ok(), toolkit.clone());
    let close: Arc<dyn Fn() + Send + Sync> = Arc::new(move || app.finished(&toolkit));
    let (before, button) = match mend {
        Mend::Open { url, host } => (
            "The browser blocked a window.".to_owned(),
            link(url, format!("Connect {name} at {host}"), close.clone()),
        ),
        Mend::Again(why) => {
            let label = format!("Connect {name} again");
            let again = move |_| {
                if let Some(slug) = slug.clone() {
                    connect(app, slug, None);
                }
            };
            let button =
                view! { <button type="button" class="button primary" on:click=again>{label}</button> };
            (reason(&why), button.into_any())
        }
    };
    let sentence = view! {
        {before}" "
        {match who {
            Some(who) => view! { <bdi>{who}</bdi>" wants to connect " }.into_any(),
            None => "You wanted to connect ".into_any(),
        }}
        <strong>{name}</strong>"."
    };
    Notice { sentence: sentence.into_any(), button, close }
}

fn offered(app: App, offered: OfferedLink) -> Notice {
    let OfferedLink { plugin, url } = offered;
    let (who, host) = (text::shown(&plugin, text::NAME), host(&url));
    let sentence = view! { <bdi>{who}</bdi>" wants to open a page of "<strong>{host.clone()}</strong>"." };
    let close: Arc<dyn Fn() + Send + Sync> =
        Arc::new(move || app.links.update(|links| links.retain(|other| other.plugin != plugin)));
    let button = link(url, format!("Open {host}"), close.clone());
    Notice { sentence: sentence.into_any(), button, close }
}

fn link(url: String, label: String, close: Arc<dyn Fn() + Send + Sync>) -> AnyView {
    view! {
        <a
            class="button primary"
            href=url
            target="_blank"
            rel="noopener noreferrer external"
            on:click=move |_| close()
        >
            {label}<i class="icon i-external" aria-hidden="true"></i>
        </a>
    }
    .into_any()
}

fn notice(notice: Notice) -> impl IntoView {
    let Notice { sentence, button, close } = notice;
    view! {
        <div class="notice">
            <i class="icon i-alert" aria-hidden="true"></i>
            <p>{sentence}</p>
            {button}
            <button type="button" class="icon-button" aria-label="Dismiss" on:click=move |_| close()>
                <i class="icon i-close" aria-hidden="true"></i>
            </button>
        </div>
    }
}

fn host(url: &str) -> String {
    web_sys::Url::new(url).map(|url| url.host()).unwrap_or_default()
}
