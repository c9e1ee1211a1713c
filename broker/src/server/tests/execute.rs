//! Running tools: what reaches the provider, and what comes back of its answers.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};
use taiku_bridge::Slug;
use taiku_bridge::api::segment;
use taiku_demo::{Control, EchoAs, Fault, Plan};

use super::{Answer, Click, TestApp, User};
use crate::clock::{DAY, MINUTE};
use crate::store::connections::{self, State};
use crate::{integration, tokens};

impl TestApp {
    /// Says what happens at the provider's API from now on.
    pub(super) fn api_does(&self, fault: Fault) {
        let api = Some(Plan { fault, times: None });
        self.demo.set_control(Control { api, ..Control::default() }).unwrap();
    }

    /// The access token of a connection, which only tests ever see.
    pub(super) async fn access_token(&self, user: &User, connection: &str) -> String {
        let ready = integration::ready(&self.broker, &Slug::parse("demo").unwrap()).await;
        let ready = ready.map_err(|failure| format!("{failure:?}")).unwrap();
        let mut tx = self.broker.store.read().await.unwrap();
        let found = connections::find(&mut tx, &user.id, connection).await.unwrap().unwrap();
        let State::Active(sealed) = &found.state else { panic!("{found:?}") };
        tokens::open_access(&self.broker, &found, ready.context, sealed).unwrap().expose().to_owned()
    }
}

pub(super) fn answers(status: u16, content_type: Option<&str>, body: &str) -> Fault {
    Fault::Answer {
        status,
        headers: BTreeMap::new(),
        content_type: content_type.map(str::to_owned),
        body: body.to_owned(),
        body_base64: None,
    }
}

fn upstream(answer: &Answer) -> Option<&str> {
    answer.header("taiku-upstream-status")
}

async fn create(user: &User, title: &str, key: &str) -> Answer {
    let path = "/api/v1/toolkits/demo/tools/DEMO_CREATE_AN_ISSUE";
    let ask = user.ask(Method::POST, path).json(&json!({"arguments": {"title": title}}));
    ask.header("idempotency-key", key).send().await
}

#[tokio::test]
async fn tools_do_what_they_say() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let created = bob.run("DEMO_CREATE_AN_ISSUE", &json!({"title": "A title", "body": "é"})).await;
    assert_eq!((created.status.as_u16(), upstream(&created)), (200, Some("201")));
    assert_eq!(created.header("content-type"), Some("application/json"));
    let number = created.ok()["number"].clone();
    let listed = bob.run_with("DEMO_LIST_ISSUES", &json!({})).await.ok();
    assert_eq!(listed["total"], 1);
    let shown = bob
        .run_with("DEMO_GET_AN_ISSUE", &json!({"arguments": {"number": number}, "connectionId": id}))
        .await;
    assert_eq!(shown.ok()["body"], "é");
    let deleted = bob.run("DEMO_DELETE_AN_ISSUE", &json!({"number": number})).await;
    assert_eq!((deleted.status.as_u16(), upstream(&deleted), deleted.bytes.len()), (200, Some("204"), 0));
    app.advance(1000);
    let gone = bob.run("DEMO_GET_AN_ISSUE", &json!({"number": number})).await;
    assert_eq!((gone.status.as_u16(), upstream(&gone)), (502, Some("404")));
    assert_eq!(gone.header("content-type"), Some("application/json"));
    assert!(gone.json()["message"].as_str().unwrap().contains("issue"));
    let activity = bob.get("/api/v1/activity").await.ok();
    let newest = &activity["entries"][0];
    assert_eq!(newest["action"], "DEMO_GET_AN_ISSUE");
    assert_eq!((&newest["outcome"], &newest["upstreamStatus"]), (&json!("upstream_failed"), &json!(404)));
    assert_eq!((&newest["connectionId"], &newest["plugin"]), (&json!(id), &Value::Null));
    assert!(bob.connection(&id).await["lastUsedAt"].is_string());
    assert_eq!(app.token_calls(), 1);
}

