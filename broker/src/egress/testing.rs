//! A provider that says what a test scripts, and a listener that nothing may ever reach.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use url::Url;

use super::{AllowedHosts, Egress, Policy};

/// A client that may reach loopback.
pub(crate) fn loopback() -> Egress {
    Egress::new(Policy { allow_loopback_http: true }).unwrap()
}

/// One request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The fields of a form body.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// A server on 127.0.0.1 whose every answer a function makes.
pub(crate) struct Scripted {
    root: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Scripted {
    pub(crate) async fn start<R: IntoResponse>(answer: impl Fn(&Seen) -> R + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let answer = Arc::new(answer);
        let router = Router::new().fallback(move |request: Request| {
            let (log, answer) = (log.clone(), answer.clone());
            async move { record(request, &log, &*answer).await }
        });
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { root, seen, task }
    }

    pub(crate) fn at(&self, path: &str) -> Url {
        self.root.join(path).unwrap()
    }

    pub(crate) fn hosts(&self) -> AllowedHosts {
        AllowedHosts::of([&self.root])
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn record<R: IntoResponse>(
    request: Request<Body>,
    log: &Mutex<Vec<Seen>>,
    answer: &impl Fn(&Seen) -> R,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let seen = Seen {
        method: parts.method,
        path: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    log.lock().unwrap().push(seen.clone());
    answer(&seen).into_response()
}

/// Counts who connects.
pub(crate) struct Canary {
    port: u16,
    connects: Arc<AtomicUsize>,
    arrived: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Canary {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connects, arrived) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (count, notify) = (connects.clone(), arrived.clone());
        let task = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
                notify.notify_one();
            }
        });
        Self { port, connects, arrived, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many came. Connects once itself and waits for that, so that nobody who came earlier is missed.
    pub(crate) async fn connects(&self) -> usize {
        let before = self.connects.load(Ordering::SeqCst);
        let _mine = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        while self.connects.load(Ordering::SeqCst) == before {
            self.arrived.notified().await;
        }
        self.connects.fetch_sub(1, Ordering::SeqCst) - 1
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.task.abort();
    }
}
