//! Bodies of requests: JSON of bounded size and time, read once, with the pointer of what is wrong.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use taiku_bridge::{Code, Refusal, json};

use crate::failure::Failure;
use crate::plugin::archive;

/// Largest body of a request, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// Time within which a body must have come.
const MAX_TIME: Duration = Duration::from_secs(10);
/// The same for a packed plugin.
const MAX_PACKED_TIME: Duration = Duration::from_secs(60);

/// The kind of a JSON body.
pub(super) const JSON: &str = "application/json";

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

/// Reads a packed plugin. That it says so was checked with the rights.
pub(super) async fn packed(body: Body) -> Result<Bytes, Failure> {
    bounded(body, archive::MAX_ARCHIVE, MAX_PACKED_TIME).await
}

/// The kind of a body, in lower case and without its parameters.
pub(super) fn kind(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

async fn read(body: Body) -> Result<Bytes, Failure> {
    bounded(body, MAX_BYTES, MAX_TIME).await
}

async fn bounded(body: Body, max_bytes: usize, max_time: Duration) -> Result<Bytes, Failure> {
    let collected = tokio::time::timeout(max_time, Limited::new(body, max_bytes).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let mib = max_bytes / (1024 * 1024);
            Err(Failure::new(Code::TooLarge, format!("The body is larger than {mib} MiB.")))
        }
        Ok(Err(_)) => Err(Failure::new(Code::BadMessage, "The body ended too early.")),
        Err(_) => {
            let message = format!("The body did not come within {} s.", max_time.as_secs());
            Err(Failure::new(Code::BodySlow, message))
        }
    }
}
