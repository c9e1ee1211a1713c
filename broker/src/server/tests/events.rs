//! Streams of events: who hears what, and when a stream ends. Case H18.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use taiku_demo::{Control, Fault, Plan};

use super::plugin_data::allow;
use super::{Click, Listening, TestApp, User};
use crate::clock::{DAY, HOUR, MINUTE};
use crate::events::{Event, keeper};
use crate::sweep;

const EVENTS: &str = "/api/v1/events";
const GRANT: &str = "/api/v1/plugins/example.integrations/grant";

async fn heard(stream: &mut Listening) -> (String, Value) {
    stream.next().await.expect("the stream has ended")
}

/// Whether a stream is over; what it still says does not matter.
async fn is_over(stream: &mut Listening) -> bool {
    let end = async { while stream.block().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(1), end).await.is_ok()
}

fn connection(id: &str, status: &str, why: Option<&str>) -> (String, Value) {
    let data = json!({"connectionId": id, "toolkit": "demo", "status": status, "why": why});
    ("connection_changed".into(), data)
}

#[tokio::test]
async fn a_stream_looks_like_one_and_is_not_kept() {
    let (app, _, bob) = TestApp::start().await;
    let mut stream = Listening::open(&bob.ask(Method::GET, EVENTS), &bob).await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(stream.headers[name], value, "{name}");
    }
    assert_eq!(stream.block().await.unwrap(), ": taiku\nretry: 2000");
    let first = stream.block().await.unwrap();
    let (id, rest) = first.strip_prefix("event: resync\ndata: {}\nid: ").map(|id| (id, "")).unwrap();
    assert!(rest.is_empty() && !id.contains('\n'));
    // Who comes back with the newest id missed nothing, and anybody else is told to read again.
    let back = bob.ask(Method::GET, EVENTS).header("last-event-id", id);
    let mut back = Listening::open(&back, &bob).await;
    app.broker.events.tell(&bob.id, &Event::PluginsChanged);
    assert_eq!(back.name().await.unwrap(), "plugins_changed");
    let again = bob.ask(Method::GET, EVENTS).header("last-event-id", id);
    assert_eq!(Listening::open(&again, &bob).await.name().await.unwrap(), "resync");
}

