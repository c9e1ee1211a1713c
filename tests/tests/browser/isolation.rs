//! What a panel has of others, of its host and of the machine: nothing. Cases B11, C2, C4, C5, C6, C9 and C10.

use serde_json::{Value, json};
use taiku_bridge::api::Plugin;
use taiku_tests::{Browser, Client, PROBE, PluginFolders, Popups, TestApp, browse, site};

use crate::{ALL, X, Y, ask, introduced, probes};

async fn files(user: &Client, plugin: &str) -> String {
    let plugin: Plugin = user.get(&format!("/api/v1/plugins/{plugin}")).await.read();
    plugin.files
}

#[tokio::test]
async fn panels_of_one_name_are_told_apart() {
    // The plugins are the same to the byte, but for the plugin's id.
    let (app, user, _folders) = probes().await;
    browse("same-panel-id", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        let first = introduced(browser).await;
        browser.open_beside(Y).await;
        browser.enter(Y, "main").await;
        let second = introduced(browser).await;
        assert_eq!(first["panelId"], second["panelId"]);
        assert_ne!(first["authToken"], second["authToken"]);
        // Both call with one id; each has the verdict of its own manifest.
        let call = "window.both = ask('integrations.tools', { toolkit: 'github' }, { id: 'same' });";
        browser.run(call, []).await;
        browser.enter(X, "main").await;
        browser.run(call, []).await;
        let codes = async |plugin| {
            browser.enter(plugin, "main").await;
            browser.resolve("return (await window.both).code", []).await
        };
        assert_eq!(codes(X).await, "toolkit_disabled");
        assert_eq!(codes(Y).await, "toolkit_not_declared");
        for plugin in [X, Y] {
            browser.enter(plugin, "main").await;
            let answers = "return heard.filter(({ data }) => data.id === 'same').length";
            assert_eq!(browser.run(answers, []).await, 1, "{plugin}");
        }
    })
    .await;
}

/// Ways to ask the API with the user's cookie, and what became of each.
const ASK_THE_API: &str = "
    const outcome = (act) => act.then(() => 'sent', (error) => error.name);
    const init = { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{\"name\":\"stolen\"}' };
    const beacon = () => navigator.sendBeacon(url, '{\"name\":\"stolen\"}');
    return Promise.all([outcome(fetch(url, init)), outcome(fetch(url, { credentials: 'include' })), outcome((async () => beacon())())]);";

async fn keys(user: &Client) -> usize {
    let keys: Value = user.get("/api/v1/api-keys").await.read();
    keys["apiKeys"].as_array().or(keys.as_array()).map_or(usize::MAX, Vec::len)
}

#[tokio::test]
async fn neither_a_panel_nor_a_page_without_its_policy_can_use_the_api() {
    let (app, user, _folders) = probes().await;
    browse("api", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        let _ = browser.requests().await;
        let url = app.url.join("api/v1/api-keys").expect("a path");
        let script = format!("const url = arguments[0]; {ASK_THE_API}");
        let outcome = browser.resolve(&script, [json!(url.as_str())]).await;
        assert_eq!((&outcome[0], &outcome[1]), (&json!("TypeError"), &json!("TypeError")), "{outcome}");
        let own = json!(format!("OPTIONS {url}"));
        assert!(!browser.requests().await.iter().any(|request| json!(request) == own));

        // The same from an opaque origin without a policy: it is sent, and refused there.
        let frame = "<!doctype html><iframe sandbox='allow-scripts' src='panel.html'></iframe>";
        let control = site([("", frame.to_owned()), ("panel.html", PROBE.to_owned())]).await;
        browser.open(&control).await;
        browser.find("iframe").await.enter_frame().await.expect("a frame can be entered");
        let outcome = browser.resolve(&script, [json!(url.as_str())]).await;
        assert_eq!(outcome[0], "sent", "{outcome}");
        assert_eq!(keys(&user).await, 0, "no key was made");
    })
    .await;
}

#[tokio::test]
async fn a_panel_cannot_take_over_the_screen_or_ask_the_user() {
    let (app, user, _folders) = probes().await;
    browse("screen", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        browser.leave().await;
        let host = browser.address().await;
        browser.enter(X, "main").await;
        // A driver's script counts as a click, so that none of these fails for the want of one.
        let script = "const refused = (act) => act.then(() => 'done', (error) => error.name);
            const late = (act) => refused((async () => act())());
            let printed = 0;
            addEventListener('beforeprint', () => printed++);
            window.print();
            return {
              alert: alert('x') ?? 'nothing', confirm: confirm('x'), prompt: prompt('x'), printed,
              fullscreen: await late(() => document.body.requestFullscreen()),
              pointer: await late(() => document.body.requestPointerLock()),
              keyboard: await late(() => navigator.keyboard.lock()),
              clipboard: await late(() => navigator.clipboard.readText()),
              camera: await late(() => navigator.mediaDevices.getUserMedia({ video: true })),
              place: await new Promise((done) => navigator.geolocation.getCurrentPosition(() => done('done'), () => done('refused'))),
              notification: await late(async () => { if (await Notification.requestPermission() !== 'granted') throw new TypeError(); }),
              share: await late(() => navigator.share({ text: 'x' })),
              payment: await late(() => new PaymentRequest([{ supportedMethods: 'x' }], { total: { label: 'x', amount: { currency: 'EUR', value: '1' } } })),
              top: await late(() => { top.location = 'about:blank'; }),
              storage: await late(() => document.requestStorageAccess()),
            };";
        let found = browser.resolve(script, []).await;
        for (name, wanted) in [("alert", json!("nothing")), ("confirm", json!(false)), ("prompt", json!(null)), ("printed", json!(0))] {
            assert_eq!(found[name], wanted, "{name}: {found}");
        }
        for name in ["fullscreen", "pointer", "keyboard", "clipboard", "camera", "place", "notification", "share", "payment", "top", "storage"] {
            assert!(found[name].is_string() && found[name] != "done", "{name}: {found}");
        }
        browser.leave().await;
        assert_eq!(browser.address().await, host);
        let full = "return [document.fullscreenElement, document.pointerLockElement]";
        assert_eq!(browser.run(full, []).await, json!([null, null]));
    })
    .await;
}

