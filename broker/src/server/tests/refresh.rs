//! Access that ends and is renewed.

use http::Method;
use serde_json::{Value, json};
use taiku_bridge::Slug;
use taiku_demo::{Control, Fault, Plan};

use super::execute::answers;
use super::{TestApp, User};
use crate::clock::{HOUR, MINUTE};
use crate::store::connections;
use crate::store::refresh::Alarm;
use crate::{integration, tokens};

impl TestApp {
    /// Says what happens at the token endpoint.
    fn token_does(&self, fault: Fault, times: Option<u32>) {
        let token = Some(Plan { fault, times });
        self.demo.set_control(Control { token, ..Control::default() }).unwrap();
    }

    /// Ends every wait after failures.
    async fn wait_no_longer(&self) {
        self.sql("update connections set next_attempt_at = 0, attempts = 0", &[]).await;
    }

    /// What admins are told of providers.
    async fn alarms(&self) -> Vec<Alarm> {
        let mut tx = self.broker.store.read().await.unwrap();
        crate::store::refresh::alarms(&mut tx).await.unwrap()
    }

    /// A user's rows with everything in them, sealed tokens too.
    async fn rows(&self, user: &User) -> String {
        let mut tx = self.broker.store.read().await.unwrap();
        format!("{:?}", connections::of_user(&mut tx, &user.id).await.unwrap())
    }
}

async fn list(user: &User) -> super::Answer {
    user.run("DEMO_LIST_ISSUES", &json!({})).await
}

async fn state(user: &User, id: &str) -> (Value, Value) {
    let connection = user.connection(id).await;
    (connection["status"].clone(), connection["why"].clone())
}

#[tokio::test]
async fn a_hundred_callers_cause_one_refresh() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let before = app.access_token(&bob, &id).await;
    app.advance(5 * MINUTE);
    let answers = futures_util::future::join_all((0..100).map(|_| list(&bob))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(app.token_calls(), 2, "one for the code and one for the refresh");
    assert_eq!((app.demo.counts().refreshes, app.demo.counts().reuses_detected), (1, 0));
    assert_ne!(app.access_token(&bob, &id).await, before);
    for round in 2..5 {
        app.advance(5 * MINUTE);
        list(&bob).await.ok();
        assert_eq!(app.demo.counts().refreshes, round, "each with the newest refresh token");
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.advance(4 * MINUTE - 1000);
    list(&bob).await.ok();
    assert_eq!(app.token_calls(), 1);
    app.advance(1000);
    list(&bob).await.ok();
    assert_eq!(app.token_calls(), 2);
}

#[tokio::test]
async fn a_token_that_died_early_is_renewed_and_the_call_repeated() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.demo.advance(std::time::Duration::from_secs(301));
    let created = bob.run("DEMO_CREATE_AN_ISSUE", &json!({"title": "x"})).await;
    created.ok();
    assert_eq!((app.demo.counts().refreshes, app.demo.counts().issues_created), (1, 1));
}

#[tokio::test]
async fn a_provider_that_refuses_every_token_is_asked_twice() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let before = app.api_calls();
    app.api_does(answers(401, Some("application/json"), "{}"));
    let answer = list(&bob).await;
    assert_eq!((answer.status.as_u16(), answer.header("taiku-upstream-status")), (502, Some("401")));
    assert_eq!((app.api_calls() - before, app.token_calls()), (2, 2));
    assert_eq!(state(&bob, &id).await.0, "ACTIVE", "its word alone ends no connection");
}

