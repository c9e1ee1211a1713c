//! `taiku plugin pack`: the same bytes every time, and none for a plugin with faults.

use std::fs;

use crate::{manifest, plugin, taiku, write};

const PAGE: &str = "<!doctype html>\n<script src=panel.js></script>\n";

#[test]
fn a_packed_plugin_is_the_folder_and_always_the_same() {
    let folder = plugin(&manifest(), &[("panel.html", PAGE), ("panel.js", "\"use strict\";\n")]);
    let done = taiku(folder.path(), &["plugin", "pack", "plugin"], &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let first = fs::read(folder.path().join("tests.author-1.2.3.zip")).expect("it was packed");
    for words in
        ["1 panel opened", "manifest.json", "panel.js", "packed 3 files into", "SHA-256 of the archive: "]
    {
        assert!(done.out.contains(words), "{words}: {}", done.out);
    }

    write(&folder, ".notes", "is no part of it");
    let page = folder.path().join("plugin/panel.html");
    fs::write(&page, PAGE).expect("it can be written again");
    let again = taiku(folder.path(), &["plugin", "pack", "plugin", "-o", "again.zip", "--no-browser"], &[]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(fs::read(folder.path().join("again.zip")).expect("it was packed"), first);

    let checked = taiku(folder.path(), &["plugin", "check", "again.zip"], &[]);
    assert!(checked.code == Some(0) && checked.out.contains("3 files"), "{checked:?}");
}

#[test]
fn a_plugin_with_faults_is_not_packed() {
    let folder = plugin(&manifest(), &[("panel.html", PAGE)]);
    let done = taiku(folder.path(), &["plugin", "pack", "plugin", "--no-browser"], &[]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.out.contains("panel.html:2: fault") && done.err.contains("nothing was packed"), "{done:?}");
    assert!(!folder.path().join("tests.author-1.2.3.zip").exists());
}

#[test]
fn an_archive_is_not_written_into_what_it_packs() {
    let folder = plugin(&manifest(), &[("panel.html", "<!doctype html>")]);
    let packed = ["plugin", "pack", "plugin", "--no-browser", "-o", "plugin/out.zip"];
    let done = taiku(folder.path(), &packed, &[]);
    assert!(done.code == Some(1) && done.err.contains("become a part of the plugin"), "{done:?}");
}
