//! Renewing a connection, in the same account or another one. Case D17; and how each flow that fails ends.

use http::Method;
use serde_json::{Value, json};
use taiku_demo::{Control, Fault, Plan};
use url::Url;

use super::flows::with_param;
use super::{Answer, Click, Flow, TestApp, User};
use crate::clock::{HOUR, MINUTE};
use crate::sweep;

impl User {
    /// Begins to renew a connection and clicks at the provider.
    async fn renew(&self, id: &str, click: Click) -> Answer {
        self.renew_with(id, &json!({"connectionId": id}), click).await
    }

    /// The same with the whole body.
    async fn renew_with(&self, id: &str, body: &Value, click: Click) -> Answer {
        let begun = self.post("/api/v1/toolkits/demo/connections", body).await.ok();
        assert_eq!(begun["connectionId"], id, "whoever renews a connection has the same one in the end");
        let redirect_url: Url = begun["redirectUrl"].as_str().unwrap().parse().unwrap();
        let flow = redirect_url.path().strip_prefix("/oauth/start/").unwrap().to_owned();
        let flow = Flow { connection_id: id.into(), id: flow, redirect_url };
        let authorize_url = self.start_page(&flow).await;
        self.follow(&self.app.click(&authorize_url, click).await).await
    }

    async fn labels(&self) -> Vec<(Value, Value, Value)> {
        let all = self.connections().await.into_iter();
        all.map(|one| (one["account"]["label"].clone(), one["status"].clone(), one["why"].clone())).collect()
    }
}

fn revoked(app: &TestApp) -> usize {
    app.demo.seen().iter().filter(|seen| seen.path == "/revoke").count()
}

/// Where the one button of a page leads.
fn button(page: &Answer) -> String {
    let html = page.text();
    assert_eq!(html.matches("<a ").count(), 1, "{html}");
    let (_, rest) = html.split_once("href=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_renewed_connection_keeps_its_id_and_its_old_tokens_are_taken_back() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    bob.patch(&format!("/api/v1/connections/{id}"), &json!({"alias": "work"})).await.ok();
    let before = app.access_token(&bob, &id).await;
    assert!(bob.renew(&id, Click::Allow("robin")).await.text().contains("is connected"));
    let all = bob.connections().await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((&all[0]["id"], &all[0]["status"]), (&json!(id), &json!("ACTIVE")));
    assert_eq!((&all[0]["alias"], &all[0]["default"]), (&json!("work"), &json!(true)));
    assert_ne!(app.access_token(&bob, &id).await, before);
    assert_eq!(revoked(&app), 2, "the access and the refresh token of before");
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.ok();
}

#[tokio::test]
async fn old_tokens_are_not_taken_back_before_the_new_ones_are_stored() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let fault = Fault::OauthError { error: "invalid_grant".into() };
    let token = Some(Plan { fault, times: None });
    app.demo.set_control(Control { token, ..Control::default() }).unwrap();
    assert_eq!(bob.renew(&id, Click::Allow("robin")).await.status, 502);
    assert_eq!(bob.connection(&id).await["status"], "ACTIVE");
    assert_eq!(revoked(&app), 0);
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.ok();
}

/// A consent in which the user leaves out all but some of the rights.
async fn connect_in_part(user: &User, scopes: &str) -> String {
    let flow = user.begin().await;
    let authorize_url = with_param(&user.start_page(&flow).await, "scope", Some(scopes));
    user.follow(&user.app.click(&authorize_url, Click::Allow("robin")).await).await;
    flow.connection_id
}

fn sorted(scopes: &Value) -> Vec<String> {
    let mut scopes: Vec<String> = serde_json::from_value(scopes.clone()).unwrap();
    scopes.sort();
    scopes
}

