//! Dates in the reader's language and zone.

use js_sys::Date;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::bridge_host::Event;

const KEY: &str = "taiku.locale";
/// The name of the event that tells panels of a change.
const CHANGED: &str = "locale_changed";

/// The languages that the settings offer besides the browser's own.
pub(crate) const OFFERED: &[(&str, &str)] = &[
    ("en-GB", "English (United Kingdom)"),
    ("en-US", "English (United States)"),
    ("de-DE", "Deutsch"),
    ("es-ES", "Español"),
    ("fr-FR", "Français"),
    ("ja-JP", "日本語"),
    ("sv-SE", "Svenska"),
];

/// The chosen language of dates; empty for the browser's own.
pub(crate) fn chosen() -> String {
    super::state::storage().and_then(|storage| storage.get_item(KEY).ok().flatten()).unwrap_or_default()
}

/// Keeps the language of dates for the next visits, and tells every panel.
pub(crate) fn choose(locale: &str) {
    if let Some(storage) = super::state::storage() {
        // A full or blocked storage only forgets the choice.
        let _ = if locale.is_empty() { storage.remove_item(KEY) } else { storage.set_item(KEY, locale) };
    }
    tell();
}

/// Tells every panel, from now on, when the browser's language changes.
pub(crate) fn follow() {
    let listener = window_event_listener_untyped("languagechange", |_| tell());
    // It listens as long as the page lives.
    std::mem::forget(listener);
}

fn tell() {
    Event::of_host(CHANGED).with("locale", locale()).send(&|_| true);
}

/// The language that dates and panels use, as a BCP 47 tag.
pub(crate) fn locale() -> String {
    let chosen = chosen();
    if chosen.is_empty() { window().navigator().language().unwrap_or_else(|| "en".into()) } else { chosen }
}

/// An RFC 3339 time as the reader writes it; a text that is no time stays as it is.
pub(crate) fn shown(time: &str) -> String {
    let date = Date::new(&JsValue::from_str(time));
    if date.get_time().is_nan() {
        return time.to_owned();
    }
    let options = js_sys::Object::new();
    for (key, value) in [("dateStyle", "medium"), ("timeStyle", "short")] {
        // Setting a field of a fresh object cannot fail.
        let _ = js_sys::Reflect::set(&options, &key.into(), &value.into());
    }
    String::from(date.to_locale_string(&locale(), &options))
}
