//! Opens every panel in a headless Chromium, served as a host serves it, and hears what goes wrong.
//!
//! ```text
//! Chromium ──▶ stage (host page on one site, panel files on another) ──▶ the real headers, guard and gate
//!    └──────── DevTools protocol: violations, exceptions, complaints ──▶ findings
//! ```

mod chromium;
mod devtools;
mod heard;
mod stage;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use taiku_bridge::Manifest;
use tokio::time::Instant;

use self::chromium::{Chromium, LaunchError};
use self::devtools::{DevTools, DevToolsError, Event};
use self::heard::Author;
use self::stage::{Act, Stage};
use super::Finding;
use crate::plugin::Files;

/// A panel is looked at until it has been quiet for this long.
const QUIET: Duration = Duration::from_millis(800);
/// And no longer than this, whatever it does.
const AT_MOST: Duration = Duration::from_secs(30);
/// What is heard of a document, and of the page around it.
const DOMAINS: &[&str] = &["Page.enable", "Runtime.enable", "Log.enable", "Audits.enable"];

/// What came of opening the panels.
pub(super) struct Opened {
    /// The browser's name and version.
    pub(super) version: String,
    /// How many panels were opened.
    pub(super) panels: usize,
    /// What was heard.
    pub(super) findings: Vec<Finding>,
}

/// Why panels were not opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrowserError {
    /// There is no browser.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The browser went away or does not understand us.
    #[error(transparent)]
    DevTools(#[from] DevToolsError),
    /// The panels cannot be served.
    #[error("the panels cannot be served: {0}")]
    Stage(#[from] std::io::Error),
}

/// Opens each panel of a plugin.
///
/// # Errors
/// When there is no browser, or it stops to work.
pub(super) async fn open(files: &Arc<Files>, manifest: Manifest) -> Result<Opened, BrowserError> {
    let browser = Chromium::start().await?;
    let mut tools = DevTools::connect(&browser.address).await?;
    let version = tools.call(None, "Browser.getVersion", json!({})).await?;
    let version =
        version["product"].as_str().unwrap_or("a browser").trim_start_matches("Headless").to_owned();
    let panels = manifest.panels.iter().filter(|panel| files.get(&panel.html_url).is_some()).count();
    let stage = Stage::start(Arc::clone(files), manifest).await?;
    let mut findings = Vec::new();
    for act in stage.acts() {
        findings.extend(visit(&mut tools, &stage, act).await?);
    }
    Ok(Opened { version, panels, findings })
}

async fn visit(tools: &mut DevTools, stage: &Stage, act: &Act) -> Result<Vec<Finding>, DevToolsError> {
    let target = tools.call(None, "Target.createTarget", json!({ "url": "about:blank" })).await?;
    let target = &target["targetId"];
    let attach = json!({ "targetId": target, "flatten": true });
    let page = tools.call(None, "Target.attachToTarget", attach).await?;
    let page = page["sessionId"].as_str().unwrap_or_default().to_owned();
    listen(tools, &page).await?;
    tools.call(Some(&page), "Page.navigate", json!({ "url": act.address })).await?;
    let findings = hear(tools, stage, act).await;
    tools.call(None, "Target.closeTarget", json!({ "targetId": target })).await?;
    findings
}

/// Asks to hear of a document and, before they run, of the frames within it.
async fn listen(tools: &mut DevTools, session: &str) -> Result<(), DevToolsError> {
    for method in DOMAINS {
        tools.send(Some(session), method, &json!({})).await?;
    }
    let attach = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
    tools.send(Some(session), "Target.setAutoAttach", &attach).await
}

async fn hear(tools: &mut DevTools, stage: &Stage, act: &Act) -> Result<Vec<Finding>, DevToolsError> {
    let author = Author { stage, act };
    let end = Instant::now() + AT_MOST;
    let mut findings = Vec::new();
    loop {
        match tools.event(end.min(Instant::now() + QUIET)).await? {
            Some(event) => {
                meet(tools, &event).await?;
                findings.extend(author.heard(&event));
            }
            None if act.is_quiet(QUIET) || Instant::now() >= end => break,
            None => {}
        }
    }
    findings.extend(act.findings());
    findings.extend(stage.missing(act));
    findings.extend(stage.refused(act));
    Ok(findings)
}

/// Lets a new frame go on once it is listened to.
async fn meet(tools: &mut DevTools, event: &Event) -> Result<(), DevToolsError> {
    if event.method != "Target.attachedToTarget" {
        return Ok(());
    }
    let session = event.params["sessionId"].as_str().unwrap_or_default();
    listen(tools, session).await?;
    tools.send(Some(session), "Runtime.runIfWaitingForDebugger", &Value::Null).await
}
