//! What was found out about a plugin, for people and for programs.

use std::fmt::{self, Write as _};

use serde::Serialize;
use taiku_bridge::manifest::Fault;

use crate::plugin::MAX_BYTES;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// It does not work.
    Fault,
    /// It may not do what its author wants.
    Warning,
}

/// One thing that the author should know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Finding {
    /// The file, relative to the plugin's folder; nothing when it is about the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<usize>,
    /// JSON pointer (RFC 6901) within the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<String>,
    pub(super) level: Level,
    /// A sentence.
    pub(super) what: String,
}

impl Finding {
    pub(super) fn of_folder(level: Level, what: impl Into<String>) -> Self {
        Self { file: None, line: None, pointer: None, level, what: what.into() }
    }

    pub(super) fn of_file(level: Level, file: &str, what: impl Into<String>) -> Self {
        Self { file: Some(file.to_owned()), ..Self::of_folder(level, what) }
    }

    pub(super) fn at_line(level: Level, file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::of_file(level, file, what) }
    }

    pub(super) fn of_manifest(level: Level, fault: Fault) -> Self {
        let pointer = Some(fault.pointer).filter(|pointer| !pointer.is_empty());
        Self { pointer, ..Self::of_file(level, crate::plugin::MANIFEST, fault.what) }
    }
}

/// Whether the panels were opened in a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub(super) enum Browser {
    /// They were.
    Opened {
        /// Such as `Chrome/156.0.0.0`.
        version: String,
        /// How many.
        panels: usize,
    },
    /// Nobody asked for it, or there is nothing to open.
    #[default]
    NotAsked,
    /// There is no browser, or it does not work.
    Missing {
        /// Why, as a sentence.
        why: String,
    },
}

/// The whole result.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    pub(super) files: usize,
    pub(super) bytes: usize,
    pub(super) browser: Browser,
    pub(super) findings: Vec<Finding>,
}

impl Report {
    pub(super) fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// 0 when there is no fault, 1 when there is one, 2 when not all was looked at.
    pub(super) fn status(&self) -> u8 {
        match &self.browser {
            _ if self.count(Level::Fault) > 0 => 1,
            Browser::Missing { .. } => 2,
            Browser::Opened { .. } | Browser::NotAsked => 0,
        }
    }

    /// For people: a line for each finding that editors can follow, and a summary.
    pub(super) fn text(&self, place: &str) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", Line { place, finding });
        }
        if let Browser::Missing { why } = &self.browser {
            let _ = writeln!(text, "{place}: not checked in a browser: {why}");
        }
        let _ = write!(text, "{}", self.summary(place));
        text
    }

    fn summary(&self, place: &str) -> String {
        let name = match (&self.id, &self.version) {
            (Some(id), Some(version)) => format!("{id} {version}"),
            _ => place.to_owned(),
        };
        let counted = [
            number(self.files, "file"),
            format!("{} of {}", size(self.bytes), size(MAX_BYTES)),
            match &self.browser {
                Browser::Opened { version, panels } => {
                    format!("{} opened in {version}", number(*panels, "panel"))
                }
                Browser::NotAsked | Browser::Missing { .. } => "no panel opened in a browser".into(),
            },
            number(self.count(Level::Fault), "fault"),
            number(self.count(Level::Warning), "warning"),
        ];
        format!("{name}: {}", counted.join(", "))
    }
}

/// A finding as compilers print theirs.
struct Line<'a> {
    place: &'a str,
    finding: &'a Finding,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { file, line, pointer, level, what } = self.finding;
        write!(f, "{}", self.place.trim_end_matches('/'))?;
        if let Some(file) = file {
            write!(f, "/{file}")?;
        }
        if let Some(line) = line {
            write!(f, ":{line}")?;
        }
        let level = match level {
            Level::Fault => "fault",
            Level::Warning => "warning",
        };
        write!(f, ": {level}: ")?;
        if let Some(pointer) = pointer {
            write!(f, "{pointer} ")?;
        }
        write!(f, "{what}")
    }
}

/// A count with its noun.
pub(super) fn number(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Bytes as people read them.
pub(super) fn size(bytes: usize) -> String {
    const KIB: usize = 1024;
    let tenths = |unit: usize| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..KIB => format!("{bytes} B"),
        KIB..0x10_0000 => format!("{} KB", tenths(KIB)),
        _ => format!("{} MB", tenths(KIB * KIB)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: Vec<Finding>, browser: Browser) -> Report {
        Report { id: None, version: None, files: 1, bytes: 1, browser, findings }
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(
            [0, 1023, 1024, 1536, 5 * 1024 * 1024 + 600_000].map(size),
            ["0 B", "1023 B", "1.0 KB", "1.5 KB", "5.5 MB"]
        );
    }

    #[test]
    fn the_status_says_what_a_script_must_know() {
        let missing = || Browser::Missing { why: "x".into() };
        let (fault, warning) = (Finding::of_folder(Level::Fault, ""), Finding::of_folder(Level::Warning, ""));
        assert_eq!(report(vec![], Browser::NotAsked).status(), 0);
        assert_eq!(report(vec![warning], Browser::NotAsked).status(), 0);
        assert_eq!(report(vec![fault.clone()], Browser::NotAsked).status(), 1);
        assert_eq!(report(vec![fault], missing()).status(), 1, "a fault is more than a doubt");
        assert_eq!(report(vec![], missing()).status(), 2);
    }

    #[test]
    fn a_line_leads_to_its_place() {
        let finding = Finding::at_line(Level::Fault, "panel.html", 7, "is wrong");
        assert_eq!(Line { place: "my/", finding: &finding }.to_string(), "my/panel.html:7: fault: is wrong");
        let fault = Fault { pointer: "/id".into(), what: "is wrong".into() };
        let finding = Finding::of_manifest(Level::Warning, fault);
        assert_eq!(
            Line { place: "my", finding: &finding }.to_string(),
            "my/manifest.json: warning: /id is wrong"
        );
    }
}
