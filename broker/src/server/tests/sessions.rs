//! Sessions and signing in.

use http::Method;
use serde_json::{Value, json};

use super::app::PASSWORD;
use super::{TestApp, User};
use crate::clock::{DAY, HOUR, MINUTE, SECOND};

async fn who(user: &User) -> Value {
    user.get("/api/v1/session").await.ok()["user"]["email"].clone()
}

#[tokio::test]
async fn signing_in_makes_a_new_session_and_ends_the_one_before() {
    let (app, ada, bob) = TestApp::start().await;
    let before = bob.session().unwrap();
    let answer = bob.sign_in("BOB@example.test ", PASSWORD).await;
    let session = answer.ok();
    assert_eq!(session["user"], json!({"id": bob.id, "email": bob.email, "name": "Bob", "role": "member"}));
    assert_eq!(session["panelOrigin"], "http://127.0.0.1:8080");
    let cookie = answer.header("set-cookie").unwrap();
    let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    assert_eq!(attributes, ["Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=604800"]);
    assert!(cookie.starts_with("__Host-taiku-8080="));
    assert_ne!(bob.session().unwrap(), before);
    let old = app.visitor();
    old.set_cookie("__Host-taiku-8080", &before);
    assert_eq!(who(&old).await, Value::Null);
    // A session that somebody planted in the browser ends, too.
    let planted = ada.session().unwrap();
    let victim = app.visitor();
    victim.set_cookie("__Host-taiku-8080", &planted);
    victim.sign_in(&bob.email, PASSWORD).await.ok();
    assert_eq!(who(&victim).await, bob.email);
    assert_eq!(who(&ada).await, Value::Null);
    let unknown = app.visitor();
    unknown.set_cookie("__Host-taiku-8080", "chosen by an attacker");
    unknown.sign_in(&bob.email, PASSWORD).await.ok();
    assert_ne!(unknown.session().unwrap(), "chosen by an attacker");
}

#[tokio::test]
async fn a_session_ends_when_it_was_not_used_for_twelve_hours() {
    let (app, _, bob) = TestApp::start().await;
    for _ in 0..3 {
        app.advance(12 * HOUR - SECOND);
        assert_eq!(who(&bob).await, bob.email, "each use lets it live on");
    }
    app.advance(12 * HOUR);
    assert_eq!(who(&bob).await, Value::Null);
    bob.get("/api/v1/api-keys").await.refused("not_signed_in");
}

#[tokio::test]
async fn a_session_ends_after_seven_days_whatever_happens() {
    let (app, _, bob) = TestApp::start().await;
    for _ in 0..27 {
        app.advance(6 * HOUR);
        assert_eq!(who(&bob).await, bob.email);
    }
    app.advance(7 * DAY - 27 * 6 * HOUR);
    assert_eq!(who(&bob).await, Value::Null);
}

#[tokio::test]
async fn what_the_database_holds_is_no_cookie() {
    let (app, _, bob) = TestApp::start().await;
    let hash = crate::vault::hash::sha256(bob.session().unwrap().as_bytes());
    let thief = app.visitor();
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    thief.set_cookie("__Host-taiku-8080", &hex);
    assert_eq!(who(&thief).await, Value::Null);
    let session = bob.get("/api/v1/session").await.ok()["sessionId"].as_str().unwrap().to_owned();
    thief.set_cookie("__Host-taiku-8080", &session);
    assert_eq!(who(&thief).await, Value::Null, "nor is the id that panels see");
}

#[tokio::test]
async fn signing_out_ends_the_session_and_its_cookie() {
    let (app, _, bob) = TestApp::start().await;
    let cookie = bob.session().unwrap();
    let other_browser = app.browser_of(&bob.id, &bob.email).await;
    let answer = bob.delete("/api/v1/session").await;
    assert_eq!(answer.status, 204);
    assert!(bob.session().is_none());
    bob.set_cookie("__Host-taiku-8080", &cookie);
    assert_eq!(who(&bob).await, Value::Null);
    assert_eq!(who(&other_browser).await, bob.email);
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_cannot_come_back() {
    let (app, _, bob) = TestApp::start().await;
    let script = bob.with_key().await;
    app.disable(&bob).await;
    assert_eq!(who(&bob).await, Value::Null);
    script.get("/api/v1/session").await.refused("not_signed_in");
    bob.sign_in(&bob.email, PASSWORD).await.refused("wrong_credentials");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let (app, _, bob) = TestApp::start().await;
    let visitor = app.visitor();
    let wrong = visitor.sign_in(&bob.email, "wrong password").await;
    let unknown = visitor.sign_in("nobody@example.test", "wrong password").await;
    let long = visitor.sign_in(&"x".repeat(1000), "wrong password").await;
    wrong.refused("wrong_credentials");
    assert_eq!(wrong.bytes, unknown.bytes);
    assert_eq!(wrong.bytes, long.bytes);
    assert!(visitor.session().is_none());
}

#[tokio::test]
async fn many_wrong_passwords_make_an_address_wait() {
    let (app, ada, bob) = TestApp::start().await;
    let visitor = app.visitor();
    // All at once: none may slip through before the others are counted.
    let attempts = (0..30).map(|_| visitor.sign_in(&bob.email, "wrong password"));
    let answers = futures_util::future::join_all(attempts).await;
    let told = |code: &str| answers.iter().filter(|answer| answer.code() == code).count();
    // Sixteen found a place in the queue, ten of them had their password looked at.
    assert_eq!((told("wrong_credentials"), told("rate_limited"), told("busy")), (10, 6, 14));
    let waiting = visitor.sign_in(&bob.email, PASSWORD).await;
    waiting.refused("rate_limited");
    let seconds: u64 = waiting.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=900).contains(&seconds));
    visitor.sign_in(&ada.email, PASSWORD).await.ok();
    app.advance(15 * MINUTE);
    visitor.sign_in(&bob.email, PASSWORD).await.ok();
}

