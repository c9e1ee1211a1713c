//! The values of a toolkit's form, and what of them changes.

use std::collections::BTreeMap;

use leptos::prelude::*;
use taiku_bridge::api::{AdminToolkit, AdminToolkitBody, Setting};

/// One setting in the form.
#[derive(Clone)]
pub(super) struct SettingField {
    /// The setting as the server knows it.
    pub(super) setting: Setting,
    /// What is typed.
    pub(super) value: RwSignal<String>,
}

/// The form of a toolkit.
#[derive(Clone)]
pub(super) struct Form {
    /// The toolkit as the server knows it.
    pub(super) known: AdminToolkit,
    /// The OAuth client's id.
    pub(super) client_id: RwSignal<String>,
    /// A new OAuth client secret; empty keeps the old one.
    pub(super) client_secret: RwSignal<String>,
    /// Scopes, separated by spaces.
    pub(super) scopes: RwSignal<String>,
    /// The settings.
    pub(super) settings: Vec<SettingField>,
}

impl Form {
    /// A form filled with what the server knows.
    pub(super) fn of(known: AdminToolkit) -> Self {
        let typed = |setting: &Setting| {
            let own = (setting.source == "database").then(|| setting.value.clone()).flatten();
            RwSignal::new(own.unwrap_or_default())
        };
        let settings = known.settings.iter();
        let settings = settings.map(|s| SettingField { setting: s.clone(), value: typed(s) }).collect();
        Self {
            client_id: RwSignal::new(known.client_id.clone().unwrap_or_default()),
            client_secret: RwSignal::new(String::new()),
            scopes: RwSignal::new(known.scopes.join(" ")),
            settings,
            known,
        }
    }

    /// What differs from what the server knows.
    pub(super) fn body(&self, enabled: Option<bool>) -> AdminToolkitBody {
        // Inserted one by one: collecting into a map brings a whole sort along.
        let mut settings = BTreeMap::new();
        for field in &self.settings {
            if let Some(value) = change(&field.setting, &field.value.get_untracked()) {
                settings.insert(field.setting.key.clone(), value);
            }
        }
        let client_id = self.client_id.get_untracked().trim().to_owned();
        let secret = self.client_secret.get_untracked();
        let scopes: Vec<String> = self.scopes.get_untracked().split_whitespace().map(str::to_owned).collect();
        AdminToolkitBody {
            enabled,
            client_id: (self.known.client_id.as_deref().unwrap_or_default() != client_id)
                .then(|| some(&client_id)),
            client_secret: (!secret.is_empty()).then_some(Some(secret)),
            scopes: (self.known.scopes != scopes).then(|| (!scopes.is_empty()).then_some(scopes)),
            settings: (!settings.is_empty()).then_some(settings),
        }
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The new value of a setting, if there is one; `Some(None)` goes back to its default.
fn change(setting: &Setting, typed: &str) -> Option<Option<String>> {
    let typed = typed.trim();
    if setting.secret {
        return some(typed).map(Some);
    }
    let own =
        (setting.source == "database").then_some(setting.value.as_deref()).flatten().unwrap_or_default();
    (own != typed).then(|| some(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(source: &str, value: Option<&str>, secret: bool) -> Setting {
        Setting {
            key: "URL".into(),
            description: String::new(),
            required: false,
            secret,
            default: Some("https://default.test".into()),
            value: value.map(str::to_owned),
            set: source == "database",
            source: source.into(),
            fingerprint: None,
        }
    }

    #[test]
    fn only_what_was_typed_changes() {
        let default = setting("default", Some("https://default.test"), false);
        assert_eq!(change(&default, ""), None);
        assert_eq!(change(&default, " https://own.test "), Some(Some("https://own.test".into())));
        let own = setting("database", Some("https://own.test"), false);
        assert_eq!(change(&own, "https://own.test"), None);
        assert_eq!(change(&own, ""), Some(None), "emptying it goes back to the default");
    }

    #[test]
    fn a_secret_is_kept_unless_a_new_one_is_typed() {
        let secret = setting("database", None, true);
        assert_eq!(change(&secret, ""), None);
        assert_eq!(change(&secret, "new"), Some(Some("new".into())));
    }
}
