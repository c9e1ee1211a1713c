//! Light, dark, or as the system says.

use leptos::prelude::*;

const KEY: &str = "taiku.theme";

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
    pub(crate) fn apply(self) {
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
        self.name().unwrap_or_else(|| {
            let dark = window().match_media("(prefers-color-scheme: dark)").ok().flatten();
            if dark.is_some_and(|query| query.matches()) { "dark" } else { "light" }
        })
    }
}
