//! Gmail: <https://developers.google.com/identity/protocols/oauth2/web-server>,
//! <https://developers.google.com/workspace/gmail/api/guides/handle-errors>.

use super::*;
use crate::clock::HOUR;

fn answer(memory: &mut Memory, seen: &Seen) -> Response {
    match seen.path.split('?').next().unwrap() {
        "/token" => token(memory, &seen.form()),
        // Revoking any token of the grant ends all of it.
        "/revoke" => {
            memory.access.clear();
            memory.refresh.clear();
            ok(json!({}))
        }
        _ if !memory.access.contains(bearer(seen)) => {
            at(401, json!({"error": {"code": 401, "status": "UNAUTHENTICATED"}}))
        }
        "/gmail/v1/users/me/profile" => ok(json!({"emailAddress": "ada@gmail.test", "messagesTotal": 1})),
        "/gmail/v1/users/me/messages" if memory.switches.contains_key("busy") => at(
            403,
            json!({"error": {"code": 403, "errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded"}]}}),
        ),
        "/gmail/v1/users/me/messages" => ok(json!({"messages": []})),
        _ => at(404, json!({"error": {"code": 404}})),
    }
}

fn token(memory: &mut Memory, form: &[(String, String)]) -> Response {
    let refresh = match field(form, "grant_type") {
        "refresh_token" if memory.refresh.contains(field(form, "refresh_token")) => None,
        // A refresh token comes with the first consent only; `prompt=consent` would bring another.
        "authorization_code" if memory.codes.remove(field(form, "code")) => {
            (memory.consents == 1).then(|| memory.new_refresh("1//rt"))
        }
        _ => return at(400, json!({"error": "invalid_grant", "error_description": "Bad Request"})),
    };
    let mut granted = json!({"access_token": memory.new_access("ya29"), "token_type": "Bearer", "expires_in": 3599,
        "scope": "https://www.googleapis.com/auth/gmail.modify"});
    if let Some(refresh) = refresh {
        granted["refresh_token"] = json!(refresh);
    }
    ok(granted)
}

async fn connected() -> (TestApp, User, StandIn) {
    let (app, ada, bob) = TestApp::start().await;
    let google = StandIn::start(answer).await;
    let settings = [("GMAIL_ACCOUNTS_URL", ""), ("GMAIL_OAUTH_URL", ""), ("GMAIL_API_URL", "")];
    google.enable(&ada, "gmail", &settings).await;
    let (query, page) = google.consent(&bob, "gmail", None).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!((query["access_type"].as_str(), query["prompt"].as_str()), ("offline", "consent"));
    assert_eq!(query["code_challenge_method"], "S256");
    (app, bob, google)
}

async fn list(user: &User) -> Answer {
    run(user, "gmail", "GMAIL_LIST_MESSAGES", &json!({"q": "is:unread"})).await
}

#[tokio::test]
async fn the_refresh_token_of_the_first_consent_lasts() {
    let (app, bob, google) = connected().await;
    assert_eq!(connections(&bob, "gmail").await[0]["account"]["label"], "ada@gmail.test");
    for _ in 0..3 {
        app.advance(2 * HOUR);
        list(&bob).await.ok();
    }
    assert_eq!(google.seen("/token").len(), 4);
}

#[tokio::test]
async fn a_renewed_consent_without_a_refresh_token_keeps_the_old_one_and_the_grant() {
    let (app, bob, google) = connected().await;
    let id = connections(&bob, "gmail").await[0]["id"].as_str().unwrap().to_owned();
    let (_, page) = google.consent(&bob, "gmail", Some(&id)).await;
    assert!(page.text().contains("is connected"), "{}", page.text());
    assert_eq!(google.seen("/revoke").len(), 0, "to revoke the old token would end the new ones");
    app.advance(2 * HOUR);
    list(&bob).await.ok();
    assert_eq!(connections(&bob, "gmail").await.len(), 1);
}

#[tokio::test]
async fn disconnecting_ends_the_grant() {
    let (_app, bob, google) = connected().await;
    let id = connections(&bob, "gmail").await[0]["id"].as_str().unwrap().to_owned();
    bob.delete(&format!("/api/v1/connections/{id}")).await.ok();
    let memory = google.memory();
    assert!(memory.access.is_empty() && memory.refresh.is_empty());
}

#[tokio::test]
async fn a_limit_in_a_403_is_the_providers_failure() {
    let (_app, bob, google) = connected().await;
    google.switch("busy", json!(true));
    let answer = list(&bob).await;
    assert_eq!((answer.status.as_u16(), answer.header("taiku-upstream-status")), (502, Some("403")));
    assert_eq!(google.seen("/token").len(), 1, "a 403 says nothing of the token");
}
