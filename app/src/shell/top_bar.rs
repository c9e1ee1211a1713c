//! The top bar: where one is, what plugins offer, and who one is.

use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_navigate};
use taiku_bridge::Permission;
use wasm_bindgen::JsCast;
use web_sys::{KeyboardEvent, Node};

use crate::state::{App, app};
use crate::text;
use crate::ui::{Avatar, ToolbarIcon, effect, focus, live, live_if};
use crate::workspace::panel_path;

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
        <header class="top">
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

/// One button of the toolbar.
struct Action {
    label: String,
    icon: Option<String>,
    path: String,
    plugin: taiku_bridge::PluginId,
    panel: String,
}

/// A button for each action of each plugin; a plugin without actions has one for each panel that is shown.
fn actions(app: App) -> Vec<Action> {
    let plugins = app.plugins.with(|plugins| plugins.ready().cloned().unwrap_or_default());
    let mut actions = Vec::new();
    for plugin in plugins.into_iter().filter(|plugin| plugin.added) {
        let manifest = &plugin.manifest;
        let wants =
            manifest.asks_for(Permission::UiToolbar) || manifest.asks_for(Permission::UiToolbarCustom);
        let own = manifest.toolbar_actions.iter().filter_map(|action| {
            let panel = manifest.panel(action.panel_id.as_deref()?)?;
            Some((action.label.as_str(), action.icon.clone(), panel))
        });
        let own: Vec<_> = own.filter(|_| wants).collect();
        let shown = manifest.panels.iter().filter(|panel| !panel.background);
        let panels = shown.map(|panel| (panel.title.as_str(), None, panel)).collect();
        for (label, icon, panel) in if own.is_empty() { panels } else { own } {
            actions.push(Action {
                label: text::shown(label, text::NAME),
                icon,
                path: panel_path(&plugin, panel),
                plugin: plugin.id.clone(),
                panel: panel.id.clone(),
            });
        }
    }
    actions
}

#[component]
fn Toolbar() -> impl IntoView {
    let app = app();
    view! {
        <div class="toolbar" role="group" aria-label="Plugin toolbar">
            {live(move || {
                actions(app).into_iter().map(|action| view! { <ToolbarButton action/> }).collect_view().into_any()
            })}
        </div>
    }
}

#[component]
fn ToolbarButton(action: Action) -> impl IntoView {
    let app = app();
    let navigate = use_navigate();
    let path = use_location().pathname;
    let Action { label, icon, path: target, plugin, panel, .. } = action;
    let frame = move || {
        let is_it = |frame: &crate::workspace::Frame| frame.plugin.id == plugin && frame.panel.id == panel;
        app.frames.with(|frames| frames.iter().find(|frame| is_it(frame)).cloned())
    };
    let opened = frame.clone();
    let pressed = move || frame().is_some_and(|frame| frame.open.get());
    let own = target.clone();
    let toggle = move |_| {
        let shown = crate::workspace::is_workspace(&path.get_untracked());
        match untrack(&opened).filter(|frame| shown && frame.open.get_untracked()) {
            Some(frame) => {
                frame.open.set(false);
                if path.get_untracked() == own {
                    navigate("/", Default::default());
                }
            }
            None => navigate(&target, Default::default()),
        }
    };
    view! {
        <button
            type="button"
            class="tool"
            aria-label=label.clone()
            title=label.clone()
            aria-pressed=move || pressed().to_string()
            on:click=toggle
        >
            <ToolbarIcon icon label=label.clone()/>
        </button>
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

/// A button with a list that opens below it, and closes when the focus leaves it.
#[component]
fn AccountMenu(name: String, email: String) -> impl IntoView {
    let app = app();
    let open = RwSignal::new(false);
    let menu = NodeRef::<html::Div>::new();
    let left = move |event: web_sys::FocusEvent| {
        // A menu that is taken off the page loses the focus too, and is gone by then.
        let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
        let outside = |menu: &web_sys::HtmlDivElement| to.is_some() && !menu.contains(to.as_ref());
        if menu.try_get_untracked().flatten().is_some_and(|menu| outside(&menu)) {
            let _ = open.try_set(false);
        }
    };
    let escape = move |event: KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            open.set(false);
            focus("account-button");
        }
    };
    let outside = window_event_listener(leptos::ev::click, move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
        let inside = menu.try_get_untracked().flatten().is_some_and(|menu| menu.contains(target.as_ref()));
        if !inside {
            let _ = open.try_set(false);
        }
    });
    on_cleanup(move || outside.remove());
    view! {
        <div class="account" node_ref=menu on:focusout=left on:keydown=escape>
            <button
                type="button"
                class="account-button"
                id="account-button"
                aria-label=format!("Account of {name}")
                aria-expanded=move || open.get().to_string()
                aria-controls="account-menu"
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <Avatar label=name.clone()/>
            </button>
            <div id="account-menu" class="menu" class:open=move || open.get()>
                <p class="menu-who"><strong><bdi>{name}</bdi></strong><bdi class="muted small">{email}</bdi></p>
                <a href="/settings" on:click=move |_| open.set(false)><i class="icon i-settings" aria-hidden="true"></i>"Settings"</a>
                <button type="button" on:click=move |_| app.sign_out()><i class="icon i-sign-out" aria-hidden="true"></i>"Sign out"</button>
            </div>
        </div>
    }
}
