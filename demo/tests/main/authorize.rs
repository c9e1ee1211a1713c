//! The authorization endpoint and its consent page.

use axum::http::StatusCode;
use axum::http::header::{COOKIE, ORIGIN};

use crate::support::{BodyOf as _, CALLBACK, Provider, form, param};

#[tokio::test]
async fn metadata_names_every_endpoint_under_the_issuer() {
    let metadata = Provider::new().get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["issuer"], "http://127.0.0.1:8090");
    assert_eq!(metadata["token_endpoint"], "http://127.0.0.1:8090/token");
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
}

#[tokio::test]
async fn the_consent_page_says_who_wants_what_and_redirects_nowhere() {
    let consent = Provider::new().consent(&[]).await;
    assert!(consent.html.contains("Example &lt;app&gt; wants to use"), "the client's name is escaped");
    assert!(consent.html.contains("http://localhost:8080"));
    assert!(consent.html.contains("Create, close and delete issues"));
    assert!(consent.html.contains("value=\"robin\" checked"));
    assert!(consent.html.contains("value=\"sasha\">"));
    assert!(consent.html.contains(">Allow</button>") && consent.html.contains(">Deny</button>"));
}

#[tokio::test]
async fn allow_sends_a_code_the_state_and_the_issuer() {
    let provider = Provider::new();
    let consent = provider.consent(&[]).await;
    let location = provider.decide(&consent, "robin", "allow").await.location();
    assert!(location.as_str().starts_with(&format!("{CALLBACK}?")));
    assert_eq!(param(&location, "state").unwrap(), "st&te ü");
    assert_eq!(param(&location, "iss").unwrap(), "http://127.0.0.1:8090");
    assert!(param(&location, "code").is_some() && param(&location, "error").is_none());
}

#[tokio::test]
async fn deny_sends_access_denied_and_no_code() {
    let provider = Provider::new();
    let consent = provider.consent(&[]).await;
    let location = provider.decide(&consent, "robin", "deny").await.location();
    assert_eq!(param(&location, "error").unwrap(), "access_denied");
    assert_eq!(param(&location, "state").unwrap(), "st&te ü");
    assert_eq!(param(&location, "iss").unwrap(), "http://127.0.0.1:8090");
    assert!(param(&location, "code").is_none());
    assert_eq!(provider.demo.counts().consents_denied, 1);
}

#[tokio::test]
async fn a_query_of_the_redirect_uri_stays() {
    let provider = Provider::new();
    let consent = provider.consent(&[("redirect_uri", "https://app.example/cb?x=1"), ("state", "")]).await;
    let location = provider.decide(&consent, "robin", "allow").await.location();
    assert_eq!(param(&location, "x").unwrap(), "1");
    assert!(param(&location, "state").is_none());
}

#[tokio::test]
async fn an_unknown_client_or_address_gets_a_page_without_a_way_back() {
    let provider = Provider::new();
    let slash = format!("{CALLBACK}/");
    let case = CALLBACK.replace("localhost", "LOCALHOST");
    let more = format!("{CALLBACK}?x=1");
    for change in [
        ("client_id", "stranger"),
        ("client_id", ""),
        ("redirect_uri", ""),
        ("redirect_uri", slash.as_str()),
        ("redirect_uri", case.as_str()),
        ("redirect_uri", more.as_str()),
        ("redirect_uri", "http://localhost:8080/oauth/callback/ab"),
        ("redirect_uri", "https://evil.example/"),
    ] {
        let answer = provider.get(&Provider::authorize_path(&[change])).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{change:?}");
        assert!(!answer.text().contains("href=\"http"), "{change:?}");
        assert_eq!(answer.header("location"), "");
    }
}

#[tokio::test]
async fn a_wrong_request_of_a_known_client_gets_a_page_with_a_link_back() {
    let provider = Provider::new();
    for (change, code) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "unsupported_response_type"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("scope", "everything"), "invalid_scope"),
    ] {
        let answer = provider.get(&Provider::authorize_path(&[change])).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{change:?}");
        let html = answer.text();
        assert!(html.contains(&format!("href=\"{CALLBACK}?error={code}&amp;")), "{change:?}: {html}");
        assert!(html.contains("state=st%26te+%C3%BC"), "{change:?}: {html}");
    }
}

