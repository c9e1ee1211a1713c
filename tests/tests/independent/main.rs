//! A provider that nobody here wrote, certified and strict: connect, call, refresh, revoke. Cases D1, F1, G3, G4.

use futures_util::future::join_all;
use serde_json::{Value, json};
use taiku_bridge::api::{self, Receipt, Status};
use taiku_tests::{Answer, Client, Provider, TestApp};

const ME: &str = "/api/v1/toolkits/independent/tools/INDEPENDENT_GET_ME";
const ECHO: &str = "/api/v1/toolkits/independent/tools/INDEPENDENT_ECHO";

async fn start() -> (Provider, TestApp, Client) {
    let provider = Provider::start();
    let app = TestApp::launch().env("TAIKU_TOOLKIT_DIRS", &Provider::toolkits()).start().await;
    let user = app.ada().await;
    provider.enable(&user).await;
    (provider, app, user)
}

async fn run(user: &Client, path: &str, arguments: Value) -> Answer {
    user.post(path, &json!({ "arguments": arguments })).await
}

async fn seen(provider: &Provider, what: &str) -> u64 {
    provider.seen().await[what].as_u64().unwrap_or_else(|| panic!("{what} is not counted"))
}

#[tokio::test]
async fn connect_call_and_revoke() {
    let (provider, _app, user) = start().await;
    let connection = provider.connect(&user).await;
    assert_eq!((connection.status, connection.account.label.as_deref()), (Status::Active, Some("somebody")));
    assert_eq!((seen(&provider, "code").await, seen(&provider, "refused").await), (1, 0));

    let me = run(&user, ME, json!({})).await.expect(200);
    assert_eq!((me.upstream(), me.json()["id"].clone()), (Some(200), json!("somebody")));

    let receipt: Receipt = user.delete(&api::connection(&connection.id)).await.expect(200).read();
    assert!(receipt.revoked.iter().all(|token| token.outcome == "revoked"), "{receipt:?}");
    assert!(seen(&provider, "revoked").await >= 1);
    assert_eq!(run(&user, ME, json!({})).await.problem().0, 409);
}

#[tokio::test]
async fn a_short_token_is_refreshed_and_rotation_is_followed() {
    let (provider, _app, user) = start().await;
    provider.token_life(1).await;
    provider.connect(&user).await;
    for refreshes in 1..=3 {
        provider.tokens_end().await;
        assert_eq!(run(&user, ME, json!({})).await.status, 200);
        assert_eq!(seen(&provider, "refresh").await, refreshes);
    }
    assert_eq!(seen(&provider, "refused").await, 0, "no old refresh token was used again");
}

#[tokio::test]
async fn eight_calls_after_the_end_of_a_token_refresh_once() {
    let (provider, _app, user) = start().await;
    provider.token_life(1).await;
    provider.connect(&user).await;
    let before = seen(&provider, "refresh").await;
    provider.tokens_end().await;
    provider.token_life(3600).await;
    let answers = join_all((0..8).map(|_| run(&user, ME, json!({})))).await;
    for answer in answers {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(seen(&provider, "refresh").await - before, 1);
    assert_eq!(seen(&provider, "refused").await, 0);
}

#[tokio::test]
async fn a_path_argument_stays_one_segment() {
    let (provider, _app, user) = start().await;
    provider.connect(&user).await;
    for word in [
        "../../api/me",
        "..",
        ".",
        "%2e%2e",
        "a/b",
        "a?x=1",
        "a#b",
        "a\\b",
        "a\r\nX: y",
        "a\u{0}b",
        "ü ;=&+",
        "",
    ] {
        let before = requests(&provider).await.len();
        let answer = run(&user, ECHO, json!({ "word": word, "text": word })).await;
        let requests = requests(&provider).await.split_off(before);
        if answer.status == 422 {
            assert_eq!(requests, Vec::<String>::new(), "{word:?}");
            continue;
        }
        let [request] = requests.as_slice() else { panic!("{word:?}: {requests:?}") };
        let (path, query) = request.split_once('?').unwrap_or((request, ""));
        assert_eq!(path.split('/').count(), 4, "{word:?} is one segment of {request}");
        assert!(path.starts_with("/api/echo/"), "{word:?}: {request}");
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(pairs, [("text".to_owned(), word.to_owned())], "{request}");
    }
}

async fn requests(provider: &Provider) -> Vec<String> {
    let seen = provider.seen().await;
    let requests = seen["api"].as_array().cloned().unwrap_or_default();
    requests.iter().filter_map(|request| request.as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_header_argument_cannot_begin_another_header() {
    let (provider, _app, user) = start().await;
    provider.connect(&user).await;
    let before = requests(&provider).await.len();
    for mark in ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\u{0}b", "ünïcode", "a\u{7f}"] {
        let answer = run(&user, ECHO, json!({ "word": "w", "X-Mark": mark })).await;
        assert_eq!(answer.problem(), (422, "invalid_params".into()), "{mark:?}");
    }
    assert_eq!(requests(&provider).await.len(), before, "nothing went out");
    assert_eq!(run(&user, ECHO, json!({ "word": "w", "X-Mark": "plain" })).await.status, 200);
}
