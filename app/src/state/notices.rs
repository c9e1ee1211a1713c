//! Notifications of plugins: on the desktop where the user wants that, else on the page.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use leptos::prelude::*;
use taiku_bridge::api::Plugin;
use taiku_bridge::call;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Notification, NotificationOptions, NotificationPermission};

use super::App;
use crate::text;

/// How many are shown at once; older ones give way.
const MOST: usize = 3;
/// How long one stays, in milliseconds: long enough to be read and pressed.
const STAY_MS: u64 = 20_000;
/// Under this name the user's "no" to the desktop is kept.
const DECLINED: &str = "desktop-declined";

/// A notification on the page.
#[derive(Clone)]
pub(crate) struct Notice {
    /// Tells it from the others.
    pub(crate) id: u32,
    /// Who notifies.
    pub(crate) plugin: Arc<Plugin>,
    /// The panel that is shown when it is chosen.
    pub(crate) panel: String,
    /// The first line.
    pub(crate) title: String,
    /// The text below it.
    pub(crate) body: String,
    /// A later one with the same tag takes its place.
    tag: Option<String>,
    /// How many of the plugin gave way to it.
    pub(crate) before: u32,
}

impl App {
    /// Notifies the user for a plugin, under its name. A plugin has one notice on the page, and later ones take its
    /// place, so that none can fill the page.
    pub(crate) fn notify(self, plugin: &Arc<Plugin>, panel: String, notification: &call::Notification) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let notice = Notice {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            plugin: plugin.clone(),
            panel,
            title: text::shown(&notification.title, text::NAME),
            body: text::shown(&notification.body, text::SENTENCE),
            tag: notification.tag.clone(),
            before: 0,
        };
        if !self.notify_on_desktop(&notice) {
            self.notify_on_page(notice);
        }
    }

    fn notify_on_page(self, mut notice: Notice) {
        let id = notice.id;
        self.notices.update(|notices| {
            let gives_way = |old: &Notice| old.plugin.id == notice.plugin.id;
            if let Some(old) = notices.iter().find(|old| gives_way(old)) {
                let same = old.tag.is_some() && old.tag == notice.tag;
                notice.before = old.before + u32::from(!same);
            }
            notices.retain(|old| !gives_way(old));
            notices.push(notice);
            let surplus = notices.len().saturating_sub(MOST);
            notices.drain(..surplus);
        });
        set_timeout(move || self.close_notice(id), Duration::from_millis(STAY_MS));
    }

    /// Whether it could be shown there.
    fn notify_on_desktop(self, notice: &Notice) -> bool {
        if Notification::permission() != NotificationPermission::Granted {
            return false;
        }
        let name = text::shown(&notice.plugin.name, text::NAME);
        let options = NotificationOptions::new();
        options.set_body(&notice.body);
        if let Some(tag) = &notice.tag {
            // A tag is the plugin's own: nobody takes the place of another's.
            options.set_tag(&format!("{} {tag}", notice.plugin.id));
        }
        let title = format!("{name}: {}", notice.title);
        let Ok(shown) = Notification::new_with_options(&title, &options) else { return false };
        let chosen = notice.clone();
        let choose = Closure::once_into_js(move || {
            // A browser that does not bring the page to the front leaves it where it is.
            let _ = window().focus();
            self.follow_notice(&chosen);
        });
        shown.set_onclick(Some(choose.unchecked_ref()));
        true
    }

    /// Shows the panel of a notice.
    pub(crate) fn follow_notice(self, notice: &Notice) {
        self.close_notice(notice.id);
        self.visit_panel(notice.plugin.id.as_str(), &notice.panel);
    }

    /// Takes a notice away.
    pub(crate) fn close_notice(self, id: u32) {
        self.notices.update(|notices| notices.retain(|notice| notice.id != id));
    }

    /// Whether the user was never asked about the desktop: neither by the browser nor by this page.
    pub(crate) fn may_ask_for_desktop(self) -> bool {
        Notification::permission() == NotificationPermission::Default && self.recall(DECLINED).is_none()
    }

    /// Lets the browser ask whether this page may notify on the desktop. Only a press of a button leads here.
    pub(crate) fn ask_for_desktop(self) {
        // What the browser answers is read when the next notification comes.
        let _ = Notification::request_permission();
        self.notices.set(Vec::new());
    }

    /// Keeps the user's "no".
    pub(crate) fn decline_desktop(self) {
        self.remember(DECLINED, Some("1"));
        self.notices.notify();
    }
}