#[tokio::test]
async fn a_parameter_that_comes_twice_is_refused() {
    let provider = Provider::new();
    for name in ["client_id", "redirect_uri", "state", "scope", "code_challenge"] {
        let path = format!("{}&{name}=again", Provider::authorize_path(&[]));
        assert_eq!(provider.get(&path).await.status, StatusCode::BAD_REQUEST, "{name}");
    }
    let long = Provider::authorize_path(&[("state", &"x".repeat(9000))]);
    assert_eq!(provider.get(&long).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_request_is_answered_once_and_by_the_browser_that_saw_it() {
    let provider = Provider::new();
    let mut consent = provider.consent(&[]).await;
    let own = consent.cookie.clone();
    consent.cookie = provider.consent(&[]).await.cookie;
    assert_ne!(own, consent.cookie);
    assert_eq!(provider.decide(&consent, "robin", "allow").await.status, StatusCode::BAD_REQUEST);
    consent.cookie = String::new();
    assert_eq!(provider.decide(&consent, "robin", "allow").await.status, StatusCode::BAD_REQUEST);
    consent.cookie = own;
    assert_eq!(provider.decide(&consent, "nobody", "allow").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(provider.decide(&consent, "robin", "maybe").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(provider.decide(&consent, "robin", "allow").await.status, StatusCode::SEE_OTHER);
    assert_eq!(provider.decide(&consent, "robin", "allow").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn two_tabs_of_one_browser_do_not_disturb_each_other() {
    let provider = Provider::new();
    let first = provider.consent(&[("state", "one")]).await;
    let path = Provider::authorize_path(&[("state", "two")]);
    let request = crate::support::request("GET", &path).header(COOKIE, format!("x=y; {}", first.cookie));
    let second = provider.send(request.body(axum::body::Body::empty()).unwrap()).await;
    let cookie = second.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(cookie, first.cookie);
    assert_eq!(provider.decide(&first, "robin", "allow").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_request_waits_ten_minutes() {
    let provider = Provider::new();
    let (early, late) = (provider.consent(&[]).await, provider.consent(&[]).await);
    provider.demo.advance(std::time::Duration::from_secs(590));
    assert_eq!(provider.decide(&early, "robin", "allow").await.status, StatusCode::SEE_OTHER);
    provider.demo.advance(std::time::Duration::from_secs(11));
    assert_eq!(provider.decide(&late, "robin", "allow").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let provider = Provider::new();
    let consent = provider.consent(&[]).await;
    let fields = [("request", consent.request.as_str()), ("account", "robin"), ("decision", "allow")];
    for (name, value) in [
        (ORIGIN.as_str(), "http://evil.example"),
        (ORIGIN.as_str(), "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let request = form("/authorize/decision").header(COOKIE, &consent.cookie).header(name, value);
        let answer = provider.send(request.body_of(&fields)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}: {value}");
    }
    let request = form("/authorize/decision")
        .header(COOKIE, &consent.cookie)
        .header(ORIGIN, "http://127.0.0.1:8090")
        .header("sec-fetch-site", "same-origin");
    assert_eq!(provider.send(request.body_of(&fields)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn pages_cannot_be_framed_run_no_script_and_send_forms_home_only() {
    let provider = Provider::new();
    let answer = provider.get(&Provider::authorize_path(&[])).await;
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(policy.contains("form-action 'self' http://localhost:8080"), "{policy}");
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("set-cookie").contains("HttpOnly; SameSite=Lax"));
    assert!(!answer.text().contains("<script") && !answer.text().contains(" style="));
}

#[tokio::test]
async fn nothing_in_particular_asks_for_the_profile_only() {
    let provider = Provider::new();
    let answer = provider.get(&Provider::authorize_path(&[("scope", "")])).await.text();
    assert!(answer.contains("See the name") && !answer.contains("delete issues"));
}
