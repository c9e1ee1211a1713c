//! The ways to sign in that have no page of consent, and providers that name what they send back their own way.

use http::Method;
use tempfile::TempDir;

use super::*;
use crate::clock::{HOUR, MINUTE, SECOND};

/// The API of most of them is the stand-in itself.
const API: &str = "base_url = '{TEST_SITE}'";

/// Writes a toolkit folder `test` with these tables `[auth]` and `[api]`.
fn folder(auth: &str, api: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let toolkit = dir.path().join("test");
    std::fs::create_dir(&toolkit).unwrap();
    let settings = format!(
        "name = 'Test'\ndescription = 'A toolkit of the tests'\n\
         [[settings]]\nkey = 'TEST_SITE'\ndescription = 'Address'\ndefault = 'https://test.example'\n\
         [auth]\naccount = {{ tool = 'TEST_WHO', id = '/id', label = '/name' }}\n{auth}\n\
         [api]\n{api}\n[tools]\nopenapi = 'openapi.json'\n"
    );
    let openapi = json!({"openapi": "3.1.0", "paths": {"/who": {"get": {"summary": "Who"}}}});
    std::fs::write(toolkit.join("toolkit.toml"), settings).unwrap();
    std::fs::write(toolkit.join("openapi.json"), openapi.to_string()).unwrap();
    dir
}

async fn start(auth: &str, answer: fn(&mut Memory, &Seen) -> Response) -> (TestApp, User, StandIn, TempDir) {
    start_with(auth, API, answer).await
}

/// A user, and a stand-in that the toolkit of these tables is enabled for.
pub(super) async fn start_with(
    auth: &str,
    api: &str,
    answer: fn(&mut Memory, &Seen) -> Response,
) -> (TestApp, User, StandIn, TempDir) {
    let dir = folder(auth, api);
    let (app, ada, bob) = TestApp::start_with(&[("TAIKU_TOOLKIT_DIRS", dir.path().to_str().unwrap())]).await;
    let stand_in = StandIn::start(answer).await;
    stand_in.enable(&ada, "test", &[("TEST_SITE", "")]).await;
    (app, bob, stand_in, dir)
}

/// Begins a flow; the path of its page.
async fn begin(user: &User) -> String {
    let begun = user.post("/api/v1/toolkits/test/connections", &json!({})).await.ok();
    let url: Url = begun["redirectUrl"].as_str().unwrap().parse().unwrap();
    url.path().to_owned()
}

/// Sends the form of a flow's page as a browser does: our pages send no referrer, so its origin is null.
async fn send(user: &User, path: &str, form: &str) -> Answer {
    let ask = user.ask(Method::POST, path).header("origin", "null").header("sec-fetch-site", "same-origin");
    ask.without("x-taiku-request").body("application/x-www-form-urlencoded", form).send().await
}

async fn status(user: &User) -> Value {
    connections(user, "test").await[0]["status"].clone()
}

fn keyed(memory: &mut Memory, seen: &Seen) -> Response {
    let dead = memory.switches.contains_key("dead");
    match seen.header("authorization") {
        Some("Bearer sk_live_canary" | "Basic YWRhOmNhbmFyeQ==") if !dead => {
            ok(json!({"id": 7, "name": "Ada"}))
        }
        _ => at(401, json!({"error": "no"})),
    }
}

#[tokio::test]
async fn a_key_is_typed_on_our_page_tried_and_then_used() {
    let (_app, bob, service, _dir) =
        start("mode = 'api_key'\nlabels = { key = 'Secret & key' }", keyed).await;
    let path = begin(&bob).await;
    let page = bob.get(&path).await;
    let csp = page.header("content-security-policy").unwrap().to_owned();
    assert!(csp.contains("form-action 'self'"), "{csp}");
    assert!(page.text().contains("Secret &amp; key") && page.text().contains("type=\"password\""));
    for wrong in ["key=sk_wrong", "key=", "other=sk_live_canary"] {
        let again = send(&bob, &path, wrong).await;
        assert!(again.status == 200 && again.text().contains("role=\"alert\""), "{}", again.text());
        assert_eq!(status(&bob).await, "INITIATED");
    }
    let done = send(&bob, &path, "key=sk_live_canary").await;
    assert!(done.text().contains("Test is connected") && !done.text().contains("canary"), "{}", done.text());
    let all = connections(&bob, "test").await;
    assert_eq!((&all[0]["status"], &all[0]["account"]["label"]), (&json!("ACTIVE"), &json!("Ada")));
    run(&bob, "test", "TEST_WHO", &json!({})).await.ok();
    assert_ne!(send(&bob, &path, "key=sk_live_canary").await.status, 200, "a flow ends once");
    service.switch("dead", json!(true));
    run(&bob, "test", "TEST_WHO", &json!({})).await.refused("connection_expired");
    assert_eq!(status(&bob).await, "EXPIRED");
}

