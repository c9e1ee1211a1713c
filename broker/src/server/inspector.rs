//! `/dev/{plugin}`: the calls of a plugin that its author is trying out, as a page. What it shows it asks the API for,
//! which knows who may see it.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

const PAGE: &str = include_str!("inspector/page.html");
const STYLE: &str = include_str!("inspector/page.css");
const SCRIPT: &str = include_str!("inspector/page.js");

/// `GET /dev/{plugin}`
pub(super) async fn page() -> Response {
    text("text/html; charset=utf-8", PAGE)
}

/// `GET /dev.css`
pub(super) async fn style() -> Response {
    text("text/css; charset=utf-8", STYLE)
}

/// `GET /dev.js`
pub(super) async fn script() -> Response {
    text("text/javascript; charset=utf-8", SCRIPT)
}

fn text(kind: &'static str, content: &'static str) -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], content)
        .into_response()
}
