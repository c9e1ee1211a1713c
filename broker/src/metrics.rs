//! Figures for Prometheus: counts and durations without any secret and without ids of users.
//!
//! They are served by a listener of its own, which has no access control: it belongs on an address that only the
//! collector reaches.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tokio::net::TcpListener;

use crate::broker::Broker;
use crate::store::Store;

/// The content type of the format (OpenMetrics 1.0).
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    request_seconds: Histogram,
    calls: Family<Call, Counter>,
    refreshes: Family<Outcome, Counter>,
    vault_errors: Family<Outcome, Counter>,
    bulletin_lag: Gauge<f64, std::sync::atomic::AtomicU64>,
    bulletins: Counter,
    streams: Gauge,
    pool: Family<PoolState, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    site: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    toolkit: String,
    outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolState {
    state: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("taiku");
        let requests = Family::default();
        registry.register("http_requests", "Requests, by site and status", requests.clone());
        let request_seconds = Histogram::new(exponential_buckets(0.001, 4.0, 8));
        let help = "Time until a request was answered";
        registry.register_with_unit("http_request", help, Unit::Seconds, request_seconds.clone());
        let calls = Family::default();
        registry.register("tool_calls", "Tools run, by toolkit and outcome", calls.clone());
        let refreshes = Family::default();
        registry.register("refreshes", "Access tokens asked to be renewed, by outcome", refreshes.clone());
        let vault_errors = Family::default();
        registry.register("vault_errors", "Stored secrets that did not open", vault_errors.clone());
        let bulletin_lag = Gauge::default();
        let help = "Age of the last event of another broker when it was heard";
        registry.register_with_unit("event_lag", help, Unit::Seconds, bulletin_lag.clone());
        let bulletins = Counter::default();
        registry.register("events_heard", "Events of other brokers", bulletins.clone());
        let streams = Gauge::default();
        registry.register("event_streams", "Open streams of events", streams.clone());
        let pool = Family::default();
        registry.register("database_connections", "Connections to the database, by state", pool.clone());
        Self {
            registry,
            requests,
            request_seconds,
            calls,
            refreshes,
            vault_errors,
            bulletin_lag,
            bulletins,
            streams,
            pool,
        }
    }
}

impl Metrics {
    /// A request was answered.
    pub fn request(&self, site: &'static str, status: StatusCode, took: Duration) {
        self.requests.get_or_create(&Request { site, status: status.as_u16() }).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    /// A tool ran; `outcome` is `ok` or a code.
    pub fn call(&self, toolkit: &str, outcome: &str) {
        self.calls.get_or_create(&Call { toolkit: toolkit.into(), outcome: outcome.into() }).inc();
    }

    /// An access token was to be renewed; `outcome` is `ok` or a code.
    pub fn refresh(&self, outcome: &str) {
        self.refreshes.get_or_create(&Outcome { outcome: outcome.into() }).inc();
    }

    /// A stored secret did not open.
    pub fn vault_error(&self, code: &str) {
        self.vault_errors.get_or_create(&Outcome { outcome: code.into() }).inc();
    }

    /// An event of another broker was heard so long after it was told.
    pub fn heard(&self, lag: Duration) {
        self.bulletins.inc();
        self.bulletin_lag.set(lag.as_secs_f64());
    }

    /// Everything as text.
    #[must_use]
    pub fn text(&self, broker: &Broker) -> String {
        self.streams.set(i64::try_from(broker.events.count()).unwrap_or(i64::MAX));
        let (open, idle) = match &broker.store {
            Store::Sqlite(pool) => (pool.size(), pool.num_idle()),
            Store::Postgres(pool) => (pool.size(), pool.num_idle()),
        };
        let idle = i64::try_from(idle).unwrap_or_default();
        self.pool.get_or_create(&PoolState { state: "idle" }).set(idle);
        self.pool.get_or_create(&PoolState { state: "busy" }).set((i64::from(open) - idle).max(0));
        let mut text = String::new();
        // Writing into a text does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Serves the figures until `shutdown` completes.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    broker: Broker,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = Router::new().route("/metrics", get(show)).with_state(broker);
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}

async fn show(State(broker): State<Broker>) -> Response {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], broker.metrics.text(&broker)).into_response()
}
