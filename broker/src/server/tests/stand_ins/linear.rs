//! Linear: <https://linear.app/developers/oauth-2-0-authentication>, <https://linear.app/developers/rate-limiting>,
//! <https://linear.app/developers/graphql>.

use http::HeaderValue;

use super::super::app::BEGINNING;
use super::*;
use crate::clock::HOUR;

fn answer(memory: &mut Memory, seen: &Seen) -> Response {
    match seen.path.as_str() {
        "/oauth/token" => token(memory, &seen.form()),
        "/oauth/revoke" => {
            let token = field(&seen.form(), "token").to_owned();
            memory.access.remove(&token);
            memory.refresh.remove(&token);
            ok(json!({"success": true}))
        }
        "/graphql" => graphql(memory, seen),
        _ => at(404, json!({})),
    }
}

fn token(memory: &mut Memory, form: &[(String, String)]) -> Response {
    let lives = match field(form, "grant_type") {
        "refresh_token" => memory.refresh.remove(field(form, "refresh_token")),
        _ => memory.codes.remove(field(form, "code")),
    };
    if !lives {
        return at(400, json!({"error": "invalid_grant"}));
    }
    ok(json!({"access_token": memory.new_access("lin_at"), "refresh_token": memory.new_refresh("lin_rt"),
        "token_type": "Bearer", "expires_in": 86_399, "scope": "read write"}))
}

fn graphql(memory: &Memory, seen: &Seen) -> Response {
    let failed = |status: u16, code: &str| {
        at(status, json!({"errors": [{"message": "no", "extensions": {"code": code}}]}))
    };
    if !memory.access.contains(bearer(seen)) {
        return failed(400, "AUTHENTICATION_ERROR");
    }
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    let operation = body["operationName"].as_str().unwrap();
    let document = graphql_parser::parse_query::<String>(body["query"].as_str().unwrap()).unwrap();
    assert_eq!(
        document
            .definitions
            .iter()
            .filter(|one| matches!(one, graphql_parser::query::Definition::Operation(_)))
            .count(),
        1
    );
    if memory.switches.contains_key("busy") {
        let mut answer = failed(400, "RATELIMITED");
        let reset = HeaderValue::from_str(&(BEGINNING + 30_000).to_string()).unwrap();
        answer.headers_mut().insert("x-ratelimit-requests-reset", reset);
        return answer;
    }
    match operation {
        "Viewer" => ok(json!({"data": {"viewer": {"id": "u1", "name": "Ada", "email": "ada@linear.test"}}})),
        "IssueCreate" => {
            ok(json!({"data": {"issueCreate": {"success": true, "issue": body["variables"]["input"]}}}))
        }
        "Issue" => failed(200, "ENTITY_NOT_FOUND"),
        other => panic!("{other}"),
    }
}

async fn connected() -> (TestApp, User, StandIn) {
    let (app, ada, bob) = TestApp::start().await;
    let linear = StandIn::start(answer).await;
    linear.enable(&ada, "linear", &[("LINEAR_URL", ""), ("LINEAR_API_URL", "")]).await;
    let (query, page) = linear.consent(&bob, "linear", None).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(query["scope"], "read,write");
    (app, bob, linear)
}

#[tokio::test]
async fn named_operations_are_tools() {
    let (_app, bob, _linear) = connected().await;
    let all = connections(&bob, "linear").await;
    assert_eq!(
        (&all[0]["account"]["label"], &all[0]["scopes"]),
        (&json!("ada@linear.test"), &json!(["read", "write"]))
    );
    let input = json!({"teamId": "t1", "title": "It breaks"});
    let made = run(&bob, "linear", "LINEAR_CREATE_AN_ISSUE", &json!({"input": input})).await.ok();
    assert_eq!(made["data"]["issueCreate"]["issue"], input);
    let refused = run(&bob, "linear", "LINEAR_CREATE_AN_ISSUE", &json!({"input": {"title": "x"}})).await;
    refused.refused("invalid_params");
}

#[tokio::test]
async fn errors_in_a_200_are_failures() {
    let (_app, bob, _linear) = connected().await;
    let answer = run(&bob, "linear", "LINEAR_GET_AN_ISSUE", &json!({"id": "ENG-1"})).await;
    assert_eq!((answer.status.as_u16(), answer.header("taiku-upstream-status")), (502, Some("200")));
}

#[tokio::test]
async fn a_limit_in_a_400_says_when_to_try_again() {
    let (_app, bob, linear) = connected().await;
    linear.switch("busy", json!(true));
    let answer = run(&bob, "linear", "LINEAR_GET_THE_VIEWER", &json!({})).await;
    assert_eq!(
        (answer.header("taiku-upstream-status"), answer.header("retry-after")),
        (Some("400"), Some("30"))
    );
}

#[tokio::test]
async fn refresh_tokens_rotate_and_a_dead_token_is_noticed_in_a_400() {
    let (app, bob, linear) = connected().await;
    // No session lasts as long as this test.
    let bob = bob.with_key().await;
    for _ in 0..3 {
        app.advance(25 * HOUR);
        run(&bob, "linear", "LINEAR_GET_THE_VIEWER", &json!({})).await.ok();
    }
    assert_eq!(linear.seen("/oauth/token").len(), 4);
    linear.memory().access.clear();
    run(&bob, "linear", "LINEAR_GET_THE_VIEWER", &json!({})).await.ok();
    assert_eq!(linear.seen("/oauth/token").len(), 5);
    let id = connections(&bob, "linear").await[0]["id"].as_str().unwrap().to_owned();
    bob.delete(&format!("/api/v1/connections/{id}")).await.ok();
    assert!(linear.memory().access.is_empty() && linear.memory().refresh.is_empty());
}
