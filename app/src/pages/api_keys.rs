//! Keys for the user's own scripts. A key is shown once.

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::api::{self, ApiKey, ApiKeys, CreatedApiKey, NewApiKey};

use crate::dates;
use crate::http::{self, Request};
use crate::state::{App, Loadable, Question, Remote, app, remote};
use crate::text;
use crate::ui::{CopyField, Dialog, Empty, Failure, Field, Skeleton, focus_first_error, live};

/// The user's keys, and how to make one.
#[component]
pub(super) fn ApiKeyList() -> impl IntoView {
    let keys = remote(app(), api::API_KEYS);
    let list = live(move || {
        match keys.get::<ApiKeys>() {
        Loadable::Loading => view! { <Skeleton rows=1/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || keys.reload()/> }.into_any(),
        Loadable::Ready(answer) if answer.api_keys.is_empty() => view! {
            <Empty glyph="icon i-shield" title="No keys">"A script signs in with a key instead of your password."</Empty>
        }
        .into_any(),
        Loadable::Ready(answer) => {
            let rows = answer.api_keys.into_iter().map(|key| view! { <Row key_shown=key keys/> });
            view! { <ul class="rows">{rows.collect_view()}</ul> }.into_any()
        }
    }
    });
    view! {
        <section aria-labelledby="api-keys" class="card">
            <h2 id="api-keys">"API keys"</h2>
            <p class="muted">"A key does what you may do, except to begin a connection."</p>
            {list}
            <NewKey keys/>
        </section>
    }
}

#[component]
fn Row(key_shown: ApiKey, keys: Remote) -> impl IntoView {
    let app = app();
    let name = text::shown(&key_shown.name, text::NAME);
    let label = format!("Revoke {name}");
    let used = key_shown
        .last_used_at
        .as_deref()
        .map_or_else(|| "never used".into(), |at| format!("last used {}", dates::shown(at)));
    let ends = key_shown.expires_at.as_deref().map(|at| format!(" · ends {}", dates::shown(at)));
    let made = dates::shown(&key_shown.created_at);
    view! {
        <li class="row">
            <div class="grow">
                <h3><bdi>{name}</bdi></h3>
                <p class="muted small">{format!("made {made} · {used}")}{ends}</p>
            </div>
            <button type="button" class="button quiet" aria-label=label
                on:click=move |_| ask(app, &key_shown, keys)>"Revoke"</button>
        </li>
    }
}

fn ask(app: App, key: &ApiKey, keys: Remote) {
    let name = text::shown(&key.name, text::NAME);
    let question = Question {
        title: "Revoke this key?",
        sentence: format!("Scripts that use {name} stop working at once."),
        action: "Revoke",
    };
    let id = key.id.clone();
    app.confirm(question, move || revoke(app, id.clone(), keys));
}

fn revoke(app: App, id: String, keys: Remote) {
    spawn_local(async move {
        if let Err(error) = Request::delete(&api::api_key(&id)).done().await {
            app.fail(&error);
        }
        keys.reload();
    });
}

#[component]
fn NewKey(keys: Remote) -> impl IntoView {
    let app = app();
    let name = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked().trim().to_owned();
        if wanted.is_empty() {
            error.set(Some("Say what the key is for.".into()));
            focus_first_error();
            return;
        }
        error.set(None);
        spawn_local(async move {
            let body = NewApiKey { name: wanted, scopes: None, expires_at: None };
            match Request::post(api::API_KEYS, http::json(&body)).read::<CreatedApiKey>().await {
                Ok(key) => {
                    app.ask(move || view! { <Created key_shown=key.key.clone()/> }.into_any());
                    let _ = name.try_set(String::new());
                    keys.reload();
                }
                Err(refused) => {
                    app.notice_expiry(&refused);
                    let _ = error.try_set(Some(refused.sentence()));
                }
            }
        });
    };
    view! {
        <form class="inline-form" aria-label="New API key" novalidate=true on:submit=submit>
            <Field id="key-name" label="What is it for?" value=name error=error placeholder="nightly report"/>
            <button type="submit" class="button">"Create key"</button>
        </form>
    }
}

/// The new key, this once.
#[component]
fn Created(key_shown: String) -> impl IntoView {
    let app = app();
    view! {
        <Dialog title="Your new key">
            <p>"Copy it now. It is not shown again."</p>
            <CopyField id="new-key" label="API key" value=key_shown/>
            <div class="dialog-foot">
                <button type="button" class="button primary" on:click=move |_| app.close_dialog()>"I have it"</button>
            </div>
        </Dialog>
    }
}
