//! What is wrong with the set of files.

use memchr::memmem;
use taiku_bridge::Manifest;
use taiku_bridge::manifest::Fault;

use super::{Finding, Level};
use crate::cli::plugin::report::size;
use crate::panel::content_type;
use crate::plugin::{Files, MANIFEST};

/// From this size on, in bytes, a file is worth a word: it is loaded before the panel is there.
const LARGE: usize = 1024 * 1024;
/// Names of files that are for people and named by nothing.
const FOR_PEOPLE: &[&str] = &["readme", "license", "licence", "copying", "changelog", "notice"];

/// Panels without a file, files without a use, and files that are large.
pub(super) fn look(files: &Files, manifest: Option<&Manifest>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(manifest) = manifest {
        findings.extend(panels(files, manifest));
        findings.extend(unused(files, manifest));
    }
    for (path, content) in files.iter().filter(|(_, content)| content.len() > LARGE) {
        let what = format!("has {}: a panel that loads it starts late", size(content.len()));
        findings.push(Finding::of_file(Level::Warning, path, what));
    }
    findings
}

fn panels(files: &Files, manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, panel) in manifest.panels.iter().enumerate() {
        let mut add = |level, what| {
            let pointer = format!("/panels/{index}/htmlUrl");
            findings.push(Finding::of_manifest(level, Fault { pointer, what }));
        };
        if files.get(&panel.html_url).is_none() {
            add(Level::Fault, format!("names `{}`, which is not there", panel.html_url));
        } else if !content_type::is_html(&panel.html_url) {
            let what = "is not served as HTML, so that the panel will not start; name it `….html`";
            add(Level::Fault, what.into());
        }
    }
    findings
}

/// A file is used when the manifest opens it, or when another file contains its name.
fn unused(files: &Files, manifest: &Manifest) -> Vec<Finding> {
    let is_panel = |path: &str| manifest.panels.iter().any(|panel| panel.html_url == path);
    let is_named = |path: &str| {
        let finder = memmem::Finder::new(base_name(path));
        files.iter().any(|(other, content)| other != path && finder.find(content).is_some())
    };
    let unused = files
        .paths()
        .filter(|path| *path != MANIFEST && !is_panel(path) && !is_for_people(path) && !is_named(path));
    unused
        .map(|path| Finding::of_file(Level::Warning, path, "is named by no other file: is it used?"))
        .collect()
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_for_people(path: &str) -> bool {
    let name = base_name(path).to_ascii_lowercase();
    FOR_PEOPLE.iter().any(|known| name.starts_with(known))
}
