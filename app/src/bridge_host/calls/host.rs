//! The methods that this page answers itself.

use std::sync::Arc;

use js_sys::Object;
use leptos::prelude::*;
use taiku_bridge::api::{Plugin, Role};
use taiku_bridge::call::Sound;
use taiku_bridge::{Call, Code, Refusal};
use wasm_bindgen::JsValue;

use super::super::answer::{Ticket, set};
use super::super::broadcast;
use super::super::reply::Outcome;
use super::attention::{self, done};
use super::panels::{self, Deed};
use crate::state::App;

/// Answers at once.
pub(super) fn answer(app: App, ticket: &Ticket, plugin: &Arc<Plugin>, call: Call) -> Outcome {
    let panel = |target, deed| panels::answer(app, ticket, plugin, &target, deed);
    match call {
        Call::GetSession => Outcome::Value(session(app)),
        Call::GetUserRole => Outcome::Json(role(app)),
        Call::GetShells => Outcome::Json("[]".into()),
        Call::ShowToast(toast) => done(attention::toast(app, plugin, &toast)),
        Call::SendNotification(notification) => done(attention::notify(app, ticket, plugin, &notification)),
        Call::PlaySound(Sound::Chime) => done(attention::play(app, plugin)),
        Call::SetBadge(badge) => done(attention::badge(app, plugin, &badge)),
        Call::OpenPanel(target) => panel(target, Deed::Open),
        Call::ClosePanel(target) => panel(target, Deed::Close),
        Call::ResizePanel(target) => panel(target, Deed::Resize),
        // Whoever may subscribe hears from the beginning on.
        Call::SubscribeEvents => Outcome::Value(JsValue::NULL),
        Call::BroadcastEvent(event) => broadcast::tell(app, ticket.document, plugin, &event),
        Call::List | Call::Connect(_) | Call::Tools(_) | Call::Execute(_) | Call::Data(_) => {
            Outcome::Error(Refusal::new(Code::Internal, "This method is the broker's to answer."))
        }
    }
}

fn session(app: App) -> JsValue {
    let session = Object::new();
    set(&session, "id", app.session_id().into());
    set(&session, "name", "taiku".into());
    session.into()
}

/// As text, which every way carries well: panels ask for it often.
fn role(app: App) -> String {
    app.session.with_untracked(|session| {
        let user = session.ready().and_then(|session| session.user.as_ref());
        let name = match user.map(|user| user.role) {
            Some(Role::Admin) => "admin",
            Some(Role::Member) => "writer",
            None => "reader",
        };
        let id = user.map_or_else(|| "null".into(), |user| crate::http::json(&user.id));
        // Joined, not formatted: that costs a fraction, and this is what panels ask most.
        ["{\"role\":\"", name, "\",\"userId\":", &id, "}"].concat()
    })
}
