//! Providers whose connections differ: the API's host comes with the token, an id with the callback, another one has to
//! be looked up.

use super::modes::start_with;
use super::*;
use crate::clock::HOUR;

const AUTH: &str = r"
mode = 'oauth2'
authorize_url = '{TEST_SITE}/authorize'
token_url = '{TEST_SITE}/token'
[[auth.values]]
key = 'instance_url'
from = 'token'
at = '/instance_url'
pattern = 'http://127\.0\.0\.1:[0-9]+/tenant-[a-z]+'
example = 'http://127.0.0.1:1/tenant-x'
[[auth.values]]
key = 'company'
from = 'callback'
at = 'realmId'
pattern = '[0-9]+'
example = '1'
[[auth.values]]
key = 'cloud'
from = 'lookup'
url = '{instance_url}/resources'
at = '/0/id'
pattern = '[a-z0-9-]+'
example = 'c-0'
";
const API: &str = "base_url = '{instance_url}/{company}'\nheaders = { X-Cloud = 'cloud {cloud}' }";

fn answer(memory: &mut Memory, seen: &Seen) -> Response {
    if seen.path == "/token" {
        let form = seen.form();
        let lives =
            memory.codes.remove(field(&form, "code")) || memory.refresh.remove(field(&form, "refresh_token"));
        if !lives {
            return at(400, json!({"error": "invalid_grant"}));
        }
        let mut granted = json!({"access_token": memory.new_access("at"), "token_type": "bearer", "expires_in": 3600,
            "refresh_token": memory.new_refresh("rt")});
        if let Some(host) = memory.switches.get("instance") {
            granted["instance_url"] = host.clone();
        }
        return ok(granted);
    }
    if !memory.access.contains(bearer(seen)) {
        return at(401, json!({}));
    }
    match (seen.path.as_str(), seen.header("x-cloud")) {
        ("/tenant-a/resources", _) => ok(json!([{"id": "c-7"}])),
        ("/tenant-a/4711/who", Some("cloud c-7")) => ok(json!({"id": 1, "name": "Ada"})),
        _ => at(404, json!({})),
    }
}

/// Connects, with this query beside code and state; what the page says.
async fn connect(user: &User, provider: &StandIn, more: &str) -> String {
    let begun = user.post("/api/v1/toolkits/test/connections", &json!({})).await.ok();
    let redirect_url: Url = begun["redirectUrl"].as_str().unwrap().parse().unwrap();
    let id = redirect_url.path().strip_prefix("/oauth/start/").unwrap().to_owned();
    let authorize = user.start_page(&Flow { connection_id: String::new(), id, redirect_url }).await;
    let asked: BTreeMap<String, String> = authorize.query_pairs().into_owned().collect();
    let code = provider.memory().token("code");
    provider.memory().codes.insert(code.clone());
    let back = format!("{}?code={code}&state={}{more}", asked["redirect_uri"], asked["state"]);
    user.follow(&back.parse().unwrap()).await.text()
}

#[tokio::test]
async fn each_connection_leads_to_its_own_place() {
    let (app, bob, provider, _dir) = start_with(AUTH, API, answer).await;
    provider.switch("instance", json!(format!("{}/tenant-a", provider.root())));
    let page = connect(&bob, &provider, "&realmId=4711").await;
    assert!(page.contains("is connected as"), "{page}");
    run(&bob, "test", "TEST_WHO", &json!({})).await.ok();
    // A refresh need not say it again.
    provider.memory().switches.clear();
    app.advance(2 * HOUR);
    run(&bob, "test", "TEST_WHO", &json!({})).await.ok();
    assert_eq!(provider.seen("/tenant-a/resources").len(), 1, "it is looked up once");
}

#[tokio::test]
async fn a_place_that_is_missing_or_does_not_match_is_never_called() {
    let (_app, bob, provider, _dir) = start_with(AUTH, API, answer).await;
    let canary = crate::egress::testing::Canary::start().await;
    let foreign = format!("http://127.0.0.1:{}/evil", canary.port());
    let own = format!("{}/tenant-a", provider.root());
    for (instance, more) in [
        (json!(foreign), "&realmId=4711"),
        (json!(null), "&realmId=4711"),
        (json!(format!("{own}/../x")), "&realmId=4711"),
        (json!(own), ""),
        (json!(own), "&realmId=47/11"),
        (json!(format!("{}/tenant-b", provider.root())), "&realmId=4711"),
    ] {
        provider.switch("instance", instance.clone());
        let page = connect(&bob, &provider, more).await;
        assert!(page.contains("Nothing was connected"), "{instance} {more}: {page}");
    }
    assert_eq!(canary.connects().await, 0);
    assert!(connections(&bob, "test").await.iter().all(|one| one["status"] == "FAILED"));
}
