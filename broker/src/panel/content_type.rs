//! Content types by extension. Nothing is guessed from content, and `nosniff` keeps browsers from guessing.

use axum::http::HeaderValue;
use mime_guess::Mime;

/// The content type of a file; text is UTF-8.
pub(crate) fn of(name: &str) -> HeaderValue {
    let Some(mime) = guess(name) else { return HeaderValue::from_static("application/octet-stream") };
    let text = if is_text(&mime) { format!("{mime}; charset=utf-8") } else { mime.to_string() };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Whether a file is served as HTML.
pub(crate) fn is_html(name: &str) -> bool {
    guess(name).is_some_and(|mime| mime.essence_str() == "text/html")
}

fn guess(name: &str) -> Option<Mime> {
    mime_guess::from_path(name).first()
}

fn is_text(mime: &Mime) -> bool {
    mime.type_() == "text" || matches!(mime.essence_str(), "application/json" | "application/javascript")
}
