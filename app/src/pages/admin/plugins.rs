//! Installs plugins on this server, and says which may be used.

mod install;
mod policy;

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::PluginId;
use taiku_bridge::api::{self, AdminPlugin, AdminPlugins, PluginRuleBody, Verdict};

use super::super::plugins::Failures;
use super::super::{ForAdmins, Page};
use super::AdminTabs;
use crate::http::{self, HttpError, Request};
use crate::state::{App, Loadable, Question, Remote, Tone, app, remote};
use crate::text;
use crate::ui::{Empty, Failure, Skeleton, badge, live};
use install::Install;
use policy::Policy;

/// The page.
#[component]
pub(crate) fn AdminPluginsPage() -> impl IntoView {
    view! {
        <Page title="Plugins" lead="What is on this server, where it comes from, and who may use it.">
            <AdminTabs/>
            <ForAdmins><Manage/></ForAdmins>
        </Page>
    }
}

#[component]
fn Manage() -> impl IntoView {
    let plugins = remote(app(), api::ADMIN_PLUGINS);
    view! {
        <Install plugins/>
        <section aria-labelledby="on-this-server">
            <h2 id="on-this-server">"On this server"</h2>
            <List plugins/>
        </section>
        <Policy/>
    }
}

#[component]
fn List(plugins: Remote) -> impl IntoView {
    let app = app();
    live(move || match plugins.get::<AdminPlugins>() {
        Loadable::Loading => view! { <Skeleton rows=3/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || plugins.reload()/> }.into_any(),
        Loadable::Ready(answer) if answer.plugins.is_empty() && answer.failed.is_empty() => view! {
            <Empty glyph="icon i-plugin" title="No plugins yet">"Install one above."</Empty>
        }
        .into_any(),
        Loadable::Ready(answer) => {
            let failed = answer.failed;
            let reload = move |id| reload(app, plugins, &id);
            let rows = answer.plugins.into_iter().map(|plugin| view! { <Row plugin plugins/> });
            view! {
                <ul class="list">{rows.collect_view()}</ul>
                {(!failed.is_empty()).then(|| view! { <Failures failed reload=Callback::new(reload)/> })}
            }
            .into_any()
        }
    })
}

/// Has the files of a folder served as they are now, once the admin knows what that means.
fn reload(app: App, plugins: Remote, id: &PluginId) {
    let path = StoredValue::new(format!("{}/reload", api::admin_plugin(id)));
    let question = Question {
        title: "Take the files as they are now?",
        sentence: format!(
            "The files of {id} changed under the same version. Everybody who allowed it gets the new ones, \
             and is asked again only if it wants more than before."
        ),
        action: "Reload",
    };
    app.confirm(question, move || {
        act(app, plugins, "Its files are served as they are now.", async move {
            Request::post(&path.get_value(), "{}".into()).done().await.map(|()| serde_json::Value::Null)
        });
    });
}

#[component]
fn Row(plugin: AdminPlugin, plugins: Remote) -> impl IntoView {
    let name = text::shown(&plugin.name, text::NAME);
    let publisher = text::shown(&plugin.publisher, text::NAME);
    let users = match plugin.users {
        0 => "allowed by nobody yet".to_owned(),
        1 => "allowed by one user".to_owned(),
        users => format!("allowed by {users} users"),
    };
    let source = plugin.source.as_str();
    let warnings = plugin.warnings.clone().into_iter();
    let warnings =
        warnings.map(|fault| view! { <li><bdi>{text::shown(&fault.to_string(), text::SENTENCE)}</bdi></li> });
    view! {
        <li class="card">
            <div class="card-head">
                <div class="grow">
                    <h3><bdi>{name}</bdi></h3>
                    <p class="muted small">
                        <bdi>{plugin.id.to_string()}</bdi>" · version "<bdi>{plugin.version.clone()}</bdi>
                        " · "{source}": "<bdi>{publisher}</bdi>" · "{users}
                    </p>
                </div>
                {(plugin.rule == Some(Verdict::Blocked)).then(|| badge(Tone::Error, "Blocked"))}
                {(plugin.rule == Some(Verdict::Allowed)).then(|| badge(Tone::Success, "Allowed"))}
            </div>
            <Rules plugin=plugin.clone() plugins/>
            <details>
                <summary>"Content and warnings"</summary>
                <p class="small">"SHA-256 "<code class="wrap">{plugin.hash.clone()}</code></p>
                {plugin.location.clone().map(|place| view! {
                    <p class="small wrap">"Installed from "<bdi>{text::shown(&place, text::SENTENCE)}</bdi></p>
                })}
                <ul class="small">{warnings.collect_view()}</ul>
            </details>
        </li>
    }
}

