//! What people see.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{HOST, ORIGIN};
use serde_json::json;

use crate::support::{ALL_SCOPES, Provider, request};

#[tokio::test]
async fn the_front_page_shows_the_issues_of_both_accounts_as_text() {
    let provider = Provider::new();
    let evil = "<img src=x onerror=\"alert('1')\">&amp;";
    for account in ["robin", "sasha"] {
        let token = provider.tokens(account, ALL_SCOPES).await.access;
        let body = json!({ "title": format!("{account} {evil}"), "body": evil });
        assert_eq!(
            provider.api("POST", "/api/issues", &token, Some(&body)).await.status,
            StatusCode::CREATED
        );
    }
    let page = provider.get("/").await;
    let html = page.text();
    let escaped = "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;";
    assert!(html.contains(&format!("robin {escaped}")) && html.contains(&format!("sasha {escaped}")));
    assert!(!html.contains("<img src=x") && !html.contains("<script"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(html.contains("id=\"issue-1\"") && html.contains("1 connection"));
}

#[tokio::test]
async fn a_person_takes_back_what_one_account_allowed() {
    let provider = Provider::new();
    let robin = provider.tokens("robin", "profile").await;
    let sasha = provider.tokens("sasha", "profile").await;
    let click = |origin: &str| {
        request("POST", "/accounts/robin/revoke").header(ORIGIN, origin).body(Body::empty()).unwrap()
    };
    assert_eq!(provider.send(click("http://evil.example")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(provider.status_of(&robin.access).await, 200);
    assert_eq!(provider.send(click("http://127.0.0.1:8090")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(provider.status_of(&robin.access).await, 401);
    assert_eq!(provider.refresh(&robin.refresh).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(provider.status_of(&sasha.access).await, 200);
}

#[tokio::test]
async fn another_name_for_this_machine_is_refused() {
    let provider = Provider::new();
    for host in ["localhost:8090", "evil.example", "127.0.0.1", "127.0.0.1:80"] {
        let request = axum::http::Request::get("/").header(HOST, host).body(Body::empty()).unwrap();
        let answer = provider.send(request).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert!(answer.text().contains("http://127.0.0.1:8090/"));
    }
}

#[tokio::test]
async fn what_the_pages_need_is_served_from_here() {
    let provider = Provider::new();
    for (path, kind) in [("/style.css", "text/css; charset=utf-8"), ("/logo.svg", "image/svg+xml")] {
        let answer = provider.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, kind));
    }
}

#[tokio::test]
async fn an_unknown_address_has_a_way_home() {
    let answer = Provider::new().get("/nothing").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text().contains("href=\"/\""));
}
