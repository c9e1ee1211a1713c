//! Enables one toolkit: what to register at the service, and what the service gives in return.

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::Slug;
use taiku_bridge::api::{self, AdminToolkit};

use super::super::{ForAdmins, Page};
use super::form::{Form, SettingField};
use super::revocations::TakeBack;
use crate::http::{self, HttpError, Request};
use crate::state::{Loadable, Remote, Tone, app, remote};
use crate::text;
use crate::ui::{
    CopyField, Empty, Failure, Field, Skeleton, focus_first_error, live, live_text, switch_badge,
};

/// The page of one toolkit.
#[component]
pub(crate) fn AdminToolkitPage(
    /// None when the address names no toolkit.
    slug: Option<Slug>,
) -> impl IntoView {
    let title = slug.as_ref().map_or_else(|| "No such toolkit".into(), ToString::to_string);
    view! {
        <Page title=title>
            <p><a href="/admin/integrations" class="back">"All integrations"</a></p>
            <ForAdmins>
                {match slug.clone() {
                    Some(slug) => view! { <Loaded slug/> }.into_any(),
                    None => view! {
                        <Empty glyph="icon i-alert" title="No such toolkit">"Its name is not one of a toolkit."</Empty>
                    }
                    .into_any(),
                }}
            </ForAdmins>
        </Page>
    }
}

#[component]
fn Loaded(slug: Slug) -> impl IntoView {
    let app = app();
    let toolkit = remote(app, api::admin_toolkit(&slug));
    let edit = live(move || match toolkit.get::<AdminToolkit>() {
        Loadable::Loading => view! { <Skeleton rows=3/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || toolkit.reload()/> }.into_any(),
        Loadable::Ready(known) => view! { <Edit known toolkit/> }.into_any(),
    });
    view! {
        {edit}
        <TakeBack slug/>
    }
}

#[component]
fn Edit(known: AdminToolkit, toolkit: Remote) -> impl IntoView {
    let app = app();
    let form = Form::of(known.clone());
    let error = RwSignal::new(None::<HttpError>);
    let busy = RwSignal::new(false);
    let slug = known.slug.clone();
    let name = text::shown(&known.name, text::NAME);
    let fields = form.clone();
    let save = StoredValue::new_local(move |enabled: Option<bool>| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        let (path, body) = (api::admin_toolkit(&slug), http::json(&form.body(enabled)));
        let name = name.clone();
        spawn_local(async move {
            match Request::put(&path, body).json().await {
                Ok(saved) => {
                    let done = match enabled {
                        Some(true) => format!("{name} is enabled."),
                        Some(false) => format!("{name} is switched off."),
                        None => format!("{name} is saved."),
                    };
                    app.toast(Tone::Success, done);
                    toolkit.put(saved);
                }
                Err(refused) => {
                    app.notice_expiry(&refused);
                    let _ = error.try_set(Some(refused));
                    let _ = busy.try_set(false);
                    focus_first_error();
                }
            }
        });
    });
    let enabled = known.enabled;
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        // The main button enables what is off, and saves what is on.
        save.with_value(|save| save((!enabled).then_some(true)));
    };
    view! {
        <Overview known=known.clone()/>
        <form class="stack" aria-label="Configuration" novalidate=true on:submit=submit>
            <Register known=known.clone()/>
            <Client form=fields.clone() error/>
            <SettingFields fields=fields.settings error/>
            <p class="error" role="alert">{live_text(move || error.with(other_sentence).unwrap_or_default())}</p>
            <div class="form-foot">
                <button type="submit" class="button primary" disabled=busy>
                    {if enabled { "Save" } else { "Save and enable" }}
                </button>
                <button type="button" class="button" disabled=busy
                    on:click=move |_| save.with_value(|save| save(enabled.then_some(false)))>
                    {if enabled { "Switch off" } else { "Save only" }}
                </button>
            </div>
        </form>
    }
}

#[component]
fn Overview(known: AdminToolkit) -> impl IntoView {
    let docs = known.docs.filter(|docs| docs.starts_with("https://"));
    view! {
        <div class="overview">
            {switch_badge(known.enabled)}
            <p class="grow"><strong><bdi>{text::shown(&known.name, text::NAME)}</bdi></strong>" — "
                <bdi>{text::shown(&known.description, text::SENTENCE)}</bdi>
                " · "{text::counted(known.tool_count, "tool")}</p>
            {docs.map(|docs| view! {
                <a href=docs target="_blank" rel="noopener noreferrer external">"Its documentation"<i class="icon i-external" aria-hidden="true"></i></a>
            })}
        </div>
    }
}

