//! All addresses together, and serving them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::control::{Dropped, Slot, interfere};
use crate::demo::{Config, Demo};
use crate::wire::{CuttableListener, Wire};
use crate::{control, oauth, tracker};

const MAX_BODY: usize = 64 * 1024;
/// How long open requests may take once shutting down has begun; a fault can make them slower.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The provider as a router, for tests without a socket. Without one, a dropped connection is a 502.
pub fn app(demo: Demo) -> Router {
    let faulty =
        |router: Router<Demo>, slot| router.route_layer(from_fn_with_state((demo.clone(), slot), interfere));
    Router::new()
        .merge(faulty(oauth::token(), Slot::Token))
        .merge(faulty(oauth::revocation(), Slot::Revoke))
        .merge(faulty(tracker::api(), Slot::Api))
        .merge(oauth::pages())
        .merge(tracker::pages())
        .merge(control::routes())
        .fallback(tracker::nothing_here)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(demo.clone(), own_host))
        .layer(from_fn_with_state(demo.clone(), observe))
        .with_state(demo)
}

/// Serves a new provider on `listener` until `shutdown` is ready.
///
/// # Errors
/// What the listener says, or a client of `config` that cannot be registered.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let demo = Demo::new(listener.local_addr()?, config)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    serve_demo(listener, demo, shutdown).await
}

/// Serves `demo` on `listener` until `shutdown` is ready.
pub(crate) async fn serve_demo(
    listener: TcpListener,
    demo: Demo,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = app(demo).into_make_service_with_connect_info::<Wire>();
    let (tell, told) = oneshot::channel();
    let stop = async move {
        shutdown.await;
        drop(tell);
    };
    let serving = axum::serve(CuttableListener(listener), service).with_graceful_shutdown(stop);
    let too_long = async move {
        // The channel closes when shutting down begins; nothing is ever sent.
        let _closed: Result<(), _> = told.await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        result = serving.into_future() => result,
        () = too_long => Ok(()),
    }
}

/// Answers under our own name only, so that a website cannot reach us by a name that it points here.
async fn own_host(State(demo): State<Demo>, request: Request, next: Next) -> Response {
    let own: SocketAddr = ([127, 0, 0, 1], demo.port()).into();
    let foreign = request.headers().get(HOST).is_some_and(|host| host != own.to_string().as_str());
    if foreign {
        let sentence = format!("This is the demo provider; open it as {}/\n", demo.issuer());
        return (StatusCode::MISDIRECTED_REQUEST, sentence).into_response();
    }
    next.run(request).await
}

/// Writes every request into the journal, those to `/control` excepted.
async fn observe(State(demo): State<Demo>, request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().as_str(), request.uri());
    if uri.path() == "/control" || uri.path().starts_with("/control/") {
        return next.run(request).await;
    }
    let place = demo.journal(|journal| journal.arrived(method, uri.path(), uri.query()));
    let response = next.run(request).await;
    if response.extensions().get::<Dropped>().is_none() {
        demo.journal(|journal| journal.answered(place, response.status().as_u16()));
    }
    response
}
