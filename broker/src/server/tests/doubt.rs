//! Calls whose end somebody did not see: callers that hang up, keys that are used again, a database that fails late,
//! a refresh while its connection goes, a call while its integration changes.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use taiku_demo::{Control, Fault, Plan};

use super::{Answer, Ask, TestApp, User};
use crate::clock::{DAY, MINUTE};

const CREATE: &str = "DEMO_CREATE_AN_ISSUE";

fn late(ms: u64) -> Option<Plan> {
    Some(Plan { fault: Fault::Late { ms }, times: Some(1) })
}

impl User {
    fn creates(&self, key: &str, title: &str) -> Ask {
        let path = format!("/api/v1/toolkits/demo/tools/{CREATE}");
        let body = json!({"arguments": {"title": title}});
        self.ask(Method::POST, &path).json(&body).header("idempotency-key", key)
    }

    async fn issues(&self) -> usize {
        let listed = self.run("DEMO_LIST_ISSUES", &json!({})).await.ok();
        listed["issues"].as_array().unwrap().len()
    }

    async fn outcomes(&self, action: &str) -> Vec<Value> {
        let activity = self.get("/api/v1/activity").await.ok();
        let entries = activity["entries"].as_array().unwrap().iter();
        entries.filter(|entry| entry["action"] == action).map(|entry| entry["outcome"].clone()).collect()
    }

    async fn allows_plugin(&self, id: &str) {
        let manifest = json!({
            "id": id, "name": "A plugin", "version": "1.0.0", "permissions": ["integrations.execute"],
            "integrations": ["demo"],
            "panels": [{"id": "main", "title": "Main", "position": "sidebar", "htmlUrl": "panel.html"}],
        });
        self.app.write_plugin(&manifest, "<!doctype html>").await;
        let grant = json!({
            "version": "1.0.0", "permissions": ["integrations.execute"], "integrations": ["demo"],
        });
        self.put(&format!("/api/v1/plugins/{id}/grant"), &grant).await.ok();
    }
}

/// Sends a request, waits until the provider has seen it, and hangs up.
async fn hang_up(app: &TestApp, ask: Ask, seen: &str) {
    let times = app.demo.seen().iter().filter(|request| request.path == seen).count() + 1;
    tokio::select! {
        answer = ask.send() => panic!("answered too early: {}", answer.text()),
        () = app.until_seen(seen, times) => {}
    }
}

async fn until_noted(user: &User, action: &str) -> Value {
    let noted = async {
        loop {
            if let Some(outcome) = user.outcomes(action).await.pop() {
                return outcome;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), noted).await.expect("it was never noted")
}

#[tokio::test]
async fn a_tool_that_ran_is_noted_and_its_result_kept_although_its_caller_hung_up() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.demo.set_control(Control { api: late(300), ..Control::default() }).unwrap();
    hang_up(&app, bob.creates("a key", "once"), "/api/issues").await;
    assert_eq!(until_noted(&bob, CREATE).await, "ok");
    assert_eq!(bob.creates("a key", "once").send().await.ok()["title"], "once");
    assert_eq!(bob.issues().await, 1);
}

#[tokio::test]
async fn a_code_that_was_spent_connects_although_the_browser_hung_up() {
    let (app, _, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(super::Click::Allow("robin")).await;
    app.demo.set_control(Control { token: late(300), ..Control::default() }).unwrap();
    let callback = bob.ask(Method::GET, &back[url::Position::BeforePath..]);
    hang_up(&app, callback, "/token").await;
    assert_eq!(until_noted(&bob, "connect").await, "ok");
    assert_eq!(bob.connection(&flow.connection_id).await["status"], "ACTIVE");
}

#[tokio::test]
async fn plugins_do_not_share_idempotency_keys() {
    let (_app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    for plugin in ["one.plugin", "other.plugin"] {
        bob.allows_plugin(plugin).await;
        for _ in 0..2 {
            let answer = bob.creates("1", plugin).header("taiku-plugin", plugin).send().await;
            assert_eq!(answer.ok()["title"], plugin);
        }
    }
    assert_eq!(bob.creates("1", "mine").send().await.ok()["title"], "mine");
    assert_eq!(bob.issues().await, 3);
}

fn refused_as_cut_off(answer: &Answer) {
    let problem = answer.refused("conflict");
    assert!(problem["detail"].as_str().unwrap().contains("cut off"), "{problem}");
}

#[tokio::test]
async fn what_the_provider_did_is_told_although_nothing_more_could_be_stored() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.sql("create trigger t1 before insert on activity begin select raise(abort, 'full'); end", &[]).await;
    app.sql("create trigger t2 before update on idempotency begin select raise(abort, 'full'); end", &[])
        .await;
    assert_eq!(bob.creates("a key", "once").send().await.ok()["title"], "once");
    app.advance(3 * MINUTE);
    refused_as_cut_off(&bob.creates("a key", "once").send().await);
    assert_eq!(bob.issues().await, 1);
}

#[tokio::test]
async fn nothing_is_refreshed_while_its_connection_is_taken_away() {
    let (app, _, bob) = TestApp::start().await;
    let connection = bob.connect("robin").await;
    app.advance(DAY / 3);
    let before = app.token_calls();
    app.demo.set_control(Control { revoke: late(300), ..Control::default() }).unwrap();
    let path = format!("/api/v1/connections/{connection}");
    let (gone, run) = tokio::join!(bob.delete(&path), async {
        app.until_seen("/revoke", 1).await;
        bob.run("DEMO_LIST_ISSUES", &json!({})).await
    });
    gone.ok();
    run.refused("connection_missing");
    assert_eq!(app.token_calls(), before);
}

#[tokio::test]
async fn a_connection_of_another_integration_is_not_taken_for_a_forged_one() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    app.sql("update connections set context_hash = zeroblob(32)", &[]).await;
    let problem = bob.run("DEMO_LIST_ISSUES", &json!({})).await.refused("connection_expired");
    assert!(problem["detail"].as_str().unwrap().contains("changed the integration"), "{problem}");
}