#[tokio::test]
async fn what_is_no_tool_does_not_reach_the_provider() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    let before = app.api_calls();
    for tool in
        ["SLACK_SEND", "demo_list_issues", "DEMO_LIST_ISSUES ", "DEMO", "../user", "DEMO_LIST_ISSUES\0"]
    {
        let answer = bob.run(&segment(tool), &json!({})).await;
        assert_eq!(answer.code(), "tool_unknown", "{tool:?} {}", answer.text());
    }
    bob.run(&"X".repeat(257), &json!({})).await.refused("invalid_params");
    for (arguments, pointer) in [
        (json!({}), "/arguments"),
        (json!({"title": 1}), "/arguments/title"),
        (json!({"title": ""}), "/arguments/title"),
        (json!({"title": "x", "labels": []}), "/arguments"),
        (json!([]), "/arguments"),
        (json!("title"), "/arguments"),
    ] {
        let answer = bob.run("DEMO_CREATE_AN_ISSUE", &arguments).await;
        let at = answer.refused("invalid_params")["pointer"].as_str().unwrap().to_owned();
        assert!(at.starts_with(pointer), "{arguments}: {at}");
        assert_eq!(answer.status, 422);
    }
    let numbers =
        [json!("../../user"), json!("%2e%2e"), json!("1/close"), json!("1?x="), json!("1#"), json!(-1)];
    for number in numbers.into_iter().chain([json!("1\r\nx: y"), json!("\0"), json!(null), json!(1.5)]) {
        let answer = bob.run("DEMO_GET_AN_ISSUE", &json!({"number": number})).await;
        answer.refused("invalid_params");
    }
    bob.run_with("DEMO_LIST_ISSUES", &json!({"connectionId": 7})).await.refused("invalid_params");
    assert_eq!(app.api_calls(), before);
    bob.run("DEMO_GET_AN_ISSUE", &json!({"number": 7})).await;
    assert_eq!(app.demo.seen().last().unwrap().path, "/api/issues/7");
}