#[tokio::test]
async fn no_page_of_taiku_and_no_panel_can_be_framed_elsewhere() {
    let (app, user, _folders) = probes().await;
    let panel = format!("{}/panel.html", files(&user, X).await);
    let mut targets: Vec<String> = [
        "",
        "connections",
        "panel/tests.x/main",
        "oauth/start/flow_x",
        "oauth/callback/ctx_x",
        "api/v1/session",
        "healthz",
        "logos/github.svg",
    ]
    .iter()
    .map(|path| app.url.join(path).expect("a path").to_string())
    .collect();
    targets.push(app.panel_url.join(&panel).expect("a path").to_string());
    targets.push(app.panel_url.join("nothing").expect("a path").to_string());
    let frames: String = targets.iter().map(|url| format!("<iframe src='{url}'></iframe>")).collect();
    let control = site([
        ("", format!("<!doctype html>{frames}<iframe src='page.html'></iframe>")),
        ("page.html", "<p>page".to_owned()),
    ])
    .await;
    browse("framed", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(&control).await;
        for (place, target) in targets.iter().enumerate() {
            let shown = shown(browser, place).await;
            assert!(shown.starts_with("chrome-error:"), "{target}: {shown}");
        }
        assert!(
            shown(browser, targets.len()).await.ends_with("/page.html"),
            "a page that allows it is framed"
        );
    })
    .await;
}

/// The address of the document in a frame.
async fn shown(browser: &Browser, place: usize) -> String {
    browser.leave().await;
    browser.enter_frame(place).await;
    let address = browser.run("return location.href", []).await;
    address.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_panel_in_a_tab_has_no_cookie_and_no_way_to_other_panels() {
    let (app, user, _folders) = probes().await;
    let url = app.panel_url.join(&format!("{}/panel.html", files(&user, X).await)).expect("a path");
    browse("tab-cookie", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open(&url).await;
        browser.text("#state", |text| text == "ready").await;
        let script = "const name = (act) => { try { return act(); } catch (error) { return error.name; } };
            document.body.dataset.set = name(() => { document.cookie = 'a=b; path=/'; return document.cookie; });
            return [document.body.dataset.set, name(() => String(opener)), frames.length, origin];";
        assert_eq!(browser.run(script, []).await, json!(["SecurityError", "null", 0, "null"]));
        assert_eq!(browser.cookie_names().await, Vec::<String>::new(), "none was set, none is sent");
    })
    .await;
}

