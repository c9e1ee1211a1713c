//! An OAuth provider that nobody here wrote: the certified npm package `oidc-provider`.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use taiku_bridge::Slug;
use taiku_bridge::api::{self, AdminToolkit, Connecting, Connection};
use url::Url;

use crate::client::{Client, http};
use crate::consent::{attribute, connect_at, find, provider_link};
use crate::process::Process;
use crate::wait::eventually;

/// Its toolkit's slug.
const TOOLKIT: &str = "independent";
/// Has what must be form-encoded before it goes into a Basic header (RFC 6749, section 2.3.1).
const SECRET: &str = "s3cret:with+50%/of&trouble=";

/// A running provider.
pub struct Provider {
    /// Its address.
    pub url: Url,
    http: reqwest::Client,
    _process: Process,
}

impl Provider {
    /// Starts it at a free port.
    ///
    /// # Panics
    /// When Node or the package is not there.
    #[must_use]
    pub fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/oidc-provider");
        assert!(
            folder.join("node_modules").exists(),
            "the package is not installed: run `cargo xtask test`, or `npm ci` in {}",
            folder.display()
        );
        let mut process =
            Process::start("oidc-provider", Command::new("node").arg("server.mjs").current_dir(folder));
        let url =
            process.line("where it listens", |line| line.strip_prefix("listening on ").map(str::to_owned));
        Self { url: Url::parse(&url).expect("it prints its address"), http: http(), _process: process }
    }

    /// The folder that holds its toolkit, for `TAIKU_TOOLKIT_DIRS`.
    #[must_use]
    pub fn toolkits() -> String {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/toolkits").display().to_string()
    }

    /// Registers a client for our redirect address and enables the toolkit with it.
    pub async fn enable(&self, admin: &Client) {
        let path = api::admin_toolkit(&slug());
        let toolkit: AdminToolkit = admin.get(&path).await.read();
        let client =
            json!({ "client_id": "taiku", "client_secret": SECRET, "redirect_uris": [toolkit.redirect_uri] });
        self.put("control/client", &client).await;
        let body = json!({
            "enabled": true, "clientId": "taiku", "clientSecret": SECRET,
            "settings": { "INDEPENDENT_URL": self.url.as_str().trim_end_matches('/') },
        });
        let _ = admin.put(&path, &body).await.expect(200);
    }

    /// How long the access tokens live that are made from now on.
    pub async fn token_life(&self, seconds: u32) {
        self.put("control", &json!({ "accessTokenSeconds": seconds })).await;
    }

    /// Waits until every access token that it gave has ended.
    pub async fn tokens_end(&self) {
        eventually("the tokens to end", async || (self.seen().await["living"] == 0).then_some(())).await;
    }

    /// What it saw: `code`, `refresh`, `refused`, `revoked`, `authorized`, `api`; and how many tokens are `living`.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn seen(&self) -> Value {
        let request = self.http.get(self.at("control")).header("x-fixture-control", "1");
        let text = request.send().await.expect("it answers").text().await.expect("it answers in full");
        serde_json::from_str(&text).expect("it answers JSON")
    }

    /// Connects an account of a user: signs in at the provider, consents, comes back.
    pub async fn connect(&self, user: &Client) -> Connection {
        let begun: Connecting = connect_at(user, TOOLKIT).await;
        let callback = self.consent(provider_link(user, &begun).await, &begun).await;
        let _ = user.bare(reqwest::Method::GET, callback.as_str()).send().await.expect(200);
        find(user, &begun.connection_id).await
    }

    /// Walks through the provider's pages until it sends the browser away from itself.
    async fn consent(&self, start: Url, begun: &Connecting) -> Url {
        let browser = Client::new(&self.url);
        let mut answer = browser.get(start.as_str()).await;
        for _ in 0..12 {
            if answer.status.is_redirection() {
                let next = self.url.join(answer.header("location")).expect("it redirects to an address");
                if next.origin() != self.url.origin() {
                    return next;
                }
                answer = browser.get(next.as_str()).await;
                continue;
            }
            assert_eq!(answer.status, 200, "{answer:?}");
            let action = attribute(&answer.text, "<form", "action");
            let prompt = attribute(&answer.text, "name=\"prompt\"", "value");
            let body = format!("prompt={prompt}&login=somebody&password=anything");
            let sent = browser.bare(reqwest::Method::POST, &action);
            answer = sent.body("application/x-www-form-urlencoded", body).send().await;
        }
        panic!("the provider never came back for {}: {answer:?}", begun.connection_id);
    }

    async fn put(&self, path: &str, body: &Value) {
        let request = self.http.put(self.at(path)).header("x-fixture-control", "1").body(body.to_string());
        let answer = request.send().await.expect("it answers");
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).expect("a path of the control is one")
    }
}

fn slug() -> Slug {
    Slug::parse(TOOLKIT).expect("it is a slug")
}