#[tokio::test]
async fn a_failure_comes_back_word_for_word() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    let cases = [
        (422, Some("application/json"), "{\"a\" :1,\"a\":2}", "application/json"),
        (400, Some("application/problem+json"), "{}", "application/problem+json"),
        (500, Some("text/html"), "<img src=x onerror=alert(1)>", "text/plain; charset=utf-8"),
        (503, None, "down", "text/plain; charset=utf-8"),
        (404, Some("image/svg+xml"), "<svg/>", "text/plain; charset=utf-8"),
        (403, Some("application/pdf"), "%PDF", "application/octet-stream"),
        (302, Some("text/html"), "moved", "text/plain; charset=utf-8"),
        (429, None, "", "text/plain; charset=utf-8"),
    ];
    for (status, content_type, body, kind) in cases {
        app.api_does(answers(status, content_type, body));
        let answer = bob.run("DEMO_LIST_ISSUES", &json!({})).await;
        assert_eq!(answer.status, 502, "{status}");
        assert_eq!(upstream(&answer), Some(&*status.to_string()));
        assert_eq!(answer.text(), body);
        assert_eq!(answer.header("content-type"), Some(kind), "{content_type:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    app.api_does(answers(200, Some("text/html"), "<script>alert(1)</script>"));
    let answer = bob.run("DEMO_LIST_ISSUES", &json!({})).await;
    assert_eq!((answer.status.as_u16(), upstream(&answer)), (200, Some("200")));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    app.api_does(Fault::DropBefore);
    let answer = bob.run("DEMO_LIST_ISSUES", &json!({})).await;
    answer.refused("upstream_unreachable");
    assert_eq!(upstream(&answer), None, "the body is ours");
}

#[tokio::test]
async fn a_token_does_not_come_back_in_any_form() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let token = app.access_token(&bob, &id).await;
    let header = format!("Bearer {token}");
    let forms = [
        token.clone(),
        STANDARD.encode(&token),
        STANDARD.encode(&header),
        url::form_urlencoded::byte_serialize(token.as_bytes()).collect(),
    ];
    for echo in [EchoAs::Json, EchoAs::Html, EchoAs::Base64, EchoAs::UrlEncoded] {
        for status in [200, 400, 500] {
            app.api_does(Fault::EchoAuthorization { status, r#as: echo });
            let answer = bob.run("DEMO_LIST_ISSUES", &json!({})).await;
            assert_eq!(upstream(&answer), Some(&*status.to_string()));
            assert!(answer.text().contains("[redacted]"), "{echo:?} {}", answer.text());
            assert!(forms.iter().all(|form| !answer.text().contains(form)), "{echo:?} {}", answer.text());
        }
    }
    let Fault::Answer { status, body, body_base64, .. } = answers(429, None, "{}") else { return };
    let headers = BTreeMap::from([("retry-after".to_owned(), token.clone())]);
    let content_type = Some(format!("application/json; x={token}"));
    app.api_does(Fault::Answer { status, headers, content_type, body, body_base64 });
    let answer = bob.run("DEMO_LIST_ISSUES", &json!({})).await;
    assert_eq!(upstream(&answer), Some("429"));
    assert!(!format!("{:?}", answer.headers).contains(&token), "{:?}", answer.headers);
}

#[tokio::test]
async fn a_providers_headers_stay_where_they_are() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    let hostile = [
        ("set-cookie", "__Host-taiku-8080=x; Path=/; Secure"),
        ("location", "https://evil.example/"),
        ("access-control-allow-origin", "*"),
        ("content-security-policy", "default-src *"),
        ("strict-transport-security", "max-age=1"),
        ("clear-site-data", "\"*\""),
        ("refresh", "0;url=https://evil.example"),
        ("link", "<https://evil.example>; rel=preload"),
        ("x-anything", "evil"),
        ("cache-control", "public, max-age=31536000"),
    ];
    for status in [200, 302, 500] {
        let headers = hostile.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let content_type = Some("application/json".to_owned());
        app.api_does(Fault::Answer { status, headers, content_type, body: "{}".into(), body_base64: None });
        let answer = bob.run("DEMO_LIST_ISSUES", &json!({})).await;
        assert_eq!(upstream(&answer), Some(&*status.to_string()));
        for (name, value) in hostile {
            assert!(answer.header(name).is_none_or(|sent| sent != value), "{name}: {value}");
        }
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(bob.session().is_some_and(|session| session != "x"));
    }
    let headers = BTreeMap::from([("retry-after".to_owned(), "7".to_owned())]);
    app.api_does(Fault::Answer {
        status: 429,
        headers,
        content_type: None,
        body: "".into(),
        body_base64: None,
    });
    assert_eq!(bob.run("DEMO_LIST_ISSUES", &json!({})).await.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn somebody_elses_connection_looks_like_none() {
    let (app, ada, bob) = TestApp::start().await;
    let adas = ada.connect("sasha").await;
    bob.connect("robin").await;
    let before = app.api_calls();
    for tool in ["DEMO_LIST_ISSUES", "NO_SUCH_TOOL"] {
        let foreign = bob.run_with(tool, &json!({"connectionId": adas})).await;
        let missing = bob.run_with(tool, &json!({"connectionId": "con_none"})).await;
        foreign.refused("connection_missing");
        assert_eq!((foreign.status, &foreign.bytes), (missing.status, &missing.bytes));
    }
    let path = |id: &str| format!("/api/v1/connections/{id}");
    let foreign = bob.patch(&path(&adas), &json!({"default": true})).await;
    let missing = bob.patch(&path("con_none"), &json!({"default": true})).await;
    foreign.refused("not_found");
    assert_eq!(foreign.bytes, missing.bytes);
    let foreign = bob.delete(&path(&adas)).await;
    let missing = bob.delete(&path("con_none")).await;
    foreign.refused("not_found");
    assert_eq!(foreign.bytes, missing.bytes);
    assert!(bob.connections().await.iter().all(|connection| connection["id"] != adas));
    assert_eq!(app.api_calls(), before);
    assert_eq!(app.demo.counts().revocations, 0);
    assert_eq!(ada.connection(&adas).await["status"], "ACTIVE");
}

#[tokio::test]
async fn without_an_account_one_is_told_to_connect() {
    let (app, ada, bob) = TestApp::start().await;
    ada.connect("robin").await;
    let answer = bob.run("DEMO_LIST_ISSUES", &json!({})).await;
    answer.refused("connection_missing");
    assert_eq!(answer.status, 409);
    // A consent that is not finished, or was declined, is no connection either.
    let (flow, back) = bob.consent(Click::Deny).await;
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.refused("connection_missing");
    bob.run_with("DEMO_LIST_ISSUES", &json!({"connectionId": flow.connection_id}))
        .await
        .refused("connection_missing");
    bob.follow(&back).await;
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.refused("connection_missing");
    let of = |slug: &str| format!("/api/v1/toolkits/{slug}/tools/X");
    bob.post(&of("none"), &json!({})).await.refused("toolkit_unknown");
    bob.post(&of("github"), &json!({})).await.refused("toolkit_disabled");
    assert_eq!(bob.post(&of("no%20slug"), &json!({})).await.refused("invalid_params")["pointer"], "/toolkit");
    assert_eq!(app.token_calls(), 1);
}

#[tokio::test]
async fn the_first_account_is_the_default_until_another_is_chosen() {
    let (_, _, bob) = TestApp::start().await;
    let robin = bob.connect("robin").await;
    let sasha = bob.connect("sasha").await;
    let who = async || bob.run("DEMO_GET_THE_CURRENT_USER", &json!({})).await.ok()["login"].clone();
    assert_eq!(who().await, "robin");
    let named = bob.run_with("DEMO_GET_THE_CURRENT_USER", &json!({"connectionId": sasha})).await;
    assert_eq!(named.ok()["login"], "sasha");
    let path = format!("/api/v1/connections/{sasha}");
    bob.patch(&path, &json!({"default": true, "alias": "work"})).await.ok();
    assert_eq!(who().await, "sasha");
    assert_eq!(bob.connection(&robin).await["default"], false);
    let refused = bob.patch(&path, &json!({"default": false})).await;
    assert_eq!(refused.refused("invalid_params")["pointer"], "/default");
    let receipt = bob.delete(&path).await.ok();
    assert_eq!(
        receipt["revoked"],
        json!([
            {"token": "refresh_token", "outcome": "revoked"}, {"token": "access_token", "outcome": "revoked"},
        ])
    );
    let answer = bob.run("DEMO_GET_THE_CURRENT_USER", &json!({})).await;
    let choices = &answer.refused("connection_required")["connections"];
    assert_eq!(*choices, json!([{"id": robin, "label": "robin"}]));
    bob.patch(&format!("/api/v1/connections/{robin}"), &json!({"default": true})).await.ok();
    assert_eq!(who().await, "robin");
}

#[tokio::test]
async fn a_key_runs_a_call_once() {
    let (app, ada, bob) = TestApp::start().await;
    bob.connect("robin").await;
    ada.connect("sasha").await;
    let created = || app.demo.counts().issues_created;
    let first = create(&bob, "one", "key").await;
    let again = create(&bob, "one", "key").await;
    assert_eq!(
        (first.status, &first.bytes, upstream(&first)),
        (again.status, &again.bytes, upstream(&again))
    );
    assert_eq!((first.status.as_u16(), created()), (200, 1));
    create(&bob, "two", "key").await.refused("conflict");
    assert_eq!(created(), 1);
    create(&bob, "one", "another key").await.ok();
    create(&ada, "one", "key").await.ok();
    assert_eq!(created(), 3, "a key is its user's own");
    app.advance(DAY + 1000);
    create(&app.browser_of(&bob.id, &bob.email).await, "one", "key").await.ok();
    assert_eq!(created(), 4, "a day later it is a new key");
    for key in ["", &"x".repeat(256)] {
        let answer = create(&app.browser_of(&bob.id, &bob.email).await, "one", key).await;
        assert_eq!(answer.refused("invalid_params")["pointer"], "/idempotencyKey");
    }
}

#[tokio::test]
async fn calls_with_one_key_at_the_same_time_act_once() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    let calls = (0..20).map(|_| create(&bob, "one", "key"));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.bytes == answers[0].bytes));
    assert_eq!(app.demo.counts().issues_created, 1);
}

