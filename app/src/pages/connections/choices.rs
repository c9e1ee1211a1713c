//! What users choose of an account: its name, and whether calls use it by themselves.

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::api::{self, Connection, ConnectionBody, Status};

use crate::http::{self, HttpError, Request};
use crate::state::{App, Remote, Tone, app};
use crate::ui::{Dialog, Field, focus_first_error};

/// The buttons that make an account the default and give it a name.
#[component]
pub(super) fn Choices(connection: Connection, who: String, list: Remote) -> impl IntoView {
    let app = app();
    let can_be_default = connection.status == Status::Active && !connection.default;
    let (id, named) = (connection.id.clone(), connection);
    let name_label = format!("Rename {who}");
    view! {
        {can_be_default.then(|| view! {
            <button type="button" class="button quiet" aria-label=format!("Use {who} by default")
                on:click=move |_| make_default(app, id.clone(), list)>"Use by default"</button>
        })}
        <button type="button" class="button quiet" aria-label=name_label
            on:click=move |_| {
                let connection = named.clone();
                app.ask(move || view! { <Rename connection=connection.clone() list/> }.into_any());
            }>"Rename"</button>
    }
}

async fn change(id: &str, body: &ConnectionBody) -> Result<(), HttpError> {
    Request::patch(&api::connection(id), http::json(body)).done().await
}

fn make_default(app: App, id: String, list: Remote) {
    spawn_local(async move {
        let body = ConnectionBody { default: Some(true), ..ConnectionBody::default() };
        match change(&id, &body).await {
            Ok(()) => app.toast(Tone::Success, "Plugins that name no account use this one now.".to_owned()),
            Err(error) => app.fail(&error),
        }
        list.reload();
    });
}

/// Asks for the user's own name of an account. An empty one takes it away.
#[component]
fn Rename(connection: Connection, list: Remote) -> impl IntoView {
    let app = app();
    let name = RwSignal::new(connection.alias.clone().unwrap_or_default());
    let error = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let wanted = name.get_untracked().trim().to_owned();
        let id = connection.id.clone();
        spawn_local(async move {
            let alias = Some((!wanted.is_empty()).then_some(wanted));
            match change(&id, &ConnectionBody { alias, ..ConnectionBody::default() }).await {
                Ok(()) => {
                    app.close_dialog();
                    list.reload();
                }
                Err(refused) => {
                    app.notice_expiry(&refused);
                    let sentence = refused.sentence_at("/alias").unwrap_or_else(|| refused.sentence());
                    let _ = error.try_set(Some(sentence));
                    focus_first_error();
                }
            }
        });
    };
    view! {
        <Dialog title="Name this account">
            <form class="stack" aria-label="Name of the account" novalidate=true on:submit=submit>
                <Field id="account-alias" label="Your name for it" value=name error=error
                    hint="Only you see it. Leave it empty to show the service's own."/>
                <div class="dialog-foot">
                    <button type="button" class="button" on:click=move |_| app.close_dialog()>"Cancel"</button>
                    <button type="submit" class="button primary">"Save"</button>
                </div>
            </form>
        </Dialog>
    }
}
