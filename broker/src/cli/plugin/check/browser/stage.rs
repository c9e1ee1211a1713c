//! Where panels are opened: a host page on one site and the panels' files on another, under the headers, the guard and
//! the gate of the real host. Nobody is signed in to anything; what a call would have done is answered with nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{StatusCode, header};
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use taiku_bridge::api::segment;
use taiku_bridge::message::{INIT, PROTOCOL_VERSION};
use taiku_bridge::{Caller, Code, Grant, Manifest, Method, Refusal};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::assets;
use crate::cli::plugin::check::markup::line_of;
use crate::cli::plugin::report::{Finding, Level};
use crate::config::Origins;
use crate::panel::{self, Panels};
use crate::plugin::{Files, MANIFEST};

const PAGE: &str = include_str!("stage.html");
const SCRIPT: &str = include_str!("stage.js");
/// Says which document is the frame's first; nobody here would forge it.
const NONCE: &str = "check";

/// What each method answers where nothing is connected and nothing is stored; the others answer null.
const ANSWERS: &[(&str, &str)] = &[
    ("integrations.list", r#"{"connections": []}"#),
    ("integrations.tools", r#"{"tools": []}"#),
    ("getSession", r#"{"id": "check", "name": "taiku plugin check"}"#),
    ("getUserRole", r#"{"role": "writer", "userId": "check"}"#),
    ("getShells", "[]"),
];

/// A listener with one act for each panel.
pub(super) struct Stage {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    origins: Origins,
    files: Arc<Files>,
    manifest: Manifest,
    acts: Vec<Act>,
    /// Paths of files that were asked for and are not there.
    missing: Mutex<BTreeSet<String>>,
}

/// One panel that is opened.
pub(super) struct Act {
    /// The address of its host page.
    pub(super) address: String,
    /// The panel's file.
    pub(super) file: String,
    id: String,
    seen: Mutex<Seen>,
}

/// What the host page has seen of a panel.
struct Seen {
    ready: bool,
    left: bool,
    refused: Vec<(String, Refusal)>,
    last: Instant,
}

impl Stage {
    pub(super) async fn start(files: Arc<Files>, manifest: Manifest) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let origins = Origins::on_loopback(port).map_err(std::io::Error::other)?;
        let acts =
            manifest.panels.iter().enumerate().filter(|(_, panel)| files.get(&panel.html_url).is_some());
        let act = |(index, panel): (usize, &taiku_bridge::manifest::Panel)| Act {
            address: format!("{}/?{index}", origins.app.as_str()),
            file: panel.html_url.clone(),
            id: panel.id.clone(),
            seen: Mutex::new(Seen::new()),
        };
        let acts = acts.map(act).collect();
        let shared = Arc::new(Shared { origins, files, manifest, acts, missing: Mutex::default() });
        let router = router(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the stage has ended");
            }
        });
        Ok(Self { shared, server })
    }

    pub(super) fn acts(&self) -> &[Act] {
        &self.shared.acts
    }

    /// The first place in the plugin's files where a text stands: file and line.
    pub(super) fn locate(&self, text: &str) -> Option<(String, usize)> {
        let finder = memmem::Finder::new(text);
        let found = |(path, content): (&str, &Bytes)| {
            finder.find(content).map(|at| (path.to_owned(), line_of(content, at)))
        };
        let mut files = self.shared.files.iter().filter(|(path, _)| *path != MANIFEST);
        if text.is_empty() { None } else { files.find_map(found) }
    }

    /// The files that were asked for since this was asked last and are not there.
    pub(super) fn missing(&self, act: &Act) -> Vec<Finding> {
        let missing = std::mem::take(&mut *lock(&self.shared.missing));
        let finding = |path: &String| {
            let path = path.trim_start_matches('/');
            let what = format!("asks for `{path}`, which is not in the plugin's folder");
            self.finding(act, Level::Fault, path.rsplit('/').next().unwrap_or(path), what)
        };
        missing.iter().map(finding).collect()
    }

    /// The calls of a panel that were refused.
    pub(super) fn refused(&self, act: &Act) -> Vec<Finding> {
        let refused = std::mem::take(&mut act.seen().refused);
        let finding = |(method, refusal): &(String, Refusal)| {
            let level = if refusal.code == Code::UnknownMethod { Level::Warning } else { Level::Fault };
            self.finding(act, level, method, format!("calls `{method}` and is refused: {}", refusal.message))
        };
        refused.iter().map(finding).collect()
    }

    /// A finding where a text stands that belongs to it, or about the panel's file.
    fn finding(&self, act: &Act, level: Level, text: &str, what: String) -> Finding {
        match self.locate(text) {
            Some((file, line)) => Finding::at_line(level, &file, line, what),
            None => Finding::of_file(level, &act.file, what),
        }
    }

    /// Whether an address is of the panels' origin.
    pub(super) fn is_panel(&self, address: &str) -> bool {
        address.starts_with(self.shared.origins.panels.as_str())
    }

    /// The file of the plugin that an address names, and its content.
    pub(super) fn file(&self, address: &str) -> Option<(String, &Bytes)> {
        let path = address.strip_prefix(self.shared.origins.panels.as_str())?.split(['?', '#']).next()?;
        panel::file(path, &self.shared.files)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    fn new() -> Self {
        Self { ready: false, left: false, refused: Vec::new(), last: Instant::now() }
    }
}

impl Act {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        let mut seen = lock(&self.seen);
        seen.last = Instant::now();
        seen
    }

    /// Whether the panel is there and has done nothing for some time.
    pub(super) fn is_quiet(&self, time: Duration) -> bool {
        let seen = lock(&self.seen);
        (seen.ready || seen.left) && seen.last.elapsed() >= time
    }

    /// Whether the panel came and stayed.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let seen = lock(&self.seen);
        let of = |level, what: String| Finding::of_file(level, &self.file, what);
        let mut findings = Vec::new();
        if seen.left {
            let what = "leaves its page by itself (a navigation, or `document.open`); the host then stops it";
            findings.push(of(Level::Fault, what.into()));
        } else if !seen.ready {
            findings.push(of(Level::Fault, "did not finish loading within 30 seconds".into()));
        }
        findings
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(|| async { ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE) }))
        .route("/stage.js", get(|| async { ([(header::CONTENT_TYPE, "text/javascript")], SCRIPT) }))
        .route("/panel", post(introduce))
        .route("/call", post(call))
        .route("/ready", post(ready))
        .route("/left", post(left))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), of_site))
        .with_state(shared)
}

