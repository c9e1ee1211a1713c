//! Plugins that admins try out, and the calls of their panels.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use http::StatusCode;
use serde::Deserialize;
use taiku_bridge::api::{NumberedCalls, SeenCalls};
use taiku_bridge::{Code, PluginId, Refusal};

use super::access::{Identity, SignedIn};
use super::body::{self, Json};
use crate::broker::Broker;
use crate::events::Event;
use crate::failure::Failure;
use crate::install;
use crate::plugin::{Found, Plugin};

/// How long a request for calls waits for one: shorter than proxies are patient.
const WAIT: Duration = Duration::from_secs(20);
/// When to try again where there is no room, in seconds.
const RETRY_AFTER: u64 = 60;

fn parse(id: &str) -> Result<PluginId, Failure> {
    PluginId::parse(id).map_err(|_| missing())
}

fn missing() -> Failure {
    Failure::not_found("plugin on trial")
}

/// `PUT /trials/{id}`: takes a packed plugin in, or its next content. Its author's pages show it at once.
pub(super) async fn put(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    body: Body,
) -> Result<StatusCode, Failure> {
    let id = parse(&id)?;
    let files = install::unpack(body::packed(body).await?).await?;
    let plugin = Plugin::check(files, Found::Trial).map_err(|faults| {
        let first = faults.first().map_or_else(String::new, ToString::to_string);
        Failure::new(
            Code::InvalidParams,
            format!("This plugin has {} faults; the first: {first}", faults.len()),
        )
    })?;
    if plugin.manifest.id != id {
        let message = format!("The manifest's id is {}, not {id}.", plugin.manifest.id);
        return Err(Failure::new(Code::InvalidParams, message));
    }
    broker
        .trials
        .put(&user.id, Arc::new(plugin))
        .map_err(|full| Failure::Wait(Refusal::new(Code::Busy, format!("{full}.")), RETRY_AFTER))?;
    broker.events.tell(&user.id, &Event::PluginsChanged);
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /trials/{id}`
pub(super) async fn remove(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    if !broker.trials.remove(&user.id, &parse(&id)?) {
        return Err(missing());
    }
    broker.events.tell(&user.id, &Event::PluginsChanged);
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /trials/{id}/calls`: what the host page has seen.
pub(super) async fn note(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Json(body): Json<SeenCalls>,
) -> Result<StatusCode, Failure> {
    let noted = broker.trials.note(&user.id, &parse(&id)?, body.calls);
    if noted { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: u64,
}

/// `GET /trials/{id}/calls`: those after a number. Waits for one if there is none. The author's tool, which has an
/// API key, keeps the plugin on trial by asking; a page that shows the calls does not.
pub(super) async fn calls(
    State(broker): State<Broker>,
    identity: Identity,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
) -> Result<axum::Json<NumberedCalls>, Failure> {
    let id = parse(&id)?;
    if matches!(identity, Identity::Key(_)) {
        broker.trials.hold(&user.id, &id);
    }
    let (mut calls, mut newest) = broker.trials.calls(&user.id, &id, after).ok_or_else(missing)?;
    if calls.is_empty() {
        // An error means that the trial has ended, which the next look shows.
        let _ = tokio::time::timeout(WAIT, newest.wait_for(|newest| *newest > after)).await;
        calls = broker.trials.calls(&user.id, &id, after).ok_or_else(missing)?.0;
    }
    Ok(axum::Json(NumberedCalls { calls }))
}
