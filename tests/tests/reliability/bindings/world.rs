//! Two users with an account each at the same provider, and a toolkit that means them ill.

use std::fs;

use reqwest::Method;
use serde_json::json;
use taiku_bridge::api::{self, AdminToolkit, Connecting, Connection, Connections, Status};
use taiku_tests::{Answer, Client, Collector, Decision, TestApp, connect_at, consent_address};
use tempfile::TempDir;
use url::Url;

use crate::engine::{Database, Engine};

/// A user of the server and of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Ada, with the account that the provider offers second.
    Victim,
    /// Bob, with the account that it offers first.
    Attacker,
}

impl Who {
    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Victim => Self::Attacker,
            Self::Attacker => Self::Victim,
        }
    }

    /// The button of this user's account on the consent page.
    fn allow(self) -> Decision {
        match self {
            Self::Victim => Decision::AllowTheOther,
            Self::Attacker => Decision::Allow,
        }
    }

    /// The name of this user's account.
    pub(crate) fn account(self) -> &'static str {
        match self {
            Self::Victim => "sasha",
            Self::Attacker => "robin",
        }
    }
}

/// A flow with the answer that the provider gave to it.
pub(crate) struct Begun {
    /// What the server said.
    pub(crate) connecting: Connecting,
    /// Where the provider sends the browser.
    pub(crate) callback: Url,
}

impl Begun {
    /// The flow's id.
    pub(crate) fn flow(&self) -> &str {
        self.connecting.redirect_url.rsplit('/').next().unwrap_or_default()
    }
}

pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) victim: Client,
    pub(crate) attacker: Client,
    pub(crate) database: Database,
    /// The token endpoint of the malicious toolkit.
    pub(crate) collector: Collector,
    /// The paths on which answers to toolkits come: `demo`, `evil`, and one without a consent under way.
    pub(crate) demo_path: String,
    pub(crate) evil_path: String,
    pub(crate) idle_path: String,
    _toolkits: TempDir,
}

const EVIL: &str = r#"
name = "Evil"
description = "Asks another provider for the code"
categories = []
docs = ""

[auth]
mode = "oauth2"
issuer = ""
authorize_url = "URL/authorize"
token_url = "URL/token"
scopes = ["issues:read"]
scope_separator = " "
client_auth = "body"
token_body = "form"
pkce = true

[api]
base_url = "URL"
authorization = "Bearer {access_token}"

[tools]
openapi = "openapi.json"
"#;

const NO_TOOLS: &str = r#"{"openapi": "3.1.0", "info": {"title": "Evil", "version": "1"}, "paths": {
    "/x": {"get": {"summary": "Look", "responses": {"200": {"description": "Fine"}}}}}}"#;

impl World {
    pub(crate) async fn start(engine: &Engine) -> Self {
        let collector = Collector::start().await;
        let toolkits = TempDir::new().expect("a folder for a toolkit");
        let folder = toolkits.path().join("evil");
        fs::create_dir(&folder).expect("a folder can be made");
        let written = EVIL.replace("URL", collector.url().trim_end_matches('/'));
        fs::write(folder.join("toolkit.toml"), written).expect("a file can be written");
        fs::write(folder.join("openapi.json"), NO_TOOLS).expect("a file can be written");
        let launch = engine.launch().env("TAIKU_TOOLKIT_DIRS", &toolkits.path().display().to_string());
        let app = launch.start().await;
        let (victim, attacker) = (app.ada().await, app.bob().await);
        let database = engine.open(&app).await;
        let path = async |slug: &str| {
            let toolkit: AdminToolkit = victim.get(&format!("/api/v1/admin/toolkits/{slug}")).await.read();
            let url = Url::parse(&toolkit.redirect_uri).expect("a redirect URI is an address");
            (url.path().to_owned(), toolkit.client_id)
        };
        let (demo_path, client_id) = path("demo").await;
        // The malicious toolkit knows the honest client's id, which is in every address of a consent page.
        let enable = json!({"enabled": true, "clientId": client_id, "clientSecret": "none"});
        let _ = victim.put("/api/v1/admin/toolkits/evil", &enable).await.expect(200);
        let (evil_path, _) = path("evil").await;
        let (idle_path, _) = path("github").await;
        Self {
            app,
            victim,
            attacker,
            database,
            collector,
            demo_path,
            evil_path,
            idle_path,
            _toolkits: toolkits,
        }
    }

    pub(crate) fn browser(&self, who: Who) -> &Client {
        match who {
            Who::Victim => &self.victim,
            Who::Attacker => &self.attacker,
        }
    }

    /// A browser of its own in which a user is signed in.
    pub(crate) async fn signed_in(&self, who: Who) -> Client {
        match who {
            Who::Victim => self.app.ada().await,
            Who::Attacker => self.app.bob().await,
        }
    }

    /// Begins in a browser, and consents as somebody.
    pub(crate) async fn begin(&self, browser: &Client, consents: Who) -> Begun {
        let connecting = connect_at(browser, "demo").await;
        self.consent(browser, connecting, consents).await
    }

    /// Consents to what a browser has begun.
    pub(crate) async fn consent(&self, browser: &Client, connecting: Connecting, consents: Who) -> Begun {
        let callback = consent_address(&self.app, browser, &connecting, consents.allow()).await;
        Begun { connecting, callback }
    }

    pub(crate) async fn token_requests(&self) -> u64 {
        self.app.demo.count("tokenRequests").await
    }

    pub(crate) async fn connections(&self, who: Who) -> Vec<Connection> {
        // A browser of the test may have been signed out; a new one sees the same.
        let answer = self.browser(who).get(api::CONNECTIONS).await;
        answer.read::<Connections>().connections
    }

    /// Whose account each user is connected to.
    pub(crate) async fn bound(&self) -> Vec<(Who, String)> {
        let mut bound = Vec::new();
        for who in [Who::Victim, Who::Attacker] {
            let active = self.connections(who).await.into_iter().filter(|one| one.status == Status::Active);
            bound.extend(active.map(|one| (who, one.account.label.unwrap_or_default())));
        }
        bound
    }

    /// Removes every connection of both, and their flows with them.
    pub(crate) async fn clean(&self) {
        for who in [Who::Victim, Who::Attacker] {
            for connection in self.connections(who).await {
                let _ = self.browser(who).delete(&api::connection(&connection.id)).await;
            }
            self.browser(who).forget(|name| name.contains("flw_"));
        }
        self.database.run("delete from flows").await;
    }
}

/// Opens an address as a browser does that is sent there.
pub(crate) async fn open(browser: &Client, address: &Url) -> Answer {
    browser.bare(Method::GET, address.as_str()).send().await
}
