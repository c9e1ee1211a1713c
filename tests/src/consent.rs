//! A person who connects an account, without a screen: follows the links and presses the buttons of the pages.

use serde_json::json;
use taiku_bridge::Slug;
use taiku_bridge::api::{self, Connecting, Connection, Connections};
use url::Url;

use crate::answer::Answer;
use crate::app::TestApp;
use crate::client::Client;

/// Which button is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The account that is offered first is connected.
    Allow,
    /// The account that is offered second is connected.
    AllowTheOther,
    /// It is not.
    Deny,
}

/// Connects the demo account of a user and gives the connection.
pub async fn connect(app: &TestApp, user: &Client) -> Connection {
    connect_with(app, user, Decision::Allow).await
}

/// Connects the other demo account of a user and gives the connection.
pub async fn connect_the_other(app: &TestApp, user: &Client) -> Connection {
    connect_with(app, user, Decision::AllowTheOther).await
}

async fn connect_with(app: &TestApp, user: &Client, decision: Decision) -> Connection {
    let begun = connect_at(user, "demo").await;
    let page = follow_consent(app, user, &begun, decision).await;
    assert_eq!(page.status, 200, "the callback page: {page:?}");
    find(user, &begun.connection_id).await
}

/// Begins to connect an account.
pub async fn connect_at(user: &Client, toolkit: &str) -> Connecting {
    let slug = Slug::parse(toolkit).expect("a toolkit of the tests has a slug");
    user.post(&api::connect(&slug), &json!({})).await.expect(201).read()
}

/// Goes from the start page over the demo provider's consent page to the callback page, and gives the latter.
pub async fn follow_consent(app: &TestApp, user: &Client, begun: &Connecting, decision: Decision) -> Answer {
    let callback = consent_address(app, user, begun, decision).await;
    user.bare(reqwest::Method::GET, callback.as_str()).send().await
}

/// Does the same as far as the provider's pages, and gives the address that it sends the browser back to.
pub async fn consent_address(app: &TestApp, user: &Client, begun: &Connecting, decision: Decision) -> Url {
    consent_at(&app.demo.url, user, begun, decision).await
}

/// The same at a demo provider anywhere.
pub(crate) async fn consent_at(demo: &Url, user: &Client, begun: &Connecting, decision: Decision) -> Url {
    let authorize = provider_link(user, begun).await;
    let provider = Client::new(demo);
    let page = provider.get(authorize.as_str()).await.expect(200);
    let (button, account) = match decision {
        Decision::Allow => ("allow", 0),
        Decision::AllowTheOther => ("allow", 1),
        Decision::Deny => ("deny", 0),
    };
    let accounts: Vec<_> = page.text.match_indices("name=\"account\"").collect();
    let form = [
        ("request", attribute(&page.text, "name=\"request\"", "value")),
        ("account", attribute(&page.text[accounts[account].0..], "", "value")),
        ("decision", button.to_owned()),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let sent = provider.bare(reqwest::Method::POST, "/authorize/decision");
    let answer = sent.body("application/x-www-form-urlencoded", body).send().await;
    assert!(answer.status.is_redirection(), "{answer:?}");
    Url::parse(answer.header("location")).expect("the provider redirects to an address")
}

/// The one link of our start page.
pub(crate) async fn provider_link(user: &Client, begun: &Connecting) -> Url {
    let page = user.bare(reqwest::Method::GET, &begun.redirect_url).send().await.expect(200);
    let (before, _) = page.text.split_once("Continue to ").expect("the start page names the provider");
    let tag = before.rfind("<a ").map(|place| &before[place..]).expect("the name stands in a link");
    Url::parse(&attribute(tag, "<a ", "href")).expect("the link is an address")
}

/// Finds a connection of a user.
pub(crate) async fn find(user: &Client, id: &str) -> Connection {
    let all: Connections = user.get(api::CONNECTIONS).await.read();
    all.connections.into_iter().find(|connection| connection.id == id).expect("the connection is listed")
}

/// The value of an attribute of the first tag that contains `mark`.
pub(crate) fn attribute(html: &str, mark: &str, name: &str) -> String {
    let place = html.find(mark).unwrap_or_else(|| panic!("{mark} is not in {html}"));
    let start = html[..=place].rfind('<').unwrap_or_default();
    let tag = &html[start..start + html[start..].find('>').unwrap_or(html.len() - start)];
    let (_, rest) = tag.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {tag}"));
    unescape(rest.split('"').next().unwrap_or_default())
}

fn unescape(text: &str) -> String {
    let named =
        [("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    named.into_iter().fold(text.to_owned(), |text, (name, character)| text.replace(name, character))
}
