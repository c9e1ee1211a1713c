//! What plugins offer: a button for each of their actions. Those that do not fit are in a list.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_navigate};
use taiku_bridge::Permission;
use taiku_bridge::api::{Plugin, segment};
use taiku_bridge::manifest::Panel;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::ResizeObserver;

use crate::state::{App, app, written};
use crate::text;
use crate::ui::{Menu, ToolbarIcon, effect, live, live_text};
use crate::workspace::{Frame, is_workspace, panel_path};

/// Width of a button with the gap beside it, in CSS pixels; the style sheet's `.tool` and `.toolbar`.
const BUTTON: i32 = 40;

/// One action.
#[derive(Clone)]
struct Action {
    /// The action's id; none of a panel without an action.
    id: Option<String>,
    label: String,
    icon: Option<String>,
    plugin: Arc<Plugin>,
    panel: Panel,
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
            Some((Some(action.id.clone()), action.label.as_str(), action.icon.clone(), panel))
        });
        let own: Vec<_> = own.filter(|_| wants).collect();
        let shown = manifest.panels.iter().filter(|panel| !panel.background);
        let panels = shown.map(|panel| (None, panel.title.as_str(), None, panel)).collect();
        for (id, label, icon, panel) in if own.is_empty() { panels } else { own } {
            let label = text::shown(label, text::NAME);
            actions.push(Action { id, label, icon, plugin: plugin.clone(), panel: panel.clone() });
        }
    }
    actions
}

/// The toolbar.
#[component]
pub(super) fn Toolbar() -> impl IntoView {
    let app = app();
    let bar = NodeRef::<html::Div>::new();
    let room = RwSignal::new(usize::MAX);
    measure(bar, room);
    let buttons = move || {
        let mut fitting = actions(app);
        // One place is the list's.
        let rest = if fitting.len() > room.get() {
            fitting.split_off(room.get().saturating_sub(1).min(fitting.len()))
        } else {
            Vec::new()
        };
        let fitting = fitting.into_iter().map(|action| button(app, action, false)).collect_view();
        let more = (!rest.is_empty()).then(|| more(app, rest));
        view! { {fitting}{more} }.into_any()
    };
    view! {
        <div class="toolbar" role="group" aria-label="Plugin toolbar" node_ref=bar>{live(buttons)}</div>
    }
}

/// Follows how many buttons the bar has room for.
fn measure(bar: NodeRef<html::Div>, room: RwSignal<usize>) {
    let fit = move || {
        if let Some(bar) = bar.try_get_untracked().flatten() {
            let count = usize::try_from(bar.client_width() / BUTTON).unwrap_or_default().max(1);
            if room.try_get_untracked().is_some_and(|room| room != count) {
                let _ = room.try_set(count);
            }
        }
    };
    let heard = Closure::<dyn Fn()>::new(fit);
    let Ok(observer) = ResizeObserver::new(heard.as_ref().unchecked_ref()) else { return };
    let kept = StoredValue::new_local(heard);
    let watching = StoredValue::new_local(observer);
    effect(move || {
        if let Some(bar) = bar.get() {
            watching.with_value(|observer| observer.observe(&bar));
        }
    });
    on_cleanup(move || {
        watching.with_value(ResizeObserver::disconnect);
        kept.dispose();
    });
}

/// The list of what does not fit.
fn more(app: App, rest: Vec<Action>) -> AnyView {
    let face = view! { <i class="icon i-more" aria-hidden="true"></i> }.into_any();
    let items = rest.into_iter().map(|action| button(app, action, true)).collect_view();
    view! {
        <Menu id="more-tools" label="More plugins" class="tool more" face>{items}</Menu>
    }
    .into_any()
}

/// A button that opens the action's panel, or closes it. In the list its label can be read.
fn button(app: App, action: Action, listed: bool) -> AnyView {
    let navigate = use_navigate();
    let path = use_location().pathname;
    let Action { id, label, icon, plugin, panel } = action;
    let owner = plugin.id.clone();
    let count = Memo::new(move |_| id.as_deref().map_or(0, |id| app.badge(&owner, id)));
    let described = format!("badge-{}", segment(&panel_path(&plugin, &panel)));
    let badge_id = described.clone();
    let target = panel_path(&plugin, &panel);
    let opens = segment(&target);
    let frame = move || {
        let is_it = |frame: &Frame| frame.is(&plugin, &panel.id);
        app.frames.with(|frames| frames.iter().find(|frame| is_it(frame)).cloned())
    };
    let opened = frame.clone();
    let pressed = move || frame().is_some_and(|frame| frame.open.get());
    let toggle = move |_| {
        let shown = is_workspace(&path.get_untracked());
        match untrack(&opened).filter(|frame| shown && frame.open.get_untracked()) {
            // On a small screen it may be open and behind another.
            Some(frame) if app.layout.shows(&frame) => frame.close(app),
            Some(frame) => frame.raise(app),
            None => navigate(&target, Default::default()),
        }
    };
    let class = if listed { "tool-item" } else { "tool" };
    let name = listed.then(|| label.clone());
    view! {
        <span class="tool-box">
        <button
            type="button"
            class=class
            aria-label=label.clone()
            title=(!listed).then_some(label.clone())
            aria-pressed=move || pressed().to_string()
            aria-describedby=described
            data-opens=opens
            on:click=toggle
        >
            <ToolbarIcon icon label=label.clone()/>
            {name.map(|name| view! { <bdi>{name}</bdi> })}
        </button>
        <span class="badge" id=badge_id>
            {live_text(move || if count.get() == 0 { String::new() } else { written(count.get()) })}
        </span>
        </span>
    }
    .into_any()
}
