//! Takes a plugin from a file or an address.

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::Code;
use taiku_bridge::api::{self, InstallBody};
use web_sys::{DragEvent, File, SubmitEvent};

use crate::http::{self, HttpError, Request};
use crate::state::{Remote, Tone, app};
use crate::text;
use crate::ui::{Field, live_maybe, live_text};

/// What was asked for last, to insist on.
#[derive(Clone)]
enum Wanted {
    File(File),
    Url(String),
}

/// The part of the page.
#[component]
pub(super) fn Install(plugins: Remote) -> impl IntoView {
    let app = app();
    let url = RwSignal::new(String::new());
    let error = RwSignal::new(None::<HttpError>);
    let (busy, over) = (RwSignal::new(false), RwSignal::new(false));
    let last = StoredValue::new_local(None::<Wanted>);
    let begin = move |wanted: Wanted, replace: bool| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        last.set_value(Some(wanted.clone()));
        spawn_local(async move {
            let answer = send(wanted, replace).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(sentence) => {
                    app.toast(Tone::Success, sentence);
                    let _ = url.try_set(String::new());
                    plugins.reload();
                    app.load_plugins();
                }
                Err(refused) => {
                    app.notice_expiry(&refused);
                    let _ = error.try_set(Some(refused));
                }
            }
        });
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        let file = event.data_transfer().and_then(|data| data.files()).and_then(|files| files.get(0));
        if let Some(file) = file {
            begin(Wanted::File(file), false);
        }
    };
    let dragged = move |event: DragEvent| {
        event.prevent_default();
        over.set(true);
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        begin(Wanted::Url(url.get_untracked()), false);
    };
    let insist = move |_| {
        if let Some(wanted) = last.get_value() {
            begin(wanted, true);
        }
    };
    let url_error = Signal::derive(move || error.with(|error| error.as_ref()?.sentence_at("/url")));
    let other = move || {
        let other = error.with(|error| error.clone().filter(|error| error.pointer() != Some("/url")));
        other.map(|error| text::shown(&error.sentence(), 1000)).unwrap_or_default()
    };
    let conflict =
        move || error.with(|error| error.as_ref().and_then(HttpError::code) == Some(Code::Conflict));
    view! {
        <section class="card" aria-labelledby="install">
            <h2 id="install">"Install a plugin"</h2>
            <label
                class="drop"
                class:over=move || over.get()
                on:drop=dropped
                on:dragover=dragged
                on:dragleave=move |_| over.set(false)
            >
                <i class="icon i-plugin" aria-hidden="true"></i>
                <span>{live_text(move || if busy.get() { "Installing…".into() } else { "Drop a packed plugin (.zip) here, or choose a file".into() })}</span>
                <input
                    type="file"
                    class="visually-hidden"
                    accept=".zip,application/zip"
                    aria-label="Packed plugin"
                    disabled=busy
                    on:change:target=move |event| {
                        let input = event.target();
                        if let Some(file) = input.files().and_then(|files| files.get(0)) {
                            begin(Wanted::File(file), false);
                        }
                        input.set_value("");
                    }
                />
            </label>
            <form class="inline-form" aria-label="Install from an address" novalidate=true on:submit=submit>
                <Field
                    id="plugin-url"
                    label="Address of a manifest or a packed plugin"
                    kind="url"
                    placeholder="https://…/manifest.json"
                    value=url
                    error=url_error
                />
                <button type="submit" class="button primary" disabled=busy>"Install"</button>
            </form>
            <p class="error wrap" role="alert">{live_text(other)}</p>
            {live_maybe(move || conflict().then(|| view! {
                <p><button type="button" class="button danger" on:click=insist>"Install it all the same"</button></p>
            }.into_any()))}
        </section>
    }
}

async fn send(wanted: Wanted, replace: bool) -> Result<String, HttpError> {
    let answer = match wanted {
        Wanted::File(file) => {
            let path = format!("{}{}", api::ADMIN_PLUGINS, if replace { "?replace=true" } else { "" });
            Request::upload(&path, &file).json().await?
        }
        Wanted::Url(url) => {
            let body = InstallBody { url: Some(url), replace, ..InstallBody::default() };
            Request::post(api::ADMIN_PLUGINS, http::json(&body)).json().await?
        }
    };
    let field = |name: &str| text::shown(answer[name].as_str().unwrap_or_default(), text::NAME);
    Ok(format!("{} {} is installed.", field("name"), field("version")))
}
