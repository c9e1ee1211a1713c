//! Which address answers what. The app, its API and the OAuth pages are one origin, the panels another site;
//! any other `Host` is answered 421, so that no other name of this machine can be used to reach them.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use taiku_bridge::api::Problem;
use taiku_bridge::{Code, Refusal, Slug};
use tower::ServiceExt as _;

use super::problem::{self, Unhandled};
use super::{inspector, oauth_pages, routes};
use crate::assets;
use crate::broker::Broker;
use crate::failure::Failure;
use crate::installed;
use crate::panel::{self, Panels};

const REQUEST_ID: HeaderName = HeaderName::from_static("taiku-request-id");

#[derive(Clone)]
struct Sites {
    broker: Broker,
    pages: Router,
    api: Router,
}

/// Everything that the listener answers.
pub(super) fn router(broker: Broker) -> Router {
    let api = routes::api(&broker).layer(from_fn(as_api));
    let sites = Sites { broker: broker.clone(), pages: pages(&broker), api };
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready).with_state(broker.clone()))
        .fallback(dispatch)
        .with_state(sites)
        .layer(from_fn_with_state(broker, finish))
}

fn pages(broker: &Broker) -> Router {
    Router::new()
        .route("/oauth/start/{flow}", get(oauth_pages::start).post(oauth_pages::supply))
        // Without its own answer to HEAD, asking for the headers would finish the flow.
        .route("/oauth/callback/{context}", get(oauth_pages::callback).head(only_get))
        .route("/dev/{plugin}", get(inspector::page))
        .route("/dev.css", get(inspector::style))
        .route("/dev.js", get(inspector::script))
        .route("/logos/{slug}", get(logo))
        .fallback(front_end)
        .with_state(broker.clone())
}

async fn only_get() -> Failure {
    Failure::new(Code::MethodNotAllowed, "This address can only be opened.")
}

async fn ready(State(broker): State<Broker>) -> Result<&'static str, Failure> {
    broker.store.ping().await?;
    Ok("ready")
}

async fn dispatch(State(sites): State<Sites>, request: Request) -> Response {
    let origins = &sites.broker.origins;
    let host = authority(&request);
    if host.eq_ignore_ascii_case(origins.app.authority()) {
        let site = if is_api(request.uri().path()) { sites.api } else { sites.pages };
        site.oneshot(request).await.into_response()
    } else if host.eq_ignore_ascii_case(origins.panels.authority()) {
        panels(&sites.broker, request).await
    } else {
        let message = format!("This server answers as {} only.", origins.app.as_str());
        Failure::new(Code::MisdirectedRequest, message).into_response()
    }
}

fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// What the request says it is for: the target's authority or the one `Host` header.
fn authority(request: &Request) -> &str {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().unwrap_or_default(),
        _ => "",
    };
    match request.uri().authority() {
        Some(authority) if host.is_empty() || authority.as_str() == host => authority.as_str(),
        Some(_) => "",
        None => host,
    }
}

async fn panels(broker: &Broker, request: Request) -> Response {
    let request = panel::Request {
        method: request.method(),
        path: request.uri().path(),
        if_none_match: header_text(request.headers(), &header::IF_NONE_MATCH),
    };
    let files = match panel::content_hash(request.path) {
        Some(hash) => installed::files(broker, hash).await,
        None => None,
    };
    Panels::new(&broker.origins).respond(request, |_| files)
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

async fn front_end(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Failure::new(Code::MethodNotAllowed, "Pages can only be read.").into_response();
    }
    let text = |name| header_text(request.headers(), &name);
    assets::serve(request.uri().path(), text(header::ACCEPT_ENCODING), text(header::IF_NONE_MATCH))
}

/// A toolkit's picture: a stranger's SVG, so it is served with a policy that lets it do nothing.
async fn logo(State(broker): State<Broker>, Path(name): Path<String>) -> Result<Response, Failure> {
    let missing = || Failure::not_found("logo");
    let slug = name.strip_suffix(".svg").and_then(|slug| Slug::parse(slug).ok()).ok_or_else(missing)?;
    let toolkits = broker.toolkits.current().await;
    let logo = toolkits.get(&slug).and_then(|toolkit| toolkit.logo.clone()).ok_or_else(missing)?;
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
        ),
    ];
    Ok((headers, logo).into_response())
}

/// What every answer of the API has: it is not kept, it is no page, and a refusal is a problem document. Paths
/// and queries that axum itself cannot read are refused by it, in plain text.
async fn as_api(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::BAD_REQUEST && !is_ours(response.headers()) {
        response = Failure::new(Code::BadMessage, "The path or the query cannot be read.").into_response();
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"));
    response
}

fn is_ours(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == problem::CONTENT_TYPE)
}

/// Runs around everything: gives the request an id, survives panics, names internal failures by their id only,
/// and adds the headers that every response has.
async fn finish(State(broker): State<Broker>, request: Request, next: Next) -> Response {
    let id = broker.random.id("req_");
    let (method, path) = (request.method().clone(), path_for_log(request.uri().path()));
    let began = std::time::Instant::now();
    let is_api = is_api(request.uri().path());
    let is_panel = authority(&request).eq_ignore_ascii_case(broker.origins.panels.authority());
    let mut response = to_its_end(next.run(request)).await;
    if let Some(Unhandled(error)) = response.extensions_mut().remove::<Unhandled>() {
        tracing::error!(request_id = %id, %error, "a request failed on our side");
        let mut body: Problem = Refusal::new(Code::Internal, id.clone()).into();
        body.detail = format!("Something went wrong on our side. Request id: {id}");
        response = problem::problem(&body);
    }
    let site = match (is_panel, is_api) {
        (true, _) => "panel",
        (false, true) => "api",
        (false, false) => "page",
    };
    broker.metrics.request(site, response.status(), began.elapsed());
    let status = response.status().as_u16();
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(request_id = %id, %method, path, status, duration_ms, "answered");
    let common = if is_panel {
        Panels::new(&broker.origins).headers()
    } else {
        assets::host_page_headers(&broker.origins)
    };
    for (name, value) in common {
        if let Some(name) = name {
            response.headers_mut().entry(name).or_insert(value);
        }
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if method == Method::TRACE || method == Method::CONNECT {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        *response.body_mut() = Body::empty();
    }
    response
}

/// Answers on a task of its own: a caller that goes away must not leave a tool that ran unnoted, a code that was
/// spent without its tokens, or a connection that was revoked and still stands.
async fn to_its_end(answer: impl Future<Output = Response> + Send + 'static) -> Response {
    let panicked = |_| Failure::Internal("a handler panicked".into()).into_response();
    tokio::spawn(answer).await.unwrap_or_else(panicked)
}

/// Paths of flows and callbacks are not for logs: what follows the second segment is left out.
fn path_for_log(path: &str) -> String {
    if path.starts_with("/oauth/") { "/oauth/…".to_owned() } else { path.chars().take(200).collect() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_request_goes_on_when_its_caller_has_gone() {
        let (go, gone) = oneshot::channel();
        let (done, ended) = oneshot::channel();
        let answer = to_its_end(async move {
            gone.await.unwrap();
            done.send(()).unwrap();
            StatusCode::OK.into_response()
        });
        // The caller waits for a moment and hangs up.
        assert!(tokio::time::timeout(Duration::from_millis(10), answer).await.is_err());
        go.send(()).unwrap();
        ended.await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_ends_one_request() {
        let response = to_its_end(async { panic!("on purpose") }).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
