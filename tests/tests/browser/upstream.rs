//! Providers that are slow or hostile, and a session that ends elsewhere. Cases A16, A17 and A18.

use serde_json::json;
use taiku_tests::{Popups, browse, connect};

use crate::{X, api_requests, ask, introduced, probes};

#[tokio::test]
async fn a_slow_call_is_told_in_time_and_its_result_kept_for_its_key() {
    let (app, user, _folders) = probes().await;
    connect(&app, &user).await;
    app.demo.set(&json!({ "api": { "fault": { "kind": "slow", "ms": 22_000 }, "times": 1 } })).await;
    browse("slow", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        let script = "window.create = () => {
              const began = performance.now();
              const params = { toolkit: 'demo', action: 'DEMO_CREATE_AN_ISSUE', arguments: { title: 'Once' }, idempotencyKey: 'k' };
              return ask('integrations.execute', params).then((answer) => ({ ...answer, after: performance.now() - began }));
            };
            window.first = create();
            // The pattern that panels are written to: nobody waits longer than twenty seconds.
            window.second = first.then(() => create());
            return ask('getNothing');";
        let meanwhile = browser.resolve(script, []).await;
        assert_eq!(meanwhile["code"], "unknown_method", "the panel is not held up");
        let first = browser.until("the first answer", "first.then((a) => { window.answer1 = a; }); return window.answer1 ?? null").await;
        assert_eq!(first["code"], "upstream_slow", "{first}");
        let after = first["after"].as_f64().unwrap_or(f64::MAX);
        assert!((17_000.0..20_000.0).contains(&after), "{after} ms");
        let second = browser.until("the second answer", "second.then((a) => { window.answer2 = a; }); return window.answer2 ?? null").await;
        assert_eq!(second["result"]["title"], "Once", "{second}");
        let late = "return heard.filter(({ data }) => data?.type === 'taiku:response').length";
        assert_eq!(browser.run(late, []).await, 3, "each call has one answer, and the late one went nowhere");
    })
    .await;
    let created = app.demo.api_requests().await;
    let created: Vec<_> = created.iter().filter(|request| request.starts_with("POST")).collect();
    assert_eq!(created.len(), 1, "{created:?}");
}

#[tokio::test]
async fn a_session_that_ends_elsewhere_ends_here() {
    let (app, user, _folders) = probes().await;
    browse("ended", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        let _ = browser.requests().await;
        let _ = user.delete("/api/v1/session").await;
        // It may be gone before it can ask; what it hears names nobody.
        let script = "if (!window.ask) return null;
            const answer = await Promise.race([ask('integrations.list'), new Promise((done) => setTimeout(() => done(null), 3000))]);
            return answer;";
        let answer = browser.try_resolve(script).await;
        if let Some(answer) = answer.filter(|answer| !answer.is_null()) {
            assert_eq!(answer["code"], "not_signed_in", "{answer}");
            assert!(!answer.to_string().contains("ada"), "{answer}");
        }
        browser.leave().await;
        browser.find("form[aria-label='Sign in'], a[href*='sign-in'], [href='/sign-in']").await;
        let asked = api_requests(browser).await;
        assert!(asked.len() < 20, "no loop: {asked:?}");
        assert_eq!(browser.run("return document.body.innerText.includes('Ada')", []).await, false);
    })
    .await;
}

#[tokio::test]
async fn what_a_provider_says_is_text_wherever_it_is_shown() {
    const HOSTILE: &str =
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
    let (app, user, _folders) = probes().await;
    connect(&app, &user).await;
    let fault = json!({ "kind": "answer", "status": 422, "contentType": "text/html", "body": HOSTILE });
    app.demo.set(&json!({ "api": { "fault": fault } })).await;
    browse("hostile", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        browser.leave().await;
        let watch = "window.violations = []; addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));";
        browser.run(watch, []).await;
        browser.enter(X, "main").await;
        let run = json!({ "toolkit": "demo", "action": "DEMO_LIST_ISSUES" });
        let answer = ask(browser, "integrations.execute", run, json!({})).await;
        assert_eq!((&answer["code"], &answer["error"]), (&json!("upstream_failed"), &json!(HOSTILE)), "byte for byte");
        for (method, params) in [
            ("showToast", json!({ "message": HOSTILE, "kind": "error" })),
            ("sendNotification", json!({ "title": HOSTILE, "body": HOSTILE, "tag": HOSTILE })),
            ("broadcastEvent", json!({ "type": HOSTILE, "data": { "x": HOSTILE } })),
            ("setBadge", json!({ "actionId": HOSTILE, "count": HOSTILE })),
            ("openPanel", json!({ "panelId": HOSTILE })),
            (HOSTILE, json!({})),
        ] {
            let _ = ask(browser, method, params, json!({})).await;
        }
        browser.leave().await;
        for link in ["Connections", "Activity", "Plugins", "Workspace"] {
            browser.press(link).await;
            browser.find("main").await;
            let injected = "return document.querySelectorAll('img[src=\"x\"], [onerror], main script').length";
            assert_eq!(browser.run(injected, []).await, 0, "{link}");
        }
        assert_eq!(browser.run("return document.title.includes('owned')", []).await, false);
        assert_eq!(browser.run("return violations", []).await, json!([]), "Trusted Types and the rest of the policy");
    })
    .await;
}