/// Tells the two sites apart by `Host`, as the real host does, and adds the headers of the app's.
async fn of_site(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: axum::middleware::Next,
) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if host == shared.origins.panels.authority() {
        return files(State(shared), request).await;
    }
    if host != shared.origins.app.authority() {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let headers = assets::host_page_headers(&shared.origins);
    let mut response = next.run(request).await;
    response.headers_mut().extend(headers);
    response
}

async fn files(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let asked = panel::Request { method: request.method(), path: request.uri().path(), if_none_match: None };
    let by_hash = |hash: &str| (shared.files.hash() == hash).then(|| Arc::clone(&shared.files));
    let response = Panels::new(&shared.origins).respond(asked, by_hash);
    if response.status() == StatusCode::NOT_FOUND {
        let path = request.uri().path();
        let path =
            path.strip_prefix('/').and_then(|path| path.strip_prefix(shared.files.hash())).unwrap_or(path);
        lock(&shared.missing).insert(path.chars().take(200).collect());
    }
    response
}

/// The act that an address with the query `?<number>` names.
fn act<'a>(shared: &'a Shared, query: Option<&str>) -> Option<&'a Act> {
    let address = format!("{}/?{}", shared.origins.app.as_str(), query?);
    shared.acts.iter().find(|act| act.address == address)
}

/// What the page must know of its panel: where it is, and what to introduce it with.
async fn introduce(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Json<Value> {
    let Some(act) = act(&shared, query.as_deref()) else { return Json(Value::Null) };
    let file: Vec<String> = act.file.split('/').map(segment).collect();
    let (panels, hash) = (shared.origins.panels.as_str(), shared.files.hash());
    let granted = Grant::all_of(&shared.manifest);
    Json(json!({
        "address": format!("{panels}/{hash}/{}#taiku-{NONCE}", file.join("/")),
        "nonce": NONCE,
        "init": {
            "type": INIT,
            "pluginId": shared.manifest.id,
            "panelId": act.id,
            "sessionId": "check",
            "authToken": "check",
            "protocolVersion": PROTOCOL_VERSION,
            "theme": "light",
            "locale": "en",
            "permissions": granted.permissions,
            "integrations": granted.integrations,
        },
    }))
}

async fn ready(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Json<Value> {
    if let Some(act) = act(&shared, query.as_deref()) {
        act.seen().ready = true;
    }
    Json(Value::Null)
}

async fn left(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Json<Value> {
    if let Some(act) = act(&shared, query.as_deref()) {
        act.seen().left = true;
    }
    Json(Value::Null)
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    params: Box<RawValue>,
}

/// Decides on a call by the rules of the host, for a user who has allowed all that the manifest asks for.
async fn call(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, body: String) -> Json<Value> {
    let Ok(Asked { method, params }) = serde_json::from_str(&body) else { return Json(Value::Null) };
    let grant = Grant::all_of(&shared.manifest);
    let caller = Caller {
        integrations_enabled: true,
        signed_in: true,
        manifest: &shared.manifest,
        grant: Some(&grant),
    };
    let refusal = match caller.decide(&method, params.get()) {
        Ok(decided) => match nothing(decided.method()) {
            Ok(value) => return Json(json!({ "result": value })),
            Err(refusal) => refusal,
        },
        Err(refusal) => {
            if let Some(act) = act(&shared, query.as_deref()) {
                act.seen().refused.push((method.chars().take(64).collect(), refusal.clone()));
            }
            refusal
        }
    };
    Json(json!({ "error": refusal.message, "code": refusal.code.as_str() }))
}

/// The answer where nothing is connected and nothing is stored.
fn nothing(method: Method) -> Result<Value, Refusal> {
    if matches!(method, Method::IntegrationsExecute | Method::IntegrationsConnect) {
        let message = "Nothing is connected while a plugin is checked.";
        return Err(Refusal::new(Code::ConnectionMissing, message));
    }
    let known = ANSWERS.iter().find(|(name, _)| *name == method.as_str());
    Ok(known.and_then(|(_, text)| serde_json::from_str(text).ok()).unwrap_or_default())
}
