//! What is around every page: the top bar, the messages, the dialogs, and the routes.

mod top_bar;

use leptos::prelude::*;
use leptos_router::WildcardSegment;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::hooks::use_location;

use crate::consent::ConsentDialog;
use crate::pages;
use crate::part;
use crate::state::{App, Loadable, app};
use crate::ui::{Failure, Notices, Notifications, Toasts, effect, live, live_maybe};
use crate::workspace::{Workspace, is_workspace};
use top_bar::TopBar;

/// The whole page.
#[component]
pub(crate) fn Root() -> impl IntoView {
    let app = App::new();
    provide_context(app);
    // The bridge hears before any frame exists.
    crate::bridge_host::listen(app);
    app.listen_for_news();
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
        <Notifications/>
        <Notices/>
        <Toasts/>
    }
}

/// What is shown to those who are not signed in.
#[component]
fn Outside() -> impl IntoView {
    let path = use_location().pathname;
    live(move || {
        let page = if path.get() == "/setup" { pages::setup } else { pages::sign_in };
        part::show(page, ())
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
            focus_page(120);
        }
        before.set_value(path);
    });
}

/// Gives a page the focus as soon as it is there: the part that draws it may still be on its way, for which it has
/// so many frames.
fn focus_page(frames: u32) {
    request_animation_frame(move || {
        let there = document().get_element_by_id("main").is_some();
        if there || frames == 0 {
            crate::ui::focus("main");
        } else {
            focus_page(frames - 1);
        }
    });
}

/// Every page but the workspace. One route for all of them: each route of the router weighs as much as a page.
#[component]
fn Pages() -> impl IntoView {
    let path = use_location().pathname;
    let shelf = Memo::new(move |_| path.with(|path| Shelf::of(path)));
    live(move || match shelf.get() {
        Shelf::Workspace => ().into_any(),
        Shelf::Pages => part::show(pages::pages, path),
        Shelf::Admin => part::show(pages::admin_pages, path),
    })
}

/// The part of the program that draws a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shelf {
    /// None: the workspace is beside the pages, so that its panels outlive them.
    Workspace,
    /// The pages of everybody.
    Pages,
    /// The pages of admins.
    Admin,
}

impl Shelf {
    fn of(path: &str) -> Self {
        match path {
            path if is_workspace(path) => Self::Workspace,
            path if path.starts_with("/admin") => Self::Admin,
            _ => Self::Pages,
        }
    }
}
