//! `taiku plugin new`: what it writes works, and it writes over nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::taiku;

fn folder() -> TempDir {
    TempDir::new().expect("a folder can be made for temporary files")
}

fn manifest(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("there is a manifest")).expect("it is JSON")
}

/// Checks a folder in a browser and expects nothing to be found.
#[track_caller]
fn assert_sound(folder: &Path, name: &str) {
    let done = taiku(folder, &["plugin", "check", name], &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("1 panel opened") && done.out.contains("0 faults, 0 warnings"), "{done:?}");
}

#[test]
fn a_new_plugin_is_sound_and_says_what_comes_next() {
    let at = folder();
    let done = taiku(at.path(), &["plugin", "new", "acme.first-steps"], &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let next = ["taiku plugin dev acme.first-steps", "taiku plugin check acme.first-steps"];
    assert!(next.iter().all(|command| done.out.contains(command)), "{done:?}");
    let manifest = manifest(&at.path().join("acme.first-steps/manifest.json"));
    assert_eq!((&manifest["id"], &manifest["name"]), (&json!("acme.first-steps"), &json!("First Steps")));
    assert_eq!((&manifest["permissions"], &manifest["integrations"]), (&json!(["ui.toast"]), &json!([])));
    assert_sound(at.path(), "acme.first-steps");
}

#[test]
fn a_plugin_with_toolkits_and_a_hostile_name_is_sound_too() {
    let at = folder();
    let name = "A \"quoted\" </title><script>x</script> \\ & name\"";
    let toolkits = ["--toolkit", "Demo", "--toolkit", "github"];
    let done = taiku(
        at.path(),
        &[&["plugin", "new", "x", "--id", "a.b", "--name", name], &toolkits[..]].concat(),
        &[],
    );
    assert_eq!(done.code, Some(0), "{done:?}");
    let manifest = manifest(&at.path().join("x/manifest.json"));
    assert_eq!((&manifest["id"], &manifest["name"]), (&json!("a.b"), &json!(name)));
    assert_eq!(manifest["integrations"], json!(["demo", "github"]));
    assert!(manifest["permissions"].as_array().expect("a list").contains(&json!("integrations.execute")));
    assert_sound(at.path(), "x");
}

#[test]
fn nothing_is_overwritten() {
    let at = folder();
    fs::create_dir(at.path().join("mine")).expect("a folder can be made");
    fs::write(at.path().join("mine/panel.js"), "mine").expect("a file can be written");
    let done = taiku(at.path(), &["plugin", "new", "mine"], &[]);
    assert!(done.code == Some(1) && done.err.contains("mine is not empty"), "{done:?}");
    assert_eq!(fs::read_dir(at.path().join("mine")).expect("it is there").count(), 1);
    for (wrong, word) in
        [(["--id", "no id"], "--id"), (["--name", ""], "--name"), (["--toolkit", "a/b"], "--toolkit")]
    {
        let done = taiku(at.path(), &[&["plugin", "new", "other"], &wrong[..]].concat(), &[]);
        assert!(done.code == Some(1) && done.err.contains(word), "{done:?}");
        assert!(!at.path().join("other").exists());
    }
}

#[test]
fn the_typescript_template_builds_and_is_sound() {
    let at = folder();
    let command = ["plugin", "new", "typed", "--template", "typescript", "--toolkit", "demo"];
    let done = taiku(at.path(), &command, &[]);
    assert!(done.code == Some(0) && done.out.contains("taiku plugin dev typed/plugin"), "{done:?}");
    let typed = at.path().join("typed");
    // The same versions as the SDK's own, so that its packages can stand for the plugin's.
    let sdk: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/sdk");
    let (own, sdks) = (manifest(&typed.join("package.json")), manifest(&sdk.join("package.json")));
    assert_eq!(own["devDependencies"], sdks["devDependencies"]);
    let packages = sdk.join("node_modules").canonicalize().expect("`cargo xtask test` installs them");
    std::os::unix::fs::symlink(packages, typed.join("node_modules")).expect("a link can be made");
    let build = Command::new("npm").args(["run", "build"]).current_dir(&typed).output();
    let build = build.expect("npm can be started");
    assert!(build.status.success(), "{build:?}");
    assert_sound(at.path(), "typed/plugin");
}
