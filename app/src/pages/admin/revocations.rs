//! Takes back every access of a toolkit, and shows how far that is.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::Slug;
use taiku_bridge::api::{self, FailedRevocation, Revocation, RevocationDetail, Revocations};

use super::super::connections::token;
use crate::dates;
use crate::http::Request;
use crate::state::{App, Loadable, Question, Remote, app, remote};
use crate::text;
use crate::ui::{Dialog, Failure, Skeleton, effect, live};

/// How often a running one is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The button, and the times that it was pressed.
#[component]
pub(super) fn TakeBack(slug: Slug) -> impl IntoView {
    let app = app();
    let list = remote(app, api::revocations(&slug));
    effect(move || {
        let all = list.ready::<Revocations>().map(|all| all.revocations).unwrap_or_default();
        if all.iter().any(|one| one.finished_at.is_none()) {
            set_timeout(move || list.reload(), LOOK);
        }
    });
    let shown = slug.clone();
    let times = live(move || match list.get::<Revocations>() {
        Loadable::Loading => view! { <Skeleton rows=1/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || list.reload()/> }.into_any(),
        Loadable::Ready(all) => {
            let rows = all.revocations.into_iter().map(|one| view! { <Time one slug=shown.clone()/> });
            view! { <ul class="rows">{rows.collect_view()}</ul> }.into_any()
        }
    });
    view! {
        <section class="card" aria-labelledby="take-back">
            <h2 id="take-back">"Take back every access"</h2>
            <p class="muted">
                "For an emergency. Every account that anybody has connected here ends at once, and the service is asked \
                 to take back each key. People can connect again afterwards."
            </p>
            <div class="form-foot">
                <button type="button" class="button danger" on:click=move |_| ask(app, slug.clone(), list)>
                    "Take back every access"
                </button>
            </div>
            {times}
        </section>
    }
}

fn ask(app: App, slug: Slug, list: Remote) {
    let question = Question {
        title: "Take back every access?",
        sentence: format!("Every connection to {slug} of every user ends now. This cannot be undone."),
        action: "Take back",
    };
    app.confirm(question, move || begin(app, slug.clone(), list));
}

fn begin(app: App, slug: Slug, list: Remote) {
    spawn_local(async move {
        if let Err(error) = Request::post(&api::revocations(&slug), "{}".into()).done().await {
            app.fail(&error);
        }
        list.reload();
    });
}

#[component]
fn Time(one: Revocation, slug: Slug) -> impl IntoView {
    let app = app();
    let done = one.revoked + one.failed;
    let sentence = match &one.finished_at {
        Some(at) => format!("Finished {}: {} of {} taken back.", dates::shown(at), one.revoked, one.total),
        None => format!("{done} of {} asked for, {} taken back.", one.total, one.revoked),
    };
    let begun = format!("Begun {}", dates::shown(&one.created_at));
    let label = format!("Accesses taken back, begun {}", dates::shown(&one.created_at));
    let path = api::revocation(&slug, &one.id);
    let failed = format!("Show {} that could not be taken back", one.failed);
    view! {
        <li class="row">
            <div class="grow">
                <h3>{begun}</h3>
                <p class="muted small" role="status">{sentence}</p>
                {(one.finished_at.is_none()).then(|| view! {
                    <progress aria-label=label max=one.total.to_string() value=done.to_string()></progress>
                })}
            </div>
            {(one.failed > 0).then(|| view! {
                <button type="button" class="button"
                    on:click=move |_| {
                        let path = path.clone();
                        app.ask(move || view! { <Failures path=path.clone()/> }.into_any());
                    }>{failed}</button>
            })}
        </li>
    }
}

/// Whose tokens the service did not take back.
#[component]
fn Failures(path: String) -> impl IntoView {
    let app = app();
    let detail = remote(app, path);
    let list = live(move || match detail.get::<RevocationDetail>() {
        Loadable::Loading => view! { <Skeleton rows=2/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || detail.reload()/> }.into_any(),
        Loadable::Ready(detail) => {
            let more = detail.next_cursor.is_some();
            let rows = detail.failures.into_iter().map(|failure| view! { <OneFailure failure/> });
            view! {
                <ul class="rows">{rows.collect_view()}</ul>
                {more.then(|| view! { <p class="muted">"There are more; read them with the API."</p> })}
            }
            .into_any()
        }
    });
    view! {
        <Dialog title="Could not be taken back">
            <p>"Ask these people to remove taiku in the settings of the service."</p>
            {list}
            <div class="dialog-foot">
                <button type="button" class="button primary" on:click=move |_| app.close_dialog()>"Done"</button>
            </div>
        </Dialog>
    }
}

#[component]
fn OneFailure(failure: FailedRevocation) -> impl IntoView {
    let account = failure.account.map(|account| text::shown(&account, text::NAME));
    view! {
        <li class="row">
            <div class="grow">
                <h3><bdi>{text::shown(&failure.email, text::NAME)}</bdi></h3>
                {account.map(|account| view! { <p class="muted small"><bdi>{account}</bdi></p> })}
                <ul class="wishes">{failure.tokens.iter().map(token).collect_view()}</ul>
            </div>
        </li>
    }
}
