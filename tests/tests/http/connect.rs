//! Connecting an account over HTTP. Case D1 and its failures.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;
use taiku_bridge::api::{self, AdminToolkit, Connecting, Connections, Status};
use taiku_tests::{Client, Decision, TestApp, connect, connect_at, consent_address, follow_consent};
use url::Url;

#[tokio::test]
async fn a_consent_makes_an_active_connection_with_one_token_request() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let connection = connect(&app, &user).await;
    assert_eq!(connection.status, Status::Active);
    assert_eq!(connection.toolkit.as_str(), "demo");
    assert!(connection.default, "the first one is the default");
    assert!(connection.account.label.is_some_and(|label| !label.is_empty()), "the account has its name");
    assert_eq!(app.demo.count("tokenRequests").await, 1);
    assert_eq!(app.demo.count("consentsAllowed").await, 1);
}

#[tokio::test]
async fn the_request_for_consent_is_bound_to_this_flow() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let registered: AdminToolkit = user.get("/api/v1/admin/toolkits/demo").await.read();
    let begun = connect_at(&user, "demo").await;
    assert_eq!(begun.status, Status::Initiated);
    let first = authorize_query(&app, &user, &begun).await;
    let second = authorize_query(&app, &user, &connect_at(&user, "demo").await).await;

    assert_eq!(first["code_challenge_method"], "S256");
    assert_eq!(first["code_challenge"].len(), 43, "a SHA-256");
    assert_eq!(first["redirect_uri"], registered.redirect_uri);
    assert_eq!(first["response_type"], "code");
    for unique in ["state", "code_challenge"] {
        assert!(first[unique].len() >= 22, "{unique} has 128 bits: {}", first[unique]);
        assert_ne!(first[unique], second[unique], "{unique}");
    }
}

async fn authorize_query(app: &TestApp, user: &Client, begun: &Connecting) -> BTreeMap<String, String> {
    let page = user.bare(Method::GET, &begun.redirect_url).send().await.expect(200);
    let links: Vec<_> = page.text.match_indices("<a ").collect();
    assert_eq!(links.len(), 1, "the start page has exactly one link: {}", page.text);
    assert_eq!(
        page.header("x-frame-options").is_empty(),
        page.header("content-security-policy").contains("frame-ancestors 'none'")
    );
    let (_, link) = page.text.split_once("href=\"").expect("the link has an address");
    let link = link.split('"').next().unwrap_or_default().replace("&amp;", "&");
    let url = Url::parse(&link).expect("an absolute address");
    assert_eq!(url.origin(), app.demo.url.origin());
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_declined_consent_leaves_a_failed_connection() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let begun = connect_at(&user, "demo").await;
    let page = follow_consent(&app, &user, &begun, Decision::Deny).await;
    assert!(!page.status.is_server_error(), "{page:?}");
    let all: Connections = user.get(api::CONNECTIONS).await.read();
    assert_eq!(
        all.connections.iter().map(|connection| connection.status).collect::<Vec<_>>(),
        [Status::Failed]
    );
    assert_eq!(app.demo.count("tokenRequests").await, 0);
}

#[tokio::test]
async fn a_callback_with_another_state_changes_nothing() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let registered: AdminToolkit = user.get("/api/v1/admin/toolkits/demo").await.read();
    let begun = connect_at(&user, "demo").await;
    let state = authorize_query(&app, &user, &begun).await["state"].clone();
    let altered = format!("{}A", &state[..state.len() - 1]);
    let altered = if altered == state { format!("{}B", &state[..state.len() - 1]) } else { altered };
    // Only the state is wrong; everything else is as the provider would send it.
    let stolen = format!("code=stolen&iss={}", app.demo.url.as_str().trim_end_matches('/'));
    let queries = [
        stolen.clone(),
        format!("{stolen}&state="),
        format!("{stolen}&state={altered}"),
        format!("{stolen}&state={altered}&state={state}"),
        String::new(),
    ];
    for query in queries {
        let page = user.bare(Method::GET, &format!("{}?{query}", registered.redirect_uri)).send().await;
        assert_eq!(page.status, 400, "{query}: {page:?}");
        assert!(!page.text.contains("stolen"), "{query}: the page repeats nothing of the address");
    }
    assert_eq!(app.demo.count("tokenRequests").await, 0);
    let page = follow_consent(&app, &user, &begun, Decision::Allow).await;
    assert_eq!(page.status, 200, "the flow itself goes on: {page:?}");
}

#[tokio::test]
async fn a_callback_works_once() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let begun = connect_at(&user, "demo").await;
    assert_eq!(follow_consent(&app, &user, &begun, Decision::Allow).await.status, 200);
    let again = user.bare(Method::GET, &begun.redirect_url).send().await;
    assert!(again.status.is_client_error(), "the start page of a used flow is gone: {again:?}");
    assert_eq!(app.demo.count("tokenRequests").await, 1);
}

#[tokio::test]
async fn another_browser_cannot_finish_a_flow() {
    let app = TestApp::start().await;
    let (attacker, victim) = (app.ada().await, app.bob().await);
    let begun = connect_at(&attacker, "demo").await;
    let page = victim.bare(Method::GET, &begun.redirect_url).send().await;
    assert!(page.status.is_client_error(), "the start page needs the flow cookie: {page:?}");
    // The victim was given the provider's address directly.
    let state = authorize_query(&app, &attacker, &begun).await["state"].clone();
    let registered: AdminToolkit = attacker.get("/api/v1/admin/toolkits/demo").await.read();
    let issuer = app.demo.url.as_str().trim_end_matches('/');
    let callback = format!("{}?code=anything&iss={issuer}&state={state}", registered.redirect_uri);
    assert_eq!(victim.bare(Method::GET, &callback).send().await.status, 400);
    assert_eq!(app.anonymous().bare(Method::GET, &callback).send().await.status, 400);
    assert_eq!(app.demo.count("tokenRequests").await, 0);
}

