//! The plugins: what each was allowed, and how to take it back.

mod stored;

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::PluginId;
use taiku_bridge::api::{self, FailedFolder, InstallBody, Offer, Plugin, Registries, Registry};

use super::Page;
use crate::consent::{Consent, PermissionList, by_risk, publisher};
use crate::dates;
use crate::http::{self, Request};
use crate::state::{App, Loadable, Question, Tone, app, remote};
use crate::text;
use crate::ui::{Empty, Failure, PluginIcon, Skeleton, badge, live, live_if, live_maybe};
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
                "An admin installs plugins, or puts their folders into a folder of TAIKU_PLUGIN_DIRS."
            </Empty>
        }
        .into_any(),
        Loadable::Ready(plugins) => {
            let (mine, others): (Vec<_>, Vec<_>) = plugins.into_iter().partition(|plugin| plugin.added);
            view! {
                <Part id="mine" title="On your page" plugins=mine/>
                <Part id="available" title="Available" plugins=others/>
            }
            .into_any()
        }
    });
    view! {
        <Page title="Plugins" lead="What each may do for you. You can take it back at any time.">
            {live_if(move || app.is_admin(), || view! {
                <p><a href="/admin/plugins" class="button">"Install and manage plugins"</a></p>
            }.into_any())}
            {list}
            {live_if(move || app.user().is_some(), || view! { <Offers/> }.into_any())}
        </Page>
    }
}

#[component]
fn Part(id: &'static str, title: &'static str, plugins: Vec<Arc<Plugin>>) -> impl IntoView {
    (!plugins.is_empty()).then(|| {
        let items = plugins.into_iter().map(|plugin| view! { <Item plugin/> });
        view! {
            <section aria-labelledby=id>
                <h2 id=id>{title}</h2>
                <ul class="list">{items.collect_view()}</ul>
            </section>
        }
    })
}

#[component]
fn Item(plugin: Arc<Plugin>) -> impl IntoView {
    let app = app();
    let name = shown_name(&plugin);
    let about = plugin.manifest.description.as_ref().or(plugin.manifest.tagline.as_ref());
    let about = about.map(|about| text::shown(about, text::SENTENCE));
    let changed = plugin.change.is_some();
    let asked = plugin.clone();
    view! {
        <li class="card">
            <div class="card-head">
                <PluginIcon plugin=plugin.clone()/>
                <div class="grow">
                    <h3><bdi>{name}</bdi></h3>
                    <p class="muted small">
                        <bdi>{plugin.id.to_string()}</bdi>" · version "<bdi>{plugin.version.clone()}</bdi>
                        " · "<bdi>{publisher(&plugin)}</bdi>
                    </p>
                </div>
                <Actions plugin=plugin.clone()/>
            </div>
            {about.map(|about| view! { <p><bdi>{about}</bdi></p> })}
            {changed.then(|| view! {
                <div class="banner warn">
                    <i class="icon i-alert" aria-hidden="true"></i>
                    <p>"This version asks for something else than you allowed."</p>
                    <button type="button" class="button" on:click=move |_| consent(app, &asked)>"Review"</button>
                </div>
            })}
            <Granted plugin=plugin.clone()/>
            {live_if(move || app.user().is_some(), move || view! { <Stored plugin=plugin.clone()/> }.into_any())}
        </li>
    }
}

fn shown_name(plugin: &Plugin) -> String {
    let name = text::shown(&plugin.name, text::NAME);
    if name.is_empty() { plugin.id.to_string() } else { name }
}

fn consent(app: App, plugin: &Arc<Plugin>) {
    app.consent.set(Some(Consent { plugin: plugin.clone(), panel: None }));
}

#[component]
fn Actions(plugin: Arc<Plugin>) -> impl IntoView {
    let app = app();
    let name = shown_name(&plugin);
    let open =
        plugin.manifest.panels.first().filter(|_| plugin.added).map(|panel| panel_path(&plugin, panel));
    let (added, revoked, removed) = (plugin.clone(), plugin.clone(), plugin.clone());
    let has_user = app.user_untracked().is_some();
    let labelled = |word: &str| format!("{word} {name}");
    view! {
        <div class="actions">
            {plugin.grant.is_some().then(|| view! {
                <button type="button" class="button quiet" aria-label=labelled("Revoke")
                    on:click=move |_| ask_revoke(app, &revoked)>"Revoke"</button>
            })}
            {(plugin.added && has_user).then(|| view! {
                <button type="button" class="button quiet" aria-label=labelled("Uninstall")
                    on:click=move |_| ask_uninstall(app, &removed)>"Uninstall"</button>
            })}
            {(!plugin.added).then(|| view! {
                <button type="button" class="button primary" aria-label=labelled("Add")
                    on:click=move |_| consent(app, &added)>"Add"</button>
            })}
            {open.map(|path| view! { <a href=path class="button" aria-label=labelled("Open")>"Open"</a> })}
        </div>
    }
}

