//! What plugins tell each other: on this page at once, on the user's other pages through the broker.

use js_sys::{JSON, Object, Reflect};
use leptos::task::spawn_local;
use taiku_bridge::PluginId;
use taiku_bridge::api::{self, Plugin};
use taiku_bridge::call::Broadcast;
use taiku_bridge::event::may_hear;
use wasm_bindgen::{JsCast, JsValue};

use super::events::Event;
use super::random::bits256;
use super::reply::Outcome;
use super::speakers;
use crate::http::{self, Request};
use crate::state::App;

thread_local! {
    /// Tells this page from the user's others, so that it does not hear itself.
    static PAGE: Option<String> = bits256();
}

/// Tells a panel's event to every other panel that may hear it.
pub(super) fn tell(app: App, document: u64, plugin: &Plugin, event: &Broadcast) -> Outcome {
    let sender = speakers::with(document, |speaker| speaker.frame.key);
    if let Ok(data) = JSON::parse(event.data.get()) {
        deliver(app, &plugin.id, &event.name, &data, sender);
    }
    if app.user_untracked().is_some() {
        pass_on(app, plugin.id.clone(), event);
    }
    Outcome::Value(JsValue::NULL)
}

fn pass_on(app: App, plugin: PluginId, event: &Broadcast) {
    let page = PAGE.with(http::json);
    let body = format!(r#"{{"type":{},"data":{},"page":{page}}}"#, http::json(&event.name), event.data.get());
    spawn_local(async move {
        let sent = Request::post(api::EVENTS, body).header(api::PLUGIN_HEADER, plugin.as_str()).done().await;
        if let Err(error) = sent {
            app.notice_expiry(&error);
        }
    });
}

/// Tells what a plugin said on another page of the user.
pub(crate) fn heard(app: App, event: &JsValue) {
    let field = |name: &str| Reflect::get(event, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let own = PAGE.with(|page| page.is_some() && field("page").as_string() == *page);
    let source = field("source").as_string().and_then(|id| PluginId::parse(&id).ok());
    if let (false, Some(source), Some(kind)) = (own, source, field("type").as_string()) {
        deliver(app, &source, &kind, &field("data"), None);
    }
}

fn deliver(app: App, source: &PluginId, kind: &str, data: &JsValue, sender: Option<u32>) {
    let Some(data) = data.dyn_ref::<Object>() else { return };
    let event = Event { kind, data: data.clone(), source: Some(source) };
    event.send(&|frame| {
        Some(frame.key) != sender
            && app.grant_of(&frame.plugin.id).is_some_and(|grant| may_hear(kind, &grant))
    });
}
