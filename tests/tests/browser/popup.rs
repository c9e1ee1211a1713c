//! Windows that the browser does not let open.

use serde_json::json;
use taiku_tests::{Popups, browse};

use crate::{X, introduced, probes};

#[tokio::test]
async fn the_second_window_of_one_click_is_blocked_and_a_link_is_offered() {
    let (app, user, _folders) = probes().await;
    browse("popup-blocked", Popups::Blocked, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        let press = "onPress = () => {
            const connect = () => ask('integrations.connect', { toolkit: 'demo' });
            window.both = Promise.all([connect(), connect()]);
        };";
        browser.run(press, []).await;
        browser.click("#press").await;
        browser.until("the click", "return Boolean(window.both)").await;
        let both = browser.resolve("return window.both;", []).await;
        let opened: Vec<_> = (0..2).map(|place| both[place]["result"]["opened"].clone()).collect();
        assert_eq!(opened, [json!(true), json!(false)], "{both}");
        let link = both[1]["result"]["redirectUrl"].as_str().unwrap_or_default().to_owned();
        assert!(link.starts_with(&format!("{}oauth/start/", app.url)), "{link}");

        browser.leave().await;
        let offered = browser.find(&format!("[aria-label='Links to open'] a[href='{link}']")).await;
        let text = offered.text().await.expect("a link has text");
        let provider = format!("{}:{}", app.demo.url.host_str().unwrap(), app.demo.url.port().unwrap());
        assert!(text.contains("demo") && text.contains(&provider), "it names toolkit and provider: {text}");
    })
    .await;
}

#[tokio::test]
async fn without_a_click_no_window_opens() {
    let (app, user, _folders) = probes().await;
    browse("popup-no-click", Popups::Blocked, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        // A driver's script counts as a click for a while; what is done without one comes after that.
        let script = "window.later = new Promise((resolve) => {
            const wait = () => navigator.userActivation.isActive
              ? setTimeout(wait, 50)
              : resolve(ask('integrations.connect', { toolkit: 'demo' }));
            wait();
        });";
        browser.run(script, []).await;
        let answer = browser.resolve("return window.later;", []).await;
        assert_eq!(answer["result"]["opened"], false, "{answer}");
        assert_eq!(browser.windows().await, 1);
    })
    .await;
}
