//! The window in which a user connects an account.

use leptos::prelude::window;
use wasm_bindgen::JsValue;
use web_sys::{Url, Window};

/// Longest address that a panel may ask to open, in bytes.
const LONGEST_LINK: usize = 8 * 1024;

/// A window that was opened blank while the user's click still counts; none when the browser blocked it.
pub(crate) struct Popup(Option<Window>);

impl Popup {
    /// Opens a blank window, which loses its way back to this page before it goes anywhere.
    pub(crate) fn open() -> Self {
        let features = "popup,width=560,height=760";
        let opened = window().open_with_url_and_target_and_features("about:blank", "_blank", features);
        let popup = opened.ok().flatten().filter(|popup| {
            // A window that keeps its opener could move this page; better none.
            let cut = popup.set_opener(&JsValue::NULL).is_ok();
            if !cut {
                // There is nothing left to do when it cannot even be closed.
                let _ = popup.close();
            }
            cut
        });
        Self(popup)
    }

    /// Sends the window on. Returns whether there was one.
    pub(crate) fn go(&self, url: &str) -> bool {
        self.0
            .as_ref()
            .is_some_and(|popup| !popup.closed().unwrap_or(true) && popup.location().replace(url).is_ok())
    }

    /// Closes the window.
    pub(crate) fn close(&self) {
        if let Some(popup) = &self.0 {
            // A window that the user has closed already is closed.
            let _ = popup.close();
        }
    }
}

/// A connect page as an absolute address, if it is one that a window may be sent to: of this origin, of
/// `https:`, or of a loopback address.
pub(crate) fn is_safe_target(url: &str) -> Option<String> {
    let origin = window().location().origin().ok()?;
    let url = Url::new_with_base(url, &origin).ok()?;
    (url.origin() == origin || is_web(&url)).then(|| url.href())
}

/// An address that a panel may ask the user to open: `https:` or loopback, and nothing that looks like another host.
pub(crate) fn link_target(url: &str) -> Option<String> {
    let url = Url::new(url).ok()?;
    let plain = url.username().is_empty() && url.password().is_empty();
    (plain && is_web(&url)).then(|| url.href()).filter(|url| url.len() <= LONGEST_LINK)
}

fn is_web(url: &Url) -> bool {
    let loopback = matches!(url.hostname().as_str(), "localhost" | "127.0.0.1" | "[::1]");
    url.protocol() == "https:" || (url.protocol() == "http:" && loopback)
}
