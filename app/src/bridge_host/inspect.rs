//! What the author of a plugin on trial is told of the messages of its panels. A panel of any other plugin has none
//! of this.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use js_sys::JSON;
use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::PluginId;
use taiku_bridge::api::{self, Plugin, Source};
use taiku_bridge::message::{Echo, Request};
use wasm_bindgen::JsValue;

use super::reply::Outcome;
use super::speakers;
use crate::http;
use crate::state::App;
use crate::workspace::Frame;

/// How long messages are gathered before they are told.
const GATHER: Duration = Duration::from_millis(100);
/// Longest parameters that are told, in bytes; of those that are longer only that they were long.
const MOST: usize = 16 * 1024;
/// Calls that are remembered until they are answered: more than a panel may have under way.
const OPEN: usize = 4096;

thread_local! {
    /// What is to be told, as JSON texts, with the plugin that it is about.
    static GATHERED: RefCell<Vec<(PluginId, String)>> = const { RefCell::new(Vec::new()) };
}

/// Watches a document.
pub(super) struct Watch {
    plugin: PluginId,
    panel: String,
    calls: Vec<Call>,
}

/// A call without an answer.
struct Call {
    id: String,
    method: String,
    params: String,
    at: f64,
    status: Option<u16>,
}

impl Watch {
    /// Watches a panel if its plugin is on trial.
    pub(super) fn of(app: App, frame: &Frame) -> Option<Box<Self>> {
        let plugin = trial(app, frame)?.id.clone();
        Some(Box::new(Self { plugin, panel: frame.panel.id.clone(), calls: Vec::new() }))
    }

    /// A call has come.
    pub(super) fn asked(&mut self, request: &Request) {
        if self.calls.len() < OPEN {
            let (id, method) = (request.id.clone(), request.method.clone());
            let params = if request.params.len() > MOST {
                format!(r#""{} bytes""#, request.params.len())
            } else {
                request.params.clone()
            };
            self.calls.push(Call { id, method, params, at: now(), status: None });
        }
    }

    /// The provider has answered a call.
    pub(super) fn reached(&mut self, id: &str, status: u16) {
        if let Some(call) = self.calls.iter_mut().rev().find(|call| call.id == id) {
            call.status = Some(status);
        }
    }

    /// A call is answered.
    pub(super) fn answered(&mut self, id: &Echo, outcome: &Outcome) {
        let id = if let Echo::Text(id) = id { id.as_str() } else { "" };
        let at = self.calls.iter().rposition(|call| call.id == id);
        let call = at.map(|at| self.calls.remove(at)).unwrap_or_else(|| Call {
            id: String::new(),
            method: "?".into(),
            params: "null".into(),
            at: now(),
            status: None,
        });
        let mut rest = format!(r#","ms":{}"#, tenths(now() - call.at));
        if let Some(status) = call.status {
            rest.push_str(&format!(r#","status":{status}"#));
        }
        if let Outcome::Error(refusal) = outcome {
            let error = http::json(&refusal.message);
            rest.push_str(&format!(r#","code":"{}","error":{error}"#, refusal.code.as_str()));
        } else {
            rest.push_str(&format!(r#","size":{}"#, outcome.size()));
        }
        self.tell(call.at, &call.method, &call.params, &rest);
    }

    fn tell(&self, at: f64, method: &str, params: &str, rest: &str) {
        let (panel, method) = (http::json(&self.panel), http::json(&method));
        let at = tenths(at);
        let line = format!(r#"{{"at":{at},"panel":{panel},"method":{method},"params":{params}{rest}}}"#);
        let first = GATHERED.with_borrow_mut(|gathered| {
            gathered.push((self.plugin.clone(), line));
            gathered.len() == 1
        });
        if first {
            set_timeout(send, GATHER);
        }
    }
}

/// The host says something to a document by itself. The token that goes with an introduction is not told.
pub(super) fn said(document: u64, kind: &str, message: &JsValue) {
    speakers::with(document, |speaker| {
        if let Some(watch) = &speaker.watch {
            let text = message.is_object().then(|| JSON::stringify(message).ok()).flatten();
            watch.tell(now(), kind, &text.map_or_else(|| "null".into(), String::from), "");
        }
    });
}

/// A frame's plugin as it is now, if it is on trial.
pub(super) fn trial(app: App, frame: &Frame) -> Option<Arc<Plugin>> {
    app.plugin_untracked(frame.plugin.id.as_str()).filter(|plugin| plugin.source == Source::Trial)
}

/// Sends what was gathered, one request for each plugin.
fn send() {
    let mut gathered = GATHERED.with_borrow_mut(std::mem::take);
    while let Some((plugin, _)) = gathered.first().cloned() {
        let (own, others) = gathered.into_iter().partition(|(of, _)| *of == plugin);
        gathered = others;
        let own: Vec<(PluginId, String)> = own;
        let lines: Vec<String> = own.into_iter().map(|(_, line)| line).collect();
        let body = format!(r#"{{"calls":[{}]}}"#, lines.join(","));
        spawn_local(async move {
            // Nobody has to know: the author's tool may have just ended.
            let _ = http::Request::post(&api::trial_calls(&plugin), body).done().await;
        });
    }
}

/// Milliseconds since 1970, more exactly than a date has them.
fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.time_origin() + clock.now())
}

/// A number of milliseconds with one decimal.
fn tenths(ms: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let tenths = (ms * 10.0) as u64;
    format!("{}.{}", tenths / 10, tenths % 10)
}
