//! Every way out of a panel. Cases C1, C7 and C8.
//!
//! `ways.js` is the table. Each way leads to a collector of its own, first from a panel and then, in the same browser,
//! from the same files on a site without taiku's headers in a page without its limits. A way counts only when that
//! second one arrives, which also ends the wait for the first.

use std::fmt;

use serde_json::json;
use taiku_tests::{Browser, Collector, PluginFolders, Popups, TestApp, browse, eventually, site};
use url::Url;

use crate::X;

const PANEL: &str = include_str!("../../fixtures/panels/ways_out/panel.html");
const WAYS: &str = include_str!("../../fixtures/panels/ways_out/ways.js");
const WORKER: &str = include_str!("../../fixtures/panels/ways_out/worker.js");

/// Fewer ways than this, and the table is not what it was.
const AT_LEAST: usize = 180;

/// Ways of one kind: where they stand in `ways.js`, and who takes them.
#[derive(Clone, Copy, Debug)]
struct Kind {
    table: &'static str,
    taker: Taker,
    /// Whether a document can take but one of them.
    once: bool,
}

#[derive(Clone, Copy, Debug)]
enum Taker {
    /// The document itself.
    Itself,
    /// A frame that the document has made.
    FrameBelow,
}

impl Kind {
    const fn new(table: &'static str, taker: Taker, once: bool) -> Self {
        Self { table, taker, once }
    }

    /// The script that takes a way; its arguments are the way's name and its address.
    fn script(self) -> String {
        let table = self.table;
        match self.taker {
            Taker::Itself => format!("take({table}[arguments[0]], arguments[1])"),
            Taker::FrameBelow => format!("takeBelow('{table}', arguments[0], arguments[1])"),
        }
    }
}

const STAY: Kind = Kind::new("stay", Taker::Itself, false);
const STAY_BELOW: Kind = Kind::new("stay", Taker::FrameBelow, false);
const MEDIA: Kind = Kind::new("media", Taker::Itself, false);
const CALL: Kind = Kind::new("call", Taker::Itself, false);
const CALL_BELOW: Kind = Kind::new("call", Taker::FrameBelow, false);
const ALONE: Kind = Kind::new("alone", Taker::Itself, false);
const LEAVE: Kind = Kind::new("leave", Taker::Itself, true);
const AROUND: Kind = Kind::new("around", Taker::Itself, true);

/// A way that was taken.
struct Taken {
    kind: Kind,
    name: String,
    collector: Collector,
}

impl Taken {
    async fn take(browser: &Browser, kind: Kind, name: &str) -> Self {
        let collector = Collector::start().await;
        browser.run(&kind.script(), [json!(name), json!(collector.url())]).await;
        Self { kind, name: name.to_owned(), collector }
    }

    /// Takes the same way again, from where the browser is now.
    async fn again(&self, browser: &Browser) -> Self {
        Self::take(browser, self.kind, &self.name).await
    }

    async fn arrives(&self) {
        let what = format!("the way {self:?} to be open where nothing closes it");
        eventually(&what, async || (self.collector.arrived() > 0).then_some(())).await;
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?} {})", self.name, self.kind.taker, self.kind.table)
    }
}

async fn names(browser: &Browser, kind: Kind) -> Vec<String> {
    let names = browser.run(&format!("return Object.keys({})", kind.table), []).await;
    serde_json::from_value(names).expect("a list of names")
}

/// Takes every way of these kinds from documents that `enter` goes to; those that need one of their own are last.
async fn take_all(browser: &Browser, kinds: &[Kind], enter: impl AsyncFn()) -> Vec<Taken> {
    enter().await;
    let mut taken = Vec::new();
    for kind in kinds {
        for name in names(browser, *kind).await {
            if kind.once {
                browser.open_window().await;
                enter().await;
            }
            taken.push(Taken::take(browser, *kind, &name).await);
        }
    }
    taken
}

/// The same files without the headers, in a page without a policy.
async fn control() -> Url {
    site([
        ("host", "<!doctype html><title>control</title><iframe src='panel.html'></iframe>".to_owned()),
        ("panel.html", PANEL.to_owned()),
        ("ways.js", WAYS.to_owned()),
        ("worker.js", WORKER.to_owned()),
    ])
    .await
}

