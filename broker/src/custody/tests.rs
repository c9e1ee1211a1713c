use std::path::{Path, PathBuf};
use std::time::Duration;

use taiku_bridge::Slug;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::client_secret::{Fingerprint, Seal};
use super::disconnect::Disconnect;
use super::{Client, Custody, server, wire};
use crate::failure::Failure;
use crate::server::tests::TestApp;
use crate::vault::SecretString;

/// A vault that listens on a socket, as its process does.
struct Listening {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listening {
    fn start(custody: &Custody, path: &Path) -> Self {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or_default() };
        Self { stop, task: tokio::spawn(server::serve(custody.clone(), listener, shutdown)) }
    }

    /// Ends at once, as if it were killed.
    async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

fn socket(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("vault.sock")
}

fn seal() -> Seal {
    Seal { toolkit: Slug::parse("demo").unwrap(), secret: SecretString::new("s3cret".into()) }
}

#[tokio::test]
async fn a_client_waits_for_a_vault_that_is_not_there_yet() {
    let (app, ..) = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let client = Client::of_socket(socket(&folder));
    let begin = async {
        tokio::task::yield_now().await;
        Listening::start(&app.custody, &socket(&folder))
    };
    let (sealed, listening) = tokio::join!(client.ask(seal()), begin);
    let ask = Fingerprint { toolkit: Slug::parse("demo").unwrap(), record: sealed.unwrap() };
    assert_eq!(client.ask(ask).await.unwrap(), app.custody.vault.fingerprint("s3cret"));
    listening.kill().await;
}

#[tokio::test]
async fn what_was_cut_off_is_asked_again_only_if_that_does_no_harm() {
    let (app, ..) = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(socket(&folder)).unwrap();
    let client = Client::of_socket(socket(&folder));
    // Whoever is connected first reads one question and goes away without an answer.
    let swallow = |mut stream: UnixStream| async move {
        wire::receive::<wire::Ask>(&mut stream).await.unwrap().unwrap().operation
    };
    let cut = async { swallow(listener.accept().await.unwrap().0).await };
    let disconnect = Disconnect { user_id: "usr_x".into(), connection_id: "con_x".into() };
    let (answer, asked) = tokio::join!(client.ask(disconnect), cut);
    assert_eq!(asked, "disconnect");
    assert!(matches!(answer, Err(Failure::Wait(refusal, _)) if refusal.code == taiku_bridge::Code::Busy));

    let cut_then_answer = async {
        let asked = swallow(listener.accept().await.unwrap().0).await;
        drop(listener);
        (asked, Listening::start(&app.custody, &socket(&folder)))
    };
    let (sealed, (asked, listening)) = tokio::join!(client.ask(seal()), cut_then_answer);
    assert_eq!(asked, "client_secret.seal");
    assert!(sealed.is_ok(), "{:?}", sealed.err());
    listening.kill().await;
}

#[tokio::test]
async fn a_vault_that_is_told_to_stop_answers_those_who_are_connected() {
    let (app, ..) = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let listening = Listening::start(&app.custody, &socket(&folder));
    let client = Client::of_socket(socket(&folder));
    assert!(client.ask(seal()).await.is_ok());
    listening.stop.send(()).unwrap();
    assert!(client.ask(seal()).await.is_ok());
    assert!(!listening.task.is_finished());
    drop(client);
    tokio::time::timeout(Duration::from_secs(20), listening.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_no_question_ends_the_connection_and_nothing_else() {
    let (app, ..) = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let listening = Listening::start(&app.custody, &socket(&folder));
    for bytes in [&b"\0\0\0\x02{}"[..], b"\xff\xff\xff\xff", b"\0\0\0\x01"] {
        let mut stream = UnixStream::connect(socket(&folder)).await.unwrap();
        wire::send(&mut stream, &bytes.to_vec().into()).await.unwrap();
        tokio::io::AsyncWriteExt::shutdown(&mut stream).await.unwrap();
        // News may come; an answer does not.
        assert!(wire::receive::<serde_json::Value>(&mut stream).await.is_ok_and(|said| said.is_none()));
    }
    assert!(Client::of_socket(socket(&folder)).ask(seal()).await.is_ok());
    listening.kill().await;
}

#[tokio::test]
async fn no_answer_of_the_vault_has_a_refresh_token_or_a_secret() {
    let (app, _, bob) = TestApp::start().await;
    bob.connect("robin").await;
    let handed = app.broker.custody.ask(super::keys::Hand { known: None }).await.unwrap();
    let text = serde_json::to_string(&handed).unwrap();
    assert!(
        text.contains("\"at\"") && text.contains("\"cfg\"") && !text.contains("\"rt\""),
        "{}",
        text.len()
    );
    let held = app.broker.vault.keys();
    assert!(held.iter().all(|key| key.id.ring != crate::vault::Ring::RefreshTokens), "{held:?}");
}