#[tokio::test]
async fn silence_is_broken_every_fifteen_seconds() {
    let (_, _, bob) = TestApp::start().await;
    let mut stream = bob.listen().await;
    // From here on the clock of tokio runs on at once whenever everybody waits.
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    assert_eq!(stream.block().await.unwrap(), ":");
    assert_eq!(began.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn a_connections_whole_life_is_heard_by_its_user_alone() {
    let (app, ada, bob) = TestApp::start().await;
    let (mut stream, mut other) = (bob.listen().await, ada.listen().await);
    let id = bob.connect("robin").await;
    assert_eq!(heard(&mut stream).await, connection(&id, "INITIATED", None));
    assert_eq!(heard(&mut stream).await, connection(&id, "ACTIVE", None));
    bob.patch(&format!("/api/v1/connections/{id}"), &json!({"alias": "work"})).await.ok();
    assert_eq!(heard(&mut stream).await, connection(&id, "ACTIVE", None));
    bob.delete(&format!("/api/v1/connections/{id}")).await.ok();
    assert_eq!(heard(&mut stream).await, connection(&id, "REVOKED", None));
    app.broker.events.tell(&ada.id, &Event::PluginsChanged);
    assert_eq!(other.name().await.unwrap(), "plugins_changed", "nothing of bob's was told to ada");
}

#[tokio::test]
async fn a_connection_that_fails_or_ends_by_itself_is_heard() {
    let (app, ada, bob) = TestApp::start().await;
    let mut stream = bob.listen().await;
    let (declined, back) = bob.consent(Click::Deny).await;
    bob.follow(&back).await;
    assert_eq!(heard(&mut stream).await.1["status"], "INITIATED");
    assert_eq!(heard(&mut stream).await, connection(&declined.connection_id, "FAILED", Some("declined")));
    let forgotten = bob.begin().await;
    assert_eq!(heard(&mut stream).await.1["status"], "INITIATED");
    app.advance(10 * MINUTE + 1);
    sweep::once(&app.broker).await.unwrap();
    assert_eq!(heard(&mut stream).await, connection(&forgotten.connection_id, "FAILED", Some("timed_out")));
    let id = bob.connect("robin").await;
    assert_eq!(heard(&mut stream).await.1["status"], "INITIATED");
    assert_eq!(heard(&mut stream).await.1["status"], "ACTIVE");
    let other = json!({"clientId": "another-client"});
    ada.put("/api/v1/admin/toolkits/demo", &other).await.ok();
    assert_eq!(heard(&mut stream).await, connection(&id, "EXPIRED", Some("integration_changed")));
    assert_eq!(heard(&mut stream).await, ("toolkits_changed".into(), json!({"toolkit": "demo"})));
}

#[tokio::test]
async fn a_refresh_that_ends_a_connection_is_heard() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let mut stream = bob.listen().await;
    let fault = Fault::OauthError { error: "invalid_grant".into() };
    let token = Some(Plan { fault, times: None });
    app.demo.set_control(Control { token, ..Control::default() }).unwrap();
    app.advance(HOUR);
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.refused("connection_expired");
    assert_eq!(heard(&mut stream).await, connection(&id, "EXPIRED", Some("revoked")));
}

#[tokio::test]
async fn grants_are_heard_when_given_and_taken_back() {
    let (_, _, bob) = TestApp::start().await;
    let mut stream = bob.listen().await;
    let version = bob.get("/api/v1/plugins/example.integrations").await.ok()["version"].clone();
    let grant = json!({"version": version, "permissions": ["integrations.read"], "integrations": []});
    bob.put(GRANT, &grant).await.ok();
    let changed = ("grant_changed".to_owned(), json!({"pluginId": "example.integrations"}));
    assert_eq!(heard(&mut stream).await, changed);
    bob.delete(GRANT).await.ok();
    assert_eq!(heard(&mut stream).await, changed);
}

#[tokio::test]
async fn a_changed_plugin_folder_is_noticed_once() {
    let (app, _, bob) = TestApp::start().await;
    let _stream = bob.listen().await;
    let mut plugins = keeper::Plugins::default();
    assert!(!plugins.have_changed(&app.broker).await);
    let manifest = json!({
        "id": "a.new-one", "name": "New", "version": "1.0.0", "permissions": [],
        "panels": [{"id": "p", "title": "P", "position": "sidebar", "htmlUrl": "panel.html"}],
    });
    app.write_plugin(&manifest, "<!doctype html>").await;
    assert!(plugins.have_changed(&app.broker).await);
    assert!(!plugins.have_changed(&app.broker).await);
}

#[tokio::test]
async fn signing_out_ends_the_streams_of_that_browser_at_once() {
    let (app, _, bob) = TestApp::start().await;
    let elsewhere = app.browser_of(&bob.id, &bob.email).await;
    let (mut here, mut there) = (bob.listen().await, elsewhere.listen().await);
    bob.delete("/api/v1/session").await;
    assert_eq!(here.name().await.as_deref(), Some("session_ended"));
    assert!(is_over(&mut here).await);
    app.broker.events.tell(&bob.id, &Event::PluginsChanged);
    assert_eq!(there.name().await.as_deref(), Some("plugins_changed"));
    bob.get(EVENTS).await.refused("not_signed_in");
}

#[tokio::test]
async fn signing_in_again_ends_the_streams_of_the_session_before() {
    let (_, ada, bob) = TestApp::start().await;
    let mut stream = bob.listen().await;
    bob.sign_in(&ada.email, super::app::PASSWORD).await.ok();
    assert_eq!(stream.name().await.as_deref(), Some("session_ended"));
    assert!(is_over(&mut stream).await);
}

/// What ends a session or key without a request of its browser, as another process or the clock would.
#[tokio::test]
async fn whatever_ends_a_session_or_key_ends_its_streams_at_the_next_look() {
    type End = for<'a> fn(&'a TestApp, &'a User) -> std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;
    let ends: [(&str, End); 3] = [
        ("disabled", |app, user| Box::pin(app.disable(user))),
        ("idle", |app, _| Box::pin(async { app.advance(12 * HOUR) })),
        ("old", |app, _| Box::pin(async { app.advance(7 * DAY) })),
    ];
    for (why, end) in ends {
        let (app, _, bob) = TestApp::start().await;
        let mut stream = bob.listen().await;
        keeper::end_what_is_over(&app.broker).await.unwrap();
        assert_eq!(app.broker.events.count(), 1, "{why}");
        end(&app, &bob).await;
        keeper::end_what_is_over(&app.broker).await.unwrap();
        assert_eq!(stream.name().await.as_deref(), Some("session_ended"), "{why}");
        assert!(is_over(&mut stream).await, "{why}");
    }
    let (app, _, bob) = TestApp::start().await;
    let script = bob.with_key().await;
    let mut stream = script.listen().await;
    keeper::end_what_is_over(&app.broker).await.unwrap();
    assert_eq!(app.broker.events.count(), 1);
    let id = bob.get("/api/v1/api-keys").await.ok()["apiKeys"][0]["id"].as_str().unwrap().to_owned();
    bob.delete(&format!("/api/v1/api-keys/{id}")).await.ok();
    keeper::end_what_is_over(&app.broker).await.unwrap();
    assert!(is_over(&mut stream).await);
}

#[tokio::test]
async fn another_sites_page_cannot_listen() {
    let (_, _, bob) = TestApp::start().await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:8080"),
        ("origin", "https://evil.example"),
    ] {
        let answer = bob.ask(Method::GET, EVENTS).header(name, value).send().await;
        answer.refused("cross_site");
    }
    for (name, value) in [("sec-fetch-site", "same-origin"), ("origin", super::app::ORIGIN)] {
        let answer = bob.ask(Method::GET, EVENTS).header(name, value).send().await;
        assert_eq!(answer.status, 200, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_reader_that_goes_away_is_forgotten() {
    let (app, _, bob) = TestApp::start().await;
    let stream = bob.listen().await;
    assert_eq!(app.broker.events.count(), 1);
    drop(stream);
    assert_eq!(app.broker.events.count(), 0);
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams() {
    let (app, _, bob) = TestApp::start().await;
    let mut stream = bob.listen().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    crate::server::serve(app.broker.clone(), listener, std::future::ready(())).await;
    assert!(is_over(&mut stream).await);
    bob.get(EVENTS).await.refused("busy");
}

#[tokio::test]
async fn a_plugin_tells_the_users_pages_and_nobody_elses() {
    let (app, ada, bob) = TestApp::start().await;
    let manifest = json!({
        "id": "a.teller", "name": "T", "version": "1.0.0", "permissions": ["events.broadcast"],
        "panels": [{"id": "p", "title": "P", "position": "sidebar", "htmlUrl": "panel.html"}],
    });
    app.write_plugin(&manifest, "<!doctype html>").await;
    let tell = |user: &User, body: Value| {
        user.ask(Method::POST, EVENTS).json(&body).header("taiku-plugin", "a.teller").send()
    };
    let event = json!({"type": "timer.done", "data": {"minutes": 25}, "page": "this one"});
    tell(&bob, event.clone()).await.refused("grant_missing");
    allow(&bob, "a.teller", &["events.broadcast"]).await;
    let (mut stream, mut other) = (bob.listen().await, ada.listen().await);
    assert_eq!(tell(&bob, event).await.status, 204);
    let data =
        json!({"source": "a.teller", "type": "timer.done", "data": {"minutes": 25}, "page": "this one"});
    assert_eq!(heard(&mut stream).await, ("plugin_event".into(), data));
    app.broker.events.tell(&ada.id, &Event::PluginsChanged);
    assert_eq!(other.name().await.unwrap(), "plugins_changed");
    for (body, pointer) in [
        (json!({"type": "session_ended", "data": {}}), "/type"),
        (json!({"type": "connection_changed", "data": {}}), "/type"),
        (json!({"type": "", "data": {}}), "/type"),
        (json!({"type": "a", "data": []}), "/data"),
        (json!({"type": "a", "data": {"x": "x".repeat(70_000)}}), "/data"),
    ] {
        assert_eq!(tell(&bob, body).await.refused("invalid_params")["pointer"], pointer);
    }
    bob.post(EVENTS, &json!({"type": "a", "data": {}})).await.refused("bad_message");
    let small = || tell(&bob, json!({"type": "a", "data": {}}));
    let answers = futures_util::future::join_all((0..250).map(|_| small())).await;
    assert!(answers.iter().any(|answer| answer.code() == "rate_limited"));
}
