//! The headers of the panel origin. Together they leave a panel no way out but the bridge; each closes ways that
//! the others leave open.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::assets::features;

/// What holds for every answer.
const CONSTANT: [(HeaderName, &str); 5] = [
    // Stops what the policy alone does not: navigation of the panel by itself, downloads, WebRTC.
    (HeaderName::from_static("connection-allowlist"), "(response-origin)"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // A sandboxed document has an opaque origin; its own module scripts are cross-origin to it.
    (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    (REFERRER_POLICY, "no-referrer"),
];

/// Adds the headers; `hash` names the only files that the document may load.
pub(super) fn extend(headers: &mut HeaderMap, app: &str, panels: &str, hash: Option<&str>) {
    for (name, value) in CONSTANT {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = policy(app, panels, hash);
    let policy = HeaderValue::from_str(&policy);
    headers.insert(
        CONTENT_SECURITY_POLICY,
        policy.unwrap_or(HeaderValue::from_static("sandbox; default-src 'none'")),
    );
    headers.insert(features::NAME, features::denied(&[]));
}

fn policy(app: &str, panels: &str, hash: Option<&str>) -> String {
    // The path ends with a slash, which makes it match whole folders and no other plugin's.
    let own = hash.map_or_else(String::new, |hash| format!("{panels}/{hash}/ "));
    format!(
        "sandbox allow-scripts; default-src 'none'; script-src {own}'unsafe-inline'; \
         style-src {own}'unsafe-inline'; img-src {own}data: blob:; font-src {own}data:; connect-src 'none'; \
         worker-src 'none'; child-src 'none'; frame-src 'none'; object-src 'none'; base-uri 'none'; \
         form-action 'none'; frame-ancestors {app}; webrtc 'block'"
    )
}