#[tokio::test]
async fn only_the_browser_that_began_may_type_and_only_on_our_page() {
    let (app, bob, service, _dir) = start("mode = 'api_key'", keyed).await;
    let path = begin(&bob).await;
    let form = "application/x-www-form-urlencoded";
    let key = "key=sk_live_canary";
    let refused = |answer: Answer| assert_eq!(answer.status, 400, "{}", answer.text());
    refused(send(&app.visitor(), &path, key).await);
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "null")]
    {
        let ask = bob.ask(Method::POST, &path).without("origin").header(name, value);
        refused(ask.body(form, key).send().await);
    }
    refused(bob.ask(Method::POST, &path).without("origin").body(form, key).send().await);
    bob.delete("/api/v1/session").await.ok();
    refused(send(&bob, &path, key).await);
    assert_eq!(service.seen("/who").len(), 0);
}

#[tokio::test]
async fn a_user_name_and_a_password_are_sent_as_basic() {
    let (_app, bob, _service, _dir) = start("mode = 'basic'", keyed).await;
    let path = begin(&bob).await;
    assert!(bob.get(&path).await.text().contains("name=\"username\""));
    send(&bob, &path, "username=ada&password=canary").await;
    assert_eq!(status(&bob).await, "ACTIVE");
    run(&bob, "test", "TEST_WHO", &json!({})).await.ok();
}

fn machine(memory: &mut Memory, seen: &Seen) -> Response {
    if seen.path == "/token" {
        let form = seen.form();
        let known =
            field(&form, "client_secret") == "s3cret" && field(&form, "grant_type") == "client_credentials";
        return match known && field(&form, "scope") == "all" {
            true => ok(
                json!({"access_token": memory.new_access("at"), "token_type": "bearer", "expires_in": 3600}),
            ),
            false => at(400, json!({"error": "invalid_request"})),
        };
    }
    if memory.access.contains(bearer(seen)) { ok(json!({"id": "app"})) } else { at(401, json!({})) }
}

#[tokio::test]
async fn the_clients_own_token_is_asked_for_again_when_it_ends() {
    let auth = "mode = 'client_credentials'\ntoken_url = '{TEST_SITE}/token'\nscopes = ['all']\n\
                revoke = { url = '{TEST_SITE}/revoke' }";
    let (app, bob, service, _dir) = start(auth, machine).await;
    let path = begin(&bob).await;
    assert!(bob.get(&path).await.text().contains("Connect Test</button>"));
    send(&bob, &path, "").await;
    assert_eq!(status(&bob).await, "ACTIVE");
    app.advance(2 * HOUR);
    run(&bob, "test", "TEST_WHO", &json!({})).await.ok();
    service.memory().access.clear();
    run(&bob, "test", "TEST_WHO", &json!({})).await.ok();
    assert_eq!(service.seen("/token").len(), 3);
    let id = connections(&bob, "test").await[0]["id"].as_str().unwrap().to_owned();
    bob.delete(&format!("/api/v1/connections/{id}")).await.ok();
    assert_eq!(service.seen("/revoke").len(), 1, "there is no refresh token to revoke");
}

fn television(memory: &mut Memory, seen: &Seen) -> Response {
    match seen.path.as_str() {
        "/device" => {
            ok(json!({"device_code": "dc-canary", "user_code": "WDJB-MJHT", "expires_in": 600, "interval": 5,
            "verification_uri": "https://id.test/device"}))
        }
        "/token" => {
            assert_eq!(field(&seen.form(), "device_code"), "dc-canary");
            match memory.switches.get("say").and_then(Value::as_str) {
                Some("yes") => ok(json!({"access_token": memory.new_access("at"), "token_type": "bearer"})),
                Some(error) => at(400, json!({"error": error})),
                None => at(400, json!({"error": "authorization_pending"})),
            }
        }
        _ if memory.access.contains(bearer(seen)) => ok(json!({"id": 1, "name": "Ada"})),
        _ => at(401, json!({})),
    }
}

