//! The list of the shortcuts, where conflicts are seen and ended.

use leptos::prelude::*;
use taiku_bridge::hotkey::Standing;

use super::{Shortcut, choose, shortcuts};
use crate::state::{App, app};
use crate::ui::live;

/// The page's own keys.
const OWN: [(&str, &str); 4] = [
    ("?", "This list"),
    ("F6", "To the next part of the page, with Shift to the one before"),
    ("Enter", "Into the panel that has the focus"),
    ("Esc", "Out of a panel; closes what stands over the page"),
];

/// The page's own keys and those of plugins.
#[component]
pub(super) fn List() -> impl IntoView {
    let app = app();
    let own = OWN.map(|(key, what)| {
        view! { <li class="hotkey"><kbd>{key}</kbd><span class="grow">{what}</span></li> }
    });
    view! {
        <section aria-labelledby="hotkeys-own">
            <h3 id="hotkeys-own">"This page"</h3>
            <ul class="rows">{Vec::from(own)}</ul>
        </section>
        <section aria-labelledby="hotkeys-plugins">
            <h3 id="hotkeys-plugins">"Plugins"</h3>
            {live(move || plugins(app))}
        </section>
    }
}

fn plugins(app: App) -> AnyView {
    let shortcuts = shortcuts(app);
    if shortcuts.is_empty() {
        return view! { <p class="muted">"No plugin that you allowed has shortcuts."</p> }.into_any();
    }
    let items: Vec<AnyView> = shortcuts.iter().map(|shortcut| item(app, shortcut, &shortcuts)).collect();
    view! { <ul class="rows">{items}</ul> }.into_any()
}

fn item(app: App, shortcut: &Shortcut, all: &[Shortcut]) -> AnyView {
    let category = shortcut.category.as_ref().map(|category| format!(" · {category}")).unwrap_or_default();
    let (sentence, action) = standing(shortcut, all);
    let active = shortcut.standing == Standing::Active;
    let (written, owner, chord) =
        (shortcut.written.clone(), shortcut.wish.owner.clone(), shortcut.wish.chord.clone());
    let label = format!("{} {}: {}", action.unwrap_or_default(), written, shortcut.label);
    let press = move |_| {
        if let Ok(chord) = &chord {
            choose(app, chord, (!active).then_some(owner.as_str()));
        }
    };
    view! {
        <li class="hotkey">
            <kbd class:off=!active><bdi>{written}</bdi></kbd>
            <span class="grow">
                <bdi>{shortcut.label.clone()}</bdi>
                <span class="muted small"><bdi>{shortcut.name.clone()}</bdi><bdi>{category}</bdi></span>
                {sentence.map(|sentence| view! { <span class="small why"><bdi>{sentence}</bdi></span> })}
            </span>
            {action.map(|action| view! {
                <button type="button" class="button small" aria-label=label on:click=press>{action}</button>
            })}
        </li>
    }
    .into_any()
}

/// Why a shortcut does nothing, and what can be done about it.
fn standing(shortcut: &Shortcut, all: &[Shortcut]) -> (Option<String>, Option<&'static str>) {
    match &shortcut.standing {
        Standing::Active => (None, Some("Turn off")),
        Standing::Off => (Some("Turned off by you.".into()), Some("Turn on")),
        Standing::Reserved => (Some("Your browser or this page uses these keys.".into()), None),
        Standing::Unreadable(error) => (Some(format!("Cannot be used: it {error}.")), None),
        Standing::Taken(owner) => {
            let holder = all.iter().find(|other| other.wish.owner == *owner);
            let holder = holder.map(|other| format!("{}: {}", other.name, other.label)).unwrap_or_default();
            (Some(format!("Conflict: these keys belong to {holder}.")), Some("Use here"))
        }
    }
}