#[component]
fn Register(known: AdminToolkit) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="step-register">
            <h2 id="step-register"><span class="step" aria-hidden="true">"1"</span>"Register at the service"</h2>
            <CopyField
                id="redirect-uri"
                label="Callback URL"
                value=known.redirect_uri
                hint="Create an OAuth client at the service and give it exactly this address. It never changes."
            />
        </section>
    }
}

#[component]
fn Client(form: Form, error: RwSignal<Option<HttpError>>) -> impl IntoView {
    let secret = &form.known.client_secret;
    let hint = match (&secret.fingerprint, secret.set) {
        (Some(fingerprint), _) => {
            format!("One is set, with the fingerprint {fingerprint}. Leave it empty to keep it.")
        }
        (None, true) => "One is set. Leave it empty to keep it.".into(),
        (None, false) => "It is stored encrypted and can never be read back.".to_owned(),
    };
    view! {
        <section class="card" aria-labelledby="step-client">
            <h2 id="step-client"><span class="step" aria-hidden="true">"2"</span>"Enter what it gave you"</h2>
            <Field id="client-id" label="Client id" value=form.client_id error=at(error, "/clientId")/>
            <Field
                id="client-secret"
                label="Client secret"
                kind="password"
                autocomplete="new-password"
                hint=hint
                value=form.client_secret
                error=at(error, "/clientSecret")
            />
            <Field
                id="scopes"
                label="Scopes"
                hint="What is asked for at consent, separated by spaces. Empty restores the toolkit's own."
                value=form.scopes
                error=at(error, "/scopes")
            />
        </section>
    }
}

#[component]
fn SettingFields(fields: Vec<SettingField>, error: RwSignal<Option<HttpError>>) -> impl IntoView {
    if fields.is_empty() {
        return ().into_any();
    }
    let fields = fields.into_iter().map(|field| view! { <OneSetting field error/> }).collect_view();
    view! {
        <section class="card" aria-labelledby="step-settings">
            <h2 id="step-settings"><span class="step" aria-hidden="true">"3"</span>"Settings"</h2>
            {fields}
        </section>
    }
    .into_any()
}

#[component]
fn OneSetting(field: SettingField, error: RwSignal<Option<HttpError>>) -> impl IntoView {
    let SettingField { setting, value } = field;
    let pointer = format!("/settings/{}", setting.key);
    let wrong = Signal::derive(move || error.with(|error| sentence_at(error.as_ref(), &pointer)));
    let source = match (setting.source.as_str(), &setting.fingerprint) {
        ("database", Some(fingerprint)) => format!("set here, fingerprint {fingerprint}"),
        ("database", None) => "set here".into(),
        ("environment", _) => "from the environment".into(),
        ("default", _) => "the default".into(),
        _ => "not set".to_owned(),
    };
    let needed = if setting.required { ", required" } else { "" };
    let shown = setting.value.or(setting.default).filter(|_| !setting.secret);
    view! {
        <Field
            id=setting.key.clone()
            label=format!("{} ({source}{needed})", setting.key)
            kind=if setting.secret { "password" } else { "text" }
            hint=text::shown(&setting.description, text::SENTENCE)
            placeholder=shown.unwrap_or_default()
            value=value
            error=wrong
        />
    }
}

/// The fields that have a place for their own error.
const PLACED: [&str; 3] = ["/clientId", "/clientSecret", "/scopes"];

fn at(error: RwSignal<Option<HttpError>>, pointer: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || error.with(|error| sentence_at(error.as_ref(), pointer)))
}

fn sentence_at(error: Option<&HttpError>, pointer: &str) -> Option<String> {
    error.and_then(|error| error.sentence_at(pointer))
}

/// An error that belongs to no field.
fn other_sentence(error: &Option<HttpError>) -> Option<String> {
    let error = error.as_ref()?;
    let placed = error.pointer().is_some_and(|p| PLACED.contains(&p) || p.starts_with("/settings/"));
    (!placed).then(|| error.sentence())
}
