//! Small pages of our own outside the host page: HTML without anything that runs, but for one script with its hash.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode, header};

use crate::vault::hash::sha256;

const STYLE: &str = include_str!("page.css");

/// A page.
pub(super) struct Page {
    /// The status.
    pub(super) status: StatusCode,
    /// Its heading, as text.
    pub(super) title: String,
    /// What follows the heading, as HTML whose parts were escaped by [`escape`].
    pub(super) body: String,
    /// The one script, if there is one.
    pub(super) script: Option<String>,
}

/// Text for a place between tags or in a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn hash_source(content: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(sha256(content.as_bytes())))
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let title = escape(&self.title);
        let script =
            self.script.as_deref().map_or_else(String::new, |text| format!("<script>{text}</script>"));
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} · taiku</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><style>{STYLE}</style></head>\
             <body><main><p class=\"brand\">taiku</p><h1>{title}</h1>{}</main>{script}</body></html>",
            self.body
        );
        let script_source = self.script.as_deref().map_or_else(|| "'none'".to_owned(), hash_source);
        // What comes from elsewhere is escaped, so that a form is ours.
        let forms = if self.body.contains("<form ") { "'self'" } else { "'none'" };
        let csp = format!(
            "default-src 'none'; style-src {}; script-src {script_source}; base-uri 'none'; \
             form-action {forms}; frame-ancestors 'none'",
            hash_source(STYLE)
        );
        let mut response = (self.status, html).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(csp) = HeaderValue::from_str(&csp) {
            headers.insert(header::CONTENT_SECURITY_POLICY, csp);
        }
        response
    }
}
