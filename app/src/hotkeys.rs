//! Keyboard shortcuts of plugins: whose they are, and what they do.

mod list;

use leptos::prelude::*;
use taiku_bridge::Permission;
use taiku_bridge::hotkey::{Choice, Chord, Press, Standing, System, Wish, settle};
use taiku_bridge::manifest::{Action, Hotkey};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

use crate::part::{part, show};
use crate::state::App;
use crate::text;
use crate::ui::Dialog;

part! {
    /// The list of the shortcuts.
    fn list() -> pages, () => draw_list
}

fn draw_list((): ()) -> AnyView {
    view! { <list::List/> }.into_any()
}

/// Under this name the user's choices are kept.
const CHOICES: &str = "hotkeys";

/// A shortcut of a plugin, and what became of its wish.
#[derive(Clone)]
struct Shortcut {
    plugin: String,
    name: String,
    label: String,
    category: Option<String>,
    panel: String,
    wish: Wish,
    written: String,
    standing: Standing,
}

/// Hears the keys of the page as long as the workspace is there.
pub(crate) fn follow(app: App) {
    let listener = window_event_listener(leptos::ev::keydown, move |event: KeyboardEvent| {
        let busy = app.consent.with_untracked(Option::is_some) || app.dialog.with_untracked(Option::is_some);
        if !event.default_prevented() && !event.is_composing() && !busy && act(app, &event) {
            event.prevent_default();
        }
    });
    on_cleanup(move || listener.remove());
}

/// Whether something was done.
fn act(app: App, event: &KeyboardEvent) -> bool {
    let bare = !event.ctrl_key() && !event.alt_key() && !event.meta_key();
    if event.key() == "?" && bare && !is_writing(event) {
        show_list(app);
        return true;
    }
    let (key, code) = (event.key(), event.code());
    let pressed = Chord::pressed(Press {
        ctrl: event.ctrl_key(),
        alt: event.alt_key(),
        shift: event.shift_key(),
        meta: event.meta_key(),
        key: &key,
        code: &code,
    });
    let Some(pressed) = pressed.filter(|pressed| !bare || pressed.name().len() > 1) else { return false };
    let is_it = |shortcut: &Shortcut| {
        shortcut.standing == Standing::Active && shortcut.wish.chord.as_ref() == Ok(&pressed)
    };
    let Some(shortcut) = untrack(|| shortcuts(app)).into_iter().find(is_it) else { return false };
    app.visit_panel(&shortcut.plugin, &shortcut.panel);
    true
}

/// Shows the list of the shortcuts.
pub(crate) fn show_list(app: App) {
    app.ask(move || {
        view! {
            <Dialog title="Keyboard shortcuts" class="hotkeys">
                {show(list, ())}
                <div class="dialog-foot">
                    <button type="button" class="button" on:click=move |_| app.close_dialog()>"Close"</button>
                </div>
            </Dialog>
        }
        .into_any()
    });
}

/// Whether a key press goes into a text.
fn is_writing(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| {
        target.closest("input, textarea, select, [contenteditable]").ok().flatten().is_some()
    })
}

/// The system whose keyboard it is.
fn system() -> System {
    let platform = window().navigator().platform().unwrap_or_default();
    let mac = ["Mac", "iPhone", "iPad"].iter().any(|name| platform.starts_with(name));
    if mac { System::Mac } else { System::Other }
}

/// Every shortcut of every plugin that may have some, those that were allowed first in front.
fn shortcuts(app: App) -> Vec<Shortcut> {
    let system = system();
    let mut plugins = app.plugins.with(|plugins| plugins.ready().cloned().unwrap_or_default());
    plugins.retain(|plugin| {
        plugin
            .grant
            .as_ref()
            .is_some_and(|stored| stored.grant.permissions.contains(&Permission::HotkeyRegister))
    });
    let mut found: Vec<(String, Shortcut)> = Vec::new();
    for plugin in plugins {
        let since = plugin.grant.as_ref().map(|grant| grant.granted_at.clone()).unwrap_or_default();
        for hotkey in &plugin.manifest.hotkeys {
            let place = found.iter().take_while(|(other, _)| *other <= since).count();
            found.insert(place, (since.clone(), shortcut(plugin.id.as_str(), &plugin.name, hotkey, system)));
        }
    }
    let mut shortcuts: Vec<Shortcut> = found.into_iter().map(|(_, shortcut)| shortcut).collect();
    let wishes: Vec<Wish> = shortcuts.iter().map(|shortcut| shortcut.wish.clone()).collect();
    for (shortcut, standing) in shortcuts.iter_mut().zip(settle(&wishes, &choices(app), system)) {
        shortcut.standing = standing;
    }
    shortcuts
}

fn shortcut(plugin: &str, name: &str, hotkey: &Hotkey, system: System) -> Shortcut {
    let Action::OpenPanel { panel_id } = &hotkey.action;
    let chord = Chord::parse(&hotkey.hotkey, system);
    let written =
        chord.as_ref().map_or_else(|_| text::shown(&hotkey.hotkey, 32), |chord| chord.shown(system));
    Shortcut {
        plugin: plugin.to_owned(),
        name: text::shown(name, text::NAME),
        label: text::shown(&hotkey.label, text::NAME),
        category: hotkey.category.as_ref().map(|category| text::shown(category, text::NAME)),
        panel: panel_id.clone(),
        wish: Wish { owner: format!("{plugin}/{}", hotkey.id), chord },
        written,
        standing: Standing::Active,
    }
}

/// The user's choices: one line for each, combination and owner with a tab between; no owner is nobody.
fn choices(app: App) -> Vec<Choice> {
    app.choices_changed.track();
    let kept = app.recall(CHOICES).unwrap_or_default();
    let mut choices = Vec::new();
    for line in kept.lines() {
        if let Some((chord, owner)) = line.split_once('\t') {
            let owner = (!owner.is_empty()).then(|| owner.to_owned());
            choices.push(Choice { chord: chord.to_owned(), owner });
        }
    }
    choices
}

/// Gives a combination to a shortcut, or to nobody, and keeps that.
fn choose(app: App, chord: &Chord, owner: Option<&str>) {
    let name = chord.name();
    let mut choices = untrack(|| choices(app));
    choices.retain(|choice| choice.chord != name);
    choices.push(Choice { chord: name, owner: owner.map(str::to_owned) });
    let mut kept = String::new();
    for choice in choices {
        kept.push_str(&choice.chord);
        kept.push('\t');
        kept.push_str(choice.owner.as_deref().unwrap_or_default());
        kept.push('\n');
    }
    app.remember(CHOICES, Some(&kept));
    app.choices_changed.update(|changes| *changes += 1);
}
