//! An admin takes back every access of a toolkit. Case I8.

use serde_json::{Value, json};
use taiku_demo::{Control, Fault, Plan};
use tokio::task::JoinSet;

use super::{Click, TestApp, User};
use crate::clock::{Millis, SECOND};
use crate::custody::{Custody, revocation};

const REVOCATIONS: &str = "/api/v1/admin/toolkits/demo/revocations";

fn asked(app: &TestApp) -> usize {
    app.demo.seen().iter().filter(|seen| seen.path == "/revoke").count()
}

/// Works as the program does for some time, in steps of 100 ms.
async fn work(app: &TestApp, custody: &Custody, time: Millis) {
    let mut asking = JoinSet::new();
    for _ in 0..time / 100 {
        revocation::once(custody, &mut asking).await.unwrap();
        while asking.join_next().await.is_some() {}
        app.advance(100);
    }
}

async fn four_accounts() -> (TestApp, User, User) {
    let (app, ada, bob) = TestApp::start().await;
    for user in [&ada, &bob] {
        user.connect("robin").await;
        user.connect("sasha").await;
    }
    (app, ada, bob)
}

async fn progress(ada: &User) -> (Value, Value, Value, bool) {
    let all = ada.get(REVOCATIONS).await.ok();
    let one = &all["revocations"][0];
    let numbers = (one["total"].clone(), one["revoked"].clone(), one["failed"].clone());
    (numbers.0, numbers.1, numbers.2, one["finishedAt"].is_string())
}

fn misbehave(app: &TestApp, fault: Fault, times: Option<u32>) {
    let revoke = Some(Plan { fault, times });
    app.demo.set_control(Control { revoke, ..Control::default() }).unwrap();
}

#[tokio::test]
async fn every_connection_ends_at_once_and_tokens_are_taken_back_at_the_rate() {
    let (app, ada, bob) = four_accounts().await;
    bob.post(REVOCATIONS, &json!({})).await.refused("forbidden");
    let begun = ada.post(REVOCATIONS, &json!({"perMinute": 60})).await;
    assert_eq!(begun.status, 201);
    assert_eq!(begun.ok()["total"], 4);
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.refused("connection_expired");
    for connection in bob.connections().await {
        assert_eq!((&connection["status"], &connection["why"]), (&json!("REVOKED"), &json!("by_admin")));
    }
    assert_eq!(asked(&app), 0);
    work(&app, &app.custody, 100).await;
    assert_eq!(asked(&app), 2, "the refresh and the access token of one connection");
    work(&app, &app.custody, SECOND - 100).await;
    assert_eq!(asked(&app), 2, "the rate is kept");
    assert_eq!(progress(&ada).await, (json!(4), json!(1), json!(0), false));
    work(&app, &app.custody, 4 * SECOND).await;
    assert_eq!(progress(&ada).await, (json!(4), json!(4), json!(0), true));
    assert_eq!(asked(&app), 8);
    let audit = ada.get("/api/v1/admin/audit").await.ok();
    let entry = &audit["entries"][0];
    assert_eq!((&entry["action"], &entry["detail"]["connections"]), (&json!("toolkit.revoke"), &json!(4)));
    // Connecting again is the same connection.
    let before = bob.connections().await;
    let (_, back) = bob.consent(Click::Allow("robin")).await;
    bob.follow(&back).await;
    assert_eq!(bob.connections().await.len(), 2);
    let robin = before.iter().find(|one| one["account"]["label"] == "robin").unwrap();
    assert_eq!(bob.connection(robin["id"].as_str().unwrap()).await["status"], "ACTIVE");
}

#[tokio::test]
async fn another_broker_goes_on_where_one_has_stopped() {
    let (app, ada, _) = four_accounts().await;
    ada.post(REVOCATIONS, &json!({"perMinute": 60})).await.ok();
    work(&app, &app.custody, SECOND).await;
    // This one ends between asking the provider and noting its answer.
    misbehave(&app, Fault::Slow { ms: 60_000 }, None);
    let mut asking = JoinSet::new();
    revocation::once(&app.custody, &mut asking).await.unwrap();
    app.until_seen("/revoke", 3).await;
    asking.shutdown().await;
    app.demo.set_control(Control::default()).unwrap();
    let replica = app.replica().await;
    replica.advance(2 * SECOND);
    work(&replica, &replica.custody, 5 * SECOND).await;
    assert_eq!(progress(&ada).await, (json!(4), json!(3), json!(0), false), "one is still somebody's");
    replica.advance(3 * 60 * SECOND);
    work(&replica, &replica.custody, 2 * SECOND).await;
    assert_eq!(progress(&ada).await, (json!(4), json!(4), json!(0), true));
}

#[tokio::test]
async fn a_provider_that_cannot_answer_is_asked_again_and_one_that_refuses_is_listed() {
    let (app, ada, _) = four_accounts().await;
    let wait = [("retry-after".to_owned(), "30".to_owned())].into_iter().collect();
    let busy = Fault::Answer {
        status: 429,
        headers: wait,
        content_type: None,
        body: String::new(),
        body_base64: None,
    };
    misbehave(&app, busy, Some(1));
    let id = ada.post(REVOCATIONS, &json!({"perMinute": 60_000})).await.ok()["id"].clone();
    work(&app, &app.custody, 29 * SECOND).await;
    assert_eq!(asked(&app), 2, "all wait as long as the provider asks");
    let refused = Fault::OauthError { error: "unsupported_token_type".into() };
    misbehave(&app, refused, None);
    work(&app, &app.custody, 300 * SECOND).await;
    assert_eq!(progress(&ada).await, (json!(4), json!(0), json!(4), true));
    let detail = ada.get(&format!("{REVOCATIONS}/{}", id.as_str().unwrap())).await.ok();
    let failures = detail["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 4);
    assert!(failures.iter().any(|one| one["email"] == "bob@example.test" && one["account"] == "sasha"));
    assert_eq!(failures[0]["tokens"][0], json!({"token": "refresh_token", "outcome": "refused"}));
    ada.get(&format!("{REVOCATIONS}/rev_none")).await.refused("not_found");
    ada.post(REVOCATIONS, &json!({"perMinute": 0})).await.refused("invalid_params");
}
