//! What the server and the other tabs of this browser tell this page, all over one channel, and what it then does.

use std::cell::RefCell;

use js_sys::{Object, Reflect};
use leptos::prelude::*;
use taiku_bridge::api::CHANNEL;
use taiku_bridge::event::{self, may_hear};
use taiku_bridge::{Grant, PluginId};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

use super::{App, Mend, Tone, Unfinished};
use crate::bridge_host::{Event, heard};
use crate::connect::reason;
use crate::text;

thread_local! {
    static TABS: Option<BroadcastChannel> = BroadcastChannel::new(CHANNEL).ok();
    /// Consents that the user has begun and not ended.
    static UNDER_WAY: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// What was told of connections last: the callback page and the stream tell the same.
    static TOLD: RefCell<Vec<[String; 2]>> = const { RefCell::new(Vec::new()) };
}

/// Whether a connection's state was not told already.
fn is_new(connection: &str, state: &str) -> bool {
    TOLD.with_borrow_mut(|told| {
        let place = told.iter().position(|[known, _]| known == connection);
        match place.and_then(|place| told.get_mut(place)) {
            Some([_, known]) if known == state => false,
            Some([_, known]) => {
                state.clone_into(known);
                true
            }
            None => {
                told.push([connection.to_owned(), state.to_owned()]);
                true
            }
        }
    })
}

/// Tells the other tabs, and the one that reads the stream of events, which session this browser is in.
pub(super) fn say_session(session: Option<&str>) {
    let (message, data) = (Object::new(), Object::new());
    let told = Reflect::set(&data, &"session".into(), &session.into())
        .and_then(|_| Reflect::set(&message, &"type".into(), &event::SESSION_CHANGED.into()))
        .and_then(|_| Reflect::set(&message, &"data".into(), &data));
    TABS.with(|tabs| {
        if let (Ok(_), Some(tabs)) = (told, tabs) {
            // A channel that is open takes every plain object.
            let _ = tabs.post_message(&message);
        }
    });
}

/// Notes that the user has begun a consent, so that its end is told.
pub(crate) fn begun(connection: &str) {
    UNDER_WAY.with_borrow_mut(|under_way| under_way.push(connection.to_owned()));
}

fn ended(connection: &str) -> bool {
    UNDER_WAY.with_borrow_mut(|under_way| {
        let before = under_way.len();
        under_way.retain(|other| other != connection);
        under_way.len() < before
    })
}

fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn text_of(object: &JsValue, name: &str) -> Option<String> {
    field(object, name).as_string()
}

impl App {
    /// Listens to the channel, for as long as the page lives.
    pub(crate) fn listen_for_news(self) {
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let message = event.data();
            if let Some(kind) = text_of(&message, "type") {
                self.hear(&kind, &field(&message, "data"));
            }
        });
        TABS.with(|tabs| {
            if let Some(tabs) = tabs {
                tabs.set_onmessage(Some(heard.as_ref().unchecked_ref()));
            }
        });
        heard.forget();
    }

    fn hear(self, kind: &str, data: &JsValue) {
        match kind {
            event::SESSION_CHANGED | event::SESSION_ENDED => return self.look_who_is_here(),
            event::RESYNC => {
                self.load_plugins();
                self.connections_changed.update(|changes| *changes += 1);
            }
            event::GRANT_CHANGED | event::PLUGINS_CHANGED => self.load_plugins(),
            event::TOOLKITS_CHANGED => self.connections_changed.update(|changes| *changes += 1),
            event::PLUGIN_EVENT => return heard(self, data),
            event::CONNECTION_CHANGED if !self.connection_changed(data) => return,
            _ => {}
        }
        self.tell_panels(kind, data);
    }

    /// Returns whether panels should be told, too: they see a connection's state and nothing else of it.
    fn connection_changed(self, data: &JsValue) -> bool {
        self.connections_changed.update(|changes| *changes += 1);
        let get = |name: &str| text_of(data, name).unwrap_or_default();
        let (connection, toolkit, status) = (get("connectionId"), get("toolkit"), get("status"));
        let name = text::shown(&toolkit, text::NAME);
        let why = get("why");
        if !is_new(&connection, &format!("{status} {why}")) {
            return false;
        }
        match status.as_str() {
            "INITIATED" if why.is_empty() => begun(&connection),
            "INITIATED" => self.toast(Tone::Info, format!("{name}: {}", reason(&why))),
            "EXPIRED" => self.wait_for(&toolkit, why),
            "ACTIVE" if ended(&connection) => {
                self.finished(&toolkit);
                self.toast(Tone::Success, format!("{name} is connected."));
            }
            "FAILED" if ended(&connection) => self.wait_for(&toolkit, why),
            _ => {}
        }
        true
    }

    fn wait_for(self, toolkit: &str, why: String) {
        let (plugin, mend) = (None, Mend::Again(why));
        self.leave_unfinished(Unfinished { plugin, toolkit: toolkit.to_owned(), mend });
    }

    /// Tells the panels that may hear it. What concerns one plugin is told to no other.
    fn tell_panels(self, kind: &str, data: &JsValue) {
        let Some(data) = data.dyn_ref::<Object>() else { return };
        let concerned = text_of(data, "pluginId");
        let event = Event { kind, data: data.clone(), source: None };
        event.send(&|frame| {
            let id = &frame.plugin.id;
            concerned.as_deref().is_none_or(|concerned| concerned == id.as_str())
                && self.grant_of(id).is_some_and(|grant| may_hear(kind, &grant))
        });
    }

    /// What the user allows a plugin now.
    pub(crate) fn grant_of(self, plugin: &PluginId) -> Option<Grant> {
        self.plugin_untracked(plugin.as_str())
            .and_then(|plugin| plugin.grant.as_ref().map(|g| g.grant.clone()))
    }
}
