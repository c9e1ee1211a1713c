//! Bodies of requests: JSON of bounded size and time, read once, with the pointer of what is wrong.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use taiku_bridge::{Code, Refusal, json};

use crate::failure::Failure;

/// Largest body of a request, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// Time within which a body must have come.
const MAX_TIME: Duration = Duration::from_secs(10);

/// A JSON body as `T`. A missing body is an empty object.
pub(super) struct Json<T>(pub T);

/// A JSON body as its text, checked to be JSON without duplicate keys. That it says so was checked with the rights.
pub(super) struct JsonText(pub String);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;
    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let JsonText(text) = JsonText::from_request(request, state).await?;
        json::parse(&text).map(Self).map_err(|error| Refusal::field(error.pointer, error.what).into())
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = Failure;
    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let bytes = read(request.into_body()).await?;
        if bytes.is_empty() {
            return Ok(Self("{}".to_owned()));
        }
        let text = String::from_utf8(bytes.into())
            .map_err(|_| Failure::new(Code::BadMessage, "The body is not UTF-8."))?;
        json::check(&text).map_err(|error| Failure::new(Code::BadMessage, format!("The body: {error}")))?;
        // A list would be read as the fields of a struct in their order.
        if !text.trim_start().starts_with('{') {
            return Err(Refusal::field("", "must be an object").into());
        }
        Ok(Self(text))
    }
}

/// Whether a body says that it is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

async fn read(body: Body) -> Result<Bytes, Failure> {
    let collected = tokio::time::timeout(MAX_TIME, Limited::new(body, MAX_BYTES).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Failure::new(Code::TooLarge, "The body is larger than 1 MiB."))
        }
        Ok(Err(_)) => Err(Failure::new(Code::BadMessage, "The body ended too early.")),
        Err(_) => Err(Failure::new(Code::BodySlow, "The body did not come within 10 s.")),
    }
}
