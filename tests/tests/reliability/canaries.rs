//! What is in the memory of which process while access is renewed. Case E16.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use taiku_tests::{Client, Goal, Role, Running, Scale, TestApp, connect, eventually, figure};

const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";
/// The refresh token that the provider gives, and the client's secret. Each has a half that only the test puts together,
/// so that no text of the program is taken for one.
fn canaries() -> [String; 2] {
    ["refresh-token", "client-secret"].map(|name| format!("canary-{name}-{}", "0123456789abcdef".repeat(2)))
}

/// A provider whose every access token is refused, so that each call renews it once.
async fn restless(app: &TestApp, refresh_token: &str) {
    let answer = json!({
        "access_token": "not-one-of-the-providers", "token_type": "bearer", "expires_in": 3600,
        "refresh_token": refresh_token,
    });
    let fault = json!({
        "kind": "answer", "status": 200, "contentType": "application/json", "body": answer.to_string(),
    });
    app.demo.set(&json!({ "token": { "fault": fault } })).await;
    // The token of the consent has ended at the provider.
    app.demo.advance(600).await;
}

async fn refresh(user: &Client) {
    let answer = user.post(LIST, &json!({ "arguments": {} })).await;
    assert_eq!(answer.upstream(), Some(401), "the provider refuses the new token as well: {answer:?}");
}

fn hits(running: Running, canaries: &[String]) -> Option<usize> {
    let texts: Vec<&str> = canaries.iter().map(String::as_str).collect();
    running.count(&texts).map(|counts| counts.iter().sum())
}

/// Looks again and again, until told to stop. Gives how often it looked and what it found in each process.
fn look(http: Running, vault: Running, canaries: &[String], done: &AtomicBool) -> (usize, usize, usize) {
    let (mut looks, mut in_http, mut in_vault) = (0, 0, 0);
    loop {
        let last = done.load(Ordering::SeqCst);
        looks += 1;
        in_http += hits(http, canaries).expect("it still runs");
        in_vault += hits(vault, canaries).expect("it still runs");
        if last {
            return (looks, in_http, in_vault);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_in_the_memory_of_the_vault_alone_sqlite() {
    let app = TestApp::launch().env("TAIKU_REFRESH_RATE", "1000").start().await;
    let admin = app.ada().await;
    connect(&app, &admin).await;
    let canaries = canaries();
    let change = json!({ "clientSecret": canaries[1] });
    let _ = admin.put("/api/v1/admin/toolkits/demo", &change).await.expect(200);
    restless(&app, &canaries[0]).await;
    // What an admin types passes through the process that answers once; it is looked at from then on.
    let before = app.role(Role::Http).expect("it runs");
    before.kill();
    let again = async || app.role(Role::Http).filter(|running| *running != before);
    let http = eventually("the process that answers to come back", again).await;
    let vault = app.role(Role::Vault).expect("it runs");
    refresh(&admin).await;
    if hits(http, &canaries).is_none() {
        println!("not measured: this system lets no test read another process; run it as root");
        return;
    }
    let done = Arc::new(AtomicBool::new(false));
    let looking = {
        let (canaries, done) = (canaries.clone(), Arc::clone(&done));
        tokio::task::spawn_blocking(move || look(http, vault, &canaries, &done))
    };
    for _ in 0..Scale::now().pick(40, 1000) {
        refresh(&admin).await;
    }
    done.store(true, Ordering::SeqCst);
    let (looks, in_http, in_vault) = looking.await.expect("looking does not fail");
    println!("looked {looks} times, found {in_vault} in the vault");
    assert!(in_vault > 0, "the look finds what is there");
    figure(
        "secrets in the process that answers, in 1,000 refreshes",
        "sqlite",
        in_http as f64,
        "",
        Goal::Exactly(0.0),
    );
    let idle = async || hits(vault, &canaries).filter(|hits| *hits == 0);
    eventually("the vault to have wiped what it used", idle).await;
}
