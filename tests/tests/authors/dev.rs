//! `taiku plugin dev` without a browser: the demo host that it starts, and what it refuses.

use std::fs;

use taiku_tests::Dev;
use tempfile::TempDir;

use crate::{manifest, plugin, taiku, write};

const PAGE: &str = "<!doctype html>\n<p>page</p>\n";

#[test]
fn it_starts_a_demo_host_and_keeps_what_worked_while_a_file_is_wrong() {
    let folder = plugin(&manifest(), &[("panel.html", PAGE)]);
    let data = TempDir::new().expect("a folder can be made for temporary files");
    let mut dev = Dev::with_demo(&folder.path().join("plugin"), data.path());
    dev.line("who can sign in", |line| line.starts_with("sign in as ada@example.test with ").then_some(()));
    let address = dev.line("where the panel is", |line| {
        line.trim().strip_suffix("/panel/tests.author/main").map(str::to_owned)
    });
    assert!(address.starts_with("http://localhost:"), "{address}");
    dev.line("where the calls are", |line| line.ends_with("/dev/tests.author").then_some(()));

    write(&folder, "panel.html", "<!doctype html>\n<script src=gone.js></script>\n");
    dev.line("the fault", |line| {
        line.contains("panel.html:2: fault: <script> loads `gone.js`").then_some(())
    });
    write(&folder, "panel.html", &format!("{PAGE}<p>more</p>"));
    dev.line("that it is loaded again", |line| line.contains("reloaded").then_some(()));
    let said = dev.stop();
    assert_eq!(said.matches("reloaded").count(), 1, "a plugin with faults is not taken: {said}");
}

#[test]
fn it_refuses_what_cannot_be_tried() {
    let folder = plugin(&manifest(), &[]);
    let done = taiku(folder.path(), &["plugin", "dev", "plugin"], &[]);
    assert!(done.code == Some(1) && done.err.contains("mend the faults first"), "{done:?}");
    let done = taiku(folder.path(), &["plugin", "dev", "plugin", "--url", "http://localhost:1"], &[]);
    assert!(done.code == Some(2) && done.err.contains("--api-key"), "{done:?}");
    fs::write(folder.path().join("plugin/panel.html"), PAGE).expect("a file can be written");
    let key = [("TAIKU_API_KEY", "taiku_x")];
    let done = taiku(folder.path(), &["plugin", "dev", "plugin", "--url", "http://localhost:1"], &key);
    assert!(done.code == Some(1) && done.err.contains("cannot be reached"), "{done:?}");
}
