//! What one broker changes, the pages at the others hear.

use serde_json::json;
use taiku_tests::{Cluster, Engine};

use crate::on_both_engines;

on_both_engines!(
    a_change_at_one_broker_is_heard_at_every_other
    a_stream_at_another_broker_ends_with_its_session
    a_broker_that_comes_back_hears_again
);

async fn a_change_at_one_broker_is_heard_at_every_other(engine: Engine) {
    let Some(cluster) = Cluster::start(engine, 3).await else { return };
    let ada = cluster.ada(0).await;
    let bob = cluster.bob(1).await;
    let mut at_one = cluster.moved(&bob, 1).listen().await;
    let mut at_two = cluster.moved(&bob, 2).listen().await;
    let _ = (at_one.until("resync").await, at_two.until("resync").await);

    // For everybody.
    let _ = ada.put("/api/v1/admin/toolkits/demo", &json!({ "scopes": null })).await.expect(200);
    assert_eq!(at_one.until("toolkits_changed").await["toolkit"], "demo");
    assert_eq!(at_two.until("toolkits_changed").await["toolkit"], "demo");

    // For one user. What the brokers told of the toolkit when they started may still come in between.
    bob.grant_all("example.integrations").await;
    assert_eq!(at_one.until("grant_changed").await["pluginId"], "example.integrations");
    assert_eq!(at_two.until("grant_changed").await["pluginId"], "example.integrations");
    let connection = cluster.connect(&bob).await;
    for stream in [&mut at_one, &mut at_two] {
        let told = stream.until("connection_changed").await;
        assert_eq!(told["connectionId"], connection.id.as_str());
    }
}

async fn a_stream_at_another_broker_ends_with_its_session(engine: Engine) {
    let Some(cluster) = Cluster::start(engine, 2).await else { return };
    let bob = cluster.bob(0).await;
    let mut elsewhere = cluster.moved(&bob, 1).listen().await;
    let _ = elsewhere.until("resync").await;
    let _ = bob.delete("/api/v1/session").await.expect(204);
    let began = std::time::Instant::now();
    let _ = elsewhere.until("session_ended").await;
    assert!(began.elapsed().as_millis() <= 1_000, "it took {:?}", began.elapsed());
    assert_eq!(elsewhere.next().await, None);
}

async fn a_broker_that_comes_back_hears_again(engine: Engine) {
    let Some(mut cluster) = Cluster::start(engine, 2).await else { return };
    cluster.kill(1);
    cluster.restart(1);
    let bob = cluster.bob(0).await;
    let mut elsewhere = cluster.moved(&bob, 1).listen().await;
    let _ = elsewhere.until("resync").await;
    bob.grant_all("example.integrations").await;
    assert_eq!(elsewhere.until("grant_changed").await["pluginId"], "example.integrations");
}
