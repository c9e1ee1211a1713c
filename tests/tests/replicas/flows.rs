//! What was begun at one broker is finished at another, and after a broker has died. Case L14; and the commands of
//! the operator while brokers serve.

use serde_json::{Value, json};
use taiku_bridge::api::{self, Connections, Status};
use taiku_tests::{Cluster, Engine};

use crate::on_both_engines;

on_both_engines!(
    a_consent_survives_the_death_of_the_broker_that_began_it
    one_key_does_a_thing_once_at_whichever_broker
    what_was_backed_up_while_serving_comes_back
);

async fn a_consent_survives_the_death_of_the_broker_that_began_it(engine: Engine) {
    let Some(mut cluster) = Cluster::start(engine, 2).await else { return };
    let bob = cluster.bob(0).await;
    let path = "/api/v1/toolkits/demo/connections";
    // Finished at another broker, by the same browser.
    let begun: api::Connecting = bob.post(path, &json!({})).await.expect(201).read();
    let callback = cluster.consent_address(&bob, &begun).await;
    let elsewhere = cluster.moved(&bob, 1);
    let _ = elsewhere.bare(reqwest::Method::GET, callback.as_str()).send().await.expect(200);
    // Begun at a broker that dies before the browser comes back, and finished when it lives again.
    let begun: api::Connecting = bob.post(path, &json!({})).await.expect(201).read();
    let callback = cluster.consent_address(&bob, &begun).await;
    cluster.kill(0);
    cluster.restart(0);
    let back = cluster.moved(&bob, 0);
    let _ = back.bare(reqwest::Method::GET, callback.as_str()).send().await.expect(200);
    let all: Connections = back.get(api::CONNECTIONS).await.read();
    assert!(!all.connections.is_empty(), "{all:?}");
    assert!(all.connections.iter().all(|connection| connection.status == Status::Active), "{all:?}");
}

async fn one_key_does_a_thing_once_at_whichever_broker(engine: Engine) {
    let Some(cluster) = Cluster::start(engine, 2).await else { return };
    let bob = cluster.bob(0).await;
    let _ = cluster.connect(&bob).await;
    let there = cluster.moved(&bob, 1);
    let run = async |client: &taiku_tests::Client| {
        let sent = client.request(reqwest::Method::POST, "/api/v1/toolkits/demo/tools/DEMO_CREATE_AN_ISSUE");
        let body = json!({ "arguments": { "title": "once" } });
        sent.header("idempotency-key", "the key").json(&body).send().await.expect(200)
    };
    let (first, second) = tokio::join!(run(&bob), run(&there));
    assert_eq!(first.text, second.text);
    let list = bob.post("/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES", &json!({ "arguments": {} })).await;
    assert_eq!(list.text.matches("\"once\"").count(), 1, "{list:?}");
}

async fn what_was_backed_up_while_serving_comes_back(engine: Engine) {
    let Some(mut cluster) = Cluster::start(engine, 1).await else { return };
    let bob = cluster.bob(0).await;
    let connection = cluster.connect(&bob).await;
    let run = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";
    let _ = bob.post(run, &json!({ "arguments": {} })).await.expect(200);
    let file = cluster.data().join("the.backup").display().to_string();
    let backup = cluster.taiku(&["backup", &file], "");
    let said = String::from_utf8_lossy(&backup.stdout).into_owned();
    assert!(backup.status.success() && said.contains("keyring") && said.contains("root key"), "{backup:?}");
    // Nothing of what is inside can be read, and what is there is not written over.
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(3).any(|window| window == b"bob"));
    assert!(!cluster.taiku(&["backup", &file], "").status.success());
    assert!(!cluster.taiku(&["restore", &file], "").status.success(), "the database is not empty");

    cluster.kill(0);
    cluster.empty_database().await;
    let restore = cluster.taiku(&["restore", &file], "");
    assert!(restore.status.success(), "{restore:?}");
    let audit = cluster.taiku(&["audit", "verify"], "");
    assert!(audit.status.success(), "{audit:?}");
    cluster.restart(0);
    // Sessions of then are over.
    let was = cluster.moved(&bob, 0);
    let session: Value = was.get(api::SESSION).await.json();
    assert_eq!(session["user"], Value::Null);
    // The access token of then is used as long as it lives, and nothing is renewed at once.
    let asked = cluster.demo.count("tokenRequests").await;
    let bob = cluster.bob(0).await;
    let _ = bob.post(run, &json!({ "arguments": {} })).await.expect(200);
    assert_eq!(cluster.demo.count("tokenRequests").await, asked);
    let all: Connections = bob.get(api::CONNECTIONS).await.read();
    assert_eq!(all.connections[0].id, connection.id);
}
