//! Machines that misbehave: a locked database, too few open files, a full disk, and deaths during migrations.
//! Cases L4, L7, L20 and L23.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use taiku_tests::{Client, Cluster, Engine, Goal, Scale, eventually, figure};
use tokio::net::TcpStream;

const RUN: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

async fn run(user: &Client) -> u16 {
    user.post(RUN, &json!({ "arguments": {} })).await.status.as_u16()
}

/// Case L7: another process holds the database; requests are told so soon, and all is well when it lets go.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_is_told_of_soon_sqlite() {
    let Some(cluster) = Cluster::start(Engine::Sqlite, 1).await else { return };
    let ada = cluster.ada(0).await;
    let options: SqliteConnectOptions = cluster.database().parse().unwrap();
    let mut other = options.connect().await.unwrap();
    sqlx::query("begin exclusive").execute(&mut other).await.unwrap();
    let began = Instant::now();
    let refused = ada.put("/api/v1/admin/toolkits/demo", &json!({ "scopes": null })).await;
    let waited = began.elapsed().as_secs_f64();
    assert_eq!(refused.problem(), (503, "busy".into()));
    assert_ne!(refused.header("retry-after"), "");
    let _ = ada.get("/api/v1/connections").await.expect(200);
    sqlx::query("rollback").execute(&mut other).await.unwrap();
    let _ = ada.put("/api/v1/admin/toolkits/demo", &json!({ "scopes": null })).await.expect(200);
    other.close().await.unwrap();
    figure("answer while another process holds the database", "sqlite", waited, "s", Goal::AtMost(6.0));
}

/// Case L23: a flood of connections leaves the files that calls need.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_leaves_files_for_calls_sqlite() {
    let Some(cluster) = Cluster::start_under(Engine::Sqlite, 1, &[], Some("ulimit -n 256")).await else {
        return;
    };
    let bob = cluster.bob(0).await;
    let _ = cluster.connect(&bob).await;
    assert_eq!(run(&bob).await, 200);
    let address = cluster.socket(0);
    let mut flood = Vec::new();
    for _ in 0..400 {
        flood.push(TcpStream::connect(address).await.unwrap());
    }
    // The connection that the user has is served, and what it asks for can be done: a refresh, too.
    cluster.provider.advance(Duration::from_secs(7200));
    let mut served = 0.0;
    for _ in 0..5 {
        served += f64::from(u8::from(run(&bob).await == 200));
    }
    drop(flood);
    eventually("others are served again", async || {
        let sent = cluster.anonymous(0);
        sent.bare(reqwest::Method::GET, "/healthz").try_send().await.filter(|answer| answer.status == 200)
    })
    .await;
    figure("calls served of 5 in a flood with 256 files", "sqlite", served, "", Goal::Exactly(5.0));
}

/// Case L4: a full disk. Nothing is sent whose answer could not be kept, what only reads goes on, and all is well
/// when there is room again.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_no_grant_sqlite() {
    if !can_mount() {
        return eprintln!("skipped: this machine lets nobody mount");
    }
    let mount = "exec unshare --mount sh -c 'mount -t tmpfs -o size=16m none \"$TAIKU_DATA_DIR\" && \
                 exec \"$0\" \"$@\"' \"$0\" \"$@\"";
    let started = Cluster::start_under(Engine::Sqlite, 1, &[], Some(mount));
    let Some(cluster) = started.await else { return };
    let ada = cluster.ada(0).await;
    let _ = cluster.connect(&ada).await;
    let folder = PathBuf::from(format!("/proc/{}/root{}", cluster.process_id(0), cluster.data().display()));
    let filler = folder.join("filler");
    let mut lost = 0.0;
    for _ in 0..Scale::now().pick(1, 10) {
        let asked = cluster.demo.count("tokenRequests").await;
        fill(&filler);
        cluster.provider.advance(Duration::from_secs(7200));
        assert_ne!(run(&ada).await, 200, "the access has ended and cannot be renewed safely");
        assert_eq!(cluster.demo.count("tokenRequests").await, asked, "nothing was sent");
        let _ = ada.get("/api/v1/connections").await.expect(200);
        std::fs::remove_file(&filler).unwrap();
        eventually("the call works again", async || (run(&ada).await == 200).then_some(())).await;
        let all: serde_json::Value = ada.get("/api/v1/connections").await.json();
        lost += f64::from(u8::from(all["connections"][0]["status"] != "ACTIVE"));
    }
    figure("grants lost to full disks", "sqlite", lost, "", Goal::Exactly(0.0));
}

fn can_mount() -> bool {
    let tried = std::process::Command::new("unshare").args(["--mount", "true"]).status();
    tried.is_ok_and(|status| status.success())
}

/// Writes until there is no room, then in ever smaller pieces.
fn fill(file: &std::path::Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(file).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        let piece = vec![0_u8; size];
        while file.write_all(&piece).is_ok() {}
    }
}

/// Case L20: whenever a first start is killed, the next one finds its way.
async fn deaths_while_migrating(engine: Engine) {
    let Some(mut cluster) = Cluster::start(engine, 1).await else { return };
    let mut failed = 0.0;
    for death in 0..Scale::now().pick(4, 40_u64) {
        cluster.kill(0);
        cluster.empty_database().await;
        for again in 0..3 {
            cluster.start_and_kill(Duration::from_millis((death * 37 + again * 61) % 400));
        }
        cluster.restart(0);
        let answer = cluster.anonymous(0).bare(reqwest::Method::GET, "/readyz").send().await;
        failed += f64::from(u8::from(answer.status != 200));
        let verified = cluster.taiku(&["audit", "verify"], "");
        assert!(verified.status.success(), "{verified:?}");
    }
    figure("starts that failed after deaths while migrating", engine.name(), failed, "", Goal::Exactly(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deaths_while_migrating_sqlite() {
    deaths_while_migrating(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deaths_while_migrating_postgres() {
    deaths_while_migrating(Engine::Postgres).await;
}
