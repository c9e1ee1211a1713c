//! Running tools over HTTP. Cases G1 and G2, the provider's answers as they came, and doing a thing once.

use serde_json::{Value, json};
use taiku_tests::{Answer, Client, TestApp, connect};

const CREATE: &str = "/api/v1/toolkits/demo/tools/DEMO_CREATE_AN_ISSUE";
const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

async fn run(user: &Client, path: &str, arguments: Value) -> Answer {
    user.post(path, &json!({ "arguments": arguments })).await
}

#[tokio::test]
async fn a_created_issue_is_listed() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    let created = run(&user, CREATE, json!({ "title": "The door squeaks" })).await.expect(200);
    assert_eq!(created.upstream(), Some(201));
    assert_eq!(created.json()["title"], "The door squeaks");
    let listed = run(&user, LIST, json!({})).await.expect(200).json();
    assert_eq!(listed["issues"][0]["title"], "The door squeaks");
}

#[tokio::test]
async fn a_script_runs_tools_with_the_users_connection() {
    let app = TestApp::start().await;
    connect(&app, &app.ada().await).await;
    assert_eq!(run(&app.script().await, LIST, json!({})).await.status, 200);
}

#[tokio::test]
async fn without_a_connection_a_tool_says_what_to_do() {
    let app = TestApp::start().await;
    let answer = run(&app.ada().await, LIST, json!({})).await;
    assert_eq!(answer.problem(), (409, "connection_missing".into()));
}

#[tokio::test]
async fn an_unknown_tool_is_refused_before_the_network() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    let before = app.demo.api_requests().await;
    for tool in
        ["SLACK_SEND", "GITHUB_CREATE_AN_ISSUE", "demo_list_issues", "DEMO_LIST_ISSUES%20", "DEMO_NOTHING"]
    {
        let answer = run(&user, &format!("/api/v1/toolkits/demo/tools/{tool}"), json!({})).await;
        assert_eq!(answer.problem(), (404, "tool_unknown".into()), "{tool}");
    }
    for (toolkit, code) in [("github", "toolkit_disabled"), ("nothing", "toolkit_unknown")] {
        let answer =
            run(&user, &format!("/api/v1/toolkits/{toolkit}/tools/DEMO_LIST_ISSUES"), json!({})).await;
        assert_eq!(answer.problem(), (404, code.into()), "{toolkit}");
    }
    assert_eq!(app.demo.api_requests().await, before);
}

#[tokio::test]
async fn wrong_arguments_are_refused_by_name_before_the_network() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    let before = app.demo.api_requests().await;
    for (arguments, field) in [
        (json!({}), "title"),
        (json!({ "title": 5 }), "title"),
        (json!({ "title": null }), "title"),
        (json!({ "title": "" }), "title"),
        (json!({ "title": "x".repeat(201) }), "title"),
        (json!({ "title": "x", "nope": 1 }), "nope"),
        (json!({ "title": "x", "body": ["y"] }), "body"),
        (json!([]), "arguments"),
        (json!("title"), "arguments"),
    ] {
        let answer = run(&user, CREATE, arguments.clone()).await;
        assert_eq!(answer.problem(), (422, "invalid_params".into()), "{arguments}");
        let problem = answer.json();
        assert!(problem["pointer"].is_string(), "{arguments}: {problem}");
        let said = format!("{} {}", problem["pointer"], problem["detail"]);
        assert!(said.contains(field), "{arguments}: {problem}");
    }
    assert_eq!(app.demo.api_requests().await, before);
    assert_eq!(app.demo.count("issuesCreated").await, 0);
}

