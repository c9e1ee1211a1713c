//! Who asks: a browser with its cookies, or a script with its key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use serde_json::{Value, json};

use super::app::{HOST, ORIGIN};
use super::{Answer, TestApp};

/// Somebody with a browser, or a script of theirs. Clones share their cookies.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) app: TestApp,
    pub(crate) id: String,
    pub(crate) email: String,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
    key: Option<String>,
}

impl User {
    pub(super) fn new(app: &TestApp, id: &str, email: &str) -> Self {
        Self { app: app.clone(), id: id.into(), email: email.into(), cookies: Arc::default(), key: None }
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.into(), value.into());
    }

    pub(crate) fn forget_cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().remove(name)
    }

    pub(crate) fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().unwrap().clone()
    }

    /// The value of the session cookie.
    pub(crate) fn session(&self) -> Option<String> {
        self.cookies().remove("__Host-taiku-8080")
    }

    /// The same browser, led to another broker of the same database.
    pub(crate) fn at(&self, app: &TestApp) -> Self {
        Self { app: app.clone(), ..self.clone() }
    }

    /// A script with this key: no cookies, no browser.
    pub(crate) fn script(&self, key: &str) -> Self {
        Self { cookies: Arc::default(), key: Some(key.into()), ..self.clone() }
    }

    /// A script with a new key that may do all that its user may.
    pub(crate) async fn with_key(&self) -> Self {
        let created = self.post("/api/v1/api-keys", &json!({"name": "a script"})).await.ok();
        self.script(created["key"].as_str().unwrap())
    }

    /// A request as the host page, or a well-behaved script, sends it.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(HOST));
        if let Some(key) = &self.key {
            headers.insert(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {key}")).unwrap());
        } else if !matches!(method, Method::GET | Method::HEAD) {
            headers.insert(header::ORIGIN, HeaderValue::from_static(ORIGIN));
            headers.insert("x-taiku-request", HeaderValue::from_static("1"));
        }
        let cookies: Vec<String> =
            self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, HeaderValue::try_from(cookies.join("; ")).unwrap());
        }
        Ask { user: self.clone(), method, path: path.into(), headers, body: Vec::new() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path).json(body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::PUT, path).json(body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::PATCH, path).json(body).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path).send().await
    }

    /// Signs in with a password, as the page does.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post("/api/v1/session", &json!({"email": email, "password": password})).await
    }

    /// Runs a tool of the demo provider.
    pub(crate) async fn run(&self, tool: &str, arguments: &Value) -> Answer {
        self.run_with(tool, &json!({"arguments": arguments})).await
    }

    /// The same with the whole body.
    pub(crate) async fn run_with(&self, tool: &str, body: &Value) -> Answer {
        self.post(&format!("/api/v1/toolkits/demo/tools/{tool}"), body).await
    }

    pub(crate) async fn connections(&self) -> Vec<Value> {
        self.get("/api/v1/connections").await.ok()["connections"].as_array().unwrap().clone()
    }

    /// A connection as its owner sees it.
    pub(crate) async fn connection(&self, id: &str) -> Value {
        let found = self.connections().await.into_iter().find(|connection| connection["id"] == id);
        found.unwrap_or(Value::Null)
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        for value in headers.get_all(header::SET_COOKIE) {
            let text = value.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if text.contains("Max-Age=0") {
                self.forget_cookie(name);
            } else {
                self.set_cookie(name, value);
            }
        }
    }
}

/// A request that is being put together.
#[derive(Clone)]
pub(crate) struct Ask {
    user: User,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).unwrap();
        self.headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    pub(crate) fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers.clone();
        request
    }

    pub(crate) async fn send(self) -> Answer {
        let answer = self.user.app.send(self.request()).await;
        self.user.keep_cookies(&answer.headers);
        answer
    }
}
