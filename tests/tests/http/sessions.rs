//! Signing in and what is stored of it. Cases H6, H7 and H10.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteRow};
use sqlx::{Column as _, Row as _};
use taiku_bridge::api::{self, Session};
use taiku_tests::{Client, Cookie, TestApp};

fn session_cookie(client: &Client) -> Cookie {
    let is_session = |name: &str| name.starts_with("__Host-") && !name.contains("known");
    client.cookies().into_iter().find(|cookie| is_session(&cookie.name)).expect("a session cookie")
}

async fn email(client: &Client) -> Option<String> {
    let session: Session = client.get(api::SESSION).await.read();
    session.user.map(|user| user.email)
}

#[tokio::test]
async fn the_session_cookie_has_every_protection() {
    let app = TestApp::start().await;
    let cookie = session_cookie(&app.ada().await);
    assert!(cookie.name.contains(&app.url.port().unwrap_or(80).to_string()), "{}", cookie.name);
    for flag in ["Secure", "HttpOnly"] {
        assert_eq!(cookie.attribute(flag), Some(""), "{flag}");
    }
    assert_eq!(cookie.attribute("Path"), Some("/"));
    assert_eq!(cookie.attribute("SameSite"), Some("Strict"));
    assert_eq!(cookie.attribute("Domain"), None);
    assert!(cookie.value.len() >= 43, "256 random bits are 43 characters of base64");
    assert!(cookie.name.len() + cookie.value.len() < 4096);
}

#[tokio::test]
async fn signing_in_makes_a_new_session_and_ends_the_old_one() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let first = session_cookie(&user);
    let (address, password) = app.ada_credentials();
    let _ = user.sign_in(address, password).await;
    let second = session_cookie(&user);
    assert_ne!(first.value, second.value);
    assert_eq!(email(&user).await.as_deref(), Some(address));

    let thief = app.anonymous();
    thief.set_cookie(&first.name, &first.value);
    assert_eq!(email(&thief).await, None, "the session before this sign-in is over");
}

#[tokio::test]
async fn a_planted_session_id_is_not_taken_over() {
    let app = TestApp::start().await;
    let user = app.anonymous();
    let name = session_cookie(&app.ada().await).name;
    let planted = "p".repeat(43);
    user.set_cookie(&name, &planted);
    let (address, password) = app.ada_credentials();
    let _ = user.sign_in(address, password).await;
    assert_ne!(session_cookie(&user).value, planted);

    let attacker = app.anonymous();
    attacker.set_cookie(&name, &planted);
    assert_eq!(email(&attacker).await, None);
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let cookie = session_cookie(&user);
    assert_eq!(user.delete(api::SESSION).await.status, 204);
    user.set_cookie(&cookie.name, &cookie.value);
    assert_eq!(email(&user).await, None);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let app = TestApp::start().await;
    let anonymous = app.anonymous();
    let mut answers = Vec::new();
    for address in ["ada@example.test", "nobody@example.test"] {
        let body = serde_json::json!({ "email": address, "password": "not this one" });
        let answer = anonymous.post(api::SESSION, &body).await;
        assert_eq!(answer.problem(), (401, "wrong_credentials".into()));
        answers.push(answer.text);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(anonymous.cookies(), []);
}

#[tokio::test]
async fn nothing_in_the_sessions_table_works_as_a_cookie() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let cookie = session_cookie(&user);
    let stored = stored_values(&app).await;
    assert!(stored.len() >= 3, "a session was stored: {stored:?}");
    assert!(!stored.contains(&cookie.value), "the cookie's value itself is not stored");
    for value in stored {
        let thief = app.anonymous();
        thief.set_cookie(&cookie.name, &value);
        assert_eq!(email(&thief).await, None, "{value}");
    }
    assert!(email(&user).await.is_some(), "the real cookie works");
}

/// Every value of every row, and bytes in every encoding that a cookie can have.
async fn stored_values(app: &TestApp) -> Vec<String> {
    let file = SqliteConnectOptions::new().filename(app.data().join("taiku.db")).read_only(true);
    let pool = SqlitePoolOptions::new().connect_with(file).await.expect("the database can be read");
    let rows =
        sqlx::query("select * from sessions").fetch_all(&pool).await.expect("there is a table of sessions");
    rows.iter().flat_map(values).filter(|value| !value.is_empty()).collect()
}

fn values(row: &SqliteRow) -> Vec<String> {
    let value = |place: usize| {
        if let Ok(text) = row.try_get::<String, _>(place) {
            return vec![text];
        }
        let Ok(bytes) = row.try_get::<Vec<u8>, _>(place) else { return Vec::new() };
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        vec![hex, STANDARD.encode(&bytes), URL_SAFE.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]
    };
    row.columns().iter().flat_map(|column| value(column.ordinal())).collect()
}