/// Ways to use a file of another plugin; each gives what became of it.
const READ_FILES: &str = "
    const violations = [];
    addEventListener('securitypolicyviolation', ({ blockedURI }) => violations.push(blockedURI));
    const load = (name, attributes) => new Promise((done) => {
      const element = document.createElement(name);
      element.onload = () => done('loaded');
      element.onerror = () => done('refused');
      Object.assign(element, attributes);
      document.body.append(element);
    });
    const refused = (act) => act.then(() => 'loaded', () => 'refused');
    const outcomes = await Promise.all([
      load('img', { src: `${base}picture.svg` }), load('script', { src: `${base}code.js` }),
      load('script', { src: `${base}code.js`, type: 'module' }), load('link', { rel: 'stylesheet', href: `${base}style.css` }),
      refused(import(`${base}code.js`)), refused(fetch(`${base}code.js`)), refused(new FontFace('x', `url(${base}font.woff2)`).load()),
      load('iframe', { src: `${base}panel.html` }).then(() => 'refused'),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 0));
    return { outcomes, violations: violations.length, entries: performance.getEntriesByType('resource').filter(({ name, transferSize }) => name.startsWith(base) && transferSize > 0).length };";

#[tokio::test]
async fn a_plugin_cannot_load_the_files_of_another() {
    let folders = PluginFolders::new().with(X, ALL, &["demo"], PROBE).with(
        Y,
        ALL,
        &["demo"],
        &format!("{PROBE}<!-- y -->"),
    );
    for plugin in [X, Y] {
        folders.write(plugin, "code.js", "window.loaded = true;");
        folders.write(plugin, "style.css", "p { color: red }");
        folders.write(
            plugin,
            "picture.svg",
            "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>",
        );
    }
    let app = TestApp::launch().plugins(&folders).start().await;
    let user = app.ada().await;
    for plugin in [X, Y] {
        app.grant_all(&user, plugin).await;
    }
    let (own, other) = (files(&user, X).await, files(&user, Y).await);
    assert_ne!(own, other);
    browse("files", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        // What it wants is in the cache already.
        browser.open_panel(&app, Y, "main").await;
        browser.open_beside(X).await;
        browser.enter(X, "main").await;
        introduced(browser).await;
        let base = |files: &str| json!(format!("{}/", app.panel_url.join(files).expect("a path")));
        let script = format!("const base = arguments[0]; {READ_FILES}");
        let stolen = browser.resolve(&script, [base(&other)]).await;
        assert_eq!(stolen["outcomes"], json!(vec!["refused"; 8]), "{stolen}");
        assert_eq!(stolen["entries"], 0, "{stolen}");
        assert!(stolen["violations"].as_u64().unwrap_or(0) >= 7, "{stolen}");
        let own = browser.resolve(&script, [base(&own)]).await;
        assert_eq!(own["outcomes"][1], "loaded", "its own files are its own: {own}");
    })
    .await;
}

#[tokio::test]
async fn panels_have_no_channel_between_them() {
    let (app, user, _folders) = probes().await;
    browse("channels", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        let listen = "window.came = [];
            window.name = 'secret';
            try {
              window.channel = new BroadcastChannel('x');
              channel.onmessage = ({ data }) => came.push(data);
            } catch (error) { came.refused = error.name; }";
        browser.run(listen, []).await;
        browser.open_beside(Y).await;
        browser.enter(Y, "main").await;
        introduced(browser).await;
        let send = "const name = async (act) => { try { return await act() ?? 'nothing'; } catch (error) { return error.name; } };
            return Promise.all([
              name(() => { new BroadcastChannel('x').postMessage('from y'); }),
              name(() => new SharedWorker('data:text/javascript,1') && 'made'),
              name(() => navigator.locks.request('x', () => 'held')),
              name(() => navigator.storage.getDirectory().then(() => 'opened')),
              name(() => localStorage.setItem('x', 'y')),
              name(() => window.name || 'no name'),
            ]);";
        let outcomes = browser.resolve(send, []).await;
        assert_eq!(outcomes[2], "SecurityError", "{outcomes}");
        assert_eq!(outcomes[3], "SecurityError", "{outcomes}");
        assert_eq!(outcomes[4], "SecurityError", "{outcomes}");
        assert_eq!(outcomes[5], "no name", "{outcomes}");
        assert_ne!(outcomes[1], "made", "{outcomes}");
        let _ = ask(browser, "integrations.list", json!({}), json!({})).await;
        browser.enter(X, "main").await;
        let _ = ask(browser, "integrations.list", json!({}), json!({})).await;
        assert_eq!(browser.run("return came", []).await, json!([]), "nothing came");
        browser.leave().await;
        browser.reload_panel(X).await;
        browser.enter(X, "main").await;
        introduced(browser).await;
        assert_eq!(browser.run("return window.name", []).await, "", "a name does not live on");
    })
    .await;
}