#[tokio::test]
async fn rights_that_were_left_out_are_named_and_asked_for_again() {
    let (app, _, bob) = TestApp::start().await;
    let id = connect_in_part(&bob, "profile").await;
    let connection = bob.connection(&id).await;
    assert_eq!(connection["status"], "ACTIVE");
    assert_eq!(sorted(&connection["scopes"]), ["profile"]);
    assert_eq!(sorted(&connection["requestedScopes"]), ["issues:read", "issues:write", "profile"]);
    assert_eq!(sorted(&connection["missingScopes"]), ["issues:read", "issues:write"]);
    bob.patch(&format!("/api/v1/connections/{id}"), &json!({"alias": "work"})).await.ok();
    let before = app.api_calls();
    let refused = bob.run("DEMO_CREATE_AN_ISSUE", &json!({"title": "x"})).await.refused("scope_missing");
    assert!(refused["detail"].as_str().unwrap().contains("issues:write"), "{refused}");
    assert_eq!(app.api_calls(), before, "nothing is sent");
    // One more right: what was granted stays.
    let more = json!({"connectionId": id, "scopes": ["issues:read"]});
    bob.renew_with(&id, &more, Click::Allow("robin")).await;
    let connection = bob.connection(&id).await;
    assert_eq!(sorted(&connection["scopes"]), ["issues:read", "profile"]);
    assert_eq!((&connection["alias"], &connection["default"]), (&json!("work"), &json!(true)));
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.ok();
    bob.run("DEMO_CREATE_AN_ISSUE", &json!({"title": "x"})).await.refused("scope_missing");
    // Renewing without saying what asks for everything.
    bob.renew(&id, Click::Allow("robin")).await;
    assert_eq!(bob.connection(&id).await["missingScopes"], json!([]));
    bob.run("DEMO_CREATE_AN_ISSUE", &json!({"title": "x"})).await.ok();
    assert_eq!(bob.connections().await.len(), 1);
}

