//! The provider on a real socket.

use std::net::SocketAddr;
use std::time::Duration;

use taiku_demo::{Client, Config, Control, Demo, Fault, Plan, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{CALLBACK, Provider, SECRET, basic};

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset and one that is closed are both an end without an answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(address: SocketAddr, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
}

struct Running {
    demo: Demo,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start() -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let demo = Demo::new(address, Config::default()).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(demo.clone().serve(listener, async move { drop(stopped.await) }));
    Running { demo, address, stop, task }
}

#[tokio::test]
async fn it_serves_under_its_own_address_until_it_is_told_to_stop() {
    let running = start().await;
    assert_eq!(running.demo.issuer(), format!("http://{}", running.address));
    let answer = ask(running.address, &get(running.address, "/.well-known/oauth-authorization-server")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&format!("\"issuer\":\"{}\"", running.demo.issuer())));
    running.stop.send(()).unwrap();
    running.task.await.unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn neither_silent_nor_slow_peers_keep_it_from_stopping() {
    let running = start().await;
    let plan = Plan { fault: Fault::Slow { ms: 100_000 }, times: None };
    running.demo.set_control(Control { api: Some(plan), ..Control::default() }).unwrap();
    let _silent = TcpStream::connect(running.address).await.unwrap();
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    slow.write_all(get(running.address, "/api/user").as_bytes()).await.unwrap();
    let arrived = async {
        while running.demo.seen().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrived).await.unwrap();
    running.stop.send(()).unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(20), running.task).await;
    stopped.unwrap().unwrap().unwrap();
    let seen = running.demo.seen();
    assert_eq!(
        (seen[0].path.as_str(), seen[0].status),
        ("/api/user", None),
        "what has no answer is still seen"
    );
}

#[tokio::test]
async fn serve_refuses_a_client_that_cannot_be() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client {
        id: "a".into(),
        secret: "b".into(),
        name: "c".into(),
        redirect_uris: vec!["http://app.example/".into()],
    };
    let config = Config { clients: vec![client], ..Config::default() };
    let error = serve(listener, config, std::future::pending()).await.unwrap_err();
    assert!(error.to_string().contains("http://app.example/"));
}

#[tokio::test]
async fn a_dropped_connection_ends_without_a_byte() {
    let running = start().await;
    for (fault, handled) in [(Fault::DropBefore, 0), (Fault::DropAfter, 1)] {
        let before = running.demo.counts().api_requests;
        let plan = Plan { fault, times: Some(1) };
        running.demo.set_control(Control { api: Some(plan), ..Control::default() }).unwrap();
        assert_eq!(ask(running.address, &get(running.address, "/api/user")).await, "");
        assert_eq!(running.demo.counts().api_requests - before, handled);
        assert_eq!(running.demo.seen().last().unwrap().status, None);
    }
    assert!(ask(running.address, &get(running.address, "/api/user")).await.starts_with("HTTP/1.1 401"));
}

#[tokio::test]
async fn dropping_after_rotating_loses_the_new_tokens_and_spends_the_old() {
    let running = start().await;
    let client = Client {
        id: "client".into(),
        secret: SECRET.into(),
        name: "An application".into(),
        redirect_uris: vec![CALLBACK.into()],
    };
    running.demo.register_client(client).unwrap();
    let refresh = first_refresh_token(&running).await;
    let plan = Plan { fault: Fault::DropAfter, times: Some(1) };
    running.demo.set_control(Control { token: Some(plan), ..Control::default() }).unwrap();
    let body = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(ask(running.address, &post(running.address, "/token", "", &body)).await, "");
    assert_eq!(running.demo.counts().refreshes, 1);
    let again = ask(running.address, &post(running.address, "/token", "", &body)).await;
    assert!(again.contains("invalid_grant"), "{again}");
    assert_eq!(running.demo.counts().reuses_detected, 1);
}

fn post(address: SocketAddr, path: &str, cookie: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nCookie: {cookie}\r\n\
         Authorization: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        basic("client", SECRET),
        body.len(),
    )
}

async fn first_refresh_token(running: &Running) -> String {
    let between = |text: &str, from: &str, to: char| {
        let (_, rest) = text.split_once(from).unwrap();
        rest.split(to).next().unwrap().to_owned()
    };
    let address = running.address;
    let page = ask(address, &get(address, &Provider::authorize_path(&[]))).await;
    let cookie = between(&page, "set-cookie: ", ';');
    let form =
        format!("request={}&account=robin&decision=allow", between(&page, "name=\"request\" value=\"", '"'));
    let decided = ask(address, &post(address, "/authorize/decision", &cookie, &form)).await;
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={CALLBACK}&code_verifier={}",
        between(&decided, "code=", '&'),
        crate::support::VERIFIER,
    );
    let answer = ask(address, &post(address, "/token", "", &form)).await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["refresh_token"].as_str().unwrap().to_owned()
}
