//! What the page knows: who is signed in, the plugins, the open panels, what the user is asked and told.

mod badges;
mod dialogs;
mod grants;
mod loadable;
mod memory;
mod news;
mod notices;
mod toasts;

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::Code;
use taiku_bridge::api::{self, Plugin, Plugins, Role, Session, User};

use crate::consent::Consent;
use crate::http::{self, HttpError, Request};
use crate::text;
use crate::theme::Theme;
use crate::workspace::{Frame, Layout};
pub(crate) use badges::{Badge, written};
pub(crate) use dialogs::{Ask, Question};
pub(crate) use loadable::{Loadable, Remote, remote};
pub(crate) use news::begun;
pub(crate) use notices::Notice;
pub(crate) use toasts::{Toast, Tone};

/// A connection that waits for the user, with the one thing that mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// Which plugin wanted it, none for this page itself.
    pub(crate) plugin: Option<String>,
    /// The toolkit to connect.
    pub(crate) toolkit: String,
    /// What to do.
    pub(crate) mend: Mend,
}

/// What the user can do about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mend {
    /// Open the page that the browser did not let open.
    Open {
        /// Its address.
        url: String,
        /// The provider's host.
        host: String,
    },
    /// Begin again; the text is the machine name of what went wrong.
    Again(String),
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
    /// Where panels stand.
    pub(crate) layout: Layout,
    /// What the user is asked right now.
    pub(crate) consent: RwSignal<Option<Consent>>,
    /// The dialog that is shown.
    pub(crate) dialog: RwSignal<Option<Ask>>,
    /// Short messages.
    pub(crate) toasts: RwSignal<Vec<Toast>>,
    /// Connections that wait for the user.
    pub(crate) unfinished: RwSignal<Vec<Unfinished>>,
    /// Notifications of plugins.
    pub(crate) notices: RwSignal<Vec<Notice>>,
    /// Numbers at toolbar actions.
    pub(crate) badges: RwSignal<Vec<Badge>>,
    /// What was said aloud last.
    pub(crate) said: RwSignal<String>,
    /// What is about to be said aloud.
    saying: StoredValue<Option<String>>,
    /// Counts the user's choices about shortcuts and muted plugins.
    pub(crate) choices_changed: RwSignal<u32>,
    /// A panel to go to: its plugin and its id.
    pub(crate) visit: RwSignal<Option<(String, String)>>,
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
            layout: Layout::new(),
            consent: RwSignal::new(None),
            dialog: RwSignal::new(None),
            toasts: RwSignal::new(Vec::new()),
            unfinished: RwSignal::new(Vec::new()),
            notices: RwSignal::new(Vec::new()),
            badges: RwSignal::new(Vec::new()),
            said: RwSignal::new(String::new()),
            saying: StoredValue::new(None),
            choices_changed: RwSignal::new(0),
            visit: RwSignal::new(None),
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

    /// Takes a session as it is now, and says so to the other tabs of this browser.
    pub(crate) fn enter(self, session: Session) {
        http::speak_in(session.session_id.clone());
        news::say_session(session.session_id.as_deref());
        let plugins = session.user.is_some() || session.anonymous;
        // Panels were told who was there before.
        self.close_all();
        self.plugins.set(Loadable::Loading);
        self.session.set(Loadable::Ready(session));
        self.layout.recall(self);
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
                    self.close_what_is_not_allowed();
                }
                Err(error) => self.plugins.set(Loadable::Failed(error)),
            }
        });
    }

    /// Ends the panels of plugins that the user, in another tab, allows nothing any more, and of those that an admin
    /// has blocked or uninstalled.
    fn close_what_is_not_allowed(self) {
        let frames = self.frames.get_untracked();
        for frame in frames.iter().filter(|frame| self.grant_of(&frame.plugin.id).is_none()) {
            let id = frame.plugin.id.as_str();
            let still =
                self.frames.with_untracked(|frames| frames.iter().any(|other| other.key == frame.key));
            if still && self.plugin_untracked(id).is_none() {
                let name = text::shown(&frame.plugin.name, text::NAME);
                self.toast(Tone::Error, format!("{name} is no longer available on this server."));
            }
            self.close_plugin(id);
        }
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
        self.unfinished.set(Vec::new());
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
            self.look_who_is_here();
        }
    }

    /// Asks who is signed in in this browser now. If that is not who it was, nothing of theirs stays on the page.
    pub(crate) fn look_who_is_here(self) {
        spawn_local(async move {
            let Ok(session) = Request::get(api::SESSION).read::<Session>().await else { return };
            let known =
                self.session.with_untracked(|known| known.ready().map(|known| known.session_id.clone()));
            if known.is_none_or(|known| known == session.session_id) {
                return;
            }
            match session.user {
                Some(user) => {
                    let name = text::shown(&user.name, text::NAME);
                    self.toast(Tone::Info, format!("{name} has signed in in another tab."));
                }
                None => self.toast(Tone::Error, "Your session has ended. Sign in again."),
            }
            self.leave();
        });
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

    /// Shows a connection that waits for the user, one for each toolkit.
    pub(crate) fn leave_unfinished(self, connection: Unfinished) {
        self.finished(&connection.toolkit);
        self.unfinished.update(|unfinished| unfinished.push(connection));
    }

    /// Takes away what was shown of a toolkit's connection.
    pub(crate) fn finished(self, toolkit: &str) {
        self.unfinished.update(|unfinished| unfinished.retain(|other| other.toolkit != toolkit));
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
