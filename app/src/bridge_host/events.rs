//! What the host tells panels without being asked: `taiku:event`.

use js_sys::{Date, Object};
use taiku_bridge::message::EVENT;
use taiku_bridge::panel::Life;
use taiku_bridge::{PluginId, event};
use wasm_bindgen::JsValue;
use web_sys::Window;

use super::answer::set;
use super::{inspect, mcp, speakers};
use crate::workspace::Frame;

/// Something that panels are told.
pub(crate) struct Event<'a> {
    /// Its name, such as `theme_changed`.
    pub(crate) kind: &'a str,
    /// Always an object.
    pub(crate) data: Object,
    /// The plugin that says it; none for the host itself.
    pub(crate) source: Option<&'a PluginId>,
}

impl<'a> Event<'a> {
    /// Something that the host says, with no data yet.
    pub(crate) fn of_host(kind: &'a str) -> Self {
        Self { kind, data: Object::new(), source: None }
    }

    /// The same with a field of its data.
    pub(crate) fn with(self, name: &str, value: impl Into<JsValue>) -> Self {
        set(&self.data, name, value.into());
        self
    }

    /// Tells every panel that was introduced, still lives, and is picked.
    pub(crate) fn send(&self, picks: &dyn Fn(&Frame) -> bool) {
        if matches!(self.kind, event::THEME_CHANGED | event::LOCALE_CHANGED) {
            mcp::context_changed(&self.data);
        }
        let message = self.message();
        for (document, window) in listeners(picks) {
            inspect::said(document, EVENT, &message);
            if window.post_message(&message, "*").is_err() {
                leptos::logging::error!("an event could not be sent to a panel");
            }
        }
    }

    fn message(&self) -> JsValue {
        let event = Object::new();
        set(&event, "type", self.kind.into());
        set(&event, "data", self.data.clone().into());
        set(&event, "timestamp", Date::now().into());
        if let Some(source) = self.source {
            set(&event, "source", source.as_str().into());
        }
        let message = Object::new();
        set(&message, "type", EVENT.into());
        set(&message, "event", event.into());
        message.into()
    }
}

/// The windows to tell. `picks` runs after the list is made, so that it may ask about panels itself.
fn listeners(picks: &dyn Fn(&Frame) -> bool) -> Vec<(u64, Window)> {
    let introduced = speakers::all(|speaker| {
        let hears = speaker.greeted && speaker.state.life() == Life::Live;
        hears.then(|| (speaker.document, speaker.window.clone(), speaker.frame.clone()))
    });
    let picked = introduced.into_iter().filter(|(_, _, frame)| picks(frame));
    picked.map(|(document, window, _)| (document, window)).collect()
}