#[tokio::test]
async fn a_providers_refusal_is_kept_under_its_key() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.api_does(answers(500, Some("application/json"), "{\"no\":1}"));
    let first = create(&bob, "one", "key").await;
    app.demo.set_control(Control::default()).unwrap();
    let again = create(&bob, "one", "key").await;
    assert_eq!((again.status.as_u16(), upstream(&again), &again.bytes), (502, Some("500"), &first.bytes));
    assert_eq!(app.demo.counts().issues_created, 0);
}

#[tokio::test]
async fn a_call_that_was_refused_here_gives_its_key_back() {
    let (app, _, bob) = TestApp::start().await;
    create(&bob, "one", "key").await.refused("connection_missing");
    bob.connect("robin").await;
    create(&bob, "one", "key").await.ok();
    assert_eq!(app.demo.counts().issues_created, 1);
}

#[tokio::test]
async fn a_call_that_was_never_sent_gives_its_key_back() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.advance(5 * MINUTE);
    let token = Some(Plan { fault: answers(500, None, "down"), times: None });
    app.demo.set_control(Control { token, ..Control::default() }).unwrap();
    create(&bob, "one", "key").await.refused("upstream_unreachable");
    app.demo.set_control(Control::default()).unwrap();
    create(&bob, "one", "key").await.ok();
    assert_eq!(app.demo.counts().issues_created, 1);
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_not_repeated() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.api_does(Fault::DropAfter);
    create(&bob, "one", "key").await.refused("upstream_unreachable");
    app.demo.set_control(Control::default()).unwrap();
    let began = tokio::time::Instant::now();
    let again = create(&bob, "one", "key").await;
    assert!(again.refused("conflict")["detail"].as_str().unwrap().contains("may have acted"));
    assert!(began.elapsed().as_secs() < 5, "nobody waits for a call that has ended");
    assert_eq!(app.demo.counts().issues_created, 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_finds_the_answer_when_it_comes_back() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.advance(1000);
    app.api_does(Fault::Late { ms: 300 });
    tokio::select! {
        answer = create(&bob, "one", "key") => panic!("{}", answer.text()),
        () = app.until_seen("/api/issues", 1) => {}
    }
    create(&bob, "one", "key").await.ok();
    assert_eq!(app.demo.counts().issues_created, 1);
    let activity = bob.get("/api/v1/activity").await.ok();
    assert_eq!(activity["entries"][0]["action"], "DEMO_CREATE_AN_ISSUE", "what was done is noted");
}