#[tokio::test]
async fn access_that_was_revoked_ends_the_connection() {
    let (app, ada, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let adas = ada.connect("sasha").await;
    app.advance(5 * MINUTE);
    app.token_does(Fault::OauthError { error: "invalid_grant".into() }, Some(1));
    let answer = list(&bob).await;
    assert!(answer.refused("connection_expired")["detail"].as_str().unwrap().contains("revoked"));
    assert_eq!(answer.status, 409);
    assert_eq!(state(&bob, &id).await, (json!("EXPIRED"), json!("revoked")));
    let calls = app.token_calls();
    list(&bob).await.refused("connection_expired");
    bob.run_with("DEMO_LIST_ISSUES", &json!({"connectionId": id})).await.refused("connection_expired");
    assert_eq!(app.token_calls(), calls, "a dead token is not tried again");
    list(&ada).await.ok();
    assert_eq!(state(&ada, &adas).await.0, "ACTIVE");
    assert!(bob.connection(&id).await["expiresAt"].is_null());
    bob.connect("robin").await;
    list(&bob).await.ok();
    assert_eq!(bob.connections().await.len(), 1, "connecting again takes its place");
}

#[tokio::test]
async fn connecting_again_mends_an_account_without_a_name() {
    let (app, _, bob) = TestApp::start().await;
    app.api_does(answers(500, None, ""));
    let first = bob.connect("robin").await;
    assert!(bob.connection(&first).await["account"]["id"].is_null());
    app.advance(5 * MINUTE);
    app.token_does(Fault::OauthError { error: "invalid_grant".into() }, Some(1));
    list(&bob).await.refused("connection_expired");
    app.api_does(answers(500, None, ""));
    let second = bob.connect("robin").await;
    app.demo.set_control(Control::default()).unwrap();
    list(&bob).await.ok();
    let connections = bob.connections().await;
    assert_eq!((connections.len(), &connections[0]["id"]), (1, &json!(second)));
    // One that still works may be another account, so it stays.
    app.api_does(answers(500, None, ""));
    bob.connect("sasha").await;
    assert_eq!(bob.connections().await.len(), 2);
    assert_eq!(bob.connection(&second).await["default"], true);
}

#[tokio::test]
async fn a_token_endpoint_that_fails_ends_no_connection() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    app.advance(5 * MINUTE);
    let oauth_error = |error: &str| Fault::OauthError { error: error.into() };
    for (name, fault) in [
        ("500", answers(500, None, "")),
        ("502 page", answers(502, Some("text/html"), "<html>")),
        ("503", answers(503, None, "")),
        ("429", answers(429, None, "")),
        ("page", answers(200, Some("text/html"), "<html>Log in</html>")),
        ("empty", answers(200, None, "")),
        ("redirect", answers(302, None, "")),
        ("no token", answers(200, Some("application/json"), "{}")),
        ("null", answers(200, Some("application/json"), "null")),
        ("mac", answers(200, Some("application/json"), r#"{"access_token":"x","token_type":"mac"}"#)),
        ("dropped", Fault::DropBefore),
        ("invalid_client", oauth_error("invalid_client")),
        ("temporarily_unavailable", oauth_error("temporarily_unavailable")),
    ] {
        app.token_does(fault, None);
        let answer = list(&bob).await;
        assert_eq!(answer.code(), "upstream_unreachable", "{name}: {}", answer.text());
        assert_eq!(state(&bob, &id).await.0, "ACTIVE", "{name}");
        app.wait_no_longer().await;
    }
    app.demo.set_control(Control::default()).unwrap();
    list(&bob).await.ok();
    assert_eq!(app.demo.counts().refreshes, 1);
}

#[tokio::test]
async fn callers_who_wait_together_fail_together() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.advance(5 * MINUTE);
    for fault in [answers(500, None, ""), Fault::DropBefore] {
        app.token_does(fault, None);
        let before = app.token_calls();
        let answers = futures_util::future::join_all((0..50).map(|_| list(&bob))).await;
        assert!(answers.iter().all(|answer| answer.code() == "upstream_unreachable"));
        let calls = app.token_calls() - before;
        assert!(calls < 10, "{calls} requests for 50 callers");
        app.wait_no_longer().await;
    }
    app.demo.set_control(Control::default()).unwrap();
    list(&bob).await.ok();
}

#[tokio::test]
async fn a_wait_that_the_provider_asks_for_is_handed_on() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.advance(5 * MINUTE);
    let headers = [("retry-after".to_owned(), "17".to_owned())].into();
    let fault =
        Fault::Answer { status: 429, headers, content_type: None, body: "".into(), body_base64: None };
    app.token_does(fault, Some(1));
    let answer = list(&bob).await;
    answer.refused("upstream_unreachable");
    assert_eq!(answer.header("retry-after"), Some("17"));
}

/// Case F5: a strict provider that has rotated, and whose answer was lost.
#[tokio::test]
async fn an_answer_lost_after_rotation_ends_in_an_honest_word() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    app.advance(5 * MINUTE);
    app.token_does(Fault::DropAfter, Some(1));
    for _ in 0..3 {
        list(&bob).await.refused("connection_expired");
    }
    assert_eq!(app.token_calls(), 3, "the code, the lost answer, and one more try");
    assert_eq!(state(&bob, &id).await, (json!("EXPIRED"), json!("in_doubt")));
}