/// What a rule can be: the word of the API, and the one for people.
const RULES: [(&str, &str); 3] = [("", "As the policy says"), ("allowed", "Allowed"), ("blocked", "Blocked")];

#[component]
fn Rules(plugin: AdminPlugin, plugins: Remote) -> impl IntoView {
    let app = app();
    let path = StoredValue::new(api::admin_plugin(&plugin.id));
    let name = StoredValue::new(text::shown(&plugin.name, text::NAME));
    let chosen = plugin.rule.map(Verdict::as_str).unwrap_or_default();
    let change =
        move |body: PluginRuleBody| {
            let body = http::json(&body);
            act(app, plugins, "The rule is saved.", async move {
                Request::put(&path.get_value(), body).json().await
            });
        };
    let rule = move |word: String| {
        change(PluginRuleBody { rule: Some(Verdict::parse(&word)), preinstalled: None });
    };
    let preinstall = move |on: bool| change(PluginRuleBody { rule: None, preinstalled: Some(on) });
    let options =
        RULES.map(|(word, shown)| view! { <option value=word selected=word == chosen>{shown}</option> });
    let remove = move |_| {
        let question = Question {
            title: "Uninstall for everybody?",
            sentence: format!(
                "{} is closed everywhere, and what users allowed it is gone.",
                name.get_value()
            ),
            action: "Uninstall",
        };
        app.confirm(question, move || {
            act(app, plugins, "It is uninstalled.", async move {
                Request::delete(&path.get_value()).done().await.map(|()| serde_json::Value::Null)
            });
        });
    };
    let update = move |_| {
        let path = format!("{}/update", path.get_value());
        act(app, plugins, "It is up to date.", async move { Request::post(&path, "{}".into()).json().await });
    };
    let labelled = move |word: &str| format!("{word} {}", name.get_value());
    view! {
        <div class="rules">
            <label class="inline">
                <span>"May be used"</span>
                <select aria-label=labelled("Rule for") on:change:target=move |event| rule(event.target().value())>
                    {options.collect_view()}
                </select>
            </label>
            {plugin.installed.then(|| view! {
            <label class="inline">
                <input type="checkbox" checked=plugin.preinstalled aria-label=labelled("Pre-install")
                    on:change:target=move |event| preinstall(event.target().checked())/>
                <span>"On everybody's page"</span>
            </label>
            })}
            <span class="grow"></span>
            {plugin.location.is_some().then(|| view! {
                <button type="button" class="button" aria-label=labelled("Update") on:click=update>"Update"</button>
            })}
            {plugin.installed.then(|| view! {
                <button type="button" class="button danger" aria-label=labelled("Uninstall") on:click=remove>
                    "Uninstall"
                </button>
            })}
        </div>
    }
}

/// Does something, says how it went, and shows the list as it is then.
fn act(
    app: App,
    plugins: Remote,
    done: &'static str,
    doing: impl Future<Output = Result<serde_json::Value, HttpError>> + 'static,
) {
    spawn_local(async move {
        match doing.await {
            Ok(_) => app.toast(Tone::Success, done),
            Err(error) => app.fail(&error),
        }
        plugins.reload();
        app.load_plugins();
    });
}