const DEVICE: &str =
    "mode = 'device_code'\ndevice_url = '{TEST_SITE}/device'\ntoken_url = '{TEST_SITE}/token'";

#[tokio::test]
async fn a_code_is_shown_and_the_provider_asked_no_more_often_than_it_allows() {
    let (app, bob, service, _dir) = start(DEVICE, television).await;
    let path = begin(&bob).await;
    let page = bob.get(&path).await;
    assert!(page.text().contains("WDJB-MJHT") && !page.text().contains("canary"), "{}", page.text());
    assert_eq!(page.header("refresh"), Some("5"));
    for _ in 0..3 {
        bob.get(&path).await;
    }
    assert_eq!(service.seen("/token").len(), 0, "not before the first interval is over");
    app.advance(5 * SECOND);
    service.switch("say", json!("slow_down"));
    assert_eq!(bob.get(&path).await.header("refresh"), Some("10"));
    app.advance(5 * SECOND);
    bob.get(&path).await;
    assert_eq!(service.seen("/token").len(), 1);
    service.switch("say", json!("yes"));
    app.advance(5 * SECOND);
    assert!(bob.get(&path).await.text().contains("Test is connected as"));
    assert_eq!(status(&bob).await, "ACTIVE");
    run(&bob, "test", "TEST_WHO", &json!({})).await.ok();
}

#[tokio::test]
async fn a_device_flow_that_is_denied_fails_and_is_nobody_elses() {
    let (app, bob, service, _dir) = start(DEVICE, television).await;
    let path = begin(&bob).await;
    app.advance(MINUTE);
    assert_eq!(app.visitor().get(&path).await.status, 400);
    assert_eq!(service.seen("/token").len(), 0, "only the flow's own browser makes us ask");
    service.switch("say", json!("access_denied"));
    let page = bob.get(&path).await;
    assert!(page.text().contains("Nothing was connected"), "{}", page.text());
    assert_eq!(status(&bob).await, "FAILED");
}

fn renamed(memory: &mut Memory, seen: &Seen) -> Response {
    if seen.path == "/token" {
        let form = seen.form();
        let known =
            field(&form, "client_key") == "the-client" && memory.codes.remove(field(&form, "auth_code"));
        return match known {
            true => ok(json!({"data": {"access_token": memory.new_access("at")}})),
            false => at(400, json!({"error": "invalid_grant"})),
        };
    }
    ok(json!({"id": 1}))
}

#[tokio::test]
async fn a_code_may_come_back_under_another_name() {
    let auth = "mode = 'oauth2'\nauthorize_url = '{TEST_SITE}/authorize'\ntoken_url = '{TEST_SITE}/token'\n\
                authorize_names = { client_id = 'client_key' }\ncallback_names = { code = 'auth_code' }\n\
                token_names = { client_id = 'client_key', code = 'auth_code' }\ntoken_pointer = '/data'";
    let (_app, bob, service, _dir) = start(auth, renamed).await;
    for (query, connected) in
        [("auth_code=CODE&auth_code=CODE", false), ("code=x&auth_code=CODE", false), ("auth_code=CODE", true)]
    {
        let begun = bob.post("/api/v1/toolkits/test/connections", &json!({})).await.ok();
        let redirect_url: Url = begun["redirectUrl"].as_str().unwrap().parse().unwrap();
        let id = redirect_url.path().strip_prefix("/oauth/start/").unwrap().to_owned();
        let flow = Flow { connection_id: String::new(), id, redirect_url };
        let authorize = bob.start_page(&flow).await;
        let asked: BTreeMap<String, String> = authorize.query_pairs().into_owned().collect();
        assert_eq!(asked["client_key"], "the-client");
        let code = service.memory().token("code");
        service.memory().codes.insert(code.clone());
        let back =
            format!("{}?state={}&{}", asked["redirect_uri"], asked["state"], query.replace("CODE", &code));
        let page = bob.follow(&back.parse().unwrap()).await;
        assert_eq!(page.text().contains("is connected"), connected, "{query}: {}", page.text());
    }
}
