//! The two processes behind one command: either may end at any moment. Cases L1 and L2.

use std::os::unix::fs::PermissionsExt as _;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use taiku_tests::{Client, Role, TestApp, connect, eventually};

const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

async fn list(user: &Client) -> u16 {
    user.post(LIST, &json!({ "arguments": {} })).await.status.as_u16()
}

/// Kills a role and waits until another process has its place.
async fn replaced(app: &TestApp, role: Role) {
    let before = app.role(role).expect("it runs");
    before.kill();
    eventually("a role to be started again", async || app.role(role).filter(|now| *now != before)).await;
}

#[tokio::test]
async fn either_process_comes_back_and_no_connection_is_broken() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let connection = connect(&app, &user).await;
    for role in [Role::Vault, Role::Http, Role::Vault] {
        // Tokens of the demo live for five minutes.
        app.demo.advance(600).await;
        replaced(&app, role).await;
        let works = eventually("the listener to answer", async || {
            let answer = user.post(LIST, &json!({ "arguments": {} })).await;
            (answer.status.as_u16() != 503).then_some(answer)
        });
        let _ = works.await.expect(200);
    }
    let all = user.get("/api/v1/connections").await.json();
    assert_eq!(all["connections"][0]["id"], connection.id);
    assert_eq!(all["connections"][0]["status"], "ACTIVE");
    // Nothing is told twice: whoever reads the output sees one start.
    assert_eq!(app.said().matches("listening on ").count(), 1, "{}", app.said());
}

#[tokio::test]
async fn a_refresh_outlives_the_process_that_asked_for_it() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    // The demo takes each refresh token once: an answer that nobody hears would end the connection.
    app.demo.set(&json!({ "token": { "fault": { "kind": "late", "ms": 1500 } } })).await;
    app.demo.advance(600).await;
    let before = app.demo.count("refreshes").await;
    let impatient = user.request(Method::POST, LIST).json(&json!({ "arguments": {} })).try_send();
    let kill = async {
        eventually("a refresh to be under way", async || {
            (app.demo.count("refreshes").await > before).then_some(())
        })
        .await;
        replaced(&app, Role::Http).await;
    };
    // Whether it was answered or cut off: its process has ended.
    let _ = tokio::join!(impatient, kill);
    app.demo.set(&json!({})).await;
    let works = async || (list(&user).await == 200).then_some(());
    eventually("the connection to work again", works).await;
    assert_eq!(app.demo.count("refreshes").await, before + 1);
}

#[tokio::test]
async fn calls_wait_for_a_vault_that_is_being_started() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    app.demo.advance(600).await;
    app.role(Role::Vault).expect("it runs").kill();
    let statuses = join_all((0..10).map(|_| list(&user))).await;
    assert_eq!(statuses, [200; 10]);
}

#[tokio::test]
async fn the_socket_is_for_its_user_alone() {
    let app = TestApp::start().await;
    let entries = std::fs::read_dir(app.data()).expect("our own folder").flatten();
    let sockets: Vec<_> =
        entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".sock")).collect();
    assert_eq!(sockets.len(), 1);
    let mode = sockets[0].metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let data = app.stop();
    let left = std::fs::read_dir(data.path()).expect("our own folder").flatten();
    assert!(!left.map(|entry| entry.path()).any(|path| path.extension().is_some_and(|end| end == "sock")));
}
