//! What plugins tell the user without being asked.

use leptos::prelude::*;

use super::{Keyed, PluginIcon, flag, keyed, live_if, live_text};
use crate::state::{App, Notice, app};
use crate::text;

/// Notifications of plugins, each under its plugin's name, and the question whether they may be on the desktop.
#[component]
pub(crate) fn Notifications() -> impl IntoView {
    let app = app();
    let asks = flag(move || app.notices.with(|notices| !notices.is_empty()) && app.may_ask_for_desktop());
    view! {
        <div class="plugin-notices" role="region" aria-label="Notifications of plugins" aria-live="polite">
            {keyed(move || app.notices.get().into_iter().map(|notice| notice_item(app, notice)).collect())}
            {live_if(move || asks.get(), move || desktop_question(app))}
        </div>
        <p class="visually-hidden" role="status">{live_text(move || app.said.get())}</p>
    }
}

fn notice_item(app: App, notice: Notice) -> Keyed {
    Keyed { key: notice.id, view: Box::new(move || notice_view(app, notice)) }
}

fn notice_view(app: App, notice: Notice) -> AnyView {
    let name = text::shown(&notice.plugin.name, text::NAME);
    let (id, before, chosen) = (notice.id, notice.before, notice.clone());
    let plugin = notice.plugin.clone();
    view! {
        <div class="plugin-notice">
            <PluginIcon plugin/>
            <div class="grow">
                <p class="small muted">
                    <bdi>{name.clone()}</bdi>
                    {(before > 0).then(|| format!(" · and {before} before it"))}
                </p>
                <p><strong><bdi>{notice.title}</bdi></strong></p>
                <p><bdi>{notice.body}</bdi></p>
            </div>
            <button
                type="button"
                class="button small"
                aria-label=format!("Show {name}")
                on:click=move |_| app.follow_notice(&chosen)
            >
                "Show"
            </button>
            <button
                type="button"
                class="icon-button"
                aria-label=format!("Close the notification of {name}")
                on:click=move |_| app.close_notice(id)
            >
                <i class="icon i-close" aria-hidden="true"></i>
            </button>
        </div>
    }
    .into_any()
}

fn desktop_question(app: App) -> AnyView {
    view! {
        <div class="plugin-notice">
            <p class="grow">"Show notifications of plugins on your desktop?"</p>
            <button type="button" class="button small" on:click=move |_| app.decline_desktop()>"No"</button>
            <button type="button" class="button small primary" on:click=move |_| app.ask_for_desktop()>"Yes"</button>
        </div>
    }
    .into_any()
}
