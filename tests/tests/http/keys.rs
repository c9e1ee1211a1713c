//! The commands that change keys, over a broker that serves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::{Value, json};
use taiku_tests::{TestApp, connect};

const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

/// Runs a command: whether it succeeded, and all that it said.
fn taiku(app: &TestApp, arguments: &[&str]) -> (bool, String) {
    with(app, arguments, &[])
}

fn with(app: &TestApp, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = app.taiku(arguments);
    let Output { status, stdout, stderr } =
        command.envs(variables.iter().copied()).output().expect("the program runs");
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.success(), said)
}

fn done(app: &TestApp, arguments: &[&str]) -> String {
    let (success, said) = taiku(app, arguments);
    assert!(success, "taiku {arguments:?}: {said}");
    said
}

fn refused(app: &TestApp, arguments: &[&str]) -> String {
    let (success, said) = taiku(app, arguments);
    assert!(!success, "taiku {arguments:?}: {said}");
    said
}

/// A key's line of `taiku key status`: its state, its records and who has loaded it.
fn status(app: &TestApp, ring: &str, version: u32) -> (String, String, String) {
    let said = done(app, &["key", "status"]);
    let begin = format!("{ring}\t{version}\t");
    let line = said.lines().find(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("{said}"));
    let column = |at: usize| line.split('\t').nth(at).unwrap_or_default().to_owned();
    (column(2), column(5), column(6))
}

