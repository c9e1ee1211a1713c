//! The methods that the broker answers for the signed-in user.

use std::time::Duration;

use js_sys::{JSON, Object, Reflect};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use serde_json::value::RawValue;
use taiku_bridge::api::{self, ConnectBody, Connecting, Connections};
use taiku_bridge::call::{Act, Connect, Data, Encoding, Execute, Listing, Tools, Verb};
use taiku_bridge::message::BROKER_ANSWER_MS;
use taiku_bridge::{Call, Code, PluginId, Refusal, Slug};
use wasm_bindgen::JsValue;
use web_sys::Response;

use super::super::answer::{self, Ticket, set};
use super::super::popup::{Popup, is_safe_target};
use super::super::reply::{Body, Outcome};
use super::super::speakers;
use crate::http::{self, HttpError, Request};
use crate::state::{App, Mend, Unfinished};
use crate::text;

/// Sends a call on. The panel has its answer in time, even when the broker takes longer.
pub(super) fn forward(app: App, ticket: Ticket, plugin: &api::Plugin, call: Call) {
    let late = ticket.clone();
    set_timeout(
        move || answer::answer(&late, Outcome::Error(slow())),
        Duration::from_millis(u64::from(BROKER_ANSWER_MS)),
    );
    // The window must open while the click still counts, before anything is awaited.
    let popup = matches!(call, Call::Connect(_)).then(Popup::open);
    let caller = Panel {
        app,
        document: ticket.document,
        call: ticket.id.clone(),
        plugin: plugin.id.clone(),
        name: text::shown(&plugin.name, text::NAME),
    };
    spawn_local(async move {
        let outcome = caller.run(call, popup).await.unwrap_or_else(|error| {
            app.notice_expiry(&error);
            Outcome::Error(refusal(error))
        });
        answer::answer(&ticket, outcome);
    });
}

fn slow() -> Refusal {
    Refusal::new(
        Code::UpstreamSlow,
        "The service has not answered within 18 seconds. It may still do what was asked; \
         calling again with the same idempotencyKey returns its result.",
    )
}

fn refusal(error: HttpError) -> Refusal {
    let sentence = error.sentence();
    match error {
        HttpError::Refused(problem) => {
            let message = if problem.detail.is_empty() { problem.title } else { problem.detail };
            Refusal { code: problem.code, message, pointer: problem.pointer }
        }
        HttpError::Unreachable | HttpError::Unreadable(_) => Refusal::new(Code::Internal, sentence),
    }
}

/// A panel that calls.
struct Panel {
    app: App,
    document: u64,
    /// The panel's id of the call.
    call: String,
    plugin: PluginId,
    name: String,
}

/// One connection as panels see it: no account, no scopes.
#[derive(Serialize)]
struct ListedConnection<'a> {
    id: &'a str,
    toolkit: &'a Slug,
    status: api::Status,
}

/// Body of running a tool; the arguments are the very text that was decided on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunBody<'a> {
    arguments: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_id: Option<&'a str>,
}

impl Panel {
    async fn run(&self, call: Call, popup: Option<Popup>) -> Result<Outcome, HttpError> {
        match call {
            Call::List => self.list().await,
            Call::Connect(params) => self.connect(params, popup).await,
            Call::Tools(params) => self.tools(&params).await,
            Call::Execute(params) => self.execute(&params).await,
            Call::Data(data) => self.stored(&data).await,
            _ => Ok(Outcome::Error(Refusal::new(Code::Internal, "This method is the host's to answer."))),
        }
    }