/// Case F4: the same with a provider that honours the old token for a while.
#[tokio::test]
async fn an_answer_lost_within_a_grace_is_asked_for_again() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    app.advance(5 * MINUTE);
    let token = Some(Plan { fault: Fault::DropAfter, times: Some(1) });
    let control = Control { token, refresh_grace_seconds: Some(30), ..Control::default() };
    app.demo.set_control(control).unwrap();
    list(&bob).await.ok();
    assert_eq!((app.token_calls(), app.demo.counts().reuses_honoured), (3, 1));
    app.advance(5 * MINUTE);
    list(&bob).await.ok();
    assert_eq!(state(&bob, &id).await.0, "ACTIVE");
}

/// Case F7: what failed waits, and nobody who comes meanwhile is sent to the provider.
#[tokio::test]
async fn a_provider_that_asks_for_a_wait_is_left_alone() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.advance(5 * MINUTE);
    let headers = [("retry-after".to_owned(), "600".to_owned())].into();
    let fault =
        Fault::Answer { status: 503, headers, content_type: None, body: "".into(), body_base64: None };
    app.token_does(fault, Some(1));
    list(&bob).await.refused("upstream_unreachable");
    let calls = app.token_calls();
    let answer = list(&bob).await;
    answer.refused("upstream_unreachable");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((580..=601).contains(&wait), "{wait}");
    assert_eq!(app.token_calls(), calls);
}

#[tokio::test]
async fn a_token_that_still_lives_is_used_while_its_renewal_fails() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.advance(4 * MINUTE);
    app.token_does(answers(500, None, ""), None);
    list(&bob).await.ok();
    assert_eq!(app.token_calls(), 2, "it was tried");
    app.advance(MINUTE);
    list(&bob).await.refused("upstream_unreachable");
}

/// `invalid_client` is the admin's to mend: an alarm on the toolkit, and no connection ends.
#[tokio::test]
async fn a_client_that_is_refused_raises_an_alarm_until_it_is_taken_again() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    app.advance(5 * MINUTE);
    app.token_does(Fault::OauthError { error: "invalid_client".into() }, Some(1));
    list(&bob).await.refused("upstream_unreachable");
    assert_eq!(state(&bob, &id).await.0, "ACTIVE");
    let alarms = app.alarms().await;
    assert_eq!((alarms.len(), alarms[0].code.as_str()), (1, "invalid_client"));
    app.wait_no_longer().await;
    list(&bob).await.ok();
    assert_eq!(app.alarms().await, []);
}

/// Case F12: some providers give the same refresh token again, some now and then.
#[tokio::test]
async fn a_refresh_token_that_comes_back_is_no_sign_of_anything() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    app.demo.set_control(Control { keep_refresh_token: true, ..Control::default() }).unwrap();
    for round in 1..=5 {
        app.advance(5 * MINUTE);
        list(&bob).await.ok();
        assert_eq!(app.demo.counts().refreshes, round);
    }
    app.demo.set_control(Control::default()).unwrap();
    app.advance(5 * MINUTE);
    list(&bob).await.ok();
    assert_eq!(state(&bob, &id).await.0, "ACTIVE");
}

/// Case F16: a refresh that brings less.
#[tokio::test]
async fn scopes_that_a_refresh_took_away_are_missing_from_then_on() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    app.advance(5 * MINUTE);
    let token = r#"{"access_token":"less","token_type":"bearer","expires_in":300,"scope":"less"}"#;
    let token = Some(Plan { fault: answers(200, Some("application/json"), token), times: Some(1) });
    let api = Some(Plan { fault: answers(200, Some("application/json"), "[]"), times: None });
    app.demo.set_control(Control { token, api, ..Control::default() }).unwrap();
    list(&bob).await.ok();
    assert_eq!(bob.connection(&id).await["scopes"], json!(["less"]));
    let calls = app.api_calls();
    list(&bob).await.refused("scope_missing");
    assert_eq!(app.api_calls(), calls);
}

/// Case L15: the database is away when the answer comes, and back a moment later.
#[tokio::test]
async fn tokens_wait_in_the_journal_while_the_database_is_away() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.advance(5 * MINUTE);
    app.token_does(Fault::Late { ms: 500 }, Some(1));
    let away = "create trigger away before update of access_token on connections \
                begin select raise(abort, 'away'); end";
    let block = async {
        app.until_seen("/token", 2).await;
        app.sql(away, &[]).await;
    };
    let (answer, ()) = tokio::join!(list(&bob), block);
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
    list(&bob).await.refused("busy");
    assert_eq!(app.token_calls(), 2, "nobody sends the spent token");
    app.sql("drop trigger away", &[]).await;
    let stored = async { while list(&bob).await.status == 503 {} };
    tokio::time::timeout(std::time::Duration::from_secs(30), stored).await.unwrap();
    list(&bob).await.ok();
    assert_eq!((app.demo.counts().refreshes, app.demo.counts().reuses_detected), (1, 0));
}

