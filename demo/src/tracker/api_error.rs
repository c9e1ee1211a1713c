//! What the API answers when it refuses: always JSON, always with a sentence.

use axum::Json;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::draft::FieldError;
use crate::oauth::Scope;

/// A refusal of the API.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No bearer token came (RFC 6750 section 3).
    #[error("Send an access token as: Authorization: Bearer …")]
    NoToken,
    /// The token has ended, was revoked or never was.
    #[error("The access token is unknown, has ended or was revoked.")]
    DeadToken,
    /// The token is not for this.
    #[error("This needs the scope {}, which the access token does not have.", .0.name())]
    Scope(Scope),
    /// There is no such thing, or it is somebody else's.
    #[error("There is no {0}.")]
    NotFound(String),
    /// The method is not one that the address knows.
    #[error("This address does not answer to that method.")]
    WrongMethod,
    /// The body is not JSON.
    #[error("The body must be JSON with Content-Type: application/json; {0}.")]
    NotJson(String),
    /// The body is too large.
    #[error("The body is larger than 64 KiB.")]
    TooLarge,
    /// The JSON says something wrong.
    #[error("The issue is not valid.")]
    Invalid(Vec<FieldError>),
    /// There are too many issues.
    #[error("This account has as many issues as the demo keeps; delete some.")]
    Full,
}

impl ApiError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::DeadToken => StatusCode::UNAUTHORIZED,
            Self::Scope(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotJson(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid(_) | Self::Full => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// The challenge of RFC 6750 section 3.1.
    fn challenge(&self) -> Option<String> {
        match self {
            Self::NoToken => Some("Bearer realm=\"demo\"".to_owned()),
            Self::DeadToken => Some(
                "Bearer realm=\"demo\", error=\"invalid_token\", \
                 error_description=\"The access token is unknown, has ended or was revoked\""
                    .to_owned(),
            ),
            Self::Scope(scope) => Some(format!(
                "Bearer realm=\"demo\", error=\"insufficient_scope\", scope=\"{}\"",
                scope.name()
            )),
            _ => None,
        }
    }

    fn body(&self) -> Value {
        let mut body = json!({ "message": self.to_string() });
        if let Self::Invalid(errors) = self {
            let errors = errors.iter().map(|it| json!({ "pointer": it.pointer, "message": it.message }));
            body["errors"] = errors.collect();
        }
        body
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body())).into_response();
        if let Some(challenge) = self.challenge().and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
