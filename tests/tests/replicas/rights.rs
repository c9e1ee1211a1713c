//! What takes a right away acts within a second at every broker, on what comes and on what is under way.

use std::time::{Duration, Instant};

use serde_json::json;
use taiku_bridge::api;
use taiku_tests::{Answer, Client, Cluster, Engine, eventually};

use crate::on_both_engines;

/// What P13 allows.
const AT_MOST: Duration = Duration::from_secs(1);
const PLUGIN: &str = "example.integrations";
const RUN: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

on_both_engines!(
    a_toolkit_that_is_disabled_ends_calls_everywhere
    signing_out_ends_calls_everywhere
    a_user_who_is_disabled_is_out_everywhere
    uninstalling_and_taking_a_grant_back_end_calls_everywhere
    a_plugin_that_is_blocked_ends_calls_everywhere
    a_connection_that_ends_takes_its_calls_along
);

/// Two brokers; bob is signed in at both, has connected his account and allowed the plugin everything.
async fn start(engine: Engine) -> Option<(Cluster, Client, Client)> {
    let cluster = Cluster::start(engine, 2).await?;
    let here = cluster.bob(0).await;
    let _ = cluster.connect(&here).await;
    here.grant_all(PLUGIN).await;
    let there = cluster.moved(&here, 1).always("taiku-plugin", PLUGIN);
    Some((cluster, here, there))
}

/// Begins a call at the other broker that the provider leaves waiting, takes the right away, and gives what the
/// caller was told, within the time that is allowed.
async fn ended_by(cluster: &Cluster, there: &Client, takes_away: impl AsyncFnOnce()) -> Answer {
    cluster.demo.set(&json!({ "api": { "fault": { "kind": "slow", "ms": 25_000 } } })).await;
    let before = cluster.provider.counts().faults;
    let body = json!({ "arguments": {} });
    let call = there.post(RUN, &body);
    let change = async {
        eventually("the call is under way", async || {
            (cluster.provider.counts().faults > before).then_some(())
        })
        .await;
        takes_away().await;
        Instant::now()
    };
    let ((answer, at), changed) = tokio::join!(async { (call.await, Instant::now()) }, change);
    let late = at.saturating_duration_since(changed);
    assert!(late <= AT_MOST, "the call went on for {late:?}");
    cluster.demo.set(&json!({})).await;
    answer
}

/// What the next call is told.
async fn next_call(there: &Client) -> (u16, String) {
    there.post(RUN, &json!({ "arguments": {} })).await.problem()
}

async fn a_toolkit_that_is_disabled_ends_calls_everywhere(engine: Engine) {
    let Some((cluster, _here, there)) = start(engine).await else { return };
    let ada = cluster.ada(0).await;
    let set = async |enabled: bool| {
        let _ = ada.put("/api/v1/admin/toolkits/demo", &json!({ "enabled": enabled })).await.expect(200);
    };
    let answer = ended_by(&cluster, &there, async || set(false).await).await;
    assert_eq!(answer.problem(), (404, "toolkit_disabled".into()));
    assert!(answer.text.contains("may have been carried out"), "{answer:?}");
    assert_eq!(next_call(&there).await, (404, "toolkit_disabled".into()));
    // Enabled again it works without connecting again.
    set(true).await;
    assert_eq!(there.post(RUN, &json!({ "arguments": {} })).await.status, 200);
}

async fn signing_out_ends_calls_everywhere(engine: Engine) {
    let Some((cluster, here, there)) = start(engine).await else { return };
    let sign_out = async || {
        let _ = here.delete("/api/v1/session").await.expect(204);
    };
    let answer = ended_by(&cluster, &there, sign_out).await;
    assert_eq!(answer.problem(), (401, "not_signed_in".into()));
    assert_eq!(next_call(&there).await, (401, "not_signed_in".into()));
}

async fn a_user_who_is_disabled_is_out_everywhere(engine: Engine) {
    let Some((cluster, _here, there)) = start(engine).await else { return };
    let disable = async || {
        let output = cluster.taiku(&["user", "disable", "bob@example.test"], "");
        assert!(output.status.success(), "{output:?}");
    };
    assert_eq!(ended_by(&cluster, &there, disable).await.problem(), (401, "not_signed_in".into()));
    assert_eq!(next_call(&there).await, (401, "not_signed_in".into()));
}

async fn uninstalling_and_taking_a_grant_back_end_calls_everywhere(engine: Engine) {
    let Some((cluster, here, there)) = start(engine).await else { return };
    let grant = format!("/api/v1/plugins/{PLUGIN}/grant");
    let take_back = async || {
        let _ = here.delete(&grant).await.expect(204);
    };
    assert_eq!(ended_by(&cluster, &there, take_back).await.problem(), (403, "grant_missing".into()));
    here.grant_all(PLUGIN).await;
    let uninstall = async || {
        let _ = here.delete(&format!("/api/v1/plugins/{PLUGIN}")).await.expect(204);
    };
    let answer = ended_by(&cluster, &there, uninstall).await.problem();
    assert_eq!(answer.1, "plugin_not_installed");
    assert_eq!(next_call(&there).await, answer);
}

async fn a_plugin_that_is_blocked_ends_calls_everywhere(engine: Engine) {
    let Some((cluster, _here, there)) = start(engine).await else { return };
    let ada = cluster.ada(0).await;
    let block = async || {
        let body = json!({ "rule": "blocked", "preinstalled": false });
        let _ = ada.put(&format!("/api/v1/admin/plugins/{PLUGIN}"), &body).await.expect(200);
    };
    let answer = ended_by(&cluster, &there, block).await.problem();
    assert_eq!(answer.1, "plugin_blocked");
    assert_eq!(next_call(&there).await, answer);
}

async fn a_connection_that_ends_takes_its_calls_along(engine: Engine) {
    let Some((cluster, here, there)) = start(engine).await else { return };
    let all: api::Connections = here.get(api::CONNECTIONS).await.read();
    let path = api::connection(&all.connections[0].id);
    let disconnect = async || {
        let _ = here.delete(&path).await.expect(200);
    };
    let answer = ended_by(&cluster, &there, disconnect).await.problem();
    assert_eq!(answer, (409, "connection_missing".into()));
}
