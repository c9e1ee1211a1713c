//! What the browser says of a panel, in words for its author.

use memchr::memmem;
use serde_json::Value;

use super::devtools::Event;
use super::stage::{Act, Stage};
use crate::cli::plugin::report::{Finding, Level};
use crate::panel;

/// Longest text of a panel that is repeated, in characters.
const SHOWN: usize = 300;

/// Words of complaints about a policy: about what it stopped, and about a directive that only other browsers know.
const POLICY: &[&str] = &["Content Security Policy", "Content-Security-Policy"];

/// Where in the author's files something is.
pub(super) struct Author<'a> {
    pub(super) stage: &'a Stage,
    pub(super) act: &'a Act,
}

impl Author<'_> {
    /// What an event means to the author.
    pub(super) fn heard(&self, event: &Event) -> Option<Finding> {
        match event.method.as_str() {
            "Audits.issueAdded" => self.issue(&event.params["issue"]),
            "Runtime.exceptionThrown" => self.exception(&event.params["exceptionDetails"]),
            "Runtime.consoleAPICalled" => self.complaint(&event.params),
            "Log.entryAdded" => self.entry(&event.params["entry"]),
            _ => None,
        }
    }

    /// What the panel's policy stopped.
    fn issue(&self, issue: &Value) -> Option<Finding> {
        if issue["code"] != "ContentSecurityPolicyIssue" {
            return None;
        }
        let details = &issue["details"]["contentSecurityPolicyIssueDetails"];
        let directive = details["violatedDirective"].as_str().unwrap_or_default();
        let url = details["blockedURL"].as_str().unwrap_or_default();
        let what = match details["contentSecurityPolicyViolationType"].as_str().unwrap_or_default() {
            "kEvalViolation" | "kWasmEvalViolation" => {
                "runs text as code (`eval`, `new Function`, a text in `setTimeout`), which a panel may not"
                    .into()
            }
            _ => blocked(directive, url),
        };
        let place = &details["sourceCodeLocation"];
        // For what a style sheet loads, the browser sometimes names the line that the document had come to.
        if !self.names(place, url)
            && let Some((file, line)) = self.stage.locate(url)
        {
            return Some(Finding::at_line(Level::Fault, &file, line, what));
        }
        self.finding(Level::Fault, place, what)
    }

    /// Whether an address stands on the line that a place names.
    fn names(&self, place: &Value, address: &str) -> bool {
        let Some((file, content)) = self.stage.file(place["url"].as_str().unwrap_or_default()) else {
            return false;
        };
        let line = line(place).and_then(|line| panel::author_line(&file, content, line));
        let text = line.and_then(|line| content.split(|byte| *byte == b'\n').nth(line - 1));
        text.is_some_and(|text| memmem::find(text, address.as_bytes()).is_some())
    }

    fn exception(&self, details: &Value) -> Option<Finding> {
        let exception = &details["exception"];
        let said = exception["description"].as_str().and_then(|text| text.lines().next());
        let said = said.or(exception["value"].as_str()).unwrap_or_default();
        if said.starts_with("EvalError") {
            // It came as an issue, with more to it.
            return None;
        }
        let text = details["text"].as_str().unwrap_or("Uncaught");
        let what = if said.is_empty() { shown(text) } else { format!("{text}: {}", shown(said)) };
        self.finding(Level::Fault, first_frame(details).unwrap_or(details), what)
    }

    fn complaint(&self, params: &Value) -> Option<Finding> {
        if !matches!(params["type"].as_str(), Some("error" | "assert")) {
            return None;
        }
        let text = |value: &Value| match value.get("value") {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => value["description"].as_str().unwrap_or_default().to_owned(),
        };
        let words: Vec<String> = params["args"].as_array().into_iter().flatten().map(text).collect();
        let what = format!("console.error: {}", shown(&words.join(" ")));
        self.finding(Level::Warning, first_frame(params)?, what)
    }

    /// What the browser itself complains of. Violations come as issues, with more to them, and the stage knows which
    /// files were missed.
    fn entry(&self, entry: &Value) -> Option<Finding> {
        let text = entry["text"].as_str().unwrap_or_default();
        let is_known = POLICY.iter().any(|words| text.contains(words)) || entry["source"] == "network";
        if entry["level"] != "error" || is_known {
            return None;
        }
        let place = first_frame(entry).unwrap_or(entry);
        self.finding(Level::Warning, place, shown(text))
    }

    /// A finding at a place that the browser names. What is not in the author's files is not the author's.
    fn finding(&self, level: Level, place: &Value, what: String) -> Option<Finding> {
        let url = place["url"].as_str().unwrap_or_default();
        let Some((file, content)) = self.stage.file(url) else {
            let about_panel = url.is_empty() || self.stage.is_panel(url);
            return about_panel.then(|| Finding::of_file(level, &self.act.file, what));
        };
        match line(place) {
            Some(line) => {
                let line = panel::author_line(&file, content, line)?;
                Some(Finding::at_line(level, &file, line, what))
            }
            None => Some(Finding::of_file(level, &file, what)),
        }
    }
}

/// The line of a place, from 1; the browser counts from 0, and from -1 where it knows none.
fn line(place: &Value) -> Option<usize> {
    place["lineNumber"].as_u64().and_then(|line| usize::try_from(line).ok()).map(|line| line + 1)
}

fn blocked(directive: &str, url: &str) -> String {
    let url = shown(url);
    match directive {
        "connect-src" => format!(
            "the network is closed to panels (`{url}`): call a tool of a toolkit by `integrations.execute`"
        ),
        "frame-src" | "child-src" | "object-src" => format!("a panel has no frames of its own (`{url}`)"),
        "worker-src" => format!("a panel has no workers (`{url}`)"),
        "form-action" => format!("a panel sends no forms (`{url}`)"),
        _ => format!("`{url}` is blocked by {directive}: a panel loads only files of its own folder"),
    }
}

fn first_frame(value: &Value) -> Option<&Value> {
    value["stackTrace"]["callFrames"].as_array()?.first()
}

/// A stranger's text, without what a terminal would obey.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect()
}
