//! The built-in toolkits against small servers that behave as their providers' documentation says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use url::Url;

use super::{Answer, Flow, TestApp, User};
use crate::egress::testing::{Scripted, Seen};

mod gmail;
mod linear;
mod modes;
mod slack;
mod values;

/// What a provider remembers.
#[derive(Default)]
struct Memory {
    /// Counts what is handed out, so that no two are alike.
    count: usize,
    /// Codes that were not used yet.
    codes: BTreeSet<String>,
    /// Access tokens that live.
    access: BTreeSet<String>,
    /// Refresh tokens that live.
    refresh: BTreeSet<String>,
    /// How often somebody has consented.
    consents: usize,
    /// What a test has switched on.
    switches: BTreeMap<&'static str, Value>,
}

impl Memory {
    fn token(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("{kind}-{}", self.count)
    }

    fn new_access(&mut self, kind: &str) -> String {
        let token = self.token(kind);
        self.access.insert(token.clone());
        token
    }

    fn new_refresh(&mut self, kind: &str) -> String {
        let token = self.token(kind);
        self.refresh.insert(token.clone());
        token
    }
}

/// A provider on a port of its own.
#[derive(Clone)]
struct StandIn {
    memory: Arc<Mutex<Memory>>,
    server: Arc<Scripted>,
}

impl StandIn {
    async fn start(answer: fn(&mut Memory, &Seen) -> Response) -> Self {
        let memory = Arc::new(Mutex::new(Memory::default()));
        let own = memory.clone();
        let server = Scripted::start(move |seen| answer(&mut own.lock().unwrap(), seen)).await;
        Self { memory, server: Arc::new(server) }
    }

    fn root(&self) -> String {
        self.server.at("/").as_str().trim_end_matches('/').to_owned()
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    fn switch(&self, name: &'static str, value: Value) {
        self.memory().switches.insert(name, value);
    }

    fn seen(&self, path: &str) -> Vec<Seen> {
        self.server.seen().into_iter().filter(|seen| seen.path.split('?').next() == Some(path)).collect()
    }

    /// Enables a toolkit with these settings, which name addresses below this provider.
    async fn enable(&self, admin: &User, slug: &str, settings: &[(&str, &str)]) {
        let settings: BTreeMap<&str, String> =
            settings.iter().map(|(key, path)| (*key, format!("{}{path}", self.root()))).collect();
        let body = json!({"enabled": true, "clientId": "the-client", "clientSecret": "s3cret", "settings": settings});
        admin.put(&format!("/api/v1/admin/toolkits/{slug}"), &body).await.ok();
    }

    /// Begins a flow and allows it; the query that the provider was asked with, and what we say to the answer.
    async fn consent(
        &self,
        user: &User,
        slug: &str,
        renew: Option<&str>,
    ) -> (BTreeMap<String, String>, Answer) {
        let body = renew.map_or(json!({}), |id| json!({"connectionId": id}));
        let begun = user.post(&format!("/api/v1/toolkits/{slug}/connections"), &body).await.ok();
        let redirect_url: Url = begun["redirectUrl"].as_str().unwrap().parse().unwrap();
        let id = redirect_url.path().strip_prefix("/oauth/start/").unwrap().to_owned();
        let connection_id = begun["connectionId"].as_str().unwrap().to_owned();
        let authorize = user.start_page(&Flow { connection_id, id, redirect_url }).await;
        assert!(authorize.as_str().starts_with(&self.root()), "{authorize}");
        let query: BTreeMap<String, String> = authorize.query_pairs().into_owned().collect();
        let code = {
            let mut memory = self.memory();
            memory.consents += 1;
            let code = memory.token("code");
            memory.codes.insert(code.clone());
            code
        };
        let mut back: Url = query["redirect_uri"].parse().unwrap();
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &query["state"]);
        (query, user.follow(&back).await)
    }
}

/// The connections of a user at a toolkit.
async fn connections(user: &User, slug: &str) -> Vec<Value> {
    user.connections().await.into_iter().filter(|one| one["toolkit"] == slug).collect()
}

async fn run(user: &User, slug: &str, tool: &str, arguments: &Value) -> Answer {
    let path = format!("/api/v1/toolkits/{slug}/tools/{tool}");
    user.post(&path, &json!({"arguments": arguments})).await
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

fn bearer(seen: &Seen) -> &str {
    seen.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
}

fn ok(body: Value) -> Response {
    Json(body).into_response()
}

fn at(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}
