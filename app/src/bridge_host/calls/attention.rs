//! What draws the user's attention: toasts, notifications, sounds and badges. Each plugin has a measure of it.

use std::cell::RefCell;
use std::sync::Arc;

use taiku_bridge::api::Plugin;
use taiku_bridge::call::{self, Badge, ShowToast, ToastKind};
use taiku_bridge::pace::Pace;
use taiku_bridge::{Code, PluginId, Refusal};
use wasm_bindgen::JsValue;

use super::super::answer::Ticket;
use super::super::reply::Outcome;
use super::super::{sound, speakers};
use crate::state::{App, Tone};
use crate::text;

/// What a plugin has a measure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// `showToast`
    Toast,
    /// `sendNotification`
    Notification,
    /// `playSound`
    Sound,
    /// `openPanel`, `closePanel` and `resizePanel`
    Panels,
}

impl Means {
    /// How often, in a second and at once.
    fn pace(self) -> Pace {
        match self {
            Self::Toast => Pace::new(1.0, 5.0),
            Self::Notification => Pace::new(0.2, 3.0),
            Self::Sound => Pace::new(0.5, 2.0),
            Self::Panels => Pace::new(10.0, 20.0),
        }
    }

    fn refusal(self) -> Refusal {
        let what = match self {
            Self::Toast => "toasts than one a second after five",
            Self::Notification => "notifications than one in five seconds after three",
            Self::Sound => "sounds than one in two seconds after two",
            Self::Panels => "changes of its panels than ten a second after twenty",
        };
        Refusal::new(Code::RateLimited, format!("This plugin asks for more {what}. Wait and ask for fewer."))
    }
}

thread_local! {
    static PACES: RefCell<Vec<(PluginId, Means, Pace)>> = const { RefCell::new(Vec::new()) };
}

/// Takes one of what a plugin has left.
///
/// # Errors
/// `rate_limited` when nothing is left.
pub(super) fn spend(plugin: &PluginId, means: Means) -> Result<(), Refusal> {
    let now = super::super::now();
    let allowed = PACES.with_borrow_mut(|paces| {
        if !paces.iter().any(|(owner, of, _)| owner == plugin && *of == means) {
            paces.push((plugin.clone(), means, means.pace()));
        }
        let own = paces.iter_mut().find(|(owner, of, _)| owner == plugin && *of == means);
        own.is_some_and(|(_, _, pace)| pace.take(now))
    });
    if allowed { Ok(()) } else { Err(means.refusal()) }
}

/// Done, or why not.
pub(super) fn done(result: Result<(), Refusal>) -> Outcome {
    match result {
        Ok(()) => Outcome::Value(JsValue::NULL),
        Err(refusal) => Outcome::Error(refusal),
    }
}

pub(super) fn toast(app: App, plugin: &Plugin, toast: &ShowToast) -> Result<(), Refusal> {
    spend(&plugin.id, Means::Toast)?;
    let tone = match toast.kind {
        ToastKind::Info => Tone::Info,
        ToastKind::Success => Tone::Success,
        ToastKind::Error => Tone::Error,
    };
    let name = text::shown(&plugin.name, text::NAME);
    app.show_toast(tone, Some(name), text::shown(&toast.message, text::SENTENCE), toast.duration);
    Ok(())
}

/// Notifies the user, unless the plugin is muted.
pub(super) fn notify(
    app: App,
    ticket: &Ticket,
    plugin: &Arc<Plugin>,
    notification: &call::Notification,
) -> Result<(), Refusal> {
    spend(&plugin.id, Means::Notification)?;
    if !app.is_muted(&plugin.id) {
        let panel = speakers::with(ticket.document, |speaker| speaker.frame.panel.id.clone());
        app.notify(plugin, panel.unwrap_or_default(), notification);
    }
    Ok(())
}

/// Plays a sound, unless the plugin is muted.
pub(super) fn play(app: App, plugin: &Plugin) -> Result<(), Refusal> {
    spend(&plugin.id, Means::Sound)?;
    if !app.is_muted(&plugin.id) {
        sound::chime();
    }
    Ok(())
}

pub(super) fn badge(app: App, plugin: &Plugin, badge: &Badge) -> Result<(), Refusal> {
    if app.set_badge(plugin, &badge.action_id, badge.count) {
        Ok(())
    } else {
        Err(Refusal::field("/actionId", "names no toolbar action of this plugin"))
    }
}
