//! What has changed, as server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use taiku_bridge::{Code, Refusal};

use super::access::Identity;
use crate::broker::Broker;
use crate::events::{Credential, Message, Subscription};
use crate::failure::Failure;

/// How long nothing is said at most: proxies close what is silent, often after a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a browser that was cut off comes back, in milliseconds.
const RETRY: Duration = Duration::from_secs(2);
/// When to try again while all streams are taken, in seconds.
const RETRY_AFTER: u64 = 10;
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
