//! Providers that answer without end, while others are called. Case G9.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use taiku_tests::{Client, Goal, Role, Running, Scale, TestApp, connect, figure};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Calls to hostile providers at a time, as the case has it.
const HOSTILE: usize = 64;
/// How much all processes may grow by them, in MiB: 64, and as much again in a build without optimisation.
const GROWTH: f64 = 128.0;
/// How long a call of an honest provider may take beside them.
const BESIDE: Duration = Duration::from_secs(3);

/// What one hostile provider sends: a beginning, and then the same again and again.
struct Flood {
    name: &'static str,
    head: Vec<u8>,
    again: Vec<u8>,
    pause: Duration,
}

fn floods() -> Vec<Flood> {
    let head = |more: &str| format!("HTTP/1.1 200 OK\r\n{more}\r\n").into_bytes();
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let flood = |name, head, again| Flood { name, head, again, pause: Duration::ZERO };
    let mut floods = vec![
        flood("five gigabytes", head("content-length: 5000000000\r\n"), vec![b'x'; 64 * 1024]),
        flood("no end", head("transfer-encoding: chunked\r\n"), chunk(&[b'x'; 64 * 1024])),
        flood("gzip", head("content-encoding: gzip\r\ntransfer-encoding: chunked\r\n"), chunk(&gzip())),
        flood("brotli", head("content-encoding: br\r\ncontent-length: 900000\r\n"), bomb()),
        flood("headers", b"HTTP/1.1 200 OK\r\n".to_vec(), b"x-more: and more\r\n".repeat(100)),
        flood("one header", b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 4096]),
    ];
    // These go on until the time of a call is over.
    if Scale::now() == Scale::Full {
        floods.push(flood("early hints", Vec::new(), b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec()));
        let (head, again) = (head("content-length: 1000000\r\n"), b"x".to_vec());
        floods.push(Flood { name: "drip", head, again, pause: Duration::from_secs(1) });
    }
    floods
}

/// One member of a gzip stream; members follow each other as one body (RFC 1952 section 2.2).
fn gzip() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 16 * 1024 * 1024]).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// Zeros behind the largest window that brotli has.
fn bomb() -> Vec<u8> {
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 1, lgwin: 24, ..Default::default() };
    let mut zeros = std::io::Read::take(std::io::repeat(0), 64 * 1024 * 1024);
    brotli::BrotliCompress(&mut zeros, &mut packed, &parameters).expect("memory takes it");
    packed
}

async fn serve(flood: Arc<Flood>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let flood = flood.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 8192]).await;
                let mut sent = stream.write_all(&flood.head).await;
                while sent.is_ok() {
                    sent = stream.write_all(&flood.again).await;
                    tokio::time::sleep(flood.pause).await;
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_stay_small_and_keep_nobody_else_waiting() {
    let toolkits = TempDir::new().expect("a folder can be made");
    let names: Vec<String> = floods().iter().map(|flood| flood.name.replace(' ', "-")).collect();
    names.iter().for_each(|name| toolkit(&toolkits, name));
    let app =
        TestApp::launch().env("TAIKU_TOOLKIT_DIRS", &toolkits.path().display().to_string()).start().await;
    let admin = app.ada().await;
    connect(&app, &admin).await;
    for (flood, name) in floods().into_iter().zip(&names) {
        let url = format!("http://{}", serve(Arc::new(flood)).await);
        let body = json!({ "enabled": true, "settings": { "TARGET_URL": url } });
        let _ = admin.put(&format!("/api/v1/admin/toolkits/{name}"), &body).await.expect(200);
    }
    honest(&admin).await;
    let before = memory(&app);
    let hostile = join_all((0..HOSTILE).map(|number| call(&admin, &names[number % names.len()])));
    let beside = async {
        let mut most = before;
        for _ in 0..20 {
            let began = Instant::now();
            honest(&admin).await;
            assert!(began.elapsed() < BESIDE, "an honest call took {:?}", began.elapsed());
            most = most.max(memory(&app));
        }
        most
    };
    let (answers, most) = tokio::join!(hostile, beside);
    for (name, code) in answers {
        assert!(code == "upstream_unreachable" || code == "upstream_slow", "{name}: {code}");
    }
    let growth = most.max(memory(&app)).saturating_sub(before);
    figure("memory that floods take", "-", (growth >> 20) as f64, "MiB", Goal::AtMost(GROWTH));
}

async fn honest(user: &Client) {
    let path = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";
    let _ = user.post(path, &json!({ "arguments": {} })).await.expect(200);
}

async fn call(user: &Client, name: &str) -> (String, String) {
    let tool = format!("{}_READ", name.to_uppercase().replace('-', "_"));
    let answer =
        user.post(&format!("/api/v1/toolkits/{name}/tools/{tool}"), &json!({ "arguments": {} })).await;
    (name.to_owned(), answer.problem().1)
}

/// What both processes have in memory. Other tests run beside this one, with processes of their own.
fn memory(app: &TestApp) -> u64 {
    Role::ALL.iter().filter_map(|role| app.role(*role)).map(Running::resident).sum()
}

fn toolkit(folder: &TempDir, name: &str) {
    let folder = folder.path().join(name);
    fs::create_dir(&folder).expect("a folder can be made");
    let toml = format!(
        r#"
        name = "{name}"
        description = "A provider that answers without end"
        [[settings]]
        key = "TARGET_URL"
        description = "Where it is"
        [auth]
        mode = "none"
        [api]
        base_url = "{{TARGET_URL}}"
        [tools]
        openapi = "openapi.json"
        "#
    );
    let openapi = json!({
        "openapi": "3.1.0",
        "info": { "title": name, "version": "1" },
        "paths": { "/": { "get": { "summary": "Read", "responses": {} } } },
    });
    fs::write(folder.join("toolkit.toml"), toml).expect("a file can be written");
    fs::write(folder.join("openapi.json"), openapi.to_string()).expect("a file can be written");
}