#[tokio::test]
async fn without_a_new_refresh_token_the_old_one_is_kept() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.advance(5 * MINUTE);
    let token = r#"{"access_token":"unknown-to-the-provider","token_type":"bearer","expires_in":300}"#;
    app.token_does(answers(200, Some("application/json"), token), Some(1));
    // The API does not know this token, so it is renewed at once: with the refresh token of before.
    list(&bob).await.ok();
    assert_eq!((app.token_calls(), app.demo.counts().refreshes), (3, 1));
}

#[tokio::test]
async fn a_connection_removed_during_a_refresh_stays_removed() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    app.advance(5 * MINUTE);
    app.token_does(Fault::Late { ms: 300 }, Some(1));
    let path = format!("/api/v1/connections/{id}");
    let remove = async {
        app.until_seen("/token", 2).await;
        bob.delete(&path).await
    };
    let (_, removed) = tokio::join!(list(&bob), remove);
    let outcomes: Vec<Value> = removed.ok()["revoked"].as_array().unwrap().clone();
    assert!(outcomes.iter().all(|line| line["outcome"] == "revoked"), "{outcomes:?}");
    assert_eq!(bob.connections().await.len(), 0);
    assert_eq!(app.rows(&bob).await, "[]");
    list(&bob).await.refused("connection_missing");
    // What the refresh had brought was revoked, too: the provider's page shows which consents live.
    let page = taiku_demo::app(app.demo.clone());
    let request = http::Request::get("/").body(axum::body::Body::empty()).unwrap();
    let page = super::Answer::read(tower::ServiceExt::oneshot(page, request).await.unwrap()).await.text();
    assert_eq!(page.matches("Not connected").count(), 2, "{page}");
}

#[tokio::test]
async fn a_connection_ended_during_a_refresh_stays_ended() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    app.advance(5 * MINUTE);
    app.token_does(Fault::Late { ms: 300 }, Some(1));
    let end = async {
        app.until_seen("/token", 2).await;
        let slug = Slug::parse("demo").unwrap();
        let mut tx = app.broker.store.write().await.unwrap();
        connections::expire_others(&mut tx, &slug, &[0; 32]).await.unwrap();
        tx.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(list(&bob), end);
    answer.refused("connection_expired");
    assert_eq!(state(&bob, &id).await, (json!("EXPIRED"), json!("integration_changed")));
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_lose_the_tokens() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    app.advance(5 * MINUTE);
    app.token_does(Fault::Late { ms: 200 }, Some(1));
    let ready = integration::ready(&app.broker, &Slug::parse("demo").unwrap()).await;
    let ready = ready.map_err(|failure| format!("{failure:?}")).unwrap();
    let connection = {
        let mut tx = app.broker.store.read().await.unwrap();
        connections::find(&mut tx, &bob.id, &id).await.unwrap().unwrap()
    };
    tokio::select! {
        _ = tokens::live(&app.broker, &ready, connection) => panic!("it did not wait"),
        () = app.until_seen("/token", 2) => {}
    }
    list(&bob).await.ok();
    assert_eq!((app.demo.counts().refreshes, app.demo.counts().reuses_detected), (1, 0));
}

#[tokio::test]
async fn nothing_is_refreshed_while_a_connection_is_being_removed() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    app.advance(5 * MINUTE);
    let revoke = Some(Plan { fault: Fault::Slow { ms: 300 }, times: Some(1) });
    app.demo.set_control(Control { revoke, ..Control::default() }).unwrap();
    let call = async {
        app.until_seen("/revoke", 1).await;
        list(&bob).await
    };
    let path = format!("/api/v1/connections/{id}");
    let (removed, called) = tokio::join!(bob.delete(&path), call);
    removed.ok();
    called.refused("connection_missing");
    assert_eq!(app.token_calls(), 1, "only the code's");
}

