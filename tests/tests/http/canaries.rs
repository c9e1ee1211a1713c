//! No secret is anywhere but in the vault: not in the database and its journal, not in the log, not in an answer, in
//! none of twenty forms. Case E1.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::{Value, json};
use taiku_bridge::api;
use taiku_broker::random::Random;
use taiku_broker::rotation::active_keys;
use taiku_broker::store::Store;
use taiku_broker::store::records::{self, PLACES};
use taiku_broker::vault::{KeyId, Keyring, RootKeySource, Vault};
use taiku_tests::{Canary, Decision, FORMS, TestApp, assert_none, connect_at, consent_address};

const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

/// All that the vault keeps at this moment, by table and column.
async fn secrets(app: &TestApp) -> Vec<(String, String)> {
    let root = RootKeySource::File(app.data().join("root.key"));
    let keyring = Keyring::open(&root, &app.data().join("keyring.json")).expect("the keys of the program");
    let vault = Vault::new(keyring.keys().expect("the keys of the program"), Random::system());
    let url = format!("sqlite://{}", app.data().join("taiku.db").display());
    let store = Store::open(&url).await.expect("the database can be opened");
    // Keys that have sealed nothing leave nothing out.
    let none = active_keys(&vault).expect("a keyring has active keys").map(|key| KeyId { version: 0, ..key });
    let mut found = Vec::new();
    for place in PLACES.iter().filter(|place| place.table != "vault_checks") {
        let mut tx = store.read().await.expect("the database can be read");
        let page = records::page(&mut tx, place, &Default::default(), &none, 1000).await;
        for stored in page.expect("records can be read") {
            let secret = vault.open(stored.ring, &stored.place(), &stored.record);
            let secret = secret.and_then(taiku_broker::vault::Secret::into_text);
            let secret = secret.unwrap_or_else(|error| panic!("{}: {error}", place.name()));
            found.push((place.name(), secret.expose().to_owned()));
        }
    }
    store.close().await;
    found
}

/// What of the vault's content is secret: of a flow the verifier, of a kept answer nothing.
fn canaries(secrets: &[(String, String)]) -> Vec<Canary> {
    let kept = secrets.iter().filter_map(|(place, secret)| match place.as_str() {
        "idempotency.record" => None,
        "flows.secrets" => {
            let flow: Value = serde_json::from_str(secret).ok()?;
            Some(Canary::new("a verifier", flow["verifier"].as_str()?))
        }
        _ => Some(Canary::new(place, secret)),
    });
    kept.collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("our own folder").map(|entry| entry.expect("ours").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn no_secret_is_anywhere_in_any_form() {
    assert_eq!(FORMS.len(), 20);
    let app = TestApp::launch().env("TAIKU_LOG", "debug").start().await;
    let user = app.ada().await;
    let mut known = Vec::new();
    let mut bodies = Vec::new();

    let begun = connect_at(&user, "demo").await;
    known.extend(secrets(&app).await);
    let callback = consent_address(&app, &user, &begun, Decision::Allow).await;
    bodies.push(user.bare(Method::GET, callback.as_str()).send().await.expect(200).text);
    known.extend(secrets(&app).await);
    bodies.push(user.post(LIST, &json!({ "arguments": {} })).await.expect(200).text);
    app.demo.advance(3600).await;
    bodies.push(user.post(LIST, &json!({ "arguments": {} })).await.expect(200).text);
    known.extend(secrets(&app).await);
    let fault = json!({ "token": { "fault": { "kind": "answer", "status": 500, "body": "down" } } });
    app.demo.set(&fault).await;
    app.demo.advance(3600).await;
    bodies.push(user.post(LIST, &json!({ "arguments": {} })).await.text);
    app.demo.set(&json!({})).await;
    for arguments in [["key", "add", "all"], ["key", "promote", "all"]] {
        assert!(app.taiku(&arguments).output().expect("the program runs").status.success());
    }
    let output = app.taiku(&["key", "rewrap"]).output().expect("the program runs");
    assert!(output.status.success());
    bodies.push(String::from_utf8_lossy(&output.stdout).into_owned());
    for path in ["/api/v1/admin/toolkits/demo", "/api/v1/admin/audit", api::CONNECTIONS, "/api/v1/activity"] {
        bodies.push(user.get(path).await.expect(200).text);
    }
    let gone = format!("{}/{}", api::CONNECTIONS, begun.connection_id);
    bodies.push(user.delete(&gone).await.expect(200).text);

    let mut canaries = canaries(&known);
    assert!(canaries.len() >= 8, "tokens before and after, verifier and client secret: {}", canaries.len());
    let code = callback.query_pairs().find(|(name, _)| name == "code").expect("a consent brings a code").1;
    canaries.push(Canary::new("a code", &code));
    let cookies = user.cookies().into_iter();
    canaries.extend(cookies.map(|cookie| Canary::new(&cookie.name, &cookie.value)));

    let said = app.said();
    assert!(said.contains("refreshed"), "the log tells something");
    assert_none(&canaries, "the log", said.as_bytes());
    for body in &bodies {
        assert_none(&canaries, "an answer", body.as_bytes());
    }
    let stored = files(app.data());
    assert!(stored.iter().any(|path| path.ends_with("taiku.db-wal")), "{stored:?}");
    for path in stored {
        let bytes = fs::read(&path).unwrap_or_default();
        assert_none(&canaries, &path.display().to_string(), &bytes);
    }
}
