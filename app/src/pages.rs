//! The pages beside the workspace.

mod activity;
mod admin;
mod api_keys;
mod connections;
mod not_found;
mod plugins;
mod settings;
mod setup;
mod sign_in;

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use taiku_bridge::Slug;

use crate::part::part;
use crate::state::app;
use crate::ui::{Empty, effect, flag, live};
use activity::Activity;
use admin::{AdminHome, AdminIntegrations, AdminPluginsPage, AdminToolkitPage};
use connections::Connections;
use not_found::NotFound;
use plugins::Plugins;
use settings::Settings;
use setup::Setup;
use sign_in::{SignInCard, SignInPage};

part! {
    /// The pages of everybody, by the address's path.
    pub(crate) fn pages() -> pages, Memo<String> => follow
}

part! {
    /// The pages of admins, by the address's path.
    pub(crate) fn admin_pages() -> admin, Memo<String> => follow_admin
}

part! {
    /// The page that makes the first admin.
    pub(crate) fn setup() -> outside, () => set_up
}

part! {
    /// The page for those who are not signed in.
    pub(crate) fn sign_in() -> outside, () => signing_in
}

part! {
    /// The form of that page alone.
    pub(crate) fn sign_in_card() -> outside, () => card
}

fn follow(path: Memo<String>) -> AnyView {
    live(move || page(&path.get()))
}

fn page(path: &str) -> AnyView {
    match segments(path).as_slice() {
        ["sign-in"] => view! { <SignedInAlready/> }.into_any(),
        ["connections"] => view! { <Connections/> }.into_any(),
        ["plugins"] => view! { <Plugins/> }.into_any(),
        ["activity"] => view! { <Activity/> }.into_any(),
        ["settings"] => view! { <Settings/> }.into_any(),
        _ => view! { <NotFound/> }.into_any(),
    }
}

fn follow_admin(path: Memo<String>) -> AnyView {
    live(move || admin_page(&path.get()))
}

fn admin_page(path: &str) -> AnyView {
    match segments(path).as_slice() {
        ["admin"] => view! { <AdminHome/> }.into_any(),
        ["admin", "plugins"] => view! { <AdminPluginsPage/> }.into_any(),
        ["admin", "integrations"] => view! { <AdminIntegrations/> }.into_any(),
        ["admin", "integrations", slug] => {
            view! { <AdminToolkitPage slug=Slug::parse(slug).ok()/> }.into_any()
        }
        _ => view! { <NotFound/> }.into_any(),
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

fn set_up((): ()) -> AnyView {
    view! { <Setup/> }.into_any()
}

fn signing_in((): ()) -> AnyView {
    view! { <SignInPage/> }.into_any()
}

fn card((): ()) -> AnyView {
    view! { <SignInCard/> }.into_any()
}

#[component]
fn SignedInAlready() -> impl IntoView {
    let navigate = use_navigate();
    let options = leptos_router::NavigateOptions { replace: true, ..Default::default() };
    effect(move || navigate("/", options.clone()));
}

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
