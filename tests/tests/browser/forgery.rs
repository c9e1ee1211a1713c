//! What one panel tries so as to be heard by another as its host. The guard of every panel document.

use serde_json::json;
use taiku_tests::{Browser, Popups, browse};

use crate::{X, Y, introduced, probes};

/// Ways to say something to a window of another panel. `target` is that window, `forged` what is said, and
/// `child(code)` runs code in a new frame of the forger, where the same names hold.
const TRICKS: &[(&str, &str)] = &[
    ("plainly", "target.postMessage(forged, '*')"),
    (
        "as a new identity with a port",
        "target.postMessage({ ...forged, type: 'taiku:init' }, '*', [new MessageChannel().port1])",
    ),
    (
        "what cannot be read",
        "const canvas = new OffscreenCanvas(1, 1); canvas.getContext('2d'); target.postMessage(forged, '*', [canvas.transferToImageBitmap()])",
    ),
    ("from a frame of its own", "await child(`target.postMessage(forged, '*')`)"),
    ("from a frame that is gone at once", "(await child(`target.postMessage(forged, '*')`)).remove()"),
    ("from a frame of a frame", "await child('await child(`target.postMessage(forged, \"*\")`)')"),
    (
        "from a frame that says it is below",
        "await child(`window.parent = target; target.postMessage(forged, '*'); parent = up`)",
    ),
    (
        "from a frame that defines it is below",
        "await child(`Object.defineProperty(window, 'parent', { value: target, writable: true });
           target.postMessage(forged, '*'); parent = up`)",
    ),
    (
        "as a window that says it is below",
        "window.parent = target; target.postMessage(forged, '*'); window.parent = up",
    ),
    (
        "as the window's own event",
        "target.dispatchEvent(new MessageEvent('message', { data: forged, source: parent }))",
    ),
    ("by its handler", "target.onmessage({ data: forged, source: parent })"),
    ("by a listener taken away", "target.removeEventListener('message', target.onmessage, true)"),
    (
        "by another document in its place",
        "target.location = 'data:text/html,<script>parent.postMessage(1, \"*\")</script>'",
    ),
    ("by another document below it", "target.frames[0].location = 'about:blank'"),
    ("in a storm", "for (let i = 0; i < 100; i++) child(`target.postMessage(forged, '*')`)"),
];

/// What the forger and its frames begin with; `at` is the place of the other panel's frame.
const FORGER: &str = r"
    const target = top.frames[at];
    const up = parent;
    const forged = { type: 'taiku:response', id: 'forged', result: 'forged' };
    const child = (code) => new Promise((resolve) => {
      const frame = document.createElement('iframe');
      const script = `const at = ${at}; ${forger} (async () => { ${code} })().catch(() => {}).then(() => parent.postMessage('done', '*'))`;
      frame.srcdoc = `<body><script>const forger = ${JSON.stringify(forger).replaceAll('</', '<\\/')}; ${script.replaceAll('</', '<\\/')}<\/script>`;
      addEventListener('message', ({ source, data }) => {
        if (source === frame.contentWindow && data === 'done') resolve(frame);
      });
      document.body.append(frame);
    });";

/// Lets a panel listen in every way there is, and gives it a frame that tells it all that it hears itself.
const LISTEN: &str = r"
    window.forgeries = [];
    const keep = ({ data }) => data?.id === 'forged' && forgeries.push(data);
    addEventListener('message', keep, true);
    addEventListener('message', keep);
    window.onmessage = keep;
    document.body.onmessage = keep;
    addEventListener('messageerror', () => forgeries.push('unreadable'), true);
    const witness = document.createElement('iframe');
    witness.srcdoc = `<script>onmessage = ({ data }) => parent.postMessage(data, '*')<\/script>`;
    document.body.append(witness);
    return new Promise((done) => { witness.onload = () => done(true); });";

/// Speaks to the other panel's frame below, which passes it on: this arrives after all that was said before.
async fn mark(browser: &Browser, mark: &str) {
    let script = "for (let at = 0; at < top.frames.length; at++) {
        if (top.frames[at] !== window) top.frames[at].frames[0].postMessage({ mark: arguments[0] }, '*');
    }";
    browser.run(script, [json!(mark)]).await;
    browser.enter(X, "main").await;
    let marked = "return heard.some(({ data }) => data?.mark === arguments[0])";
    browser.until_with("the mark", marked, [json!(mark)]).await;
}

#[tokio::test]
async fn no_trick_of_a_panel_makes_another_hear_it() {
    let (app, user, _folders) = probes().await;
    browse("tricks", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        browser.resolve(LISTEN, []).await;
        browser.open_beside(Y).await;
        browser.enter(Y, "main").await;
        introduced(browser).await;
        for (trick, script) in TRICKS {
            let attempt = format!(
                "const forger = arguments[0];
                 const at = [...Array(top.frames.length).keys()].find((at) => top.frames[at] !== window);
                 {FORGER}
                 try {{ {script} }} catch (error) {{ return error.name; }}
                 return 'said';"
            );
            let outcome = browser.resolve(&attempt, [json!(FORGER)]).await;
            assert!(
                ["said", "SecurityError", "DataCloneError", "TypeError"].iter().any(|name| outcome == *name),
                "{trick}: {outcome}"
            );
            mark(browser, trick).await;
            assert_eq!(browser.run("return forgeries", []).await, json!([]), "{trick}");
            browser.enter(Y, "main").await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_panel_does_to_its_prototypes_does_not_open_it_to_others() {
    let (app, user, _folders) = probes().await;
    browse("prototypes", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        browser.open_panel(&app, X, "main").await;
        introduced(browser).await;
        let patch = "for (const name of ['stopImmediatePropagation', 'stopPropagation']) Event.prototype[name] = () => {};
            Object.defineProperty(MessageEvent.prototype, 'source', { get: () => window.parent });
            Reflect.apply = () => undefined;
            RegExp.prototype.exec = () => null;
            EventTarget.prototype.addEventListener.call(window, 'message', () => {}, true);";
        browser.resolve(&format!("{patch} {LISTEN}"), []).await;
        browser.open_beside(Y).await;
        browser.enter(Y, "main").await;
        let forge = "for (let at = 0; at < top.frames.length; at++) {
            if (top.frames[at] !== window) top.frames[at].postMessage({ type: 'taiku:response', id: 'forged' }, '*');
        }";
        browser.run(forge, []).await;
        mark(browser, "after it").await;
        assert_eq!(browser.run("return forgeries", []).await, json!([]));
    })
    .await;
}
