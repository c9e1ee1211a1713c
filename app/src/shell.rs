//! What is around every page: the top bar, the messages, the dialogs, and the routes.

mod top_bar;

use leptos::prelude::*;
use leptos_router::WildcardSegment;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::hooks::use_location;
use taiku_bridge::Slug;

use crate::consent::ConsentDialog;
use crate::pages::{
    Activity, AdminHome, AdminIntegrations, AdminToolkitPage, Connections, NotFound, Plugins, Settings,
    Setup, SignInPage,
};
use crate::state::{App, Loadable, app};
use crate::ui::{BlockedPopups, Failure, Toasts, effect, live, live_maybe};
use crate::workspace::{Workspace, is_workspace};
use top_bar::TopBar;

/// The whole page.
#[component]
pub(crate) fn Root() -> impl IntoView {
    let app = App::new();
    provide_context(app);
    // The bridge hears before any frame exists.
    crate::bridge_host::listen(app);
    app.listen_for_connections();
    app.load();
    crate::theme::follow(app);
    crate::dates::follow();
    show_dropped(app);
    view! {
        <Router>
            <Frame/>
        </Router>
    }
}

/// Counts of what the bridge ignored, on the root element, where tools can see them.
fn show_dropped(app: App) {
    effect(move || {
        let dropped = app.dropped.get().to_string();
        if let Some(root) = document().document_element() {
            // An attribute of a valid name can always be set.
            let _ = root.set_attribute("data-bridge-drops", &dropped);
        }
    });
}

/// Which of the three faces the page has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Face {
    Starting,
    Failed,
    SignIn,
    Inside,
}

#[component]
fn Frame() -> impl IntoView {
    let app = app();
    let path = use_location().pathname;
    let face = Memo::new(move |_| match app.session.get() {
        _ if path.get() == "/setup" => Face::SignIn,
        Loadable::Loading => Face::Starting,
        Loadable::Failed(_) => Face::Failed,
        Loadable::Ready(session) if session.user.is_none() && !session.anonymous => Face::SignIn,
        Loadable::Ready(session) if session.user.is_none() && path.get() == "/sign-in" => Face::SignIn,
        Loadable::Ready(_) => Face::Inside,
    });
    let error = move || {
        app.session.with(|session| match session {
            Loadable::Failed(error) => Some(error.clone()),
            Loadable::Loading | Loadable::Ready(_) => None,
        })
    };
    view! {
        {live(move || match face.get() {
            Face::Starting => view! {
                <div class="start" role="status">
                    <span class="spinner" aria-hidden="true"></span>
                    <p>"Starting taiku…"</p>
                </div>
            }
            .into_any(),
            Face::Failed => view! {
                <main class="start">
                    {live_maybe(move || error().map(|error| view! { <Failure error retry=move || app.load()/> }.into_any()))}
                </main>
            }
            .into_any(),
            Face::SignIn => view! { <Outside/> }.into_any(),
            Face::Inside => view! { <Inside/> }.into_any(),
        })}
        <ConsentDialog/>
        {live_maybe(move || app.dialog.get().map(|ask| ask.view()))}
        <BlockedPopups/>
        <Toasts/>
    }
}

/// What is shown to those who are not signed in.
#[component]
fn Outside() -> impl IntoView {
    let path = use_location().pathname;
    live(move || {
        if path.get() == "/setup" {
            view! { <Setup/> }.into_any()
        } else {
            view! { <SignInPage/> }.into_any()
        }
    })
}

#[component]
fn Inside() -> impl IntoView {
    let path = use_location().pathname;
    arrive(app(), path);
    view! {
        <a class="skip" href="#main" rel="external">"Skip to the content"</a>
        <TopBar/>
        <Workspace/>
        <div class="pages" class:away=move || is_workspace(&path.get())>
            <FlatRoutes fallback=Pages>
                <Route path=WildcardSegment("any") view=Pages/>
            </FlatRoutes>
        </div>
    }
}

/// Gives the workspace its title, and another page the focus, so that readers start where it begins.
fn arrive(app: App, path: Memo<String>) {
    let before = StoredValue::new(path.get_untracked());
    effect(move || {
        let path = path.get();
        let moved = before.get_value() != path;
        if moved {
            app.close_dialog();
        }
        if is_workspace(&path) {
            document().set_title("taiku");
        } else if moved {
            request_animation_frame(|| crate::ui::focus("main"));
        }
        before.set_value(path);
    });
}

/// Every page but the workspace. One route for all of them: each route of the router weighs as much as a page.
#[component]
fn Pages() -> impl IntoView {
    let path = use_location().pathname;
    live(move || page(&path.get()))
}

/// The page of a path. The workspace is beside the pages, so that its panels outlive them.
fn page(path: &str) -> AnyView {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        [] | ["panel", _, _] => ().into_any(),
        ["sign-in"] => view! { <SignedInAlready/> }.into_any(),
        ["connections"] => view! { <Connections/> }.into_any(),
        ["plugins"] => view! { <Plugins/> }.into_any(),
        ["activity"] => view! { <Activity/> }.into_any(),
        ["settings"] => view! { <Settings/> }.into_any(),
        ["admin"] => view! { <AdminHome/> }.into_any(),
        ["admin", "integrations"] => view! { <AdminIntegrations/> }.into_any(),
        ["admin", "integrations", slug] => {
            view! { <AdminToolkitPage slug=Slug::parse(slug).ok()/> }.into_any()
        }
        _ => view! { <NotFound/> }.into_any(),
    }
}

#[component]
fn SignedInAlready() -> impl IntoView {
    let navigate = leptos_router::hooks::use_navigate();
    let options = leptos_router::NavigateOptions { replace: true, ..Default::default() };
    effect(move || navigate("/", options.clone()));
}