#[tokio::test]
async fn a_ring_gets_a_new_key_while_the_broker_serves() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let _ = connect(&app, &ada).await;
    let works = async || {
        let answer = ada.post(LIST, &json!({ "arguments": {} })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    works().await;

    let said = refused(&app, &["key", "promote", "rt"]);
    assert!(said.contains("ring `rt` has no newer key than its active one"), "{said}");
    done(&app, &["key", "add", "rt"]);
    let said = refused(&app, &["key", "add", "rt"]);
    assert!(said.contains("version 2 of ring `rt` was added before and waits"), "{said}");
    assert_eq!(status(&app, "rt", 2).0, "decrypt-only");
    done(&app, &["key", "promote", "rt"]);
    assert_eq!(status(&app, "rt", 2).0, "active");
    works().await;
    let said = refused(&app, &["key", "retire", "rt", "1"]);
    assert!(said.contains("records need it; run `taiku key rewrap` first"), "{said}");
    let said = done(&app, &["key", "rewrap"]);
    assert!(said.contains("0 left under older keys"), "{said}");
    let (state, records, _) = status(&app, "rt", 1);
    assert_eq!((state.as_str(), records.as_str()), ("decrypt-only", "0"));
    let said = refused(&app, &["key", "retire", "rt", "1"]);
    assert!(said.contains("backups that need it are kept for 30 days"), "{said}");
    let (success, said) = with(&app, &["key", "retire", "rt", "1"], &[("TAIKU_BACKUP_DAYS", "0")]);
    assert!(success, "{said}");
    assert_eq!(status(&app, "rt", 1).0, "retired");
    works().await;
    app.demo.advance(3600).await;
    works().await;
    assert_eq!(app.demo.count("refreshes").await, 1, "the refresh token opens under its new key");

    let said = refused(&app, &["key", "retire", "rt", "2"]);
    assert!(said.contains("version 2 of ring `rt` is active"), "{said}");
    let mode = fs::metadata(app.data().join("keyring.json")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    every_command_is_audited(&app).await;
}

async fn every_command_is_audited(app: &TestApp) {
    let audit: Value = app.ada().await.get("/api/v1/admin/audit").await.expect(200).json();
    let entries = audit["entries"].as_array().expect("a list");
    for (action, subject) in [
        ("key.add", "version 2 of ring `rt`"),
        ("key.promote", "version 2 of ring `rt`"),
        ("key.rewrap", "vault"),
        ("key.retire", "version 1 of ring `rt`"),
    ] {
        let found = entries.iter().any(|entry| entry["action"] == action && entry["subject"] == subject);
        assert!(found, "{action} {subject}: {audit}");
    }
    let said = done(app, &["audit", "verify"]);
    assert!(said.contains("the audit log is sound"), "{said}");
}

#[tokio::test]
async fn a_key_is_not_promoted_before_every_broker_has_it() {
    let app = TestApp::start().await;
    // A broker on another machine, with a copy of the keyring of its own.
    let elsewhere = tempfile::tempdir().expect("a folder can be made");
    let copy = elsewhere.path().join("keyring.json");
    fs::copy(app.data().join("keyring.json"), &copy).expect("our own file");
    let mut other = app
        .taiku(&["serve"])
        .env("TAIKU_DATA_DIR", elsewhere.path())
        .env("TAIKU_DATABASE_URL", format!("sqlite://{}", app.data().join("taiku.db").display()))
        .env("TAIKU_ROOT_KEY_FILE", app.data().join("root.key"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program runs");
    taiku_tests::eventually("both brokers have loaded the first key", async || {
        (status(&app, "cfg", 1).2 == "4 of 4").then_some(())
    })
    .await;
    done(&app, &["key", "add", "cfg"]);
    let said = refused(&app, &["key", "promote", "cfg", "--wait", "2"]);
    assert!(said.contains("version 2 of ring `cfg` was not promoted"), "{said}");
    assert_eq!(status(&app, "cfg", 1).0, "active");
    let said = refused(&app, &["key", "promote", "cfg", "--force"]);
    assert!(said.contains("--reason"), "force needs a reason: {said}");

    fs::copy(app.data().join("keyring.json"), &copy).expect("our own file");
    done(&app, &["key", "promote", "cfg"]);
    let said = refused(&app, &["key", "rewrap", "--wait", "2"]);
    assert!(said.contains("would go on sealing under older ones"), "{said}");
    let _ = other.kill();
    let _ = other.wait();
    done(&app, &["key", "add", "cfg"]);
    done(&app, &["key", "promote", "cfg", "--force", "--reason", "the other machine is gone"]);
    let audit: Value = app.ada().await.get("/api/v1/admin/audit").await.expect(200).json();
    let promoted = audit["entries"]
        .as_array()
        .and_then(|entries| entries.iter().find(|entry| entry["action"] == "key.promote").cloned());
    let detail = promoted.map(|entry| entry["detail"].clone());
    assert_eq!(detail, Some(json!({ "forced": true, "reason": "the other machine is gone" })));
}

#[tokio::test]
async fn a_key_that_may_be_known_to_others_is_replaced_with_all_it_has_sealed() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let connection = connect(&app, &ada).await;
    let said = refused(&app, &["key", "compromise", "rt"]);
    assert!(said.contains("--reason"), "{said}");
    let said = done(&app, &["key", "compromise", "rt", "--reason", "a laptop was stolen"]);
    assert!(said.contains("demo: 1 connections get new tokens, 0 users have to connect again"), "{said}");
    assert!(said.contains("demo: make a new client secret at the provider and enter it"), "{said}");
    assert_eq!(status(&app, "rt", 2).0, "active");
    assert_eq!(status(&app, "rt", 1).1, "0", "no record is left under the old key");
    let answer = ada.post(LIST, &json!({ "arguments": {}, "connectionId": connection.id })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(app.demo.count("refreshes").await, 1, "the tokens are new");
    let audit: Value = ada.get("/api/v1/admin/audit").await.expect(200).json();
    let entries = audit["entries"].as_array().expect("a list");
    let entry = entries.iter().find(|entry| entry["action"] == "key.compromise").expect("it is in the log");
    let expected = json!({ "rings": ["rt"], "reason": "a laptop was stolen", "renewed": 1, "ended": 0 });
    assert_eq!((&entry["subject"], &entry["detail"]), (&json!("demo"), &expected));
}
