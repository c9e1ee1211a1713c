//! The listener: connections that are bounded in number, heads of requests that are bounded in size and time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::serve::Listener;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

/// Connections at once; whoever comes then waits until one ends.
const CONNECTIONS: usize = 1_000;
/// Files that connections leave to everything else: the database, its journals, providers, the custody.
const RESERVED: usize = 128;
/// Time within which the head of a request must have come, the wait for the next one on the same connection included.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Bytes of the head of a request.
const HEAD_BYTES: usize = 64 * 1024;

/// Where a request comes from: the other end of its connection, which may be a proxy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serves until `shutdown` completes; requests under way are finished.
pub(super) async fn serve(app: Router, mut listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES);
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let (open, room) = (GracefulShutdown::new(), Arc::new(Semaphore::new(connections(&limits))));
    let accept = async {
        while let Ok(place) = Arc::clone(&room).acquire_owned().await {
            // Unlike the listener's own, this one waits out what passes, such as too many open files.
            let (stream, peer) = Listener::accept(&mut listener).await;
            let app = app.clone().map_request(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(Peer(peer.ip()));
                request.map(Body::new)
            });
            let service = TowerToHyperService::new(app);
            let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::trace!(%error, "a connection ended early");
                }
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accept => {}
        () = shutdown => {}
    }
    drop(listener);
    open.shutdown().await;
}

/// How many connections there may be, by what `/proc/self/limits` says of open files: a flood of connections must
/// not take the files that a refresh needs.
fn connections(limits: &str) -> usize {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let files = line.and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
    files.map_or(CONNECTIONS, |files| files.saturating_sub(RESERVED).max(files / 4).clamp(1, CONNECTIONS))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;

    async fn start() -> (TcpStream, oneshot::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/", get(|| async { "here" }));
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(app, listener, async { stopped.await.unwrap_or_default() }));
        (TcpStream::connect(address).await.unwrap(), stop, server)
    }

    async fn read(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        let end = tokio::time::timeout(2 * HEAD_TIME, stream.read_to_string(&mut text));
        end.await.expect("the connection was kept open").unwrap();
        text
    }

    // The clock of these tests runs on at once whenever everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_request_that_never_ends_its_head_ends_its_connection() {
        let (mut stream, _stop, _server) = start().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await.unwrap();
        assert!(!read(&mut stream).await.contains("here"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answered_connection_waits_for_more_and_not_for_ever() {
        let (mut stream, _stop, _server) = start().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert!(read(&mut stream).await.ends_with("here"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_lives_as_long_as_it_is_wanted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let beats = || {
            Body::from_stream(futures_util::stream::unfold(0, |n| async move {
                tokio::time::sleep(HEAD_TIME).await;
                (n < 10).then(|| (Ok::<_, std::convert::Infallible>("beat "), n + 1))
            }))
        };
        let app = Router::new().route("/", get(move || async move { beats() }));
        let server = tokio::spawn(serve(app, listener, std::future::pending()));
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text.matches("beat").count(), 10);
        server.abort();
    }

    #[tokio::test]
    async fn a_head_of_megabytes_is_refused() {
        let (mut stream, _stop, _server) = start().await;
        stream.write_all(format!("GET /?{} HTTP/1.1\r\n", "x".repeat(HEAD_BYTES)).as_bytes()).await.unwrap();
        assert!(read(&mut stream).await.starts_with("HTTP/1.1 4"));
    }

    #[test]
    fn connections_leave_files_to_the_rest() {
        let limits = |files: &str| {
            format!(
                "Max processes   9 9 processes\nMax open files            {files}                 files\n"
            )
        };
        assert_eq!(connections(&limits("256                  1048576")), 128);
        assert_eq!(connections(&limits("100                  100")), 25);
        assert_eq!(connections(&limits("1048576              1048576")), CONNECTIONS);
        assert_eq!(connections(&limits("unlimited            unlimited")), CONNECTIONS);
        assert_eq!(connections(""), CONNECTIONS);
    }

    #[tokio::test]
    async fn stopping_ends_idle_connections() {
        let (mut stream, stop, server) = start().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut some = [0; 12];
        stream.read_exact(&mut some).await.unwrap();
        stop.send(()).unwrap();
        server.await.unwrap();
        assert!(read(&mut stream).await.ends_with("here"));
    }
}
