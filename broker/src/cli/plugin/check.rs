//! `taiku plugin check`

mod browser;
mod files;
mod markup;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use taiku_bridge::Manifest;
use taiku_bridge::manifest::Examined;

use super::report::{Browser, Finding, Level, Report};
use super::source::{self, Unread};
use crate::cli::{CommandError, say};
use crate::plugin::{Files, MANIFEST};

/// The exit status when what was asked for could not be looked at.
const NOT_LOOKED_AT: u8 = 2;

#[derive(clap::Args)]
pub(in crate::cli) struct Check {
    /// The plugin's folder, or a packed plugin.
    place: PathBuf,
    /// Do not open the panels in a browser.
    #[arg(long)]
    no_browser: bool,
    /// Print what was found as JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) async fn run(self) -> Result<(), CommandError> {
        let Checked { report, .. } = examine(&self.place, !self.no_browser).await?;
        if self.json {
            let text = serde_json::to_string_pretty(&report);
            say(&text.map_err(|error| CommandError::Said(error.to_string()))?)?;
        } else {
            say(&report.text(&self.place.display().to_string()))?;
        }
        match report.status() {
            0 => Ok(()),
            status => Err(CommandError::Found(status)),
        }
    }
}

/// A plugin that was looked at.
pub(super) struct Checked {
    pub(super) report: Report,
    /// Its files, if they could be read.
    pub(super) files: Option<Arc<Files>>,
}

/// Looks at a plugin, in a browser too if that is asked for.
///
/// # Errors
/// When there is nothing to look at: exit status 2.
pub(super) async fn examine(place: &Path, in_browser: bool) -> Result<Checked, CommandError> {
    let mut report = Report::default();
    let files = match source::read(place) {
        Ok(files) => Arc::new(files),
        Err(Unread::Missing(why)) => return Err(CommandError::Unusable(why, NOT_LOOKED_AT)),
        Err(Unread::Faults(findings)) => {
            report.findings = findings;
            return Ok(Checked { report, files: None });
        }
    };
    report.files = files.paths().count();
    report.bytes = files.bytes();
    let manifest = read_manifest(&files, &mut report);
    report.findings.extend(files::look(&files, manifest.as_ref()));
    report.findings.extend(markup::look(&files));
    if let Some(manifest) = manifest.filter(|_| in_browser) {
        look_in_browser(&files, manifest, &mut report).await;
    }
    report.findings.sort();
    report.findings.dedup();
    Ok(Checked { report, files: Some(files) })
}

fn read_manifest(files: &Files, report: &mut Report) -> Option<Manifest> {
    let found = files.get(MANIFEST);
    let Some(text) = found.and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
        let what = if found.is_some() { "is not UTF-8" } else { "is missing: a plugin begins with it" };
        report.findings.push(Finding::of_file(Level::Fault, MANIFEST, what));
        return None;
    };
    let Examined { manifest, faults, warnings } = Manifest::examine(text);
    report.findings.extend(faults.into_iter().map(|fault| Finding::of_manifest(Level::Fault, fault)));
    report.findings.extend(warnings.into_iter().map(|fault| Finding::of_manifest(Level::Warning, fault)));
    report.id = manifest.as_ref().map(|manifest| manifest.id.to_string());
    report.version = manifest.as_ref().map(|manifest| manifest.version.to_string());
    manifest
}

async fn look_in_browser(files: &Arc<Files>, manifest: Manifest, report: &mut Report) {
    match browser::open(files, manifest).await {
        Ok(opened) => {
            // What markup shows to be wrong is not told again by the browser.
            let is_told = |found: &Finding| {
                let same = |told: &Finding| told.file == found.file && told.line == found.line;
                found.line.is_some() && report.findings.iter().any(same)
            };
            let new: Vec<_> = opened.findings.into_iter().filter(|found| !is_told(found)).collect();
            report.findings.extend(new);
            report.browser = Browser::Opened { version: opened.version, panels: opened.panels };
        }
        Err(why) => report.browser = Browser::Missing { why: why.to_string() },
    }
}
