//! What the page knows: who is signed in, the plugins, the open panels, what the user is asked and told.

mod dialogs;
mod grants;
mod loadable;
mod toasts;

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::Code;
use taiku_bridge::api::{self, Plugin, Plugins, Role, Session, User};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

use crate::consent::Consent;
use crate::http::{HttpError, Request};
use crate::theme::Theme;
use crate::workspace::Frame;
pub(crate) use dialogs::{Ask, Question};
pub(crate) use loadable::{Loadable, Remote, remote};
pub(crate) use toasts::{Toast, Tone};

/// A connection page that the browser did not let open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockedPopup {
    /// Which plugin wanted it, none for this page itself.
    pub(crate) plugin: Option<String>,
    /// The toolkit to connect.
    pub(crate) toolkit: String,
    /// Where to go.
    pub(crate) url: String,
}

/// A page that a plugin asks the user to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OfferedLink {
    /// Which plugin asks.
    pub(crate) plugin: String,
    /// Where to go.
    pub(crate) url: String,
}

/// The page's state, shared by all its parts. Copies name the same state.
#[derive(Clone, Copy)]
pub(crate) struct App {
    /// Who is signed in.
    pub(crate) session: RwSignal<Loadable<Session>>,
    /// The plugins that the user may open.
    pub(crate) plugins: RwSignal<Loadable<Vec<Arc<Plugin>>>>,
    /// Every panel that was opened, in that order, the closed ones included: a frame never moves.
    pub(crate) frames: RwSignal<Vec<Frame>>,
    /// What the user is asked right now.
    pub(crate) consent: RwSignal<Option<Consent>>,
    /// The dialog that is shown.
    pub(crate) dialog: RwSignal<Option<Ask>>,
    /// Short messages.
    pub(crate) toasts: RwSignal<Vec<Toast>>,
    /// Links for pages that did not open.
    pub(crate) blocked: RwSignal<Vec<BlockedPopup>>,
    /// Pages that plugins ask the user to open.
    pub(crate) links: RwSignal<Vec<OfferedLink>>,
    /// Counts what happened to connections, so that lists load again.
    pub(crate) connections_changed: RwSignal<u32>,
    /// The chosen theme.
    pub(crate) theme: RwSignal<Theme>,
    /// Messages from windows that are no panel, or that no part of the page dispatched by itself.
    pub(crate) dropped: RwSignal<u32>,
}

impl App {
    /// The state before anything was asked of the server.
    pub(crate) fn new() -> Self {
        Self {
            session: RwSignal::new(Loadable::Loading),
            plugins: RwSignal::new(Loadable::Loading),
            frames: RwSignal::new(Vec::new()),
            consent: RwSignal::new(None),
            dialog: RwSignal::new(None),
            toasts: RwSignal::new(Vec::new()),
            blocked: RwSignal::new(Vec::new()),
            links: RwSignal::new(Vec::new()),
            connections_changed: RwSignal::new(0),
            theme: RwSignal::new(Theme::stored()),
            dropped: RwSignal::new(0),
        }
    }

    /// Asks the server who is signed in, and then for the plugins.
    pub(crate) fn load(self) {
        self.session.set(Loadable::Loading);
        spawn_local(async move {
            match Request::get(api::SESSION).read::<Session>().await {
                Ok(session) => self.enter(session),
                Err(error) => self.session.set(Loadable::Failed(error)),
            }
        });
    }

    /// Takes a session as it is now.
    pub(crate) fn enter(self, session: Session) {
        let plugins = session.user.is_some() || session.anonymous;
        // Panels were told who was there before.
        self.close_all();
        self.plugins.set(Loadable::Loading);
        self.session.set(Loadable::Ready(session));
        if plugins {
            self.load_plugins();
        }
    }

    /// Loads the plugins; those that are shown stay until the answer is there.
    pub(crate) fn load_plugins(self) {
        spawn_local(async move {
            match Request::get(api::PLUGINS).read::<Plugins>().await {
                Ok(answer) => {
                    let visitor = self.user_untracked().is_none();
                    let kept = |plugin| if visitor { grants::with_kept_grant(plugin) } else { plugin };
                    let plugins = answer.plugins.into_iter().map(|plugin| Arc::new(kept(plugin))).collect();
                    self.plugins.set(Loadable::Ready(plugins));
                    crate::bridge_host::follow_trials(self);
                }
                Err(error) => self.plugins.set(Loadable::Failed(error)),
            }
        });
    }

