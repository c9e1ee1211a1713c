//! The description of the API.

use axum::response::IntoResponse;
use http::header;

/// OpenAPI 3.1.
pub const OPENAPI: &str = include_str!("../../openapi.json");

/// `GET /openapi.json`
pub(super) async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

#[cfg(test)]
mod tests;
