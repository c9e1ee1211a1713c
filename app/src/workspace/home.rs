//! What the workspace shows behind the panels: the plugins to open.

use std::sync::Arc;

use leptos::prelude::*;
use taiku_bridge::api::Plugin;

use super::frame::panel_path;
use crate::state::{Loadable, app};
use crate::text;
use crate::ui::{Empty, Failure, PluginIcon, Skeleton, live, live_if, live_text};
use crate::{pages, part};

/// The start of the workspace.
#[component]
pub(super) fn Home() -> impl IntoView {
    let app = app();
    let visitor = move || app.user().is_none();
    view! {
        <div class="home">
            <header class="page-head">
                <h1>{live_text(move || greeting(app.user().map(|user| user.name)))}</h1>
                <p class="lead">"Open a plugin. It asks before it does anything for you."</p>
            </header>
            {live_if(visitor, || part::show(pages::sign_in_card, ()))}
            <section aria-labelledby="home-plugins">
                <h2 id="home-plugins">"Plugins"</h2>
                <PluginCards/>
            </section>
        </div>
    }
}

fn greeting(name: Option<String>) -> String {
    name.map_or_else(
        || "Welcome to taiku".into(),
        |name| format!("Hello, {}", text::shown(&name, text::NAME)),
    )
}

#[component]
fn PluginCards() -> impl IntoView {
    let app = app();
    live(move || {
        match app.plugins.get() {
        Loadable::Loading => view! { <Skeleton rows=2/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || app.load_plugins()/> }.into_any(),
        Loadable::Ready(plugins) if plugins.iter().all(|plugin| !plugin.added) => view! {
            <Empty glyph="icon i-plugin" title="No plugins yet">
                <a href="/plugins">"Choose the plugins that you want here"</a>
            </Empty>
        }
        .into_any(),
        Loadable::Ready(plugins) => view! {
            <ul class="cards">
                {plugins.into_iter().filter(|plugin| plugin.added).map(|plugin| view! { <Card plugin/> }).collect_view()}
            </ul>
        }
        .into_any(),
    }
    })
}

#[component]
fn Card(plugin: Arc<Plugin>) -> impl IntoView {
    let name = text::shown(&plugin.name, text::NAME);
    let about = plugin.manifest.tagline.as_ref().or(plugin.manifest.description.as_ref());
    let about = about.map(|about| text::shown(about, 160)).unwrap_or_default();
    let toolkits = plugin.manifest.integrations.iter().map(ToString::to_string);
    let chips = toolkits.map(|slug| view! { <li class="chip">{slug}</li> }).collect_view();
    let first = plugin.manifest.panels.first().map(|panel| panel_path(&plugin, panel));
    let label = if plugin.grant.is_some() { "Open" } else { "Open…" };
    view! {
        <li class="card plugin-card">
            <div class="card-head">
                <PluginIcon plugin=plugin.clone()/>
                <div>
                    <h3><bdi>{name.clone()}</bdi></h3>
                    <p class="muted small"><bdi>{plugin.id.to_string()}</bdi></p>
                </div>
            </div>
            <p class="grow"><bdi>{about}</bdi></p>
            <div class="card-foot">
                <ul class="chips" aria-label="Toolkits">{chips}</ul>
                {first.map(|path| view! {
                    <a href=path class="button primary" aria-label=format!("Open {name}")>
                        {label}<i class="icon i-arrow" aria-hidden="true"></i>
                    </a>
                })}
            </div>
        </li>
    }
}
