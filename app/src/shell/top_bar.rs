//! The top bar: where one is, what plugins offer, and who one is.

mod toolbar;

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::state::app;
use crate::text;
use crate::ui::{Avatar, Menu, effect, live, live_if};
use toolbar::Toolbar;

/// The bar at the top of every page.
#[component]
pub(super) fn TopBar() -> impl IntoView {
    let open = RwSignal::new(false);
    let path = use_location().pathname;
    // A menu that led somewhere has done its work.
    effect(move || {
        path.track();
        open.set(false);
    });
    view! {
        <header class="top" tabindex="-1" data-region="" aria-label="taiku">
            <a href="/" class="brand" aria-label="taiku, the workspace">
                <span class="brand-mark" aria-hidden="true"></span>
                <span class="brand-name">"taiku"</span>
            </a>
            <Toolbar/>
            <button
                type="button"
                class="icon-button menu-button"
                aria-label="Menu"
                aria-controls="nav"
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <i class="icon i-menu" aria-hidden="true"></i>
            </button>
            <Navigation open/>
            <Account/>
        </header>
    }
}

/// The pages that everybody sees: address, glyph, name.
const LINKS: [(&str, &str, &str); 4] = [
    ("/", "icon i-grid", "Workspace"),
    ("/plugins", "icon i-plugin", "Plugins"),
    ("/connections", "icon i-link", "Connections"),
    ("/activity", "icon i-activity", "Activity"),
];

#[component]
fn Navigation(open: RwSignal<bool>) -> impl IntoView {
    let app = app();
    let path = use_location().pathname;
    let links = Vec::from(LINKS.map(|(href, glyph, name)| link(path, href, glyph, name)));
    view! {
        <nav
            id="nav"
            aria-label="Pages"
            class:open=move || open.get()
            on:keydown=move |event| if event.key() == "Escape" { open.set(false) }
        >
            <ul>
                {links}
                {live_if(
                    move || app.is_admin(),
                    move || link(path, "/admin/integrations", "icon i-shield", "Admin"),
                )}
            </ul>
        </nav>
    }
}

fn link(path: Memo<String>, href: &'static str, glyph: &'static str, name: &'static str) -> AnyView {
    let here = move || path.with(|path| is_here(href, path)).then_some("page");
    view! {
        <li><a href=href aria-current=here><i class=glyph aria-hidden="true"></i><span>{name}</span></a></li>
    }
    .into_any()
}

/// Whether a link leads to where one is.
fn is_here(href: &str, path: &str) -> bool {
    match href {
        "/" => crate::workspace::is_workspace(path),
        _ if href.starts_with("/admin") => path.starts_with("/admin"),
        _ => path.starts_with(href),
    }
}

#[component]
fn Account() -> impl IntoView {
    let app = app();
    live(move || match app.user() {
        None => view! { <a href="/sign-in" class="button small">"Sign in"</a> }.into_any(),
        Some(user) => {
            let name = text::shown(&user.name, text::NAME);
            view! { <AccountMenu name email=text::shown(&user.email, text::NAME)/> }.into_any()
        }
    })
}

#[component]
fn AccountMenu(name: String, email: String) -> impl IntoView {
    let app = app();
    let face = view! { <Avatar label=name.clone()/> }.into_any();
    view! {
        <div class="account">
            <Menu id="account-menu" label=format!("Account of {name}") class="account-button" face>
                <p class="menu-who"><strong><bdi>{name}</bdi></strong><bdi class="muted small">{email}</bdi></p>
                <a href="/settings"><i class="icon i-settings" aria-hidden="true"></i>"Settings"</a>
                <button type="button" on:click=move |_| crate::hotkeys::show_list(app)><i class="icon i-keyboard" aria-hidden="true"></i>"Keyboard shortcuts"</button>
                <button type="button" on:click=move |_| app.sign_out()><i class="icon i-sign-out" aria-hidden="true"></i>"Sign out"</button>
            </Menu>
        </div>
    }
}
