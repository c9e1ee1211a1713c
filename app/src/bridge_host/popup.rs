//! The window in which a user connects an account.

use leptos::prelude::window;
use wasm_bindgen::JsValue;
use web_sys::{Url, Window};

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
    let loopback = matches!(url.hostname().as_str(), "localhost" | "127.0.0.1" | "[::1]");
    let safe =
        url.origin() == origin || url.protocol() == "https:" || (url.protocol() == "http:" && loopback);
    safe.then(|| url.href())
}