/// Follows a callback that must be refused before the code is spent.
async fn refused(app: &TestApp, browser: &Client, callback: &Url) {
    let page = browser.bare(Method::GET, callback.as_str()).send().await;
    assert!(page.status.is_client_error(), "{callback}: {page:?}");
    assert_eq!(app.demo.count("tokenRequests").await, 0, "{callback}");
}

#[tokio::test]
async fn an_answer_that_names_another_issuer_is_refused() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let begun = connect_at(&user, "demo").await;
    let callback = consent_address(&app, &user, &begun, Decision::Allow).await;
    let issuer = app.demo.url.as_str().trim_end_matches('/').to_owned();
    let with_issuer = |issuer: Option<&str>| {
        let mut changed = callback.clone();
        let others: Vec<_> = callback.query_pairs().into_owned().filter(|(name, _)| name != "iss").collect();
        changed.query_pairs_mut().clear().extend_pairs(others);
        if let Some(issuer) = issuer {
            changed.query_pairs_mut().append_pair("iss", issuer);
        }
        changed
    };
    for other in [Some("https://evil.example"), Some(&format!("{issuer}/")), Some(""), None] {
        refused(&app, &user, &with_issuer(other)).await;
    }
    let page = user.bare(Method::GET, with_issuer(Some(&issuer)).as_str()).send().await;
    assert_eq!(page.status, 200, "the flow was untouched: {page:?}");
}

#[tokio::test]
async fn a_callback_on_another_toolkits_path_is_refused() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let other: AdminToolkit = user.get("/api/v1/admin/toolkits/github").await.read();
    let begun = connect_at(&user, "demo").await;
    let callback = consent_address(&app, &user, &begun, Decision::Allow).await;
    let mut mixed_up = Url::parse(&other.redirect_uri).expect("an address");
    mixed_up.set_query(callback.query());
    refused(&app, &user, &mixed_up).await;
}

#[tokio::test]
async fn a_flow_ends_with_the_session_that_began_it() {
    let app = TestApp::start().await;
    for same_user in [true, false] {
        let user = app.ada().await;
        let begun = connect_at(&user, "demo").await;
        let callback = consent_address(&app, &user, &begun, Decision::Allow).await;
        let before = user.cookies();
        assert_eq!(user.delete(api::SESSION).await.status, 204);
        let next = if same_user { app.ada().await } else { app.bob().await };
        // The browser may have kept the flow's cookie.
        let flow = begun.redirect_url.rsplit('/').next().unwrap_or_default();
        let kept = before.iter().find(|cookie| cookie.name.contains(flow)).expect("the flow has a cookie");
        next.set_cookie(&kept.name, &kept.value);
        refused(&app, &next, &callback).await;
    }
}

#[tokio::test]
async fn a_script_cannot_connect_because_nobody_could_consent() {
    let app = TestApp::start().await;
    let answer = app.script().await.post("/api/v1/toolkits/demo/connections", &json!({})).await;
    assert_eq!(answer.problem(), (403, "session_required".into()));
}

#[tokio::test]
async fn the_browser_lands_on_a_path_of_ours_or_nowhere() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let own = app.url.as_str();
    let port = app.url.port().unwrap_or(80);
    let foreign = [
        "//evil.example".to_owned(),
        "https://evil.example/".to_owned(),
        format!("http://app@localhost:{port}/"),
        format!("http://localhost:{port}@evil.example/"),
        "/\\evil.example".to_owned(),
        "\\\\evil.example".to_owned(),
        "javascript:alert(1)".to_owned(),
        "http://localhost:1/".to_owned(),
        "data:text/html,x".to_owned(),
    ];
    for callback in &foreign {
        let answer =
            user.post("/api/v1/toolkits/demo/connections", &json!({ "callbackUrl": callback })).await;
        assert_eq!(answer.problem(), (422, "invalid_params".into()), "{callback}");
        assert_eq!(answer.json()["pointer"], "/callbackUrl", "{callback}");
    }
    for callback in ["/connections".to_owned(), "/panel/a.b/c?x=1".to_owned(), format!("{own}settings")] {
        let answer =
            user.post("/api/v1/toolkits/demo/connections", &json!({ "callbackUrl": callback })).await;
        assert_eq!(answer.status, 201, "{callback}: {answer:?}");
    }
}

#[tokio::test]
async fn another_users_connection_looks_like_none() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let theirs = connect(&app, &ada).await;
    let known = bob.delete(&api::connection(&theirs.id)).await;
    let unknown = bob.delete(&api::connection("there-is-none")).await;
    assert_eq!((known.problem(), unknown.problem()), ((404, "not_found".into()), (404, "not_found".into())));
    let all: Connections = bob.get(api::CONNECTIONS).await.read();
    assert_eq!(all.connections, []);
    assert_eq!(connect_count(&ada).await, 1, "it is still there");
}

async fn connect_count(user: &Client) -> usize {
    user.get(api::CONNECTIONS).await.read::<Connections>().connections.len()
}

#[tokio::test]
async fn disconnecting_revokes_at_the_provider_and_says_so() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let connection = connect(&app, &user).await;
    let receipt: api::Receipt = user.delete(&api::connection(&connection.id)).await.expect(200).read();
    assert_eq!(receipt.connection_id, connection.id);
    assert!(receipt.revoked.iter().any(|token| token.outcome == "revoked"), "{receipt:?}");
    assert!(app.demo.count("revocations").await >= 1);
    assert_eq!(connect_count(&user).await, 0);
}