fn ask_revoke(app: App, plugin: &Arc<Plugin>) {
    let name = shown_name(plugin);
    let question = Question {
        title: "Take back what was allowed?",
        sentence: format!("{name} is closed and may no longer do anything for you. Your connections stay."),
        action: "Revoke",
    };
    let plugin = plugin.clone();
    app.confirm(question, move || app.revoke(plugin.clone()));
}

fn ask_uninstall(app: App, plugin: &Arc<Plugin>) {
    let name = shown_name(plugin);
    let question = Question {
        title: "Uninstall this plugin?",
        sentence: format!(
            "{name} leaves your page and may no longer do anything for you. Your connections stay. \
             Adding it again asks you again."
        ),
        action: "Uninstall",
    };
    let plugin = plugin.clone();
    app.confirm(question, move || app.uninstall(plugin.clone()));
}

/// What further registries offer, where admins have allowed some.
#[component]
fn Offers() -> impl IntoView {
    let app = app();
    let registries = remote(app, api::REGISTRIES);
    live_maybe(move || {
        let shown = registries.ready::<Registries>()?.registries;
        let cards = shown.into_iter().map(|registry| view! { <OneRegistry registry/> }).collect::<Vec<_>>();
        (!cards.is_empty()).then(|| cards.into_any())
    })
}

#[component]
fn OneRegistry(registry: Registry) -> impl IntoView {
    let url = registry.url.clone();
    let offers = registry.plugins.into_iter().map(|offer| view! { <OneOffer offer url=url.clone()/> });
    view! {
        <section>
            <h2 class="wrap">"From "<bdi>{registry.url.clone()}</bdi></h2>
            {registry.error.map(|error| view! { <p class="error">{text::shown(&error, text::SENTENCE)}</p> })}
            <ul class="list">{offers.collect_view()}</ul>
        </section>
    }
}

#[component]
fn OneOffer(offer: Offer, url: String) -> impl IntoView {
    let app = app();
    let name = text::shown(&offer.name, text::NAME);
    let about = offer.description.as_ref().map(|about| text::shown(about, text::SENTENCE));
    let author =
        offer.author.as_ref().map(|author| format!(" · says it is by {}", text::shown(author, text::NAME)));
    let action = match &offer.installed {
        None => Some("Install"),
        Some(installed) if *installed != offer.version => Some("Update"),
        Some(_) => None,
    };
    let body =
        InstallBody { registry: Some(url), plugin: Some(offer.id.to_string()), ..InstallBody::default() };
    let body = http::json(&body);
    view! {
        <li class="card row">
            <div class="grow">
                <h3><bdi>{name.clone()}</bdi></h3>
                <p class="muted small">
                    <bdi>{offer.id.to_string()}</bdi>" · version "<bdi>{offer.version}</bdi><bdi>{author}</bdi>
                </p>
                {about.map(|about| view! { <p><bdi>{about}</bdi></p> })}
            </div>
            {match action {
                Some(word) => view! {
                    <button type="button" class="button primary" aria-label=format!("{word} {name}")
                        on:click=move |_| install(app, body.clone())>{word}</button>
                }.into_any(),
                None => badge(Tone::Success, "Installed"),
            }}
        </li>
    }
}

fn install(app: App, body: String) {
    spawn_local(async move {
        match Request::post(api::PLUGINS, body).json().await {
            Ok(_) => {
                app.toast(Tone::Success, "It is installed on this server. Add it to allow it something.");
                app.load_plugins();
            }
            Err(error) => app.fail(&error),
        }
    });
}

#[component]
fn Granted(plugin: Arc<Plugin>) -> impl IntoView {
    let Some(stored) = plugin.grant.clone() else {
        let sentence = if plugin.added {
            "Nothing is allowed yet. It asks when you open it."
        } else {
            "Not on your page."
        };
        return view! { <p class="muted">{sentence}</p> }.into_any();
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

/// Folders with what is wrong in them.
#[component]
pub(super) fn Failures(
    failed: Vec<FailedFolder>,
    /// Takes the files of a plugin as they are now.
    #[prop(optional)]
    reload: Option<Callback<PluginId>>,
) -> impl IntoView {
    let items = failed.into_iter().map(|folder| {
        let errors = folder.errors.into_iter().map(|fault| view! { <li><bdi>{fault.to_string()}</bdi></li> });
        view! {
            <li class="card failed-folder">
                <h3><code><bdi>{folder.folder}</bdi></code></h3>
                <ul>{errors.collect_view()}</ul>
                {reload.zip(folder.reload).map(|(reload, id)| view! {
                    <button type="button" class="button" aria-label=format!("Reload {id}")
                        on:click=move |_| reload.run(id.clone())>"Reload"</button>
                })}
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
