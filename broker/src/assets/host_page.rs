//! The headers of the app's origin.

use axum::http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::features;
use crate::config::Origins;

const CONSTANT: [(HeaderName, &str); 3] = [
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
];
/// Two years, in seconds.
const HSTS: &str = "max-age=63072000";

/// The headers of the host page. Every answer of the app's origin may carry them; pages with a policy of their own
/// replace `Content-Security-Policy`.
#[must_use]
pub fn host_page_headers(origins: &Origins) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in CONSTANT {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = HeaderValue::from_str(&policy(origins.panels.as_str()));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        policy.unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    );
    // Buttons of the host page copy ids and links.
    headers.insert(features::NAME, features::denied(&["clipboard-write"]));
    if origins.app.is_secure() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    headers
}

fn policy(panels: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; frame-src {panels}; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types default"
    )
}