#[tokio::test]
async fn an_expired_connection_works_again_under_its_id() {
    let (app, ada, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    ada.put("/api/v1/admin/toolkits/demo", &json!({"clientId": "another"})).await.ok();
    assert_eq!(bob.connection(&id).await["status"], "EXPIRED");
    ada.put("/api/v1/admin/toolkits/demo", &json!({"clientId": super::app::CLIENT_ID})).await.ok();
    bob.renew(&id, Click::Allow("robin")).await;
    bob.run_with("DEMO_LIST_ISSUES", &json!({"arguments": {}, "connectionId": id})).await.ok();
    assert_eq!(revoked(&app), 0, "there was nothing left to take back");
}

#[tokio::test]
async fn connecting_the_same_account_again_renews_its_connection() {
    let (app, _, bob) = TestApp::start().await;
    let other = bob.connect("sasha").await;
    let id = bob.connect("robin").await;
    let body = json!({"alias": "mine", "default": true});
    bob.patch(&format!("/api/v1/connections/{id}"), &body).await.ok();
    let before = app.access_token(&bob, &id).await;
    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    assert_ne!(flow.connection_id, id, "nobody knows yet whose account it will be");
    assert_eq!(revoked(&app), 0);
    assert!(bob.follow(&back).await.text().contains("is connected"));
    assert_eq!(revoked(&app), 2, "the older tokens are taken back");
    let all = bob.connections().await;
    assert_eq!(all.len(), 2, "{all:?}");
    let renewed = bob.connection(&id).await;
    assert_eq!((&renewed["alias"], &renewed["default"]), (&json!("mine"), &json!(true)));
    assert_ne!(app.access_token(&bob, &id).await, before);
    // The id that was handed out finds the connection that it has become.
    let named = |id: &str| json!({"arguments": {}, "connectionId": id});
    bob.run_with("DEMO_LIST_ISSUES", &named(&flow.connection_id)).await.ok();
    let path = format!("/api/v1/connections/{}", flow.connection_id);
    assert_eq!(bob.patch(&path, &json!({"alias": "ours"})).await.ok()["id"], id);
    assert_eq!(bob.delete(&path).await.ok()["connectionId"], id);
    assert_eq!(bob.connections().await.len(), 1);
    bob.run_with("DEMO_LIST_ISSUES", &named(&flow.connection_id)).await.refused("connection_missing");
    bob.run_with("DEMO_LIST_ISSUES", &named(&other)).await.ok();
}

#[tokio::test]
async fn a_default_that_has_ended_is_renewed_by_whoever_connects_without_naming_it() {
    let (_, ada, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    ada.put("/api/v1/admin/toolkits/demo", &json!({"clientId": "another"})).await.ok();
    ada.put("/api/v1/admin/toolkits/demo", &json!({"clientId": super::app::CLIENT_ID})).await.ok();
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.refused("connection_expired");
    assert!(bob.renew_with(&id, &json!({}), Click::Allow("robin")).await.text().contains("is connected"));
    assert_eq!(bob.labels().await, [(json!("robin"), json!("ACTIVE"), Value::Null)]);
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.ok();
    // In another account it is a connection beside the one that has ended.
    ada.put("/api/v1/admin/toolkits/demo", &json!({"clientId": "another"})).await.ok();
    ada.put("/api/v1/admin/toolkits/demo", &json!({"clientId": super::app::CLIENT_ID})).await.ok();
    bob.renew_with(&id, &json!({}), Click::Allow("sasha")).await;
    let mut labels = bob.labels().await;
    labels.sort_by_key(|label| label.0.to_string());
    assert_eq!(labels[0], (json!("robin"), json!("EXPIRED"), json!("integration_changed")));
    assert_eq!(labels[1], (json!("sasha"), json!("ACTIVE"), Value::Null));
}

#[tokio::test]
async fn another_account_that_is_connected_already_is_renewed_once_the_user_adds_it() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let second = bob.connect("sasha").await;
    bob.patch(&format!("/api/v1/connections/{second}"), &json!({"alias": "theirs"})).await.ok();
    bob.renew(&id, Click::Allow("sasha")).await;
    let all = bob.connections().await;
    assert_eq!((all.len(), revoked(&app)), (3, 0));
    let waiting = all.iter().find(|one| one["why"] == "another_account").unwrap();
    let accept = format!("/api/v1/connections/{}/accept", waiting["id"].as_str().unwrap());
    assert_eq!(bob.post(&accept, &json!({})).await.ok()["alias"], "theirs");
    assert_eq!((bob.connections().await.len(), revoked(&app)), (2, 2), "the older tokens were taken back");
}

#[tokio::test]
async fn another_account_changes_nothing_until_the_user_adds_it() {
    let (app, ada, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let before = app.access_token(&bob, &id).await;
    let page = bob.renew(&id, Click::Allow("sasha")).await;
    let text = page.text();
    assert!(text.contains("That is another account"), "{text}");
    for account in ["robin", "sasha"] {
        assert!(text.to_lowercase().contains(account), "{account} is named: {text}");
    }
    assert_eq!(button(&page), "/connections");
    assert_eq!(app.access_token(&bob, &id).await, before);
    let waiting = bob.connections().await.into_iter().find(|one| one["id"] != id.as_str()).unwrap();
    assert_eq!((&waiting["status"], &waiting["why"]), (&json!("INITIATED"), &json!("another_account")));
    assert_eq!(waiting["replaces"], id);
    // What waits cannot be used, and nobody else can decide.
    let waiting = waiting["id"].as_str().unwrap().to_owned();
    let body = json!({"arguments": {}, "connectionId": waiting});
    bob.run_with("DEMO_LIST_ISSUES", &body).await.refused("connection_missing");
    let accept = format!("/api/v1/connections/{waiting}/accept");
    ada.ask(Method::POST, &accept).send().await.refused("not_found");
    // The user adds it.
    assert_eq!(bob.post(&accept, &json!({})).await.ok()["status"], "ACTIVE");
    bob.run_with("DEMO_LIST_ISSUES", &body).await.ok();
    bob.run_with("DEMO_LIST_ISSUES", &json!({"arguments": {}, "connectionId": id})).await.ok();
    assert_eq!(bob.connection(&id).await["default"], true, "and the first one stays the default");
    bob.post(&accept, &json!({})).await.refused("conflict");
    assert_eq!(revoked(&app), 0);
}

#[tokio::test]
async fn another_account_that_is_not_wanted_is_given_back() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    for decides in [true, false] {
        bob.renew(&id, Click::Allow("sasha")).await;
        let waiting = bob.connections().await.into_iter().find(|one| one["id"] != id.as_str()).unwrap();
        let before = revoked(&app);
        if decides {
            let path = format!("/api/v1/connections/{}", waiting["id"].as_str().unwrap());
            assert_eq!(bob.delete(&path).await.ok()["revoked"].as_array().unwrap().len(), 2);
        } else {
            app.advance(30 * MINUTE);
            sweep::once(&app.broker).await.unwrap();
            assert_eq!(bob.connections().await.len(), 2, "there is time to decide");
            app.advance(HOUR);
            sweep::once(&app.broker).await.unwrap();
        }
        assert_eq!(revoked(&app), before + 2);
        assert_eq!(bob.labels().await.len(), 1);
    }
}

#[tokio::test]
async fn only_a_users_own_connection_of_the_toolkit_can_be_renewed_and_by_no_plugin() {
    let (_, ada, bob) = TestApp::start().await;
    let id = ada.connect("robin").await;
    let begin = |user: &User, id: &str| {
        user.ask(Method::POST, "/api/v1/toolkits/demo/connections").json(&json!({"connectionId": id}))
    };
    for (user, id) in [(&bob, id.as_str()), (&bob, "con_none")] {
        assert_eq!(begin(user, id).send().await.refused("invalid_params")["pointer"], "/connectionId");
    }
    let version = ada.get("/api/v1/plugins/example.integrations").await.ok()["version"].clone();
    let grant =
        json!({"version": version, "permissions": ["integrations.connect"], "integrations": ["demo"]});
    ada.put("/api/v1/plugins/example.integrations/grant", &grant).await.ok();
    let by_plugin = begin(&ada, &id).header("taiku-plugin", "example.integrations");
    by_plugin.send().await.refused("invalid_params");
}

/// Each way to fail has its own words and one button, and the browser that began it is led to begin again.
#[tokio::test]
async fn each_end_says_what_happened_and_has_one_button_that_mends_it() {
    const AGAIN: &str = "/connections?connect=demo";
    let (app, ada, bob) = TestApp::start().await;
    let (_, back) = bob.consent(Click::Deny).await;
    let page = bob.follow(&back).await;
    assert!(page.text().contains("You did not allow the access"));
    assert_eq!(button(&page), AGAIN);

    let (flow, back) = bob.consent(Click::Deny).await;
    let url = with_param(&back, "error", Some("invalid_scope"));
    let long = format!("<b>no\u{202e}</b> {}", "x".repeat(1000));
    let page = bob.follow(&with_param(&url, "error_description", Some(&long))).await;
    let text = page.text();
    assert!(text.contains("invalid_scope") && text.contains("&lt;b&gt;no&lt;/b&gt;"), "{text}");
    assert!(!text.contains('\u{202e}') && !text.contains(&"x".repeat(257)), "{text}");
    assert_eq!(button(&page), AGAIN);
    assert_eq!(bob.connection(&flow.connection_id).await["why"], "provider_error:invalid_scope");

    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    let token = Some(Plan { fault: Fault::DropBefore, times: Some(1) });
    app.demo.set_control(Control { token, ..Control::default() }).unwrap();
    let page = bob.follow(&back).await;
    assert!(page.text().contains("cannot be reached"), "{}", page.text());
    assert_eq!((page.status.as_u16(), button(&page).as_str()), (502, AGAIN));
    assert_eq!(bob.connection(&flow.connection_id).await["why"], "unreachable");

    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    app.advance(10 * MINUTE);
    let page = bob.follow(&back).await;
    assert!(page.text().contains("longer than 10 minutes"), "{}", page.text());
    assert_eq!(button(&page), AGAIN);
    let page = bob.get(flow.redirect_url.path()).await;
    assert!(page.text().contains("longer than 10 minutes"), "{}", page.text());
    assert_eq!(button(&page), AGAIN);

    let (_, back) = bob.consent(Click::Allow("robin")).await;
    ada.put("/api/v1/admin/toolkits/demo", &json!({"enabled": false})).await.ok();
    let page = bob.follow(&back).await;
    assert_eq!(button(&page), "/connections", "beginning again would not help");
    ada.put("/api/v1/admin/toolkits/demo", &json!({"enabled": true})).await.ok();

    let (_, back) = bob.consent(Click::Allow("robin")).await;
    let page = ada.follow(&back).await;
    assert!(page.text().contains("in which the connection was begun"), "{}", page.text());
    assert_eq!(button(&page), "/connections", "another browser learns nothing of the flow");
    bob.sign_in(&bob.email, super::app::PASSWORD).await.ok();
    let page = bob.follow(&back).await;
    assert!(page.text().contains("in which the connection was begun"), "{}", page.text());
    assert_eq!(button(&page), AGAIN);
}
