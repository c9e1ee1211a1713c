//! Lets a fault happen to a request.

use std::time::Duration;

use axum::Extension;
use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::form_urlencoded;

use super::{EchoAs, Fault, Slot};
use crate::demo::Demo;
use crate::wire::Wire;

/// Marks an answer that never reaches the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropped;

/// The layer around every endpoint that can misbehave.
pub(crate) async fn interfere(
    State((demo, slot)): State<(Demo, Slot)>,
    wire: Option<Extension<ConnectInfo<Wire>>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(plan) = demo.take_fault(slot) else { return next.run(request).await };
    demo.count(|counts| counts.faults += 1);
    match &plan.fault {
        Fault::Answer { .. } => answer(&plan.fault),
        Fault::OauthError { error } => {
            (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
        }
        Fault::EchoAuthorization { status, r#as } => echo(request.headers(), *status, *r#as),
        Fault::Slow { ms } => {
            tokio::time::sleep(Duration::from_millis(*ms)).await;
            next.run(request).await
        }
        Fault::Late { ms } => {
            let response = next.run(request).await;
            tokio::time::sleep(Duration::from_millis(*ms)).await;
            response
        }
        Fault::DropBefore => cut(wire),
        Fault::DropAfter => {
            drop(next.run(request).await);
            cut(wire)
        }
    }
}

fn cut(wire: Option<Extension<ConnectInfo<Wire>>>) -> Response {
    if let Some(Extension(ConnectInfo(wire))) = wire {
        wire.cut();
    }
    (StatusCode::BAD_GATEWAY, Extension(Dropped), "the connection is dropped here").into_response()
}

fn answer(fault: &Fault) -> Response {
    let Fault::Answer { status, headers, content_type, body, body_base64 } = fault else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let body = body_base64
        .as_ref()
        .and_then(|body| STANDARD.decode(body).ok())
        .unwrap_or_else(|| body.clone().into_bytes());
    let mut response = (status_of(*status), body).into_response();
    response.headers_mut().remove(CONTENT_TYPE);
    let content_type = content_type.iter().map(|value| (CONTENT_TYPE.as_str(), value.as_str()));
    let more = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in content_type.chain(more) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn echo(headers: &HeaderMap, status: u16, echo_as: EchoAs) -> Response {
    let status = status_of(status);
    let header =
        headers.get(AUTHORIZATION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let header = header.unwrap_or_default();
    let token = header.split_once(' ').map_or("", |(_, token)| token);
    match echo_as {
        EchoAs::Json => (status, Json(json!({ "message": format!("You sent {header}") }))).into_response(),
        EchoAs::Html => {
            let body = format!("<p>You sent {}</p>", crate::html::escape(&header));
            (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
        }
        EchoAs::Base64 => {
            let body = json!({ "token": STANDARD.encode(token), "header": STANDARD.encode(&header) });
            (status, Json(body)).into_response()
        }
        EchoAs::UrlEncoded => {
            let body: String = form_urlencoded::byte_serialize(header.as_bytes()).collect();
            (status, body).into_response()
        }
    }
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
