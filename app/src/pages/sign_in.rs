//! Signing in.

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::Code;
use taiku_bridge::api::{self, Session, SignIn};

use crate::http::{self, HttpError, Request};
use crate::state::{App, app};
use crate::ui::{Field, focus, focus_first_error, live_if, live_text};

/// The page for servers that want to know everybody, and for `/sign-in`.
#[component]
pub(crate) fn SignInPage() -> impl IntoView {
    let app = app();
    document().set_title("Sign in · taiku");
    let visitors = move || app.session.with(|session| session.ready().is_some_and(|s| s.anonymous));
    view! {
        <main class="outside" id="main">
            <div class="outside-brand"><span class="brand-mark big" aria-hidden="true"></span><p>"taiku"</p></div>
            <SignInCard top=true/>
            {live_if(visitors, || view! {
                <p class="muted"><a href="/">"Look around without signing in"</a></p>
            }
            .into_any())}
        </main>
    }
}

/// The form.
#[component]
pub(crate) fn SignInCard(
    /// Whether it is the page's main thing, and takes the focus.
    #[prop(optional)]
    top: bool,
) -> impl IntoView {
    let app = app();
    let (email, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let body =
                SignIn { email: email.get_untracked().trim().to_owned(), password: password.get_untracked() };
            if let Err(refused) = sign_in(app, &body).await {
                // The form may be gone by now.
                let _ = error.try_set(Some(sentence(&refused)));
                let _ = password.try_set(String::new());
                let _ = busy.try_set(false);
                focus_first_error();
            }
        });
    };
    if top {
        request_animation_frame(|| focus("email"));
    }
    let heading =
        if top { view! { <h1>"Sign in"</h1> }.into_any() } else { view! { <h2>"Sign in"</h2> }.into_any() };
    view! {
        <form class="card sign-in" aria-label="Sign in" novalidate=true on:submit=submit>
            {heading}
            <Field id="email" label="Email" kind="email" autocomplete="username" value=email required=true/>
            <Field
                id="password"
                label="Password"
                kind="password"
                autocomplete="current-password"
                value=password
                required=true
                error=error
            />
            <div aria-live="assertive" class="visually-hidden">{live_text(move || error.get().unwrap_or_default())}</div>
            <button type="submit" class="button primary wide" disabled=busy>
                {live_text(move || if busy.get() { "Signing in…" } else { "Sign in" }.into())}<i class="icon i-arrow" aria-hidden="true"></i>
            </button>
        </form>
    }
}

async fn sign_in(app: App, body: &SignIn) -> Result<(), HttpError> {
    let session = Request::post(api::SESSION, http::json(body)).read::<Session>().await?;
    app.enter(session);
    request_animation_frame(|| focus("main"));
    Ok(())
}

fn sentence(error: &HttpError) -> String {
    match error.code() {
        Some(Code::WrongCredentials) => "This email and password do not belong together. Try again.".into(),
        Some(_) | None => error.sentence(),
    }
}
