//! What holds for every route: generated from the table, so that a new one is covered the day it is added.

use http::Method;

use super::app::ORIGIN;
use super::{Answer, Ask, TestApp, User};
use crate::server::{Access, Route, table};

/// A path of a route, with parameters that exist where they can.
fn path(route: &Route) -> String {
    route
        .path
        .replace("{slug}", "demo")
        .replace("{tool}", "DEMO_LIST_ISSUES")
        .replace("/plugins/{id}", "/plugins/example.integrations")
        .replace("{id}", "none")
        .replace("{key}", "a")
        .replace("{name}", "a")
}

fn is_safe(route: &Route) -> bool {
    matches!(route.method, Method::GET | Method::HEAD)
}

fn unsafe_routes(app: &TestApp) -> Vec<Route> {
    let routes: Vec<Route> = table(&app.broker).into_iter().filter(|route| !is_safe(route)).collect();
    assert!(routes.len() >= 12, "the table is not the whole table");
    routes
}

/// The request of a route, with an empty JSON object where a body may be.
fn ask(user: &User, route: &Route) -> Ask {
    let ask = user.ask(route.method.clone(), &path(route));
    if is_safe(route) { ask } else { ask.json(&serde_json::json!({})) }
}

/// A new browser for each request, since some end their session.
async fn again(app: &TestApp, user: &User) -> User {
    app.browser_of(&user.id, &user.email).await
}

#[tokio::test]
async fn unsafe_requests_from_anywhere_but_the_host_page_are_refused() {
    let (app, ada, _) = TestApp::start().await;
    let script = ada.with_key().await;
    type Change = fn(Ask) -> Ask;
    let changes: [(&str, Change); 11] = [
        ("cross-site", |ask| ask.header("sec-fetch-site", "cross-site")),
        ("same-site", |ask| ask.header("sec-fetch-site", "same-site")),
        ("none", |ask| ask.header("sec-fetch-site", "none")),
        ("an unknown site", |ask| ask.header("sec-fetch-site", "Same-Origin")),
        ("cross-site without Origin", |ask| ask.header("sec-fetch-site", "cross-site").without("origin")),
        ("neither", |ask| ask.without("origin")),
        ("Origin: null", |ask| ask.header("origin", "null")),
        ("same-origin with Origin: null", |ask| {
            ask.header("sec-fetch-site", "same-origin").header("origin", "null")
        }),
        ("the panels' origin", |ask| ask.header("origin", "http://127.0.0.1:8080")),
        ("no extra header", |ask| ask.without("x-taiku-request")),
        ("another extra header", |ask| ask.header("x-taiku-request", "true")),
    ];
    for route in unsafe_routes(&app) {
        for (name, change) in &changes {
            let answer = change(ask(&ada, &route)).send().await;
            assert_eq!(
                answer.code(),
                "cross_site",
                "{} {} {name}: {}",
                route.method,
                route.path,
                answer.text()
            );
            assert_eq!(answer.status, 403);
            let visitors = change(ask(&app.visitor(), &route)).send().await;
            assert_eq!(visitors.code(), "cross_site", "{} {} {name}", route.method, route.path);
            let by_key = change(ask(&script, &route)).send().await;
            assert_ne!(by_key.code(), "cross_site", "{} {} {name} with a key", route.method, route.path);
        }
    }
    ada.get("/api/v1/api-keys").await.ok();
}

