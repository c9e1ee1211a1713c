//! Makes the first admin, with the one-time token of the link that the server printed.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_location, use_navigate};
use taiku_bridge::api::{self, Session, Setup as Body};

use crate::http::{self, HttpError, Request};
use crate::state::app;
use crate::ui::{Field, focus_first_error, live_text};

/// The set-up page. The token is in the address's fragment, which browsers do not send.
#[component]
pub(crate) fn Setup() -> impl IntoView {
    let app = app();
    document().set_title("Set up · taiku");
    let hash = use_location().hash;
    let token = hash.get_untracked().trim_start_matches('#').trim_start_matches("token=").to_owned();
    let missing = token.is_empty();
    let (email, name, password) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<HttpError>);
    let busy = RwSignal::new(false);
    let navigate = use_navigate();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        let body = Body {
            token: token.clone(),
            email: email.get_untracked().trim().to_owned(),
            name: name.get_untracked().trim().to_owned(),
            password: password.get_untracked(),
        };
        let navigate = navigate.clone();
        spawn_local(async move {
            match Request::post(api::SETUP, http::json(&body)).read::<Session>().await {
                Ok(session) => {
                    navigate("/admin/integrations", Default::default());
                    app.enter(session);
                }
                Err(refused) => {
                    // The page may have been left.
                    let _ = error.try_set(Some(refused));
                    let _ = busy.try_set(false);
                    focus_first_error();
                }
            }
        });
    };
    let of = move |pointer: &'static str| {
        Signal::derive(move || error.with(|e| e.as_ref().and_then(|e| e.sentence_at(pointer))))
    };
    let other = move || {
        error.with(|e| {
            let known = |e: &&HttpError| !matches!(e.pointer(), Some("/email" | "/name" | "/password"));
            e.as_ref().filter(known).map(HttpError::sentence)
        })
    };
    view! {
        <main class="outside" id="main">
            <div class="outside-brand"><span class="brand-mark big" aria-hidden="true"></span><p>"taiku"</p></div>
            <form class="card sign-in" aria-label="Set up taiku" novalidate=true on:submit=submit>
                <h1>"Set up taiku"</h1>
                <p class="muted">"This makes the first admin. The link works once."</p>
                {missing.then(|| view! {
                    <p class="error" role="alert">"The link is not complete. Open the whole line that the server printed."</p>
                })}
                <Field id="setup-email" label="Email" kind="email" autocomplete="username" value=email required=true error=of("/email")/>
                <Field id="setup-name" label="Name" autocomplete="name" value=name required=true error=of("/name")/>
                <Field
                    id="setup-password"
                    label="Password"
                    kind="password"
                    autocomplete="new-password"
                    hint="At least 8 characters"
                    value=password
                    required=true
                    error=of("/password")
                />
                <p class="error" role="alert">{live_text(move || other().unwrap_or_default())}</p>
                <button type="submit" class="button primary wide" disabled=move || busy.get() || missing>
                    {live_text(move || if busy.get() { "Setting up…" } else { "Make the first admin" }.into())}
                </button>
            </form>
        </main>
    }
}
