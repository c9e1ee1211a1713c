//! Carries out the calls of panels.

mod attention;
mod host;
mod panels;
mod proxied;

use std::sync::Arc;

use leptos::prelude::*;
use taiku_bridge::api::Plugin;
use taiku_bridge::call::Way;
use taiku_bridge::message::{Echo, Envelope, Malformed, Request};
use taiku_bridge::{Call, Caller, Code, Method, Refusal};

use super::answer::{self, Door, Ticket};
use super::reply::Outcome;
use super::speakers;
use crate::state::App;

/// Hears a `taiku:request` that was counted: shape, then identity, then the right, then the effect.
pub(super) fn request(app: App, document: u64, envelope: Envelope, counted: Result<(), Refusal>, door: Door) {
    match (envelope.read(), counted) {
        (Ok(request), Ok(())) => admitted(app, document, &request, door),
        (Ok(request), Err(refusal)) => answer::refuse(document, door, &Echo::Text(request.id), refusal),
        (Err(Malformed::Drop), _) => {}
        (Err(Malformed::Refuse(id, refusal)), counted) => {
            answer::refuse(document, door, &id, counted.err().unwrap_or(refusal));
        }
    }
}

pub(super) fn admitted(app: App, document: u64, request: &Request, door: Door) {
    let began = match begin(document, request) {
        Some(Ok(began)) => began,
        Some(Err(refusal)) => {
            return answer::refuse(document, door, &Echo::Text(request.id.clone()), refusal);
        }
        None => return,
    };
    let ticket = Ticket { document, id: request.id.clone(), number: began.number, door };
    let Some(plugin) = app.plugin_untracked(&began.plugin) else {
        let gone = format!("{} is not installed any more.", began.plugin);
        return answer::answer(&ticket, Outcome::Error(Refusal::new(Code::GrantMissing, gone)));
    };
    match decide(app, &plugin, request) {
        Ok(call) => carry_out(app, ticket, &plugin, call),
        Err(refusal) => answer::answer(&ticket, Outcome::Error(refusal)),
    }
}

/// A call that has taken its place among those under way.
struct Began {
    number: u64,
    plugin: String,
}

/// Checks who speaks, for a call that takes no place because it is answered before the next.
pub(super) fn admit(document: u64, request: &Request) -> Result<(), Refusal> {
    speakers::with(document, |speaker| speaker.state.admit(request)).unwrap_or(Ok(()))
}

/// Checks who speaks and takes a place; nothing when the document is gone.
fn begin(document: u64, request: &Request) -> Option<Result<Began, Refusal>> {
    let number = speakers::next_number();
    speakers::with(document, |speaker| {
        if let Some(watch) = &mut speaker.watch {
            watch.asked(request);
        }
        speaker.state.admit(request)?;
        let method = Method::parse(&request.method)?;
        speaker.state.start(&request.id, method.way())?;
        speaker.calls.push((request.id.clone(), number));
        Ok(Began { number, plugin: speaker.frame.plugin.id.as_str().to_owned() })
    })
}

/// The decision of the bridge, with what this page knows. The broker decides again.
fn decide(app: App, plugin: &Plugin, request: &Request) -> Result<Call, Refusal> {
    let (integrations_enabled, signed_in) = app.session.with_untracked(|session| {
        session.ready().map_or((false, false), |s| (s.integrations, s.user.is_some()))
    });
    let grant = plugin.grant.as_ref().map(|stored| &stored.grant);
    Caller { integrations_enabled, signed_in, manifest: &plugin.manifest, grant }
        .decide(&request.method, &request.params)
}

fn carry_out(app: App, ticket: Ticket, plugin: &Arc<Plugin>, call: Call) {
    match call.method().way() {
        Way::Host => answer::answer(&ticket, host::answer(app, &ticket, plugin, call)),
        Way::Broker => proxied::forward(app, ticket, plugin, call),
    }
}
