//! The user's accounts: connect, see, name, disconnect.

mod choices;
mod receipt;
mod rights;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_query_map;
use taiku_bridge::Slug;
use taiku_bridge::api::{self, Connection, Receipt, Status, Toolkit, Toolkits};

use self::choices::Choices;
use self::receipt::ReceiptDialog;
pub(super) use self::receipt::token;
use self::rights::Missing;
use super::{ForUsers, Page};
use crate::connect::{connect, reason};
use crate::dates;
use crate::http::Request;
use crate::state::{App, Loadable, Question, Remote, Tone, app, remote};
use crate::text;
use crate::ui::{Empty, Failure, Skeleton, ToolkitMark, badge, effect, live, live_if, live_maybe};

/// The page.
#[component]
pub(crate) fn Connections() -> impl IntoView {
    view! {
        <Page title="Connections" lead="Accounts that plugins may act in, each only as far as you allowed it.">
            <ForUsers>
                <Landed/>
                <Again/>
                <Lists/>
            </ForUsers>
        </Page>
    }
}

/// The way back from a page on which a consent ended in vain: one button that begins again.
#[component]
fn Again() -> impl IntoView {
    let app = app();
    let query = use_query_map();
    live_maybe(move || {
        let slug = Slug::parse(&query.with(|query| query.get("connect"))?).ok()?;
        let label = format!("Connect {slug} again");
        Some(
            view! {
                <div class="banner warn">
                    <i class="icon i-alert" aria-hidden="true"></i>
                    <p>"The last consent was not finished."</p>
                    <button type="button" class="button primary" on:click=move |_| connect(app, slug.clone(), None)>
                        {label}
                    </button>
                </div>
            }
            .into_any(),
        )
    })
}

/// What became of a consent, when the browser comes back to this page after it.
#[component]
fn Landed() -> impl IntoView {
    let query = use_query_map();
    let get = move |key: &str| query.with(|query| query.get(key));
    live_maybe(move || {
        let status = get("status")?;
        let toolkit = get("toolkit").unwrap_or_default();
        let name = if toolkit.is_empty() { "The account".into() } else { text::shown(&toolkit, text::NAME) };
        let good = status.eq_ignore_ascii_case("active");
        let sentence = if good {
            format!("{name} is connected. Plugins that you allowed can use it now.")
        } else {
            format!("{name} was not connected. You can try again.")
        };
        let (class, glyph) =
            if good { ("banner good", "icon i-check") } else { ("banner warn", "icon i-alert") };
        Some(
            view! {
                <div class=class role="status"><i class=glyph aria-hidden="true"></i><p>{sentence}</p></div>
            }
            .into_any(),
        )
    })
}

#[component]
fn Lists() -> impl IntoView {
    let app = app();
    let connections = remote(app, api::CONNECTIONS);
    let toolkits = remote(app, api::TOOLKITS);
    let seen = StoredValue::new(app.connections_changed.get_untracked());
    effect(move || {
        let now = app.connections_changed.get();
        if seen.get_value() != now {
            seen.set_value(now);
            connections.reload();
            toolkits.reload();
        }
    });
    let enabled = move || app.session.with(|s| s.ready().is_none_or(|s| s.integrations));
    view! {
        {live_if(move || !enabled(), || view! {
            <div class="banner warn" role="status">
                <i class="icon i-alert" aria-hidden="true"></i>
                <p>"Integrations are not enabled on this server. Ask your admin to enable them."</p>
            </div>
        }
        .into_any())}
        <section aria-labelledby="accounts">
            <h2 id="accounts">"Your accounts"</h2>
            <Accounts connections toolkits/>
        </section>
        <section aria-labelledby="offered">
            <h2 id="offered">"Connect an account"</h2>
            <Offered toolkits/>
        </section>
    }
}

#[component]
fn Accounts(connections: Remote, toolkits: Remote) -> impl IntoView {
    live(move || match connections.get::<api::Connections>() {
        Loadable::Loading => view! { <Skeleton rows=2/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || connections.reload()/> }.into_any(),
        Loadable::Ready(answer) if answer.connections.is_empty() => view! {
            <Empty glyph="icon i-link" title="No accounts yet">
                "Choose a service below. You sign in at the service itself, and taiku keeps the keys."
            </Empty>
        }
        .into_any(),
        Loadable::Ready(answer) => {
            let name = move |slug: &str| toolkit_name(toolkits, slug);
            let rows = answer.connections.into_iter().map(|connection| {
                let name = name(connection.toolkit.as_str());
                view! { <Account connection name connections/> }
            });
            view! { <ul class="list">{rows.collect_view()}</ul> }.into_any()
        }
    })
}

fn toolkit_name(toolkits: Remote, slug: &str) -> String {
    let known = toolkits.ready::<Toolkits>().map(|answer| answer.toolkits).unwrap_or_default();
    let found = known.iter().find(|toolkit| toolkit.slug.as_str() == slug);
    let found = found.map(|toolkit| text::shown(&toolkit.name, text::NAME));
    found.unwrap_or_else(|| slug.to_owned())
}

