//! OAuth flows: finished by the browser, session, user and context that began them, once, in time.

use http::Method;
use serde_json::json;
use taiku_bridge::api::Role;
use taiku_demo::{Control, Fault, Plan};
use url::Url;

use super::app::PASSWORD;
use super::{Answer, Click, Flow, TestApp, User};
use crate::clock::{HOUR, MINUTE, SECOND};
use crate::sweep;

/// The same URL with a parameter changed, or without it.
pub(super) fn with_param(url: &Url, name: &str, value: Option<&str>) -> Url {
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    pairs.retain(|(key, _)| key != name);
    pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url
}

fn param(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

/// A page that says nothing was connected, after which the provider was not asked for a token and nobody has
/// a connection that works.
#[track_caller]
fn assert_refused(app: &TestApp, page: &Answer) {
    assert_eq!(page.status, 400, "{}", page.text());
    assert!(page.text().contains("Nothing was connected"), "{}", page.text());
    assert_eq!(app.token_calls(), 0);
}

async fn assert_untouched(user: &User, flow: &Flow) {
    assert_eq!(user.connection(&flow.connection_id).await["status"], "INITIATED");
}

async fn assert_nobody_connected(users: &[&User]) {
    for user in users {
        let connections = user.connections().await;
        assert!(connections.iter().all(|connection| connection["status"] != "ACTIVE"), "{connections:?}");
    }
}

#[tokio::test]
async fn a_click_connects_with_one_token_request() {
    let (app, _, bob) = TestApp::start().await;
    let flow = bob.begin().await;
    let url = bob.start_page(&flow).await;
    assert_eq!(param(&url, "code_challenge_method"), "S256");
    assert_eq!(param(&url, "response_type"), "code");
    assert!(param(&url, "state").len() >= 22, "128 bits in base64url");
    let back = app.click(&url, Click::Allow("robin")).await;
    let page = bob.follow(&back).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Demo tracker is connected"), "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert!(!bob.cookies().contains_key(&flow.cookie()), "the cookie goes with its flow");
    let connection = bob.connection(&flow.connection_id).await;
    assert_eq!(connection["status"], "ACTIVE");
    assert_eq!(connection["account"]["label"], "robin");
    assert_eq!(connection["default"], true);
    assert_eq!(connection["scopes"], json!(["issues:read", "issues:write", "profile"]));
    assert_eq!((app.token_calls(), app.demo.counts().codes_exchanged), (1, 1));
    let activity = bob.get("/api/v1/activity").await.ok();
    assert_eq!(activity["entries"][0]["action"], "connect");
    assert_eq!(activity["entries"][0]["outcome"], "ok");
}

#[tokio::test]
async fn a_missing_altered_or_doubled_state_leaves_the_flow_untouched() {
    let (app, _, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    let state = param(&back, "state");
    let mut doubled = back.clone();
    doubled.query_pairs_mut().append_pair("state", &state);
    let altered = format!("{}x", &state[..state.len() - 1]);
    for url in [
        with_param(&back, "state", None),
        with_param(&back, "state", Some("")),
        with_param(&back, "state", Some(&altered)),
        with_param(&back, "state", Some(&state.to_uppercase())),
        doubled,
    ] {
        let page = bob.follow(&url).await;
        assert_refused(&app, &page);
        assert_untouched(&bob, &flow).await;
    }
    assert_eq!(bob.follow(&back).await.status, 200, "the true answer still counts");
}

#[tokio::test]
async fn an_answer_counts_once() {
    let (app, _, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    let cookie = bob.cookies()[&flow.cookie()].clone();
    assert_eq!(bob.follow(&back).await.status, 200);
    bob.set_cookie(&flow.cookie(), &cookie);
    let page = bob.follow(&back).await;
    assert_eq!(page.status, 400);
    assert_eq!(app.token_calls(), 1);
    assert_eq!(bob.connection(&flow.connection_id).await["status"], "ACTIVE");
    assert_eq!(bob.get(flow.redirect_url.path()).await.status, 400, "nor does its start page open again");
}

#[tokio::test]
async fn of_two_answers_at_the_same_time_one_counts() {
    let (app, _, bob) = TestApp::start().await;
    let (_, back) = bob.consent(Click::Allow("robin")).await;
    let path = &back[url::Position::BeforePath..];
    let (first, second) = (bob.ask(Method::GET, path), bob.ask(Method::GET, path));
    let (first, second) = tokio::join!(app.send(first.request()), app.send(second.request()));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    assert_eq!(app.token_calls(), 1);
}

#[tokio::test]
async fn an_answer_counts_for_ten_minutes() {
    let (app, _, bob) = TestApp::start().await;
    let (_, late) = bob.consent(Click::Allow("robin")).await;
    app.advance(10 * MINUTE);
    assert_refused(&app, &bob.follow(&late).await);
    let (_, in_time) = bob.consent(Click::Allow("robin")).await;
    app.advance(10 * MINUTE - SECOND);
    assert_eq!(bob.follow(&in_time).await.status, 200);
}

#[tokio::test]
async fn another_users_answer_is_refused() {
    let (app, ada, bob) = TestApp::start().await;
    let (flow, back) = ada.consent(Click::Allow("robin")).await;
    assert_refused(&app, &bob.follow(&back).await);
    assert_refused(&app, &app.visitor().follow(&back).await);
    assert_untouched(&ada, &flow).await;
    assert_nobody_connected(&[&ada, &bob]).await;
}

#[tokio::test]
async fn a_link_sent_to_a_victim_binds_nobodys_account() {
    let (app, ada, bob) = TestApp::start().await;
    // Bob attacks: he begins, and Ada consents, signed in or not.
    let flow = bob.begin().await;
    let page = ada.get(flow.redirect_url.path()).await;
    assert_eq!(page.status, 400, "the start page opens in the browser that began");
    assert_eq!(page.headers.get_all("set-cookie").iter().count(), 0);
    let authorize_url = bob.start_page(&flow).await;
    for victim in [ada.clone(), app.visitor()] {
        let back = app.click(&authorize_url, Click::Allow("sasha")).await;
        let page = victim.follow(&back).await;
        assert_refused(&app, &page);
        assert_eq!(page.headers.get_all("set-cookie").iter().count(), 0);
    }
    assert_nobody_connected(&[&ada, &bob]).await;
}

/// What the audit log holds of flows, newest first: the action, and what it is about.
async fn mismatches(admin: &User) -> Vec<(String, String)> {
    let log = admin.get("/api/v1/admin/audit").await.ok();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let entries = log["entries"].as_array().unwrap().iter();
    let all = entries.map(|entry| (text(&entry["action"]), text(&entry["subject"])));
    all.filter(|(action, _)| action.starts_with("flow_")).collect()
}

#[tokio::test]
async fn an_answer_to_the_wrong_place_is_audited_once() {
    let (app, ada, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(Click::Allow("sasha")).await;
    assert_eq!(mismatches(&ada).await, []);
    for _ in 0..2 {
        ada.follow(&back).await;
        ada.get(flow.redirect_url.path()).await;
    }
    assert_eq!(mismatches(&ada).await, [("flow_browser_mismatch".into(), flow.id.clone())]);
    let other = ada.get("/api/v1/admin/toolkits/github").await.ok();
    let other: Url = other["redirectUri"].as_str().unwrap().parse().unwrap();
    let (mixed, mut elsewhere) = bob.consent(Click::Allow("sasha")).await;
    elsewhere.set_path(other.path());
    bob.follow(&elsewhere).await;
    let (forged, back) = bob.consent(Click::Allow("sasha")).await;
    bob.follow(&with_param(&back, "iss", None)).await;
    let seen = mismatches(&ada).await;
    assert_eq!(seen[0], ("flow_issuer_mismatch".into(), forged.id));
    assert_eq!(seen[1], ("flow_context_mismatch".into(), mixed.id));
    assert_eq!(seen.len(), 3);
    let log = ada.get("/api/v1/admin/audit").await.text();
    for secret in ["code", "state"] {
        assert!(!log.contains(&param(&back, secret)), "{secret}");
    }
    assert_eq!(app.token_calls(), 0);
}

#[tokio::test]
async fn an_attackers_code_and_state_bind_nothing_to_a_victim() {
    let (app, ada, bob) = TestApp::start().await;
    let (_, attackers) = bob.consent(Click::Allow("robin")).await;
    let (flow, _) = ada.consent(Click::Allow("sasha")).await;
    assert_refused(&app, &ada.follow(&attackers).await);
    assert_untouched(&ada, &flow).await;
    assert_nobody_connected(&[&ada, &bob]).await;
}

#[tokio::test]
async fn the_cookie_of_another_flow_does_not_help() {
    let (app, _, bob) = TestApp::start().await;
    let (first, _) = bob.consent(Click::Allow("robin")).await;
    let (second, back) = bob.consent(Click::Allow("robin")).await;
    let other = bob.cookies()[&first.cookie()].clone();
    bob.set_cookie(&second.cookie(), &other);
    assert_refused(&app, &bob.follow(&back).await);
}

#[tokio::test]
async fn flows_of_two_tabs_land_on_their_own_connections() {
    let (app, _, bob) = TestApp::start().await;
    let (first, first_back) = bob.consent(Click::Allow("robin")).await;
    let (second, second_back) = bob.consent(Click::Allow("sasha")).await;
    assert_eq!(bob.follow(&second_back).await.status, 200);
    assert_eq!(bob.follow(&first_back).await.status, 200);
    assert_eq!(bob.connection(&first.connection_id).await["account"]["label"], "robin");
    assert_eq!(bob.connection(&second.connection_id).await["account"]["label"], "sasha");
    assert_eq!(bob.connection(&second.connection_id).await["default"], true, "the first one connected");
    assert_eq!(app.token_calls(), 2);
}

#[tokio::test]
async fn an_answer_on_another_toolkits_path_is_refused() {
    let (app, ada, bob) = TestApp::start().await;
    let other = ada.get("/api/v1/admin/toolkits/github").await.ok();
    let other: Url = other["redirectUri"].as_str().unwrap().parse().unwrap();
    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    for path in [other.path(), "/oauth/callback/none", "/oauth/callback/%ff"] {
        let mut url = back.clone();
        url.set_path(path);
        let page = bob.get(&url[url::Position::BeforePath..]).await;
        assert_eq!(page.status, 400, "{path}");
        assert_eq!(app.token_calls(), 0);
        assert_untouched(&bob, &flow).await;
    }
}

#[tokio::test]
async fn an_answer_must_name_the_issuer_exactly() {
    let (app, _, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    let issuer = app.demo.issuer().to_owned();
    assert_eq!(param(&back, "iss"), issuer);
    for iss in [None, Some("https://evil.example"), Some(&*format!("{issuer}/")), Some("")] {
        let page = bob.follow(&with_param(&back, "iss", iss)).await;
        assert_refused(&app, &page);
        assert_untouched(&bob, &flow).await;
    }
    assert_eq!(bob.follow(&back).await.status, 200);
}

#[tokio::test]
async fn a_user_who_declines_is_told_so() {
    let (app, _, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(Click::Deny).await;
    let page = bob.follow(&back).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("You did not allow the access."), "{}", page.text());
    let connection = bob.connection(&flow.connection_id).await;
    assert_eq!((&connection["status"], &connection["why"]), (&json!("FAILED"), &json!("declined")));
    assert_eq!(bob.follow(&back).await.status, 400, "the flow is over");
    assert_eq!(app.token_calls(), 0);
}

#[tokio::test]
async fn what_a_provider_says_of_an_error_cannot_become_markup() {
    let (app, _, bob) = TestApp::start().await;
    for error in ["<script>alert(1)</script>", "server_error", "\u{202e}<b>"] {
        let (_, back) = bob.consent(Click::Deny).await;
        let url = with_param(&back, "error", Some(error));
        let url = with_param(&url, "error_description", Some("<script>alert(2)</script>"));
        let page = bob.follow(&url).await;
        assert_eq!(page.status, 400);
        assert!(
            !page.text().contains("alert(1)") && !page.text().contains("<script>alert"),
            "{}",
            page.text()
        );
        assert!(!page.text().contains("<b>"));
    }
    let page = bob.get("/oauth/callback/x?error=access_denied").await;
    assert_eq!(page.status, 400, "an error without a state belongs to nobody");
    assert_eq!(app.token_calls(), 0);
}

#[tokio::test]
async fn signing_out_ends_what_was_begun() {
    let (app, ada, bob) = TestApp::start().await;
    let (_, back) = bob.consent(Click::Allow("robin")).await;
    assert_eq!(bob.delete("/api/v1/session").await.status, 204);
    assert_refused(&app, &bob.follow(&back).await);
    // In the same browser somebody else signs in.
    let cookie = app.browser_of(&ada.id, &ada.email).await.session().unwrap();
    bob.set_cookie("__Host-taiku-8080", &cookie);
    assert_refused(&app, &bob.follow(&back).await);
    assert_nobody_connected(&[&ada, &app.browser_of(&bob.id, &bob.email).await]).await;
}

#[tokio::test]
async fn a_flow_belongs_to_its_session_and_not_only_to_its_user() {
    let (app, _, bob) = TestApp::start().await;
    let (_, back) = bob.consent(Click::Allow("robin")).await;
    bob.sign_in(&bob.email, PASSWORD).await.ok();
    let page = bob.follow(&back).await;
    assert_refused(&app, &page);
    assert!(page.text().contains("href="), "it has a way back");
    // A session that has ended by itself does not finish a flow either.
    let (_, back) = bob.consent(Click::Allow("robin")).await;
    app.sql("update sessions set seen_at = 0 where user_id = $1", &[&bob.id]).await;
    assert_refused(&app, &bob.follow(&back).await);
}

#[tokio::test]
async fn a_disabled_user_finishes_nothing() {
    let (app, _, _) = TestApp::start().await;
    let eve = app.add_user("eve@example.test", "Eve", Role::Member).await;
    let (_, back) = eve.consent(Click::Allow("robin")).await;
    app.disable(&eve).await;
    assert_refused(&app, &eve.follow(&back).await);
}

#[tokio::test]
async fn only_paths_of_this_server_are_callbacks() {
    let (app, _, bob) = TestApp::start().await;
    for url in [
        "//evil",
        "http://localhost:8080@evil",
        "http://localhost:8080.evil",
        "/\\evil",
        "javascript:alert(1)",
        "http://localhost:444/",
        "https://localhost:8080/",
        "http://127.0.0.1:8080/",
        "",
    ] {
        let answer = bob.post("/api/v1/toolkits/demo/connections", &json!({"callbackUrl": url})).await;
        assert_eq!(answer.refused("invalid_params")["pointer"], "/callbackUrl", "{url}");
    }
    assert_eq!(bob.connections().await.len(), 0, "nothing was begun");
    for (given, expected) in [(json!("/ok?x=<b>#y"), "/ok?x=%3Cb%3E#y"), (json!(null), "/connections")] {
        let body = json!({"callbackUrl": given});
        let begun = bob.post("/api/v1/toolkits/demo/connections", &body).await.ok();
        let redirect_url: Url = begun["redirectUrl"].as_str().unwrap().parse().unwrap();
        let id = redirect_url.path().rsplit('/').next().unwrap().to_owned();
        let flow = Flow { connection_id: String::new(), id, redirect_url };
        let authorize_url = bob.start_page(&flow).await;
        let page = bob.follow(&app.click(&authorize_url, Click::Allow("robin")).await).await;
        assert!(page.text().contains(&format!("href=\"{expected}\"")), "{}", page.text());
    }
}

#[tokio::test]
async fn a_browser_has_a_bounded_number_of_flows() {
    let (_, ada, bob) = TestApp::start().await;
    for _ in 0..20 {
        bob.begin().await;
    }
    let answer = bob.post("/api/v1/toolkits/demo/connections", &json!({})).await;
    answer.refused("rate_limited");
    assert!(answer.header("retry-after").is_some());
    ada.begin().await;
}

#[tokio::test]
async fn asking_for_the_headers_of_a_callback_finishes_nothing() {
    let (app, _, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    let head = bob.ask(Method::HEAD, &back[url::Position::BeforePath..]).send().await;
    assert_eq!(head.status, 405);
    assert_eq!(app.token_calls(), 0);
    assert_untouched(&bob, &flow).await;
}

#[tokio::test]
async fn an_integration_that_changed_meanwhile_ends_the_flow() {
    let (app, ada, bob) = TestApp::start().await;
    let (_, back) = bob.consent(Click::Allow("robin")).await;
    ada.put("/api/v1/admin/toolkits/demo", &json!({"clientId": "another"})).await.ok();
    let page = bob.follow(&back).await;
    assert_refused(&app, &page);
    assert!(!page.text().contains("The provider refused"), "{}", page.text());
    let (_, back) = {
        ada.put("/api/v1/admin/toolkits/demo", &json!({"clientId": super::app::CLIENT_ID})).await.ok();
        bob.consent(Click::Allow("robin")).await
    };
    ada.put("/api/v1/admin/toolkits/demo", &json!({"enabled": false})).await.ok();
    assert_refused(&app, &bob.follow(&back).await);
}

/// Lets the token endpoint act at once and answer late, so that something can happen in between.
fn answer_late(app: &TestApp) {
    let token = Some(Plan { fault: Fault::Late { ms: 200 }, times: Some(1) });
    app.demo.set_control(Control { token, ..Control::default() }).unwrap();
}

#[tokio::test]
async fn tokens_of_a_connection_that_was_removed_meanwhile_are_given_back() {
    let (app, _, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    answer_late(&app);
    let path = format!("/api/v1/connections/{}", flow.connection_id);
    let remove = async {
        app.until_seen("/token", 1).await;
        bob.delete(&path).await.ok()
    };
    let (page, _) = tokio::join!(bob.follow(&back), remove);
    assert_ne!(page.status, 200, "{}", page.text());
    assert_eq!(bob.connections().await.len(), 0);
    assert_eq!((app.demo.counts().codes_exchanged, app.demo.counts().revocations), (1, 2));
}

#[tokio::test]
async fn a_connection_made_while_the_integration_changed_ends_like_the_others() {
    let (app, ada, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    answer_late(&app);
    let change = async {
        app.until_seen("/token", 1).await;
        ada.put("/api/v1/admin/toolkits/demo", &json!({"clientId": "another"})).await.ok()
    };
    tokio::join!(bob.follow(&back), change);
    let connection = bob.connection(&flow.connection_id).await;
    assert_eq!(
        (&connection["status"], &connection["why"]),
        (&json!("EXPIRED"), &json!("integration_changed"))
    );
    bob.run("DEMO_LIST_ISSUES", &json!({})).await.refused("connection_expired");
}

#[tokio::test]
async fn the_start_page_names_the_plugin_that_asks() {
    let (app, _, bob) = TestApp::start().await;
    let grant = json!({
        "version": "1.0.0", "permissions": ["integrations.connect"], "integrations": ["demo"],
    });
    bob.put("/api/v1/plugins/example.integrations/grant", &grant).await.ok();
    let ask = bob.ask(Method::POST, "/api/v1/toolkits/demo/connections").json(&json!({}));
    let begun = ask.header("taiku-plugin", "example.integrations").send().await.ok();
    let url: Url = begun["redirectUrl"].as_str().unwrap().parse().unwrap();
    let page = bob.get(url.path()).await;
    assert!(page.text().contains("example.integrations"), "{}", page.text());
    assert!(page.text().contains("Continue to Demo tracker"));
    assert!(page.text().contains("<code>issues:write</code>"));
    assert_eq!(page.headers.get_all("set-cookie").iter().count(), 0);
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'none'"));
    assert_eq!(app.demo.seen().len(), 0, "nothing is asked of the provider before the click");
}

#[tokio::test]
async fn a_browser_that_goes_away_while_the_code_is_exchanged_is_connected_all_the_same() {
    let (app, _, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    answer_late(&app);
    tokio::select! {
        page = bob.follow(&back) => panic!("{}", page.text()),
        () = app.until_seen("/token", 1) => {}
    }
    let connected = async {
        while bob.connection(&flow.connection_id).await["status"] != "ACTIVE" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), connected).await.unwrap();
}

#[tokio::test]
async fn what_proves_a_flow_is_not_in_the_database() {
    let (app, _, bob) = TestApp::start().await;
    let (flow, back) = bob.consent(Click::Allow("robin")).await;
    let proofs = [param(&back, "state"), param(&back, "code"), bob.cookies()[&flow.cookie()].clone()];
    let mut read = 0;
    for file in std::fs::read_dir(&app.broker.config.data_dir).unwrap() {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        read += usize::from(memchr::memmem::find(&content, flow.id.as_bytes()).is_some());
        for proof in &proofs {
            assert!(memchr::memmem::find(&content, proof.as_bytes()).is_none(), "{proof}");
        }
    }
    assert!(read > 0, "the flow itself is there");
}

#[tokio::test]
async fn a_consent_that_nobody_finished_is_given_up_and_forgotten() {
    let (app, _, bob) = TestApp::start().await;
    let (flow, _) = bob.consent(Click::Allow("robin")).await;
    let kept = bob.connect("sasha").await;
    let state = async || bob.connection(&flow.connection_id).await;
    app.advance(10 * MINUTE);
    sweep::once(&app.broker).await.unwrap();
    assert_eq!(state().await["status"], "INITIATED");
    app.advance(1);
    sweep::once(&app.broker).await.unwrap();
    assert_eq!((&state().await["status"], &state().await["why"]), (&json!("FAILED"), &json!("timed_out")));
    app.advance(6 * HOUR);
    state().await;
    app.advance(11 * HOUR);
    state().await;
    app.advance(7 * HOUR);
    sweep::once(&app.broker).await.unwrap();
    let connections = bob.connections().await;
    assert_eq!(connections.len(), 1, "{connections:?}");
    assert_eq!(connections[0]["id"], kept);
    bob.begin().await;
}
