//! A provider without a socket, and somebody who uses it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use serde_json::Value;
use taiku_demo::{Client, Config, Demo, app};
use tower::ServiceExt as _;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

pub(crate) const CALLBACK: &str = "http://localhost:8080/oauth/callback/abc";
pub(crate) const SECRET: &str = "p&ss w+rd%:é=";
/// The example of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const ALL_SCOPES: &str = "issues:read issues:write profile";

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The address that the browser is sent to.
    pub(crate) fn location(&self) -> Url {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text());
        Url::parse(self.header(LOCATION.as_str())).unwrap()
    }
}

/// The value of a query parameter.
pub(crate) fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

pub(crate) struct Provider {
    pub(crate) demo: Demo,
    router: Router,
}

/// A consent page as a browser holds it.
pub(crate) struct Consent {
    pub(crate) html: String,
    pub(crate) request: String,
    pub(crate) cookie: String,
}

pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) body: Value,
}

impl Provider {
    pub(crate) fn new() -> Self {
        let client = |id: &str| Client {
            id: id.into(),
            secret: SECRET.into(),
            name: "Example <app>".into(),
            redirect_uris: vec![CALLBACK.into(), "https://app.example/cb?x=1".into()],
        };
        let config = Config { clients: vec![client("client"), client("other")], ..Config::default() };
        let demo = Demo::new(([127, 0, 0, 1], 8090).into(), config).unwrap();
        Self { router: app(demo.clone()), demo }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path).body(Body::empty()).unwrap()).await
    }

    /// A good request with `changes`; an empty value leaves the parameter out.
    pub(crate) fn authorize_path(changes: &[(&str, &str)]) -> String {
        let mut params = vec![
            ("client_id", "client"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", ALL_SCOPES),
            ("state", "st&te ü"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            params.retain(|(known, _)| known != name);
            params.push((name, value));
        }
        params.retain(|(_, value)| !value.is_empty());
        format!("/authorize?{}", Serializer::new(String::new()).extend_pairs(params).finish())
    }

    pub(crate) async fn consent(&self, changes: &[(&str, &str)]) -> Consent {
        let answer = self.get(&Self::authorize_path(changes)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let html = answer.text();
        let (_, rest) = html.split_once("name=\"request\" value=\"").unwrap();
        let request = rest.split('"').next().unwrap().to_owned();
        let cookie = answer.header(SET_COOKIE.as_str()).split(';').next().unwrap().to_owned();
        Consent { html, request, cookie }
    }

    pub(crate) async fn decide(&self, consent: &Consent, account: &str, decision: &str) -> Answer {
        let fields = [("request", consent.request.as_str()), ("account", account), ("decision", decision)];
        self.send(form("/authorize/decision").header(COOKIE, &consent.cookie).body_of(&fields)).await
    }

    pub(crate) async fn code(&self, account: &str, scope: &str) -> String {
        let consent = self.consent(&[("scope", scope)]).await;
        param(&self.decide(&consent, account, "allow").await.location(), "code").unwrap()
    }

    /// A form to `path` with the client's secret in the header.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(form(path).header(AUTHORIZATION, basic("client", SECRET)).body_of(fields)).await
    }

    pub(crate) async fn exchange(&self, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.post("/token", &fields).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(crate) async fn tokens(&self, account: &str, scope: &str) -> Tokens {
        let code = self.code(account, scope).await;
        tokens(&self.exchange(&code).await)
    }

    pub(crate) async fn api(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
        let builder = request(method, path).header(AUTHORIZATION, format!("Bearer {token}"));
        let request = match body {
            Some(body) => builder.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => builder.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    /// The status of a call that needs nothing but a living token.
    pub(crate) async fn status_of(&self, token: &str) -> u16 {
        self.api("GET", "/api/user", token, None).await.status.as_u16()
    }
}

pub(crate) fn tokens(answer: &Answer) -> Tokens {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    Tokens { access: text("access_token"), refresh: text("refresh_token"), body }
}

pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(HOST, "127.0.0.1:8090")
}

pub(crate) fn form(path: &str) -> axum::http::request::Builder {
    request("POST", path).header(CONTENT_TYPE, "application/x-www-form-urlencoded")
}

pub(crate) trait BodyOf {
    fn body_of(self, fields: &[(&str, &str)]) -> Request<Body>;
}

impl BodyOf for axum::http::request::Builder {
    fn body_of(self, fields: &[(&str, &str)]) -> Request<Body> {
        self.body(Body::from(Serializer::new(String::new()).extend_pairs(fields).finish())).unwrap()
    }
}

/// `client_secret_basic` as RFC 6749 section 2.3.1 has it.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}