#[tokio::test]
async fn a_failure_of_the_provider_comes_as_it_is() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    let odd = "{\"message\":  \"odd\\u0020spacing\",\n \"z\":1, \"a\":2}";
    for (status, content_type, shown, body) in [
        (422, "application/json", "application/json", odd),
        (418, "application/problem+json", "json", "{\"title\":\"teapot\"}"),
        (500, "text/html", "text/plain", "<img src=x onerror=alert(1)>"),
        (503, "text/plain", "text/plain", "come back\nlater "),
    ] {
        let fault = json!({ "kind": "answer", "status": status, "contentType": content_type, "body": body });
        app.demo.set(&json!({ "api": { "fault": fault, "times": 1 } })).await;
        let answer = run(&user, LIST, json!({})).await.expect(502);
        assert_eq!(answer.upstream(), Some(status));
        assert_eq!(answer.text, body, "byte for byte");
        assert!(answer.header("content-type").contains(shown), "{status}: {}", answer.header("content-type"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn an_odd_success_comes_as_it_is() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    let body = "{\"ok\": false,   \"n\": 1.0, \"big\": 12345678901234567890123}";
    let fault = json!({ "kind": "answer", "status": 202, "contentType": "application/json", "body": body });
    app.demo.set(&json!({ "api": { "fault": fault, "times": 1 } })).await;
    let answer = run(&user, LIST, json!({})).await.expect(200);
    assert_eq!((answer.upstream(), answer.text.as_str()), (Some(202), body));
}

#[tokio::test]
async fn our_own_errors_never_look_like_the_providers() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    assert_eq!(run(&user, LIST, json!({})).await.upstream(), None);
    connect(&app, &user).await;
    app.demo.set(&json!({ "api": { "fault": { "kind": "drop_before" } } })).await;
    let answer = run(&user, LIST, json!({})).await;
    assert_eq!((answer.upstream(), answer.problem()), (None, (502, "upstream_unreachable".into())));
}

#[tokio::test]
async fn an_echoed_token_does_not_leave_the_broker() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    let echo = |form: &str| json!({ "api": { "fault": { "kind": "echo_authorization", "status": 500, "as": form }, "times": 1 } });
    for form in ["json", "html", "base64", "url_encoded"] {
        app.demo.set(&echo(form)).await;
        let answer = run(&user, LIST, json!({})).await.expect(502);
        assert!(!answer.text.contains("demo_at_"), "{form}: {}", answer.text);
        assert!(answer.text.contains("redacted"), "{form}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_same_key_does_a_thing_once() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    let create = async |key: &str, title: &str| {
        let sent =
            user.request(reqwest::Method::POST, CREATE).json(&json!({ "arguments": { "title": title } }));
        sent.header("idempotency-key", key).send().await
    };
    let first = create("key-1", "once").await.expect(200);
    let again = create("key-1", "once").await.expect(200);
    assert_eq!((&first.text, first.upstream()), (&again.text, again.upstream()));
    assert_eq!(app.demo.count("issuesCreated").await, 1);

    let other_arguments = create("key-1", "something else").await;
    assert!(other_arguments.status.is_client_error(), "{other_arguments:?}");
    assert_eq!(app.demo.count("issuesCreated").await, 1);
    let _ = create("key-2", "once").await.expect(200);
    assert_eq!(app.demo.count("issuesCreated").await, 2);
}

#[tokio::test]
async fn two_at_once_with_the_same_key_do_a_thing_once() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    app.demo.set(&json!({ "api": { "fault": { "kind": "slow", "ms": 300 } } })).await;
    let create = async || {
        let sent =
            user.request(reqwest::Method::POST, CREATE).json(&json!({ "arguments": { "title": "once" } }));
        sent.header("idempotency-key", "the same").send().await
    };
    let (one, two) = tokio::join!(create(), create());
    assert_eq!(app.demo.count("issuesCreated").await, 1, "{one:?} {two:?}");
    for answer in [&one, &two] {
        assert!(answer.status == 200 || answer.status == 409, "{answer:?}");
    }
}

#[tokio::test]
async fn a_dead_access_token_is_refreshed_without_the_user() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    app.demo.advance(3600).await;
    assert_eq!(run(&user, LIST, json!({})).await.status, 200);
    assert_eq!(app.demo.count("refreshes").await, 1);
    assert_eq!(app.demo.count("reusesDetected").await, 0);
}

#[tokio::test]
async fn a_grant_that_was_revoked_at_the_provider_asks_for_a_new_consent() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    app.demo.set(&json!({ "token": { "fault": { "kind": "oauth_error", "error": "invalid_grant" } } })).await;
    app.demo.advance(3600).await;
    assert_eq!(run(&user, LIST, json!({})).await.problem(), (409, "connection_expired".into()));
    let connection = &user.get("/api/v1/connections").await.json()["connections"][0];
    assert_eq!(connection["status"], "EXPIRED");
    assert!(connection["why"].is_string(), "{connection}");
}

#[tokio::test]
async fn tools_are_found_by_literal_text_and_the_limit_is_clamped() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let tools = async |query: &str| user.get(&format!("/api/v1/toolkits/demo/tools?{query}")).await;
    let count = |answer: Answer| answer.expect(200).json()["tools"].as_array().map(Vec::len);
    assert_eq!(count(tools("").await), Some(6));
    assert_eq!(count(tools("limit=2").await), Some(2));
    assert_eq!(count(tools("limit=1000000000").await), Some(6));
    assert_eq!(count(tools("search=create").await), Some(1));
    assert_eq!(count(tools("search=%25").await), Some(0), "a percent sign is no wildcard");
    assert_eq!(count(tools("search=.*").await), Some(0), "nor is this");
    assert_eq!(tools("limit=many").await.problem(), (422, "invalid_params".into()));
    let first = &tools("search=create").await.json()["tools"][0];
    assert_eq!((&first["slug"], &first["class"]), (&json!("DEMO_CREATE_AN_ISSUE"), &json!("write")));
    assert_eq!(first["inputParameters"]["required"], json!(["title"]));
}
