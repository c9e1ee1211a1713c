//! Failures as problem documents (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use taiku_bridge::api::Problem;
use taiku_bridge::{Code, Refusal};

use crate::failure::Failure;

/// The text of an internal failure, on its way to the log.
#[derive(Clone)]
pub(super) struct Unhandled(pub(super) String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) | Self::Ended(refusal) => problem(&refusal.into()),
            Self::Choose(refusal, connections) => problem(&Problem { connections, ..refusal.into() }),
            Self::Wait(refusal, seconds) => {
                let mut response = problem(&refusal.into());
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Self::Internal(text) => {
                let mut response = problem(&Refusal::new(Code::Internal, "internal").into());
                response.extensions_mut().insert(Unhandled(text));
                response
            }
        }
    }
}

/// The content type of problems (RFC 9457).
pub(super) const CONTENT_TYPE: &str = "application/problem+json";

/// The response of a problem.
pub(super) fn problem(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}
