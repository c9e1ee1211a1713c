//! The top bar: where one is, what plugins offer, and who one is.

use leptos::html;
use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::{use_location, use_navigate};
use taiku_bridge::Permission;
use wasm_bindgen::JsCast;
use web_sys::{KeyboardEvent, Node};

use crate::state::{App, app};
use crate::text;
use crate::ui::{Avatar, ToolbarIcon, effect, live, live_if};
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
            <A href="/" attr:class="brand" attr:aria-label="taiku, the workspace">
                <span class="brand-mark" aria-hidden="true"></span>
                <span class="brand-name">"taiku"</span>
            </A>
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

#[component]
fn Navigation(open: RwSignal<bool>) -> impl IntoView {
    let app = app();
    let path = use_location().pathname;
    let here = move || if crate::workspace::is_workspace(&path.get()) { "here" } else { "" };
    let link = |href: &'static str, glyph: &'static str, name: &'static str| {
        view! { <li><A href=href><i class=glyph aria-hidden="true"></i><span>{name}</span></A></li> }
    };
    view! {
        <nav
            id="nav"
            aria-label="Pages"
            class:open=move || open.get()
            on:keydown=move |event| if event.key() == "Escape" { open.set(false) }
        >
            <ul>
                <li><A href="/" exact=true attr:class=here><i class="icon i-grid" aria-hidden="true"></i><span>"Workspace"</span></A></li>
                {link("/plugins", "icon i-plugin", "Plugins")}
                {link("/connections", "icon i-link", "Connections")}
                {link("/activity", "icon i-activity", "Activity")}
                {live_if(move || app.is_admin(), move || link("/admin/integrations", "icon i-shield", "Admin").into_any())}
            </ul>
        </nav>
    }
}

/// One button of the toolbar.
#[derive(Clone, PartialEq)]
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
    for plugin in plugins {
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
        None => view! { <A href="/sign-in" attr:class="button small">"Sign in"</A> }.into_any(),
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
    let (menu, button) = (NodeRef::<html::Div>::new(), NodeRef::<html::Button>::new());
    let left = move |event: web_sys::FocusEvent| {
        let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
        if let (Some(menu), Some(to)) = (menu.get_untracked(), to)
            && !menu.contains(Some(&to))
        {
            open.set(false);
        }
    };
    let escape = move |event: KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            open.set(false);
            if let Some(button) = button.get_untracked() {
                // A button on the page takes the focus.
                let _ = button.focus();
            }
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
                node_ref=button
                aria-label=format!("Account of {name}")
                aria-expanded=move || open.get().to_string()
                aria-controls="account-menu"
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <Avatar label=name.clone()/>
            </button>
            <div id="account-menu" class="menu" class:open=move || open.get()>
                <p class="menu-who"><strong><bdi>{name}</bdi></strong><bdi class="muted small">{email}</bdi></p>
                <A href="/settings" on:click=move |_| open.set(false)><i class="icon i-settings" aria-hidden="true"></i>"Settings"</A>
                <button type="button" on:click=move |_| app.sign_out()><i class="icon i-sign-out" aria-hidden="true"></i>"Sign out"</button>
            </div>
        </div>
    }
}
