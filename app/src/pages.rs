//! The pages beside the workspace.

mod activity;
mod admin;
mod api_keys;
mod connect;
mod connections;
mod not_found;
mod plugins;
mod settings;
mod setup;
mod sign_in;

use leptos::prelude::*;

use crate::state::app;
use crate::ui::{Empty, flag, live};
pub(crate) use activity::Activity;
pub(crate) use admin::{AdminHome, AdminIntegrations, AdminToolkitPage};
pub(crate) use connections::Connections;
pub(crate) use not_found::NotFound;
pub(crate) use plugins::Plugins;
pub(crate) use settings::Settings;
pub(crate) use setup::Setup;
pub(crate) use sign_in::{SignInCard, SignInPage};

/// A page with its heading, which is also the document's title.
#[component]
fn Page(
    #[prop(into)] title: String,
    #[prop(optional, into)] lead: String,
    children: Children,
) -> impl IntoView {
    document().set_title(&format!("{title} · taiku"));
    view! {
        <main class="page" id="main" tabindex="-1">
            <header class="page-head">
                <h1>{title}</h1>
                {(!lead.is_empty()).then(|| view! { <p class="lead">{lead}</p> })}
            </header>
            {children()}
        </main>
    }
}

/// What only signed-in users see; others are asked to sign in.
#[component]
fn ForUsers(children: ChildrenFn) -> impl IntoView {
    let app = app();
    let signed_in = flag(move || app.user().is_some());
    live(move || {
        if signed_in.get() {
            children().into_any()
        } else {
            view! {
                <p class="lead">"This page is about your own accounts, so it needs to know who you are."</p>
                <SignInCard/>
            }
            .into_any()
        }
    })
}

/// What only admins see.
#[component]
fn ForAdmins(children: ChildrenFn) -> impl IntoView {
    let app = app();
    let admin = flag(move || app.is_admin());
    let children = StoredValue::new(children);
    view! {
        <ForUsers>
            {live(move || {
                if admin.get() {
                    children.with_value(|children| children()).into_any()
                } else {
                    view! {
                        <Empty glyph="icon i-shield" title="Only admins can do this">
                            "Your account may use integrations, not change them. Ask an admin of this server."
                        </Empty>
                    }
                    .into_any()
                }
            })}
        </ForUsers>
    }
}
