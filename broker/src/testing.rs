//! A broker for tests: SQLite in a temporary folder, a clock that is moved by hand, and requests without a network.

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use taiku_bridge::api::{Role, User};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::api_key::{self, Wish};
use crate::broker::{Broker, Start};
use crate::clock::Clock;
use crate::config::{Config, Source};
use crate::random::Random;
use crate::server;
use crate::store::users;

/// When the clock of a test begins: 2023-11-14T22:13:20Z.
pub(crate) const BEGINNING: i64 = 1_700_000_000_000;
/// The port that the broker believes to listen on.
const PORT: u16 = 4711;

/// A broker with its folder, which goes with it.
pub(crate) struct TestBroker {
    pub(crate) broker: Broker,
    _folder: TempDir,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl TestBroker {
    /// A broker with the defaults.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A broker with these variables set.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = ("TAIKU_DATA_DIR", folder.path().to_str().unwrap());
        let variables = variables.iter().chain([&data_dir]);
        let environment = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let source = Source::load(None, environment.collect::<Vec<_>>().into_iter()).unwrap();
        let start = Start {
            config: Config::read(&source, false).unwrap(),
            source,
            port: PORT,
            loopback_by_default: true,
            clock: Clock::manual(BEGINNING),
            random: Random::system(),
        };
        Self { broker: Broker::start(start).await.unwrap(), _folder: folder }
    }

    /// Makes a user who cannot sign in with any password.
    pub(crate) async fn user(&self, email: &str, role: Role) -> User {
        let user = User { id: self.broker.random.id("usr_"), email: email.into(), name: "Test".into(), role };
        let mut tx = self.broker.store.write().await.unwrap();
        assert!(users::add(&mut tx, &user, "no hash", self.broker.clock.now()).await.unwrap());
        tx.commit().await.unwrap();
        user
    }

    /// Makes an API key for a user; `None` for all scopes.
    pub(crate) async fn api_key(&self, user: &User, scopes: Option<&[String]>) -> String {
        let wish = Wish { user_id: &user.id, name: "test", scopes, expires_at: None };
        let mut tx = self.broker.store.write().await.unwrap();
        let now = self.broker.clock.now();
        let (_, key) = api_key::add(&mut tx, &self.broker.random, &wish, now).await.unwrap();
        tx.commit().await.unwrap();
        key
    }

    /// Sends a request to the app's origin as a script does; with `key` as that key's user.
    pub(crate) async fn call(&self, method: Method, path: &str, key: Option<&str>, body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        self.send(request.body(body).unwrap()).await
    }

    /// Sends a request; to the app's origin unless it names a host.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let host = self.broker.origins.app.authority().parse().unwrap();
        request.headers_mut().entry(header::HOST).or_insert(host);
        let response = server::app(self.broker.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}
