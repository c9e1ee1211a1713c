//! The methods that this page answers itself.

use js_sys::Object;
use leptos::prelude::*;
use taiku_bridge::api::{Plugin, Role};
use taiku_bridge::call::{ShowToast, ToastKind, unknown};
use taiku_bridge::{Call, Code, Refusal};
use wasm_bindgen::JsValue;

use super::super::answer::set;
use super::super::reply::Outcome;
use crate::state::{App, Tone};
use crate::text;

/// Answers at once.
pub(super) fn answer(app: App, plugin: &Plugin, call: Call) -> Outcome {
    match call {
        Call::GetSession => Outcome::Value(session(app)),
        Call::GetUserRole => Outcome::Json(role(app)),
        Call::GetShells => Outcome::Json("[]".into()),
        Call::ShowToast(toast) => show_toast(app, plugin, &toast),
        Call::SendNotification(_)
        | Call::PlaySound(_)
        | Call::SubscribeEvents
        | Call::BroadcastEvent(_)
        | Call::SetBadge(_)
        | Call::OpenPanel(_)
        | Call::ClosePanel(_)
        | Call::ResizePanel(_) => Outcome::Error(unknown(call.method().as_str())),
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
        format!(r#"{{"role":"{name}","userId":{id}}}"#)
    })
}

fn show_toast(app: App, plugin: &Plugin, toast: &ShowToast) -> Outcome {
    let tone = match toast.kind {
        ToastKind::Info => Tone::Info,
        ToastKind::Success => Tone::Success,
        ToastKind::Error => Tone::Error,
    };
    let name = text::shown(&plugin.name, text::NAME);
    app.show_toast(tone, Some(name), text::shown(&toast.message, text::SENTENCE), toast.duration);
    Outcome::Value(JsValue::NULL)
}
