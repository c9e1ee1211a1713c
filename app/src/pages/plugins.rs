//! The plugins: what each was allowed, and how to take it back.

mod stored;

use std::sync::Arc;

use leptos::prelude::*;
use taiku_bridge::api::{self, FailedFolder, OWN_PUBLISHER, Plugin, Source};

use super::Page;
use crate::consent::{Consent, PermissionList, by_risk};
use crate::dates;
use crate::state::{App, Loadable, Question, app, remote};
use crate::text;
use crate::ui::{Empty, Failure, PluginIcon, Skeleton, live, live_if, live_maybe};
use crate::wire::Failed;
use crate::workspace::panel_path;
use stored::Stored;

/// The page.
#[component]
pub(crate) fn Plugins() -> impl IntoView {
    let app = app();
    let list = live(move || match app.plugins.get() {
        Loadable::Loading => view! { <Skeleton rows=3/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || app.load_plugins()/> }.into_any(),
        Loadable::Ready(plugins) if plugins.is_empty() => view! {
            <Empty glyph="icon i-plugin" title="No plugins yet">
                "Put a plugin folder into a folder of TAIKU_PLUGIN_DIRS; it appears here."
            </Empty>
        }
        .into_any(),
        Loadable::Ready(plugins) => {
            let items = plugins.into_iter().map(|plugin| view! { <Item plugin/> });
            view! { <ul class="list">{items.collect_view()}</ul> }.into_any()
        }
    });
    view! {
        <Page title="Plugins" lead="What each may do for you. You can take it back at any time.">
            {list}
            {live_if(move || app.is_admin(), || view! { <FailedFolders/> }.into_any())}
        </Page>
    }
}

#[component]
fn Item(plugin: Arc<Plugin>) -> impl IntoView {
    let app = app();
    let name = text::shown(&plugin.name, text::NAME);
    let about = plugin.manifest.description.as_ref().or(plugin.manifest.tagline.as_ref());
    let about = about.map(|about| text::shown(about, text::SENTENCE));
    let source = publisher(&plugin);
    let open = plugin.manifest.panels.first().map(|panel| panel_path(&plugin, panel));
    let (asked, revoked) = (plugin.clone(), plugin.clone());
    let changed = plugin.change.is_some();
    let granted = plugin.grant.is_some();
    view! {
        <li class="card">
            <div class="card-head">
                <PluginIcon plugin=plugin.clone()/>
                <div class="grow">
                    <h2><bdi>{name.clone()}</bdi></h2>
                    <p class="muted small">
                        <bdi>{plugin.id.to_string()}</bdi>" · version "<bdi>{plugin.version.clone()}</bdi>" · "<bdi>{source}</bdi>
                    </p>
                </div>
                <div class="actions">
                    {granted.then(|| view! {
                        <button type="button" class="button quiet" aria-label=format!("Revoke {name}")
                            on:click=move |_| ask(app, &revoked)>"Revoke"</button>
                    })}
                    {open.map(|path| view! {
                        <a href=path class="button" aria-label=format!("Open {name}")>"Open"</a>
                    })}
                </div>
            </div>
            {about.map(|about| view! { <p><bdi>{about}</bdi></p> })}
            {changed.then(|| view! {
                <div class="banner warn">
                    <i class="icon i-alert" aria-hidden="true"></i>
                    <p>"This version asks for something else than you allowed."</p>
                    <button type="button" class="button" on:click=move |_| {
                        app.consent.set(Some(Consent { plugin: asked.clone(), panel: None }));
                    }>"Review"</button>
                </div>
            })}
            <Granted plugin=plugin.clone()/>
            {live_if(move || app.user().is_some(), move || view! { <Stored plugin=plugin.clone()/> }.into_any())}
        </li>
    }
}

/// Who publishes a plugin, as far as this server knows: nothing of it is the author's own word.
pub(crate) fn publisher(plugin: &Plugin) -> String {
    let publisher = text::shown(&plugin.publisher, text::NAME);
    match plugin.source {
        Source::Registry if plugin.publisher == OWN_PUBLISHER => "shipped with this server".into(),
        Source::Registry => format!("from the registry {publisher}"),
        Source::Folder => "from a folder of this server".into(),
        Source::Url => format!("from {publisher}"),
        Source::File => format!("uploaded by {publisher}"),
        Source::Trial => "tried out by you; nobody else sees it".into(),
    }
}

fn ask(app: App, plugin: &Arc<Plugin>) {
    let name = text::shown(&plugin.name, text::NAME);
    let question = Question {
        title: "Take back what was allowed?",
        sentence: format!("{name} is closed and may no longer do anything for you. Your connections stay."),
        action: "Revoke",
    };
    let plugin = plugin.clone();
    app.confirm(question, move || app.revoke(plugin.clone()));
}

#[component]
fn Granted(plugin: Arc<Plugin>) -> impl IntoView {
    let Some(stored) = plugin.grant.clone() else {
        return view! { <p class="muted">"Nothing is allowed yet. It asks when you open it."</p> }.into_any();
    };
    let mut permissions: Vec<_> = stored.grant.permissions.iter().copied().collect();
    by_risk(&mut permissions);
    let toolkits =
        stored.grant.integrations.iter().map(|slug| view! { <li class="chip">{slug.to_string()}</li> });
    view! {
        <details>
            <summary>
                {format!("Allowed {} for version {}", dates::shown(&stored.granted_at), stored.version)}
            </summary>
            <PermissionList permissions/>
            <ul class="chips" aria-label="Toolkits">{toolkits.collect_view()}</ul>
        </details>
    }
    .into_any()
}

/// Plugin folders that could not be loaded, for admins.
#[component]
fn FailedFolders() -> impl IntoView {
    let app = app();
    let folders = remote(app, api::ADMIN_PLUGINS);
    live_maybe(move || {
        let failed = folders.ready::<Failed>().map(|answer| answer.0);
        failed.filter(|failed| !failed.is_empty()).map(|failed| view! { <Failures failed/> }.into_any())
    })
}

/// Folders with what is wrong in them.
#[component]
pub(super) fn Failures(failed: Vec<FailedFolder>) -> impl IntoView {
    let items = failed.into_iter().map(|folder| {
        let errors = folder.errors.into_iter().map(|fault| view! { <li><bdi>{fault.to_string()}</bdi></li> });
        view! {
            <li class="card failed-folder">
                <h3><code><bdi>{folder.folder}</bdi></code></h3>
                <ul>{errors.collect_view()}</ul>
            </li>
        }
    });
    view! {
        <section aria-labelledby="failed-folders">
            <h2 id="failed-folders">"Folders that could not be loaded"</h2>
            <ul class="list">{items.collect_view()}</ul>
        </section>
    }
}
