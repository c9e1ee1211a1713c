//! What the token and revocation endpoints answer when they refuse, RFC 6749 section 5.2.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, PRAGMA, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::grants::Refused;
use super::scope::UnknownScope;
use crate::form::Repeated;
use crate::random::NoRandom;

/// A refusal of the token or revocation endpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OAuthError {
    /// The body is not a form.
    #[error("the body must be application/x-www-form-urlencoded and at most 64 KiB")]
    NotAForm,
    /// A parameter is missing.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// A parameter came twice.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// The client authenticated in two ways (RFC 6749 section 2.3).
    #[error("use the Authorization header or client_secret in the body, not both")]
    TwoAuthentications,
    /// The client is unknown or its secret is wrong.
    #[error("the client is unknown or its secret is wrong; with Basic, both are form-encoded first")]
    InvalidClient,
    /// The grant type is another one.
    #[error("grant_type must be authorization_code or refresh_token")]
    UnsupportedGrantType,
    /// A scope that does not exist.
    #[error(transparent)]
    UnknownScope(#[from] UnknownScope),
    /// The code or the refresh token was not honoured.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There are no random numbers.
    #[error(transparent)]
    Server(#[from] NoRandom),
}

impl OAuthError {
    const fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotAForm | Self::Missing(_) | Self::Repeated(_) | Self::TwoAuthentications => {
                (StatusCode::BAD_REQUEST, "invalid_request")
            }
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::UnknownScope(_) | Self::Refused(Refused::Scope) => {
                (StatusCode::BAD_REQUEST, "invalid_scope")
            }
            Self::Refused(_) => (StatusCode::BAD_REQUEST, "invalid_grant"),
            Self::Server(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (status, error) = self.code();
        let body = Json(json!({ "error": error, "error_description": self.to_string() }));
        let mut response = (status, not_stored(), body).into_response();
        if matches!(self, Self::InvalidClient) {
            response.headers_mut().insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"demo\", charset=\"UTF-8\""),
            );
        }
        response
    }
}

/// The headers of everything that may hold a token (RFC 6749 section 5.1).
pub(crate) fn not_stored() -> [(axum::http::HeaderName, HeaderValue); 2] {
    [(CACHE_CONTROL, HeaderValue::from_static("no-store")), (PRAGMA, HeaderValue::from_static("no-cache"))]
}
