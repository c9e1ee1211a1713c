//! Who is speaking. Cases A1 to A4, A13 and the guard of every panel document.

use serde_json::json;
use taiku_tests::{Browser, Popups, TestApp, browse, site};

use crate::{X, Y, api_requests, ask, introduced, probes};

/// Both panels, each with its identity; the frame of now is X.
async fn both(browser: &Browser, app: &TestApp) {
    browser.open_panel(app, X, "main").await;
    browser.open_beside(Y).await;
    for plugin in [Y, X] {
        browser.enter(plugin, "main").await;
        introduced(browser).await;
    }
}

#[tokio::test]
async fn a_panel_cannot_speak_as_another() {
    let (app, user, _folders) = probes().await;
    browse("identity", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        both(browser, &app).await;
        let stolen = introduced(browser).await;
        browser.enter(Y, "main").await;
        let own = introduced(browser).await;
        assert_ne!(stolen["authToken"], own["authToken"]);
        let _ = browser.requests().await;
        for (claim, code) in [
            (
                json!({ "pluginId": X, "panelId": "main", "authToken": stolen["authToken"] }),
                "identity_mismatch",
            ),
            (json!({ "pluginId": X }), "identity_mismatch"),
            (json!({ "panelId": "other" }), "identity_mismatch"),
            (json!({ "authToken": stolen["authToken"] }), "stale_panel"),
            (json!({ "authToken": "0".repeat(64) }), "stale_panel"),
        ] {
            let answer = ask(browser, "integrations.list", json!({}), claim.clone()).await;
            assert_eq!(answer["code"], code, "{claim}: {answer}");
        }
        assert_eq!(api_requests(browser).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn an_answer_goes_to_the_panel_that_asked_and_no_other() {
    let (app, user, _folders) = probes().await;
    browse("answers", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        both(browser, &app).await;
        let answer = ask(browser, "integrations.list", json!({}), json!({ "id": "probe" })).await;
        assert!(answer["error"].is_null(), "{answer}");
        browser.enter(Y, "main").await;
        // An answer of its own comes after whatever was sent to it before.
        let _ = ask(browser, "integrations.list", json!({}), json!({ "id": "own" })).await;
        let heard = browser.run("return heard.map(({ data }) => data.id ?? data.type)", []).await;
        assert_eq!(heard, json!(["taiku:init", "own"]));
    })
    .await;
}

#[tokio::test]
async fn a_panel_cannot_feed_another_a_forged_answer() {
    let (app, user, _folders) = probes().await;
    browse("forged", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        both(browser, &app).await;
        browser.enter(Y, "main").await;
        let forge = "for (let i = 0; i < parent.frames.length; i++) {
            const frame = parent.frames[i];
            if (frame !== window) frame.postMessage({ type: 'taiku:response', id: 'x', result: 'forged' }, '*');
        }
        return parent.frames.length";
        assert_eq!(browser.run(forge, []).await, 2);
        browser.enter(X, "main").await;
        // Its own messages still arrive, and so do those of its own frames.
        let script = "const child = document.createElement('iframe');
            child.srcdoc = `<script>parent.postMessage('from my child', '*')<\\/script>`;
            document.body.append(child);
            window.postMessage('from myself', '*');";
        browser.run(script, []).await;
        let all = "const texts = heard.map(({ data }) => data);
            return texts.includes('from myself') && texts.includes('from my child') && texts.length";
        assert_eq!(browser.until("its own messages", all).await, 3, "init and these two");
    })
    .await;
}

#[tokio::test]
async fn a_frame_inside_a_panel_is_not_the_panel() {
    let (app, user, _folders) = probes().await;
    browse("grandchild", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        let own = introduced(browser).await;
        let _ = browser.requests().await;
        let request = json!({
            "type": "taiku:request", "id": "grandchild", "pluginId": own["pluginId"], "panelId": own["panelId"],
            "authToken": own["authToken"], "method": "integrations.list", "params": {},
        });
        let script = "const child = document.createElement('iframe');
            child.srcdoc = `<script>top.postMessage(${arguments[0]}, '*'); parent.postMessage('sent', '*')<\\/script>`;
            document.body.append(child);";
        browser.run(script, [json!(request.to_string())]).await;
        browser.until("the child to send", "return heard.some(({ data }) => data === 'sent')").await;
        let marker = ask(browser, "integrations.list", json!({}), json!({})).await;
        assert!(marker["error"].is_null(), "{marker}");
        let answered = browser.run("return heard.some(({ data }) => data?.id === 'grandchild')", []).await;
        assert_eq!(answered, false);
        assert_eq!(api_requests(browser).await.len(), 1, "only the panel's own call went out");
    })
    .await;
}

#[tokio::test]
async fn the_page_itself_and_a_made_up_event_are_not_a_panel() {
    let (app, user, _folders) = probes().await;
    browse("made-up", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        let own = introduced(browser).await;
        browser.leave().await;
        let _ = browser.requests().await;
        let request = json!({
            "type": "taiku:request", "id": "made-up", "pluginId": X, "panelId": "main",
            "authToken": own["authToken"], "method": "integrations.list", "params": {},
        });
        let script = "const panel = document.querySelector('iframe').contentWindow;
            window.dispatchEvent(new MessageEvent('message', { data: arguments[0], source: panel, origin: 'null' }));
            window.postMessage(arguments[0], '*');";
        browser.run(script, [request]).await;
        browser.enter(X, "main").await;
        let _ = ask(browser, "integrations.list", json!({}), json!({})).await;
        assert_eq!(browser.run("return heard.some(({ data }) => data?.id === 'made-up')", []).await, false);
        assert_eq!(api_requests(browser).await.len(), 1);
    })
    .await;
}

/// A page of another site that opens the host page and talks to it.
fn evil(target: &str) -> String {
    format!(
        "<!doctype html><title>evil</title><button>go</button><script>
         const answers = []; let sent = 0;
         addEventListener('message', (event) => answers.push(event.data));
         document.querySelector('button').onclick = () => {{
           const target = open('{target}');
           setInterval(() => {{
             sent += 1;
             target.postMessage({{ type: 'taiku:request', id: 'evil_' + sent, pluginId: '{X}', panelId: 'main',
               authToken: '', method: 'integrations.list', params: {{}} }}, '*');
           }}, 50);
         }};
         </script>"
    )
}

#[tokio::test]
async fn a_site_that_opens_the_host_page_is_not_heard() {
    let (app, user, _folders) = probes().await;
    browse("opener", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        let target = app.url.join(&format!("panel/{X}/main")).expect("a path");
        browser.open(site([("", evil(target.as_str()))]).await).await;
        browser.click("button").await;
        browser.enter_popup().await;
        browser.enter(X, "main").await;
        introduced(browser).await;
        let _ = browser.requests().await;
        browser.enter_main().await;
        let sent = browser.run("return sent", []).await.as_u64().unwrap_or_default();
        browser.until("some more messages", &format!("return sent > {}", sent + 10)).await;
        assert_eq!(browser.run("return answers", []).await, json!([]));
        assert_eq!(api_requests(browser).await, Vec::<String>::new());
    })
    .await;
}