#[component]
fn Account(connection: Connection, name: String, connections: Remote) -> impl IntoView {
    let app = app();
    let label = connection.account.label.as_ref().map(|label| text::shown(label, text::NAME));
    let alias = connection.alias.as_ref().map(|alias| text::shown(alias, text::NAME));
    let undecided = connection.replaces.is_some() && connection.why.is_some();
    let needs_help = matches!(connection.status, Status::Expired | Status::Failed | Status::Revoked);
    let used = connection.last_used_at.as_deref().map(|at| format!("last used {}", dates::shown(at)));
    let begun = format!("begun {}", dates::shown(&connection.created_at));
    let who = alias.clone().or_else(|| label.clone()).unwrap_or_else(|| name.clone());
    let (again, id, account) = (connection.clone(), connection.id.clone(), who.clone());
    view! {
        <li class="card row">
            <ToolkitMark slug=connection.toolkit.to_string()/>
            <div class="grow">
                <h3>
                    <bdi>{name.clone()}</bdi>
                    {alias.clone().or_else(|| label.clone())
                        .map(|shown| view! { <span class="account-label"><bdi>{shown}</bdi></span> })}
                </h3>
                <p class="muted small">
                    {alias.and(label).map(|label| view! { <bdi>{label}</bdi>" · " })}
                    {used.unwrap_or(begun)}
                    {connection.default.then_some(" · used unless a plugin asks for another")}
                </p>
                {why(&connection).map(|why| view! { <p class="small">{why}</p> })}
                <Missing connection=connection.clone() who=who.clone()/>
            </div>
            {status(connection.status)}
            <div class="actions">
                {needs_help.then(|| view! {
                    <button type="button" class="button" aria-label=format!("Connect {name} again")
                        on:click=move |_| connect(app, again.toolkit.clone(), Some(again.id.clone()))>"Connect again"</button>
                })}
                {if undecided {
                    decide(app, id, &who, connections).into_any()
                } else {
                    view! {
                        <Choices connection who=who.clone() list=connections/>
                        <button type="button" class="button quiet" aria-label=format!("Disconnect {who}")
                            on:click=move |_| ask(app, &id, &account, connections)>"Disconnect"</button>
                    }
                    .into_any()
                }}
            </div>
        </li>
    }
}

/// The choice after a consent in another account than the one to renew. The other one stays in both cases.
fn decide(app: App, id: String, account: &str, list: Remote) -> impl IntoView {
    let (add, add_label) = (id.clone(), format!("Add {account} as a second account"));
    let keep_label = format!("Do not add {account}");
    let accept = move |id: String| {
        spawn_local(async move {
            if let Err(error) = Request::post(&api::accept(&id), "{}".into()).done().await {
                app.fail(&error);
            }
            list.reload();
        });
    };
    view! {
        <button type="button" class="button primary" on:click=move |_| accept(add.clone())>{add_label}</button>
        <button type="button" class="button quiet" on:click=move |_| disconnect(app, id.clone(), list)>
            {keep_label}
        </button>
    }
}

/// Why a connection does not work, in words.
fn why(connection: &Connection) -> Option<String> {
    connection.why.as_deref().map(reason)
}

/// The state of a connection.
fn status(status: Status) -> AnyView {
    match status {
        Status::Active => badge(Tone::Success, "Active"),
        Status::Initiated => badge(Tone::Info, "Waiting for consent"),
        Status::Expired => badge(Tone::Error, "Expired"),
        Status::Failed => badge(Tone::Error, "Failed"),
        Status::Revoked => badge(Tone::Error, "Revoked"),
    }
}

fn ask(app: App, id: &str, account: &str, list: Remote) {
    let question = Question {
        title: "Disconnect this account?",
        sentence: format!(
            "taiku asks the service to take back its keys and destroys its own copies of {account}. \
             Plugins can no longer act in it."
        ),
        action: "Disconnect",
    };
    let id = id.to_owned();
    app.confirm(question, move || disconnect(app, id.clone(), list));
}

fn disconnect(app: App, id: String, list: Remote) {
    spawn_local(async move {
        match Request::delete(&api::connection(&id)).read::<Receipt>().await {
            Ok(receipt) => {
                app.ask(move || view! { <ReceiptDialog receipt=receipt.clone()/> }.into_any());
            }
            Err(error) => app.fail(&error),
        }
        list.reload();
    });
}

#[component]
fn Offered(toolkits: Remote) -> impl IntoView {
    live(move || match toolkits.get::<Toolkits>() {
        Loadable::Loading => view! { <Skeleton rows=1/> }.into_any(),
        Loadable::Failed(error) => view! { <Failure error retry=move || toolkits.reload()/> }.into_any(),
        Loadable::Ready(answer) if answer.toolkits.is_empty() => view! {
            <Empty glyph="icon i-shield" title="Nothing to connect">
                "An admin has to enable a service first, under Admin."
            </Empty>
        }
        .into_any(),
        Loadable::Ready(answer) => {
            let cards = answer.toolkits.into_iter().map(|toolkit| view! { <Offer toolkit/> });
            view! { <ul class="cards">{cards.collect_view()}</ul> }.into_any()
        }
    })
}

#[component]
fn Offer(toolkit: Toolkit) -> impl IntoView {
    let app = app();
    let slug = toolkit.slug.clone();
    let name = text::shown(&toolkit.name, text::NAME);
    view! {
        <li class="card">
            <div class="card-head">
                <ToolkitMark slug=toolkit.slug.to_string()/>
                <div>
                    <h3><bdi>{name.clone()}</bdi></h3>
                    <p class="muted small">{text::counted(toolkit.tool_count, "tool")}</p>
                </div>
            </div>
            <p class="grow"><bdi>{text::shown(&toolkit.description, 160)}</bdi></p>
            <div class="card-foot">
                <span></span>
                <button type="button" class="button primary" aria-label=format!("Connect {name}")
                    on:click=move |_| connect(app, slug.clone(), None)>
                    "Connect"<i class="icon i-external" aria-hidden="true"></i>
                </button>
            </div>
        </li>
    }
}
