//! The headers of the panel origin. Together they leave a panel no way out but the bridge; each closes ways that
//! the others leave open.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::content_type;
use crate::assets::features;

/// What a file is when a frame opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// HTML, which begins with the guard.
    Document,
    /// Anything else. A picture or XML that a panel navigates to could run scripts without the guard, and be taken
    /// for the panel's first document.
    Other,
}

impl Kind {
    pub(super) fn of(name: &str) -> Self {
        if content_type::is_html(name) { Self::Document } else { Self::Other }
    }

    fn sandbox(self) -> &'static str {
        match self {
            Self::Document => "sandbox allow-scripts",
            Self::Other => "sandbox",
        }
    }
}

/// What holds for every answer.
const CONSTANT: [(HeaderName, &str); 6] = [
    // Stops what the policy alone does not: navigation of the panel by itself, downloads, WebRTC.
    (HeaderName::from_static("connection-allowlist"), "(response-origin)"),
    // Gives each panel a process of its own, so that one that never rests leaves the others alone: browsers otherwise
    // put all of a site's sandboxed frames into one. Its own files pass by the resource policy below.
    (HeaderName::from_static("document-isolation-policy"), "isolate-and-require-corp"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // A sandboxed document has an opaque origin; its own module scripts are cross-origin to it.
    (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    (REFERRER_POLICY, "no-referrer"),
];

/// Adds the headers; `hash` names the only files that the document may load.
pub(super) fn extend(headers: &mut HeaderMap, app: &str, panels: &str, hash: Option<&str>, kind: Kind) {
    for (name, value) in CONSTANT {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = policy(app, panels, hash, kind);
    let policy = HeaderValue::from_str(&policy);
    headers.insert(
        CONTENT_SECURITY_POLICY,
        policy.unwrap_or(HeaderValue::from_static("sandbox; default-src 'none'")),
    );
    headers.insert(features::NAME, features::denied(&[]));
}

fn policy(app: &str, panels: &str, hash: Option<&str>, kind: Kind) -> String {
    let sandbox = kind.sandbox();
    // The path ends with a slash, which makes it match whole folders and no other plugin's.
    let own = hash.map_or_else(String::new, |hash| format!("{panels}/{hash}/ "));
    format!(
        "{sandbox}; default-src 'none'; script-src {own}'unsafe-inline'; \
         style-src {own}'unsafe-inline'; img-src {own}data: blob:; font-src {own}data:; connect-src 'none'; \
         worker-src 'none'; child-src 'none'; frame-src 'none'; object-src 'none'; base-uri 'none'; \
         form-action 'none'; frame-ancestors {app}; webrtc 'block'"
    )
}