#[tokio::test]
async fn tokens_swapped_between_users_open_for_nobody() {
    let (app, ada, bob) = TestApp::start().await;
    let (adas, bobs) = (ada.connect("sasha").await, bob.connect("robin").await);
    app.sql("create table swapped as select * from connections", &[]).await;
    let swap = "update connections set \
                access_token = (select s.access_token from swapped s where s.id <> connections.id), \
                refresh_token = (select s.refresh_token from swapped s where s.id <> connections.id)";
    assert_eq!(app.sql(swap, &[]).await, 2);
    let before = (app.rows(&ada).await, app.rows(&bob).await, app.api_calls(), app.token_calls());
    for round in 0..2 {
        for user in [&ada, &bob] {
            let answer = list(user).await;
            answer.refused("vault_integrity");
            assert_eq!(answer.status, 500, "round {round}");
        }
        // The second time the refresh token would be needed.
        app.advance(5 * MINUTE);
    }
    let after = (app.rows(&ada).await, app.rows(&bob).await, app.api_calls(), app.token_calls());
    assert_eq!(before, after);
    // What cannot be opened can be removed.
    let receipt = bob.delete(&format!("/api/v1/connections/{bobs}")).await.ok();
    assert!(
        receipt["revoked"].as_array().unwrap().iter().all(|line| line["outcome"] == "failed"),
        "{receipt}"
    );
    assert_eq!(app.demo.counts().revocations, 0);
    assert_eq!(state(&ada, &adas).await.0, "ACTIVE");
}

#[tokio::test]
async fn a_token_moved_to_another_column_does_not_open() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.sql("update connections set access_token = refresh_token", &[]).await;
    let before = app.api_calls();
    list(&bob).await.refused("vault_integrity");
    assert_eq!(app.api_calls(), before);
}

#[tokio::test]
async fn a_client_secret_that_was_replaced_does_not_open() {
    let (app, ada, bob) = TestApp::start().await;
    bob.connect("robin").await;
    ada.put("/api/v1/admin/toolkits/github", &json!({"clientSecret": "another"})).await.ok();
    let swap = "update integrations set client_secret = \
                (select o.client_secret from integrations o where o.toolkit = 'github') where toolkit = 'demo'";
    assert_eq!(app.sql(swap, &[]).await, 1);
    list(&bob).await.ok();
    // The secret is needed at the token endpoint only.
    app.advance(HOUR);
    let before = (app.api_calls(), app.token_calls());
    list(&bob).await.refused("vault_integrity");
    bob.ask(Method::POST, "/api/v1/toolkits/demo/connections").send().await.refused("vault_integrity");
    assert_eq!((app.api_calls(), app.token_calls()), before);
}

/// Case L18: a spent refresh token is not shown to a provider that takes it for stolen, and nothing is hurried.
#[tokio::test]
async fn a_refresh_token_out_of_a_backup_is_not_shown_to_a_strict_provider() {
    let (app, _, bob) = TestApp::start().await;
    let id = bob.connect("robin").await;
    let mut tx = app.broker.store.write().await.unwrap();
    crate::store::restored::mark_all(&mut tx, app.broker.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let asked = app.token_calls();
    // The access token is used as long as it lives.
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.ok();
    app.advance(2 * HOUR);
    let ended = bob.run("DEMO_LIST_ISSUES", &json!({})).await;
    ended.refused("connection_expired");
    assert_eq!(bob.connection(&id).await["why"], "restore");
    assert_eq!(app.token_calls(), asked);
    // Connecting again gives the connection a token that is not of the backup.
    let again = bob.connect("robin").await;
    app.advance(2 * HOUR);
    bob.run_with("DEMO_LIST_ISSUES", &json!({"arguments": {}, "connectionId": again})).await.ok();
    assert!(app.token_calls() > asked);
}

/// Cases L12 and L13: a clock that is stepped, here or at the provider, costs at most one refresh per use.
#[tokio::test]
async fn stepped_clocks_cause_no_storm_and_no_failure() {
    let (app, _, bob) = TestApp::start().await;
    app.demo.advance(std::time::Duration::from_secs(600));
    let id = bob.connect("robin").await;
    list(&bob).await.ok();
    let asked = app.token_calls();
    // The provider's token ends while our clock says that it is a day young.
    app.advance(-24 * HOUR);
    app.demo.advance(std::time::Duration::from_secs(2 * 3600));
    list(&bob).await.ok();
    assert_eq!(app.token_calls(), asked + 1);
    // A day ahead: sessions are over, and the access is renewed once, when it is used.
    app.advance(48 * HOUR);
    list(&bob).await.refused("not_signed_in");
    let bob = app.browser_of(&bob.id, &bob.email).await;
    assert_eq!(app.token_calls(), asked + 1);
    let answers = futures_util::future::join_all((0..20).map(|_| list(&bob))).await;
    answers.iter().for_each(|answer| drop(answer.ok()));
    assert_eq!(app.token_calls(), asked + 2);
    assert_eq!(state(&bob, &id).await.0, "ACTIVE");
}
