//! Consent at the demo provider, clicked as a person would.

use axum::body::Body;
use http::{Request, header};
use serde_json::json;
use tower::ServiceExt as _;
use url::Url;
use url::form_urlencoded::Serializer;

use super::{Answer, TestApp, User};

/// What is clicked on the consent page.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Click {
    /// "Allow", as the account with this login: `robin` or `sasha`.
    Allow(&'static str),
    /// "Deny".
    Deny,
}

/// A flow under way.
pub(crate) struct Flow {
    pub(crate) connection_id: String,
    pub(crate) id: String,
    pub(crate) redirect_url: Url,
}

impl Flow {
    /// The name of the flow's cookie.
    pub(crate) fn cookie(&self) -> String {
        format!("__Host-taiku-{}-8080", self.id)
    }
}

impl User {
    /// Begins to connect the demo provider.
    pub(crate) async fn begin(&self) -> Flow {
        let begun = self.post("/api/v1/toolkits/demo/connections", &json!({})).await.ok();
        assert_eq!(begun["status"], "INITIATED");
        let redirect_url: Url = begun["redirectUrl"].as_str().unwrap().parse().unwrap();
        let id = redirect_url.path().strip_prefix("/oauth/start/").unwrap().to_owned();
        Flow { connection_id: begun["connectionId"].as_str().unwrap().into(), id, redirect_url }
    }

    /// Opens the start page and reads where its one link leads.
    pub(crate) async fn start_page(&self, flow: &Flow) -> Url {
        let page = self.get(flow.redirect_url.path()).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let html = page.text();
        assert_eq!(html.matches("<a ").count(), 1, "{html}");
        let (_, rest) = html.split_once("href=\"").unwrap();
        rest.split('"').next().unwrap().replace("&amp;", "&").parse().unwrap()
    }

    /// Begins, opens the start page and clicks at the provider. The URL is where the provider sends the browser.
    pub(crate) async fn consent(&self, click: Click) -> (Flow, Url) {
        let flow = self.begin().await;
        let authorize_url = self.start_page(&flow).await;
        (flow, self.app.click(&authorize_url, click).await)
    }

    /// Follows a redirect back to us.
    pub(crate) async fn follow(&self, url: &Url) -> Answer {
        let answer = self.get(&url[url::Position::BeforePath..]).await;
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{}", answer.text());
        answer
    }

    /// Connects an account of the demo provider; the id of the connection.
    pub(crate) async fn connect(&self, login: &'static str) -> String {
        let (flow, back) = self.consent(Click::Allow(login)).await;
        let page = self.follow(&back).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(self.connection(&flow.connection_id).await["status"], "ACTIVE");
        flow.connection_id
    }
}

impl TestApp {
    /// Opens the consent page of the provider and clicks.
    pub(crate) async fn click(&self, authorize_url: &Url, click: Click) -> Url {
        let provider = taiku_demo::app(self.demo.clone());
        let request = Request::get(&authorize_url[url::Position::BeforePath..]);
        let page = provider.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let page = Answer::read(page).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let html = page.text();
        let (_, rest) = html.split_once("name=\"request\" value=\"").unwrap();
        let (account, decision) = match click {
            Click::Allow(login) => (login, "allow"),
            Click::Deny => ("robin", "deny"),
        };
        let form = Serializer::new(String::new())
            .extend_pairs([("request", rest.split('"').next().unwrap())])
            .extend_pairs([("account", account), ("decision", decision)])
            .finish();
        let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap();
        let request = Request::post("/authorize/decision")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookie)
            .body(Body::from(form))
            .unwrap();
        let back = Answer::read(provider.oneshot(request).await.unwrap()).await;
        assert_eq!(back.status, 303, "{}", back.text());
        back.header("location").unwrap().parse().unwrap()
    }
}