    fn sent<'a>(&self, request: Request<'a>) -> Request<'a> {
        request.header(api::PLUGIN_HEADER, self.plugin.as_str())
    }

    async fn list(&self) -> Result<Outcome, HttpError> {
        let answer = self.sent(Request::get(api::CONNECTIONS)).read::<Connections>().await?;
        let listed: Vec<ListedConnection<'_>> = answer
            .connections
            .iter()
            .map(|c| ListedConnection { id: &c.id, toolkit: &c.toolkit, status: c.status })
            .collect();
        Ok(Outcome::Json(format!(r#"{{"connections":{}}}"#, http::json(&listed))))
    }

    async fn tools(&self, params: &Tools) -> Result<Outcome, HttpError> {
        let mut path = format!("{}?limit={}", api::tools(&params.toolkit), params.limit);
        if let Some(search) = &params.search {
            path.push_str("&search=");
            path.push_str(&api::segment(search));
        }
        let response = self.sent(Request::get(&path)).send().await?;
        let body = http::body(&response).await?;
        if !response.ok() {
            return Err(http::refused(response.status(), &body));
        }
        let tools = JSON::parse(&body).and_then(|answer| Reflect::get(&answer, &"tools".into()));
        let result = Object::new();
        set(&result, "tools", tools.map_err(|_| HttpError::Unreadable(response.status()))?);
        Ok(Outcome::Value(result.into()))
    }

    async fn execute(&self, params: &Execute) -> Result<Outcome, HttpError> {
        let path = api::tool(&params.toolkit, &params.action);
        let body = RunBody { arguments: &params.arguments, connection_id: params.connection_id.as_deref() };
        let mut request = self.sent(Request::post(&path, http::json(&body)));
        if let Some(key) = &params.idempotency_key {
            request = request.header(api::IDEMPOTENCY_HEADER, key);
        }
        let response = request.send().await?;
        self.watch(&response);
        provider_answer(&params.toolkit, &response).await
    }

    /// Tells the author of a plugin on trial what the provider answered.
    fn watch(&self, response: &Response) {
        let status = response.headers().get(api::UPSTREAM_STATUS_HEADER).ok().flatten();
        let Some(status) = status.and_then(|status| status.parse().ok()) else { return };
        speakers::with(self.document, |speaker| {
            if let Some(watch) = &mut speaker.watch {
                watch.reached(&self.call, status);
            }
        });
    }

    /// What is stored goes to the panel as it is stored.
    async fn stored(&self, data: &Data) -> Result<Outcome, HttpError> {
        let (path, body) = place(&self.plugin, data);
        let request = match data.act.verb() {
            Verb::Get | Verb::List => Request::get(&path),
            Verb::Set => Request::put(&path, body),
            Verb::Delete => Request::delete(&path),
        };
        let (_, body) = self.sent(request).text().await?;
        Ok(if body.is_empty() { Outcome::Value(JsValue::NULL) } else { Outcome::Json(body) })
    }

    async fn connect(&self, params: Connect, popup: Option<Popup>) -> Result<Outcome, HttpError> {
        let popup = ClosesOnError(popup);
        let body = ConnectBody { callback_url: params.callback_url, ..ConnectBody::default() };
        let path = api::connect(&params.toolkit);
        let begun = self.sent(Request::post(&path, http::json(&body))).read::<Connecting>().await?;
        let target = is_safe_target(&begun.redirect_url).ok_or(HttpError::Unreadable(201))?;
        if !self.is_alive() {
            return Ok(Outcome::Value(JsValue::NULL));
        }
        crate::state::begun(&begun.connection_id);
        let opened = popup.send_to(&target);
        if !opened {
            self.offer_link(&params.toolkit, &target, begun.provider_host.clone());
        }
        self.app.connections_changed.update(|changes| *changes += 1);
        Ok(Outcome::Value(connecting(&begun, &target, opened)))
    }

    fn is_alive(&self) -> bool {
        speakers::with(self.document, |speaker| speaker.state.life())
            .is_some_and(|life| life != taiku_bridge::panel::Life::Dead)
    }

    /// A panel cannot open a usable tab, so the link is shown by the page itself.
    fn offer_link(&self, toolkit: &Slug, target: &str, host: String) {
        let mend = Mend::Open { url: target.to_owned(), host };
        let plugin = Some(self.name.clone());
        self.app.leave_unfinished(Unfinished { plugin, toolkit: toolkit.to_string(), mend });
    }
}

/// A window that is closed again unless it was sent somewhere.
struct ClosesOnError(Option<Popup>);

impl ClosesOnError {
    fn send_to(mut self, target: &str) -> bool {
        self.0.take().is_some_and(|popup| popup.go(target))
    }
}

impl Drop for ClosesOnError {
    fn drop(&mut self) {
        if let Some(popup) = &self.0 {
            popup.close();
        }
    }
}

/// Where stored data is, and the body of a write.
fn place(plugin: &PluginId, data: &Data) -> (String, String) {
    let one = |name: &str| api::shelved(plugin, data.shelf, name);
    match &data.act {
        Act::Get { name, encoding: Encoding::Base64 } => (one(name) + "?encoding=base64", String::new()),
        Act::Get { name, .. } | Act::Delete { name } => (one(name), String::new()),
        Act::Set(entry) => {
            let encoding = entry.encoding.as_str();
            (one(&entry.name), format!(r#"{{"encoding":"{encoding}","value":{}}}"#, entry.value.get()))
        }
        Act::List(Listing { prefix, cursor, limit }) => {
            let (shelf, prefix, cursor) =
                (api::shelf(plugin, data.shelf), api::segment(prefix), api::segment(cursor));
            (format!("{shelf}?limit={limit}&prefix={prefix}&cursor={cursor}"), String::new())
        }
    }
}

fn connecting(begun: &Connecting, target: &str, opened: bool) -> JsValue {
    let result = Object::new();
    set(&result, "connectionId", begun.connection_id.as_str().into());
    set(&result, "redirectUrl", target.into());
    set(&result, "status", begun.status.as_str().into());
    set(&result, "opened", opened.into());
    result.into()
}

/// What the provider said, as it said it. The header is there exactly when the body is the provider's.
async fn provider_answer(toolkit: &Slug, response: &Response) -> Result<Outcome, HttpError> {
    let header = |name: &str| response.headers().get(name).ok().flatten();
    let upstream = header(api::UPSTREAM_STATUS_HEADER);
    let kind = header("content-type").unwrap_or_default();
    let body = http::text_of(response).await?;
    match upstream {
        None => Err(http::refused(response.status(), &String::from(body))),
        Some(status) if !response.ok() => {
            let empty = body.length() == 0;
            let message =
                if empty { format!("{toolkit} answered {status} without a body") } else { body.into() };
            Ok(Outcome::Error(Refusal::new(Code::UpstreamFailed, message)))
        }
        Some(_) if body.length() == 0 => Ok(Outcome::Value(JsValue::NULL)),
        Some(_) if is_json(&kind) => {
            let is_checked = header(api::UPSTREAM_JSON_HEADER).is_some();
            Ok(Outcome::Body(Body { text: body, is_checked }))
        }
        Some(_) => Ok(Outcome::Value(body.into())),
    }
}

/// Whether a content type is JSON: `application/json` or one that ends in `+json` (RFC 6839).
fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn content_types_of_json() {
        for kind in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"] {
            assert!(is_json(kind), "{kind}");
        }
        for kind in ["", "text/plain", "application/jsonp", "application/octet-stream"] {
            assert!(!is_json(kind), "{kind}");
        }
    }
}
