//! Secrets and their hashes are compared in constant time, everywhere. Case E14.

use std::fs;
use std::path::{Path, PathBuf};

/// What stands in a line that compares a secret or what it is recognised by.
const SECRETS: [&str; 9] = [
    "cookie_hash",
    "session_hash",
    "state_hash",
    "key_hash",
    "id_hash",
    "request_hash",
    "sha256(",
    ".expose()",
    "hmac(",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The lines of a source that are not its tests.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect()
}

fn compares(line: &str) -> bool {
    (line.contains(" == ") || line.contains(" != ")) && SECRETS.iter().any(|secret| line.contains(secret))
}

#[test]
fn no_secret_is_compared_with_the_operators() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources = sources(&root);
    let rust = sources.iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let ours = rust.filter(|path| !path.components().any(|part| part.as_os_str() == "tests"));
    let ours: Vec<_> = ours.filter(|path| !path.ends_with("tests.rs")).collect();
    assert!(ours.len() > 100, "the sources are read");
    for path in ours {
        for line in code(path) {
            assert!(!compares(&line), "{}: compare with vault::hash::eq: {line}", path.display());
        }
    }
    assert!(compares("if flow.cookie_hash == hash {") && !compares("if eq(&flow.cookie_hash, &hash) {"));
}
