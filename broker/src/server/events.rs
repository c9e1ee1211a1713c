//! What has changed, as server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use taiku_bridge::call::Broadcast;
use taiku_bridge::{Call, Code, Method, Refusal, json};

use super::access::{Identity, SignedIn};
use super::body::JsonText;
use crate::broker::Broker;
use crate::caller;
use crate::events::{self, Credential, Message, Subscription};
use crate::failure::Failure;

/// How long nothing is said at most: proxies close what is silent, often after a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a browser that was cut off comes back, in milliseconds.
const RETRY: Duration = Duration::from_secs(2);
/// When to try again while all streams are taken, in seconds.
const RETRY_AFTER: u64 = 10;
/// Longest name that a page gives itself, in bytes.
const MAX_PAGE: usize = 64;
/// Tells nginx and its relatives to pass on each event as it comes.
const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// `GET /events`
pub(super) async fn stream(
    State(broker): State<Broker>,
    identity: Identity,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (user, credential) = match &identity {
        Identity::Browser(session) => (&session.user, Credential::Session(session.id_hash.clone())),
        Identity::Key(key) => (&key.user, Credential::Key(key.id.clone())),
        Identity::Visitor => return Err(Failure::new(Code::NotSignedIn, "Sign in first.")),
    };
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let subscription = broker
        .events
        .subscribe(&user.id, credential, last)
        .map_err(|full| Failure::Wait(Refusal::new(Code::Busy, format!("{full}.")), RETRY_AFTER))?;
    tracing::debug!(user = %user.id, streams = broker.events.count(), "a stream of events begins");
    let events = stream::unfold((subscription, true), next);
    let heartbeat = KeepAlive::new().interval(HEARTBEAT);
    let mut response = Sse::new(events).keep_alive(heartbeat).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(NO_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

async fn next(
    (mut subscription, first): (Subscription, bool),
) -> Option<(Result<Event, Infallible>, (Subscription, bool))> {
    // What comes first also says when to come back, and makes proxies pass on the head of the answer.
    if first {
        return Some((Ok(Event::default().comment("taiku").retry(RETRY)), (subscription, false)));
    }
    let message = subscription.next().await?;
    Some((Ok(event(&message)), (subscription, false)))
}

fn event(message: &Message) -> Event {
    let event = Event::default().event(message.name).data(&message.data);
    if message.id.is_empty() { event } else { event.id(&message.id) }
}

/// An event that a plugin tells.
#[derive(Deserialize)]
struct Told {
    r#type: String,
    data: Box<RawValue>,
    page: Option<String>,
}

/// `POST /events`: hands a plugin's event to the user's pages, which tell their panels.
pub(super) async fn tell(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    headers: HeaderMap,
    JsonText(text): JsonText,
) -> Result<StatusCode, Failure> {
    let Some(plugin) = caller::plugin(&broker, &user, &headers).await? else {
        return Err(Failure::new(Code::BadMessage, "Only plugins tell events: Taiku-Plugin is missing."));
    };
    let mut page = None;
    let parse = || {
        let told: Told = json::parse(&text).map_err(|error| Refusal::field(error.pointer, error.what))?;
        page = told.page.filter(|page| page.len() <= MAX_PAGE);
        Ok(Call::BroadcastEvent(Broadcast { name: told.r#type, data: told.data }.checked()?))
    };
    let call = caller::decide(&broker, &user, Some(&plugin), Method::BroadcastEvent, parse).await?;
    let Call::BroadcastEvent(Broadcast { name, data }) = call else {
        return Err(Failure::Internal("an event became another call".into()));
    };
    broker.limits.tell(&user.id, broker.clock.now())?;
    let data: Value = json::parse(data.get()).map_err(|error| Refusal::field("/data", error.what))?;
    if !data.is_object() {
        return Err(Refusal::field("/data", "must be an object").into());
    }
    let source = plugin.manifest.id.to_string();
    broker.events.tell(&user.id, &events::Event::PluginEvent { source, name, data, page });
    Ok(StatusCode::NO_CONTENT)
}
