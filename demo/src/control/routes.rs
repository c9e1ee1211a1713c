//! `/control` over HTTP, for tests that drive a whole program.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{BadControl, Control};
use crate::demo::Demo;

/// Why a setting was not taken.
#[derive(Debug, thiserror::Error)]
enum ControlError {
    #[error("send the header X-Demo-Control: 1")]
    NoHeader,
    #[error("the body is larger than 64 KiB")]
    TooLarge,
    #[error("the body is not what this address takes: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error(transparent)]
    Bad(#[from] BadControl),
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoHeader => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed(_) | Self::Bad(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        (status, Json(json!({ "message": self.to_string() }))).into_response()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u32,
}

/// The addresses under `/control`.
pub(crate) fn routes() -> Router<Demo> {
    Router::new()
        .route("/control", get(show).put(set))
        .route("/control/log", get(log))
        .route("/control/advance", post(advance))
        .route_layer(from_fn(only_with_header))
}

async fn only_with_header(request: Request, next: Next) -> Response {
    if request.headers().get("x-demo-control").is_some_and(|value| value == "1") {
        next.run(request).await
    } else {
        ControlError::NoHeader.into_response()
    }
}

async fn show(State(demo): State<Demo>) -> Json<Control> {
    Json(demo.control())
}

async fn set(
    State(demo): State<Demo>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Control>, ControlError> {
    demo.set_control(read(body)?)?;
    Ok(Json(demo.control()))
}

async fn log(State(demo): State<Demo>) -> Json<Value> {
    Json(json!({ "counts": demo.counts(), "living": demo.living(), "requests": demo.seen() }))
}

async fn advance(
    State(demo): State<Demo>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ControlError> {
    let Advance { seconds } = read(body)?;
    demo.advance(Duration::from_secs(seconds.into()));
    Ok(StatusCode::NO_CONTENT)
}

fn read<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, ControlError> {
    let body = body.map_err(|_| ControlError::TooLarge)?;
    Ok(serde_json::from_slice(&body)?)
}