#[tokio::test]
async fn a_search_is_literal_and_its_limit_bounded() {
    let (app, _, bob) = TestApp::start().await;
    let search = async |query: &str| bob.get(&format!("/api/v1/toolkits/demo/tools?{query}")).await;
    let count = |answer: &Answer| answer.ok()["tools"].as_array().unwrap().len();
    assert_eq!(count(&search("").await), 6);
    assert_eq!(count(&search("search=CREATE").await), 1);
    for odd in ["%25", "_ISSUE_", ".*", "%5C", "%5B", "%00", &"x".repeat(20_000)] {
        assert_eq!(count(&search(&format!("search={odd}")).await), 0, "{odd}");
    }
    for (limit, expected) in [("1e9", 6), ("0", 1), ("-1", 1), ("2.9", 2), ("50", 6)] {
        assert_eq!(count(&search(&format!("limit={limit}")).await), expected, "{limit}");
    }
    for limit in ["NaN", "inf", "ten", "", "%2250%22"] {
        let answer = search(&format!("limit={limit}")).await;
        assert_eq!(answer.refused("invalid_params")["pointer"], "/limit", "{limit}");
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = search(&format!("limit=4{cursor}")).await.ok();
        seen.extend(page["tools"].as_array().unwrap().iter().map(|tool| tool["slug"].clone()));
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={}", segment(next));
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
    search("cursor=nonsense%00").await.refused("invalid_params");
    assert_eq!(app.api_calls(), 0);
}
