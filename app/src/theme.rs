//! Light, dark, or as the system says.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Event, MediaQueryList};

use crate::bridge_host;
use crate::state::App;
use crate::ui::{effect, flag};

const KEY: &str = "taiku.theme";
/// The name of the event that tells panels of a change.
const CHANGED: &str = "theme_changed";

/// The chosen theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system says.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The name in storage and in the page's `data-theme`; none for the system's.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    /// The name for people.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::System => "As the system",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// What was chosen on an earlier visit.
    pub(crate) fn stored() -> Self {
        let name = super::state::storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
        Self::ALL.into_iter().find(|theme| theme.name() == name.as_deref()).unwrap_or(Self::System)
    }

    /// Shows the theme and keeps it for the next visits.
    fn apply(self) {
        if let Some(storage) = super::state::storage() {
            // A full or blocked storage only forgets the choice.
            let _ = match self.name() {
                Some(name) => storage.set_item(KEY, name),
                None => storage.remove_item(KEY),
            };
        }
        if let Some(root) = document().document_element() {
            let _ = match self.name() {
                Some(name) => root.set_attribute("data-theme", name),
                None => root.remove_attribute("data-theme"),
            };
        }
    }

    /// What panels are told: the theme that is seen.
    pub(crate) fn seen(self) -> &'static str {
        self.name()
            .unwrap_or_else(|| if system_query().is_some_and(|q| q.matches()) { "dark" } else { "light" })
    }
}

/// Shows the chosen theme from now on, and tells every panel when what is seen changes: by a choice here or in
/// another tab, or by the system.
pub(crate) fn follow(app: App) {
    let system = RwSignal::new(false);
    let heard = Closure::<dyn Fn(Event)>::new(move |_| system.update(|turned| *turned = !*turned));
    if let Some(query) = system_query() {
        query.set_onchange(Some(heard.as_ref().unchecked_ref()));
        // Both live as long as the page; a query that is dropped is not followed any more.
        heard.forget();
        std::mem::forget(query);
    }
    let elsewhere = window_event_listener(leptos::ev::storage, move |_| {
        let stored = Theme::stored();
        if app.theme.get_untracked() != stored {
            app.theme.set(stored);
        }
    });
    std::mem::forget(elsewhere);
    effect(move || app.theme.get().apply());
    let dark = flag(move || {
        system.track();
        app.theme.get().seen() == "dark"
    });
    effect(move || {
        let seen = if dark.get() { "dark" } else { "light" };
        bridge_host::Event::of_host(CHANGED).with("theme", seen).send(&|_| true);
    });
}

fn system_query() -> Option<MediaQueryList> {
    window().match_media("(prefers-color-scheme: dark)").ok().flatten()
}