    /// Signs out: nothing of the user stays on the page.
    pub(crate) fn sign_out(self) {
        spawn_local(async move {
            match Request::delete(api::SESSION).done().await {
                Ok(()) => self.leave(),
                Err(error) => self.fail(&error),
            }
        });
    }

    fn leave(self) {
        self.close_all();
        self.consent.set(None);
        self.close_dialog();
        self.blocked.set(Vec::new());
        self.links.set(Vec::new());
        self.load();
    }

    /// Says what went wrong, and asks again who is signed in when the session is over.
    pub(crate) fn fail(self, error: &HttpError) {
        self.notice_expiry(error);
        self.toast(Tone::Error, error.sentence());
    }

    /// A session that ended elsewhere ends here too.
    pub(crate) fn notice_expiry(self, error: &HttpError) {
        if error.code() == Some(Code::NotSignedIn) && self.user_untracked().is_some() {
            self.toast(Tone::Error, "Your session has ended. Sign in again.");
            self.leave();
        }
    }

    /// Who is signed in.
    pub(crate) fn user(self) -> Option<User> {
        self.session.with(|session| session.ready().and_then(|session| session.user.clone()))
    }

    /// As [`App::user`], without following changes.
    pub(crate) fn user_untracked(self) -> Option<User> {
        self.session.with_untracked(|session| session.ready().and_then(|session| session.user.clone()))
    }

    /// Whether an admin is signed in.
    pub(crate) fn is_admin(self) -> bool {
        self.user().is_some_and(|user| user.role == Role::Admin)
    }

    /// A plugin by its id, as it is now, without following changes.
    pub(crate) fn plugin_untracked(self, id: &str) -> Option<Arc<Plugin>> {
        self.plugins.with_untracked(|plugins| find(plugins, id))
    }

    /// The session as panels see it. A visitor's has a name of its own.
    pub(crate) fn session_id(self) -> String {
        let id = self.session.with_untracked(|session| session.ready().and_then(|s| s.session_id.clone()));
        id.unwrap_or_else(|| "visitor".into())
    }

    /// Offers a page that a plugin wants to be opened, in place of the one that it offered before.
    pub(crate) fn offer_page(self, link: OfferedLink) {
        self.links.update(|links| {
            links.retain(|other| other.plugin != link.plugin);
            links.push(link);
        });
    }

    /// Offers a link to a page that the browser did not let open.
    pub(crate) fn offer_link(self, link: BlockedPopup) {
        self.blocked.update(|blocked| {
            blocked.retain(|other| other.toolkit != link.toolkit);
            blocked.push(link);
        });
    }

    /// Listens to what the callback page tells of a connection.
    pub(crate) fn listen_for_connections(self) {
        let Ok(channel) = BroadcastChannel::new(api::CHANNEL) else { return };
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let field = |name: &str| js_sys::Reflect::get(&event.data(), &name.into()).ok()?.as_string();
            if field("type").as_deref() == Some("connection_changed") {
                self.connection_changed(&field("toolkit").unwrap_or_default(), field("status").as_deref());
            }
        });
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        // Both live as long as the page.
        heard.forget();
        std::mem::forget(channel);
    }

    fn connection_changed(self, toolkit: &str, status: Option<&str>) {
        self.connections_changed.update(|changes| *changes += 1);
        self.blocked.update(|blocked| blocked.retain(|link| link.toolkit != toolkit));
        let name = crate::text::shown(toolkit, crate::text::NAME);
        if status == Some("ACTIVE") {
            self.toast(Tone::Success, format!("{name} is connected."));
        } else {
            self.toast(Tone::Error, format!("{name} was not connected."));
        }
    }
}

fn find(plugins: &Loadable<Vec<Arc<Plugin>>>, id: &str) -> Option<Arc<Plugin>> {
    plugins.ready()?.iter().find(|plugin| plugin.id.as_str().eq_ignore_ascii_case(id)).cloned()
}

/// The page's state.
pub(crate) fn app() -> App {
    expect_context()
}

/// What this browser keeps for this origin; none when it is blocked.
pub(crate) fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
