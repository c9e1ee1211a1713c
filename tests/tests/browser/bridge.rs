//! The two ways to speak, and odd messages. Cases A5, A6 in part, and A7.

use serde_json::{Value, json};
use taiku_tests::{Popups, browse};

use crate::{X, ask, introduced, probes};

#[tokio::test]
async fn a_panel_may_speak_over_its_port() {
    let (app, user, _folders) = probes().await;
    browse("port", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        let own = introduced(browser).await;
        let script = "return new Promise((done) => {
            port.onmessage = ({ data }) => done(typeof data === 'string' ? JSON.parse(data) : data);
            port.postMessage(arguments[0]);
        });";
        let request = |id: &str, plugin: &str| {
            json!({
                "type": "taiku:request", "id": id, "pluginId": plugin, "panelId": "main",
                "authToken": own["authToken"], "method": "integrations.list", "params": {},
            })
        };
        let script = script.replace("arguments[0]", "message");
        let script = format!("const message = arguments[0]; {script}");
        let answer = browser.resolve(&script, [request("by-port", X)]).await;
        assert_eq!(
            (&answer["id"], &answer["result"]["connections"]),
            (&json!("by-port"), &json!([])),
            "{answer}"
        );
        let forged = browser.resolve(&script, [request("forged", "tests.y")]).await;
        assert_eq!(forged["code"], "identity_mismatch", "{forged}");
        let windows = browser.run("return heard.some(({ data }) => data?.id === 'by-port')", []).await;
        assert_eq!(windows, false, "the answer came by the way that the question took");
    })
    .await;
}

#[tokio::test]
async fn only_the_exact_name_is_a_method() {
    let (app, user, _folders) = probes().await;
    browse("methods", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        let long = "x".repeat(1024 * 1024);
        for method in [
            "__proto__",
            "constructor",
            "toString",
            "hasOwnProperty",
            "integrations.execute ",
            " integrations.list",
            "Integrations.Execute",
            "integrations.l\u{456}st",
            "integrations",
            "",
            long.as_str(),
        ] {
            let answer = ask(browser, method, json!({}), json!({})).await;
            let shown: String = method.chars().take(40).collect();
            assert_eq!(answer["code"], "unknown_method", "{shown:?}: {answer}");
        }
        let answer = ask(browser, "integrations.list", json!({}), json!({})).await;
        assert_eq!(answer["result"]["connections"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn ids_are_short_texts_and_unique_while_they_run() {
    let (app, user, _folders) = probes().await;
    browse("ids", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;

        let missing =
            "window.parent.postMessage({ type: 'taiku:request', method: 'integrations.list' }, '*');";
        browser.run(missing, []).await;
        let marker = ask(browser, "integrations.list", json!({}), json!({})).await;
        assert!(marker["error"].is_null(), "{marker}");
        let answers = browser
            .run("return heard.filter(({ data }) => data?.type === 'taiku:response').length", [])
            .await;
        assert_eq!(answers, 1, "a request without an id has no answer");

        assert_eq!(
            ask(browser, "integrations.list", json!({}), json!({ "id": 7 })).await["code"],
            "bad_message"
        );
        let long = "x".repeat(65);
        browser
            .run("heard.length = 0; ask('integrations.list', {}, { id: arguments[0] });", [json!(long)])
            .await;
        let refused = browser
            .until("an answer to the long id", "return heard.find(({ data }) => data?.code)?.data")
            .await;
        assert_eq!(refused["code"], "bad_message");
        assert!(refused["id"].as_str().unwrap_or_default().len() <= 64, "{refused}");

        let twice = "heard.length = 0;
            ask('integrations.list', {}, { id: 'same' });
            ask('integrations.list', {}, { id: 'same' });";
        browser.run(twice, []).await;
        let both = "const own = heard.map(({ data }) => data).filter((data) => data?.id === 'same');
            return own.length === 2 && own";
        let both = browser.until("two answers", both).await;
        let mut codes: Vec<_> = (0..2).map(|place| both[place]["code"].clone()).collect();
        codes.sort_by_key(Value::is_null);
        assert_eq!(codes, [json!("duplicate_id"), Value::Null], "{both}");

        let again = ask(browser, "integrations.list", json!({}), json!({ "id": "same" })).await;
        assert!(again["error"].is_null(), "an id is free again after its answer: {again}");
    })
    .await;
}

#[tokio::test]
async fn values_that_are_no_json_do_no_harm() {
    let (app, user, _folders) = probes().await;
    browse("values", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        let odd = "const cycle = {}; cycle.self = cycle;
            let deep = {}; for (let i = 0; i < 1000; i++) deep = { deep };
            for (const value of [null, 1, [], 'text', cycle, 10n, new Map(), new Date(), new Error('x'), deep]) {
              window.parent.postMessage(value, '*');
              window.parent.postMessage({ type: value }, '*');
            }";
        browser.run(odd, []).await;
        for params in ["10n", "(() => { const cycle = {}; cycle.self = cycle; return cycle; })()"] {
            let script = format!("return ask('integrations.tools', {params});");
            assert_eq!(browser.resolve(&script, []).await["code"], "bad_message", "{params}");
        }
        for params in [json!([]), json!("demo"), json!(5), json!({ "toolkit": 5 }), json!({ "toolkit": "git hub" })] {
            let answer = ask(browser, "integrations.tools", params.clone(), json!({})).await;
            assert_eq!(answer["code"], "invalid_params", "{params}: {answer}");
        }
        let answer = ask(browser, "integrations.list", json!({}), json!({})).await;
        assert_eq!(answer["result"]["connections"], json!([]), "the next valid call works");
    })
    .await;
}