#[tokio::test]
async fn the_host_page_passes_with_either_proof() {
    let (app, ada, _) = TestApp::start().await;
    for route in unsafe_routes(&app) {
        let by_site = ask(&again(&app, &ada).await, &route).without("origin");
        let by_site = by_site.header("sec-fetch-site", "same-origin").send().await;
        assert_ne!(by_site.code(), "cross_site", "{} {}", route.method, route.path);
        let by_origin = ask(&again(&app, &ada).await, &route).send().await;
        assert_ne!(by_origin.code(), "cross_site", "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn a_body_must_say_that_it_is_json() {
    let (app, ada, _) = TestApp::start().await;
    let script = ada.with_key().await;
    for route in unsafe_routes(&app) {
        for user in [&again(&app, &ada).await, &script] {
            if user.session().is_none() && route.access == Access::Browser {
                continue;
            }
            for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
            {
                let answer = ask(user, &route).body(kind, "{}").send().await;
                assert_eq!(answer.code(), "unsupported_media_type", "{} {} {kind}", route.method, route.path);
            }
            let answer = ask(user, &route).without("content-type").send().await;
            assert_eq!(answer.code(), "unsupported_media_type", "{} {}", route.method, route.path);
        }
        let user = again(&app, &ada).await;
        let answer = ask(&user, &route).body("Application/JSON; charset=utf-8", "{}").send().await;
        assert_ne!(answer.code(), "unsupported_media_type", "{} {}", route.method, route.path);
        let answer = again(&app, &ada).await.ask(route.method.clone(), &path(&route)).send().await;
        assert_ne!(answer.code(), "unsupported_media_type", "no body needs no type: {}", route.path);
    }
}

/// What the policy answers before a handler runs; empty when it lets the request pass.
fn expected(access: Access, signed_in: bool, admin: bool, key: bool) -> &'static str {
    match access {
        Access::Anyone | Access::Visitor => "",
        Access::User | Access::Stream | Access::Integrations | Access::Browser | Access::Admin
            if !signed_in =>
        {
            "not_signed_in"
        }
        Access::User | Access::Stream | Access::Integrations => "",
        Access::Browser if key => "session_required",
        Access::Browser => "",
        Access::Admin if admin => "",
        Access::Admin => "forbidden",
    }
}

/// The policy's part of an answer.
fn verdict(answer: &Answer) -> String {
    let code = answer.code();
    let policy = ["not_signed_in", "forbidden", "session_required", "cross_site", "integrations_disabled"];
    if policy.contains(&&*code) { code } else { String::new() }
}

#[tokio::test]
async fn every_route_answers_whom_it_declares() {
    let (app, ada, bob) = TestApp::start().await;
    let (adas_key, bobs_key) = (ada.with_key().await, bob.with_key().await);
    for route in table(&app.broker) {
        let (adas_browser, bobs_browser) = (again(&app, &ada).await, again(&app, &bob).await);
        for (user, signed_in, admin, key) in [
            (&app.visitor(), false, false, false),
            (&bobs_browser, true, false, false),
            (&adas_browser, true, true, false),
            (&bobs_key, true, false, true),
            (&adas_key, true, true, true),
        ] {
            let answer = ask(user, &route).send().await;
            let expected = expected(route.access, signed_in, admin, key);
            let who = format!("{} {} {} key: {key}", route.method, route.path, user.email);
            assert_eq!(verdict(&answer), expected, "{who}: {}", answer.text());
            assert!(answer.status.as_u16() < 500, "{who}: {}", answer.text());
        }
        let forged = ask(&ada.script("taiku_forged"), &route).send().await;
        assert_eq!(verdict(&forged), "not_signed_in", "{} {}", route.method, route.path);
        let basic = ask(&again(&app, &ada).await, &route).header("authorization", "Basic YTpi").send().await;
        assert_eq!(verdict(&basic), "not_signed_in", "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn integrations_that_are_off_look_the_same_to_everybody() {
    let (app, ada, bob) = TestApp::start_with(&[("TAIKU_INTEGRATIONS", "false")]).await;
    let key = bob.with_key().await;
    let mut bodies = std::collections::BTreeSet::new();
    for route in table(&app.broker) {
        if !matches!(route.access, Access::Integrations | Access::Browser) {
            continue;
        }
        for user in [&app.visitor(), &ada, &key, &bob.script("taiku_forged")] {
            let answer = ask(user, &route).header("taiku-plugin", "no.such.plugin").send().await;
            answer.refused("integrations_disabled");
            bodies.insert(answer.text());
        }
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(bob.get("/api/v1/session").await.ok()["integrations"], false);
}

#[tokio::test]
async fn visitors_can_be_kept_out() {
    let (app, _, bob) = TestApp::start_with(&[("TAIKU_ANONYMOUS", "false")]).await;
    for route in table(&app.broker).iter().filter(|route| route.access == Access::Visitor) {
        assert_eq!(verdict(&ask(&app.visitor(), route).send().await), "not_signed_in", "{}", route.path);
        assert_eq!(ask(&bob, route).send().await.status, 200, "{}", route.path);
    }
    assert_eq!(app.visitor().get("/api/v1/session").await.ok()["anonymous"], false);
}

#[tokio::test]
async fn other_methods_are_refused_or_change_nothing() {
    let (app, ada, _) = TestApp::start().await;
    let table = table(&app.broker);
    for route in &table {
        for method in [Method::TRACE, Method::CONNECT, Method::OPTIONS] {
            let answer = ada.ask(method.clone(), &path(route)).send().await;
            assert_eq!(answer.status, 405, "{method} {}", route.path);
        }
        let has_get = table.iter().any(|other| other.path == route.path && is_safe(other));
        let head = ada.ask(Method::HEAD, &path(route)).send().await;
        assert_eq!(head.status == 405, !has_get, "HEAD {}", route.path);
        if has_get {
            assert!(head.bytes.is_empty());
        }
    }
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let answer = ada.ask(Method::GET, "/api/v1/session").header(name, "DELETE").send().await;
        assert_eq!(answer.ok()["user"]["email"], ada.email);
        let answer =
            ada.ask(Method::GET, "/api/v1/session?_method=DELETE").header(name, "DELETE").send().await;
        assert_eq!(answer.ok()["user"]["email"], ada.email);
    }
}

#[tokio::test]
async fn what_proxies_add_counts_for_nothing() {
    let (app, ada, bob) = TestApp::start().await;
    let mut forged = app.visitor().ask(Method::GET, "/api/v1/session");
    for name in ["x-forwarded-user", "x-user-id", "x-remote-user", "x_forwarded_user", "x-auth-request-email"]
    {
        forged = forged.header(name, &ada.email);
    }
    assert!(forged.send().await.ok()["user"].is_null());
    let proxied = |ask: Ask| {
        ask.header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-uri", "/api/v1/admin/users")
            .header("x-original-url", "/api/v1/admin/users")
            .header("forwarded", "host=evil.example;proto=https")
    };
    let begun = proxied(bob.ask(Method::POST, "/api/v1/toolkits/demo/connections")).send().await.ok();
    assert!(begun["redirectUrl"].as_str().unwrap().starts_with(ORIGIN), "{begun}");
    let foreign =
        proxied(bob.ask(Method::DELETE, "/api/v1/session")).header("origin", "https://evil.example");
    foreign.send().await.refused("cross_site");
    let misdirected = bob.ask(Method::GET, "/").header("host", "evil.example");
    let misdirected = misdirected.header("x-forwarded-host", "localhost:8080").send().await;
    misdirected.refused("misdirected_request");
}