#[tokio::test]
async fn wrong_passwords_of_a_stranger_do_not_lock_the_owner_out() {
    let (app, _, bob) = TestApp::start().await;
    let own = app.visitor();
    own.sign_in(&bob.email, PASSWORD).await.ok();
    let stranger = app.visitor();
    for _ in 0..10 {
        stranger.sign_in(&bob.email, "wrong password").await.refused("wrong_credentials");
    }
    stranger.sign_in(&bob.email, PASSWORD).await.refused("rate_limited");
    // The owner's browser is known, also after signing out, and also at another broker.
    own.ask(Method::DELETE, "/api/v1/session").send().await;
    own.sign_in(&bob.email, PASSWORD).await.ok();
    let replica = app.replica().await;
    let moved = replica.visitor();
    moved.set_cookie("__Host-taiku-known-8080", &own.cookies()["__Host-taiku-known-8080"]);
    moved.sign_in(&bob.email, PASSWORD).await.ok();
    // The stranger waits there as well, and a cookie that somebody made up is not known.
    let elsewhere = replica.visitor();
    elsewhere.sign_in(&bob.email, PASSWORD).await.refused("rate_limited");
    elsewhere.set_cookie("__Host-taiku-known-8080", "made up");
    elsewhere.sign_in(&bob.email, PASSWORD).await.refused("rate_limited");
    // The known browser has a count of its own.
    for _ in 0..10 {
        own.sign_in(&bob.email, "wrong password").await.refused("wrong_credentials");
    }
    own.sign_in(&bob.email, PASSWORD).await.refused("rate_limited");
}

#[tokio::test]
async fn a_known_browser_is_known_for_its_user_and_until_the_password_changes() {
    let (app, ada, bob) = TestApp::start().await;
    let browser = app.visitor();
    browser.sign_in(&bob.email, PASSWORD).await.ok();
    let known = browser.cookies()["__Host-taiku-known-8080"].clone();
    let stranger = app.visitor();
    for email in [&ada.email, &bob.email] {
        for _ in 0..10 {
            stranger.sign_in(email, "wrong password").await.refused("wrong_credentials");
        }
    }
    browser.sign_in(&ada.email, PASSWORD).await.refused("rate_limited");
    let mut tx = app.broker.store.write().await.unwrap();
    let hash = crate::password::hash(PASSWORD.into()).await.unwrap();
    crate::store::users::set_password(&mut tx, &bob.id, &hash).await.unwrap();
    tx.commit().await.unwrap();
    browser.sign_in(&bob.email, PASSWORD).await.refused("rate_limited");
    assert!(known.len() >= 43);
}

#[tokio::test]
async fn a_user_who_runs_too_many_tools_waits_at_every_broker_and_nobody_else_does() {
    let (app, ada, bob) = TestApp::start_with(&[("TAIKU_CALLS_PER_SECOND", "4")]).await;
    let run = async |user: &User| {
        user.post("/api/v1/toolkits/demo/tools/NO_SUCH_TOOL", &serde_json::json!({})).await.code().to_owned()
    };
    let replica = app.replica().await;
    let there = replica.browser_of(&bob.id, &bob.email).await;
    let mut passed = 0;
    for _ in 0..30 {
        passed += usize::from(run(&bob).await != "rate_limited");
        passed += usize::from(run(&there).await != "rate_limited");
    }
    assert_eq!(passed, 40, "ten seconds' worth, at both together");
    assert_ne!(run(&ada).await, "rate_limited");
    app.advance(1_000);
    replica.advance(1_000);
    assert_ne!(run(&there).await, "rate_limited");
}

/// Case A17: a page that was loaded for one session cannot act in the next one of its browser.
#[tokio::test]
async fn what_was_clicked_in_one_session_is_not_done_in_another() {
    let (app, ada, bob) = TestApp::start().await;
    let before = bob.get("/api/v1/session").await.ok()["sessionId"].as_str().unwrap().to_owned();
    let stale = |method, path: &str| bob.ask(method, path).header("taiku-session", &before);
    stale(Method::GET, "/api/v1/connections").send().await.ok();
    bob.sign_in(&ada.email, PASSWORD).await.ok();
    for (method, path) in [
        (Method::GET, "/api/v1/connections"),
        (Method::GET, "/api/v1/plugins"),
        (Method::POST, "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES"),
        (Method::DELETE, "/api/v1/session"),
    ] {
        stale(method, path).json(&json!({})).send().await.refused("not_signed_in");
    }
    assert_eq!(app.api_calls(), 0);
    assert_eq!(who(&bob).await, ada.email, "the new session lives on");
}

#[tokio::test]
async fn two_session_cookies_are_none() {
    let (_, _, bob) = TestApp::start().await;
    let both = format!("__Host-taiku-8080={0}; __Host-taiku-8080={0}", bob.session().unwrap());
    let answer = bob.ask(Method::GET, "/api/v1/session").header("cookie", &both).send().await;
    assert_eq!(answer.ok()["user"], Value::Null);
}
