//! Chromium, driven as a person would.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::process::Command;

use futures_util::FutureExt as _;
use serde_json::Value;
use taiku_bridge::api;
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel, WindowHandle};
use url::Url;

use crate::app::TestApp;
use crate::client::Client;
use crate::process::Process;
use crate::wait::eventually;

const FLAGS: &[&str] = &[
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
];

/// Whether the browser lets windows open. A driven Chromium lets every window open unless it is told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Popups {
    /// As a driven browser does.
    Allowed,
    /// As a person's browser does: one window per click, none without.
    Blocked,
}

/// A browser with a fresh profile.
pub struct Browser {
    driver: WebDriver,
    main: WindowHandle,
    // The profile and the driver's program end after the session.
    _chromedriver: Process,
    _profile: TempDir,
}

/// Runs a test in a browser of its own; a failure leaves a picture in `target/test-screenshots`.
///
/// # Panics
/// When the test does.
pub async fn browse(name: &str, popups: Popups, test: impl AsyncFnOnce(&Browser)) {
    let browser = Browser::start(popups).await;
    let outcome = AssertUnwindSafe(test(&browser)).catch_unwind().await;
    if outcome.is_err() {
        browser.keep_evidence(name).await;
    }
    browser.quit().await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// Starts the driver on a free port. It takes one for IPv4 and then wants the same for IPv6, where another program
/// may have it; then it ends at once and is started again.
fn start_chromedriver() -> (Process, u16) {
    let started = || {
        let mut process = Process::start("chromedriver", Command::new("chromedriver").arg("--port=0"));
        let port = process.line_unless_ended("its port", |line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        port.map(|port| (process, port))
    };
    (0..5).find_map(|_| started()).expect("chromedriver finds a free port; `cargo xtask test` installs it")
}

impl Browser {
    async fn start(popups: Popups) -> Self {
        // The driver uses an HTTP client of its own, which needs TLS to be there though it never uses it.
        let _ = crate::client::http();
        let (chromedriver, port) = start_chromedriver();
        let profile = TempDir::new().expect("a folder can be made for temporary files");
        let capabilities = capabilities(popups, profile.path()).expect("the flags are flags");
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await;
        let driver = driver.expect("Chromium starts; `cargo xtask test` installs it");
        let main = driver.window().await.expect("a browser has a window");
        Self { driver, main, _chromedriver: chromedriver, _profile: profile }
    }

    /// Opens an address in the window of now.
    pub async fn open(&self, url: impl AsRef<str>) {
        self.driver.goto(url.as_ref()).await.unwrap_or_else(|error| panic!("{}: {error}", url.as_ref()));
    }

    /// The address of the window of now.
    pub async fn address(&self) -> Url {
        self.driver.current_url().await.expect("a window has an address")
    }

    /// Signs in by the form of the page.
    pub async fn sign_in(&self, app: &TestApp) {
        let (email, password) = app.ada_credentials();
        self.open(&app.url).await;
        self.fill("#email", email).await;
        self.fill("#password", password).await;
        self.click("form[aria-label='Sign in'] button[type='submit']").await;
        self.gone("#password").await;
    }

    /// Takes over the session of a client, so that a test need not begin with the form.
    pub async fn use_session(&self, app: &TestApp, client: &Client) {
        // A cookie can be set for the page of now only.
        self.open(app.url.join("healthz").expect("it is a path")).await;
        for cookie in client.cookies().into_iter().filter(|cookie| cookie.name.starts_with("__Host-")) {
            let mut set = thirtyfour::Cookie::new(cookie.name, cookie.value);
            set.set_path("/");
            set.set_secure(true);
            self.driver.add_cookie(set).await.expect("a session cookie can be set");
        }
    }

    /// Opens a panel by its address on the host page; the plugin must have its grant.
    pub async fn open_panel(&self, app: &TestApp, plugin: &str, panel: &str) {
        let path = format!("panel/{plugin}/{}", api::segment(panel));
        self.open(app.url.join(&path).expect("it is a path")).await;
        self.enter(plugin, panel).await;
    }

    /// Opens one more panel beside those that are there, by the button of the toolbar or of the list behind it.
    pub async fn open_beside(&self, label: &str) {
        self.leave().await;
        let button = format!(".toolbar [data-opens][aria-label='{label}']");
        let listed = self
            .until("the button", &format!("return document.querySelector(\"{button}\")?.className"))
            .await;
        if listed == "tool-item" {
            self.click("[aria-label='More plugins']").await;
        }
        self.click(&button).await;
    }

    /// Loads a panel again, by the list in its header.
    pub async fn reload_panel(&self, title: &str) {
        self.leave().await;
        self.press(&format!("More about {title}")).await;
        self.press("Reload").await;
    }

    /// Goes into a panel's frame; what follows happens there.
    pub async fn enter(&self, plugin: &str, panel: &str) {
        self.leave().await;
        let css = format!("iframe[data-plugin-id='{plugin}'][data-panel-id='{panel}']");
        self.find(&css).await.enter_frame().await.expect("a frame can be entered");
        // A frame can be entered before its document is there.
        eventually("the panel's document", async || {
            let ready = self.driver.execute(
                "return location.href !== 'about:blank' && document.readyState === 'complete'",
                Vec::new(),
            );
            ready.await.ok()?.json().as_bool()?.then_some(())
        })
        .await;
    }

    /// Goes back to the page around the panels.
    pub async fn leave(&self) {
        self.driver.enter_default_frame().await.expect("a window has a page");
    }

    /// Goes to the window that opened last.
    pub async fn enter_popup(&self) {
        let popup = eventually("a window that opened", async || {
            let windows = self.driver.windows().await.ok()?;
            windows.into_iter().find(|window| *window != self.main)
        })
        .await;
        self.driver.switch_to_window(popup).await.expect("a window can be entered");
    }

    /// Opens a window of its own and goes there.
    pub async fn open_window(&self) {
        let window = self.driver.new_window().await.expect("a driver opens windows");
        self.driver.switch_to_window(window).await.expect("a window can be entered");
    }

    /// Goes back to the first window.
    pub async fn enter_main(&self) {
        self.driver.switch_to_window(self.main.clone()).await.expect("the first window is there");
    }

    /// Closes the first window and goes to the one that is left.
    pub async fn close_main(&self) {
        self.enter_main().await;
        self.driver.close_window().await.expect("a window can be closed");
        self.enter_popup().await;
    }

    /// Closes the window of now and goes back to the first one.
    pub async fn close_popup(&self) {
        self.driver.close_window().await.expect("a window can be closed");
        self.enter_main().await;
    }

    /// How many windows are open.
    pub async fn windows(&self) -> usize {
        self.driver.windows().await.expect("a browser has windows").len()
    }

    /// Waits until the first window is the only one.
    pub async fn popup_closes(&self) {
        eventually("the other window to close", async || (self.windows().await == 1).then_some(())).await;
        self.enter_main().await;
    }

    /// Waits for an element that can be seen.
    pub async fn find(&self, css: &str) -> WebElement {
        self.seek(css, By::Css(css)).await
    }

    /// Waits until no such element can be seen.
    pub async fn gone(&self, css: &str) {
        eventually(&format!("{css} to go"), async || {
            let found = self.driver.find(By::Css(css)).await;
            let seen = match found {
                Ok(element) => element.is_displayed().await.unwrap_or(false),
                Err(_) => false,
            };
            (!seen).then_some(())
        })
        .await;
    }

    /// Clicks an element.
    pub async fn click(&self, css: &str) {
        self.try_click(css, By::Css(css)).await;
    }

    /// Clicks the button or link of that accessible name, or whose text begins with it.
    pub async fn press(&self, name: &str) {
        let (text, label) =
            (format!("starts-with(normalize-space(.), '{name}')"), format!("@aria-label='{name}'"));
        let path = format!("//*[self::button or self::a][{label} or {text}][not(@disabled)]");
        self.try_click(name, By::XPath(path)).await;
    }

    /// Presses keys with the focus on an element, which is given to it.
    pub async fn keys(&self, css: &str, keys: &str) {
        let element = self.find(css).await;
        element.focus().await.expect("the element takes the focus");
        self.press_key(keys).await;
    }

    /// Presses keys where the focus is. Shift, Ctrl, Alt and Meta are held until all others were pressed.
    pub async fn press_key(&self, keys: &str) {
        let mut chain = self.driver.action_chain();
        let mut held = Vec::new();
        for key in keys.chars() {
            if matches!(key, '\u{e008}'..='\u{e00a}' | '\u{e03d}') {
                chain = chain.key_down(key);
                held.push(key);
            } else {
                chain = chain.send_keys(key);
            }
        }
        for key in held {
            chain = chain.key_up(key);
        }
        chain.perform().await.expect("keys can be pressed");
    }

    /// Drags an element by CSS pixels.
    pub async fn drag(&self, css: &str, x: i64, y: i64) {
        let element = self.find(css).await;
        let chain = self.driver.action_chain().click_and_hold_element(&element);
        let dragged = chain.move_by_offset(x / 2, y / 2).move_by_offset(x - x / 2, y - y / 2).release();
        dragged.perform().await.expect("an element can be dragged");
    }

    /// An attribute of an element.
    pub async fn attribute(&self, css: &str, name: &str) -> String {
        self.find(css).await.attr(name).await.ok().flatten().unwrap_or_default()
    }

    /// Types into a field that is emptied first.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("a field can be emptied");
        field.send_keys(text).await.expect("a field takes text");
    }

    /// Chooses an option of a select by its value, as a person would.
    pub async fn choose(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value='{value}']")).await;
    }

    /// Waits until the text of an element is what is wanted, and gives it.
    pub async fn text(&self, css: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        let what = format!("the text of {css}");
        let found = AssertUnwindSafe(eventually(&what, async || {
            last = self.driver.find(By::Css(css)).await.ok()?.text().await.ok()?;
            wanted(&last).then(|| last.clone())
        }));
        match found.catch_unwind().await {
            Ok(text) => text,
            Err(panic) => {
                eprintln!("the text of {css} was last: {last}");
                resume_unwind(panic)
            }
        }
    }

    /// Runs a script in the document of now; its arguments are `arguments`, its result is what it returns.
    pub async fn run(&self, script: &str, arguments: impl Into<Vec<Value>>) -> Value {
        let result = self.driver.execute(script, arguments.into()).await;
        result.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Runs a script that returns a promise in a document that may be gone.
    pub async fn try_resolve(&self, script: &str) -> Option<Value> {
        let script = format!(
            "const done = arguments[0]; (async () => {{ {script} }})().then(done, () => done(null));"
        );
        Some(self.driver.execute_async(&script, Vec::new()).await.ok()?.json().clone())
    }

    /// Goes into a frame of the document of now by its place.
    pub async fn enter_frame(&self, place: usize) {
        let place = u16::try_from(place).expect("so many frames");
        self.driver.enter_frame(place).await.expect("a frame can be entered");
    }

    /// The names of the cookies that the address of now has.
    pub async fn cookie_names(&self) -> Vec<String> {
        let cookies = self.driver.get_all_cookies().await.expect("cookies can be listed");
        cookies.into_iter().map(|cookie| cookie.name).collect()
    }

    /// Runs a script that returns a promise, and gives what it resolves with.
    pub async fn resolve(&self, script: &str, arguments: impl Into<Vec<Value>>) -> Value {
        let script = format!(
            "const given = [...arguments]; const done = given.pop();
             (async function () {{ {script} }}).apply(null, given)
               .then(done, (error) => done({{ thrown: `${{error}}` }}));"
        );
        let result = self.driver.execute_async(&script, arguments.into()).await;
        result.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Waits until a script returns something that is not null or false.
    pub async fn until(&self, what: &str, script: &str) -> Value {
        self.until_with(what, script, []).await
    }

    /// Waits until a script with arguments returns something that is not null or false.
    pub async fn until_with(&self, what: &str, script: &str, arguments: impl Into<Vec<Value>>) -> Value {
        let arguments = arguments.into();
        eventually(what, async || {
            let value = self.driver.execute(script, arguments.clone()).await.ok()?.json().clone();
            (!value.is_null() && value != Value::Bool(false)).then_some(value)
        })
        .await
    }

    /// What the page of now keeps in memory after its garbage was taken out, in bytes; other sites' frames do not
    /// count.
    pub async fn heap(&self) -> u64 {
        let (tools, nothing) = (self.driver.cdp(), serde_json::json!({}));
        let collected = tools.send_raw("HeapProfiler.collectGarbage", nothing.clone()).await;
        collected.expect("garbage can be collected");
        let usage = tools.send_raw("Runtime.getHeapUsage", nothing).await.expect("the heap can be measured");
        let bytes = |name: &str| usage[name].as_f64().unwrap_or_default();
        ["usedSize", "embedderHeapUsedSize", "backingStorageSize"].iter().map(|name| bytes(name) as u64).sum()
    }

    /// Presses keys, wherever the focus is.
    pub async fn press_keys(&self, text: &str) {
        self.driver.action_chain().send_keys(text).perform().await.expect("keys can be pressed");
    }

    /// The requests that have gone onto the wire since this was asked last, as `METHOD address`.
    pub async fn requests(&self) -> Vec<String> {
        let log = self.driver.get_log("performance").await.expect("the log of the network is on");
        log.iter().filter_map(|entry| request(&entry.message)).collect()
    }

    /// The statuses and addresses of the answers that came since this or `requests` was asked last.
    pub async fn answers(&self) -> Vec<(u64, String)> {
        let log = self.driver.get_log("performance").await.expect("the log of the network is on");
        log.iter().filter_map(|entry| answer(&entry.message)).collect()
    }

    /// What the consoles complained about since this was asked last.
    pub async fn complaints(&self) -> BTreeSet<String> {
        let log = self.driver.browser_log().await.expect("the log of the console is on");
        log.into_iter().filter(|entry| entry.level == "SEVERE").map(|entry| entry.message).collect()
    }

    /// Gives the window another size, in CSS pixels.
    pub async fn size(&self, width: u32, height: u32) {
        self.driver.set_window_rect(0, 0, width, height).await.expect("a window has a size");
    }

    /// Lets the system prefer something, such as `dark` for `prefers-color-scheme`.
    pub async fn prefer(&self, feature: &str, value: &str) {
        let media = serde_json::json!({ "features": [{ "name": feature, "value": value }] });
        let set = self.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await;
        set.expect("Chromium can prefer anything");
    }

    /// Keeps a picture of the window of now in `target/test-screenshots`.
    pub async fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-screenshots");
        let path = folder.join(format!("{name}.png"));
        let made = std::fs::create_dir_all(&folder);
        let kept = self.driver.screenshot(&path).await;
        eprintln!("picture: {} ({made:?}, {kept:?})", path.display());
    }

    async fn seek(&self, name: &str, by: By) -> WebElement {
        eventually(name, async || {
            let found = self.driver.find_all(by.clone()).await.ok()?;
            for element in found {
                if element.is_displayed().await.unwrap_or(false) {
                    return Some(element);
                }
            }
            None
        })
        .await
    }

    /// A page may redraw what was found before the click arrives.
    async fn try_click(&self, name: &str, by: By) {
        eventually(&format!("to click {name}"), async || {
            for element in self.driver.find_all(by.clone()).await.ok()? {
                if element.is_displayed().await.unwrap_or(false) {
                    return element.click().await.ok();
                }
            }
            None
        })
        .await;
    }

    async fn keep_evidence(&self, name: &str) {
        self.picture(name).await;
        if let Ok(log) = self.driver.browser_log().await {
            log.iter().for_each(|entry| eprintln!("console: {}", entry.message));
        }
    }

    async fn quit(self) {
        // A browser that is gone already need not be ended.
        let _ = self.driver.quit().await;
    }
}

fn capabilities(popups: Popups, profile: &Path) -> WebDriverResult<ChromeCapabilities> {
    let mut capabilities = ChromeCapabilities::new();
    for flag in FLAGS {
        capabilities.add_arg(flag)?;
    }
    capabilities.add_arg(&format!("--user-data-dir={}", profile.display()))?;
    if is_root() {
        // Chromium refuses to use its sandbox as root.
        capabilities.add_arg("--no-sandbox")?;
    }
    if popups == Popups::Blocked {
        capabilities.add_exclude_switch("disable-popup-blocking")?;
    }
    capabilities.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    Ok(capabilities)
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// An answer in an entry of the DevTools log.
fn answer(entry: &str) -> Option<(u64, String)> {
    let entry: Value = serde_json::from_str(entry).ok()?;
    let message = &entry["message"];
    if message["method"] != "Network.responseReceived" {
        return None;
    }
    let response = &message["params"]["response"];
    Some((response["status"].as_u64()?, response["url"].as_str()?.to_owned()))
}

/// A request in an entry of the DevTools log.
fn request(entry: &str) -> Option<String> {
    let entry: Value = serde_json::from_str(entry).ok()?;
    let message = &entry["message"];
    if message["method"] != "Network.requestWillBeSent" {
        return None;
    }
    let request = &message["params"]["request"];
    // What the browser loads from inside itself is on no wire.
    let url = request["url"].as_str().filter(|url| url.starts_with("http"))?;
    Some(format!("{} {url}", request["method"].as_str()?))
}