async fn open_control(browser: &Browser, url: &Url) {
    browser.open(url).await;
    browser.find("iframe").await.enter_frame().await.expect("a frame can be entered");
}

/// Takes every way again from documents that `enter` goes to, where each must arrive.
async fn all_are_open(browser: &Browser, taken: &[Taken], enter: impl AsyncFn()) {
    browser.open_window().await;
    enter().await;
    let mut staying = Vec::new();
    for way in taken.iter().filter(|way| !way.kind.once) {
        staying.push(way.again(browser).await);
    }
    for way in staying {
        way.arrives().await;
    }
    for way in taken.iter().filter(|way| way.kind.once) {
        enter().await;
        way.again(browser).await.arrives().await;
    }
}

fn none_arrived(taken: &[Taken]) {
    let arrived: Vec<_> = taken.iter().filter(|way| way.collector.arrived() > 0).collect();
    assert!(arrived.is_empty(), "{} of {} ways lead out: {arrived:#?}", arrived.len(), taken.len());
    eprintln!("{} ways, and none leads out", taken.len());
}

async fn start() -> (TestApp, PluginFolders) {
    let folders = PluginFolders::new().with(X, &[], &[], PANEL);
    folders.write(X, "ways.js", WAYS);
    folders.write(X, "worker.js", WORKER);
    (TestApp::launch().plugins(&folders).start().await, folders)
}

#[tokio::test]
async fn nothing_leaves_a_panel() {
    let (app, _folders) = start().await;
    let user = app.ada().await;
    app.grant_all(&user, X).await;
    browse("ways-out", Popups::Allowed, async |browser| {
        browser.use_session(&app, &user).await;
        let panel = async || browser.open_panel(&app, X, "main").await;
        let taken = take_all(browser, &[MEDIA, STAY, STAY_BELOW, CALL, LEAVE, AROUND], panel).await;
        let control = control().await.join("host").expect("a path");
        all_are_open(browser, &taken, async || open_control(browser, &control).await).await;
        none_arrived(&taken);
        assert!(taken.len() >= AT_LEAST, "only {} ways", taken.len());
    })
    .await;
}

/// In a tab there is no page around it whose policy would help: the headers have to do it alone.
#[tokio::test]
async fn nothing_leaves_a_panel_in_a_tab_of_its_own() {
    let (app, _folders) = start().await;
    let user = app.ada().await;
    let plugin: taiku_bridge::api::Plugin = user.get(&format!("/api/v1/plugins/{X}")).await.read();
    let url = app.panel_url.join(&format!("{}/panel.html", plugin.files)).expect("a path");
    browse("ways-out-tab", Popups::Allowed, async |browser| {
        let taken = take_all(browser, &[ALONE, MEDIA, STAY, STAY_BELOW, CALL, LEAVE], async || {
            browser.open(&url).await
        })
        .await;
        let control = control().await.join("panel.html").expect("a path");
        all_are_open(browser, &taken, async || browser.open(&control).await).await;
        none_arrived(&taken);
    })
    .await;
}

/// This Chromium ends the process of a frame that is stopped so, and with it every other panel's way.
#[tokio::test]
async fn no_call_leaves_a_frame_that_a_panel_has_made() {
    let (app, _folders) = start().await;
    let user = app.ada().await;
    app.grant_all(&user, X).await;
    let control = control().await.join("host").expect("a path");
    for place in 0.. {
        let mut more = false;
        browse("ways-out-call", Popups::Allowed, async |browser| {
            browser.use_session(&app, &user).await;
            browser.open_panel(&app, X, "main").await;
            let names = names(browser, CALL_BELOW).await;
            let way = Taken::take(browser, CALL_BELOW, &names[place]).await;
            more = place + 1 < names.len();
            all_are_open(browser, std::slice::from_ref(&way), async || open_control(browser, &control).await)
                .await;
            none_arrived(&[way]);
        })
        .await;
        if !more {
            break;
        }
    }
}
