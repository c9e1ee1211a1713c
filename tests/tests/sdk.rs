//! The SDK in `plugins/sdk`: its own tests and types, what is committed of its build, and what it says of the bridge.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use taiku_bridge::event::{RESERVED, may_hear};
use taiku_bridge::{Grant, Method, Permission};

/// The most bytes of the build for script tags after brotli.
const MOST: usize = 4_000;

fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins")
}

fn sdk() -> PathBuf {
    plugins().join("sdk")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

/// Runs node in the SDK's folder, where `cargo xtask test` has installed its npm packages.
fn node(arguments: &[&str]) {
    let output = Command::new("node").args(arguments).current_dir(sdk()).output().expect("node can be run");
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "node {}: {}", arguments.join(" "), said.concat());
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn its_unit_tests_pass() {
    node(&["--test", "test/"]);
}

#[test]
fn right_calls_compile_and_wrong_ones_do_not() {
    node(&["node_modules/typescript/bin/tsc", "--noEmit"]);
}

#[test]
fn what_is_committed_is_what_the_source_builds() {
    let built = tempfile::tempdir().unwrap();
    node(&["build.mjs", built.path().to_str().unwrap()]);
    let names = |folder: &Path| -> BTreeSet<_> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    let dist = sdk().join("dist");
    assert_eq!(names(built.path()), names(&dist));
    for name in names(&dist) {
        let same = read(&built.path().join(&name)) == read(&dist.join(&name));
        assert!(same, "{} is not what the source builds: run `cargo xtask sdk`", name.display());
    }
}

#[test]
fn the_copies_in_plugins_are_current() {
    for name in ["taiku.js", "taiku.css"] {
        let built = read(&sdk().join("dist").join(name));
        let copies = fs::read_dir(plugins()).unwrap().map(|entry| entry.unwrap().path().join(name));
        for copy in copies.filter(|copy| copy.exists()) {
            assert!(read(&copy) == built, "{} is another build: run `cargo xtask sdk`", copy.display());
        }
    }
}

#[test]
fn the_script_is_small() {
    let script = fs::read(sdk().join("dist/taiku.js")).unwrap();
    let mut compressed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut script.as_slice(), &mut compressed, &params).unwrap();
    assert!(compressed.len() <= MOST, "it has {} bytes after brotli, the limit is {MOST}", compressed.len());
}

#[test]
fn it_has_every_method_with_its_permission_and_every_event() {
    let types = without_spaces(&read(&sdk().join("dist/taiku.d.ts")));
    let (_, methods) = types.split_once("interface Methods {").unwrap();
    let (methods, rest) = methods.split_once(" } /** ").unwrap();
    let entries: Vec<&str> = methods.split("/** ").skip(1).collect();
    assert_eq!(entries.len(), Method::ALL.len(), "each has a comment");
    for method in Method::ALL {
        let name = method.as_str();
        let starts = [format!("*/ {name}: {{"), format!("*/ \"{name}\": {{")];
        let entry = entries.iter().find(|entry| starts.iter().any(|start| entry.contains(start)));
        let entry = entry.unwrap_or_else(|| panic!("{name} is missing"));
        let named: Vec<_> = entry.split('`').filter_map(Permission::parse).collect();
        assert_eq!(named, method.permission().into_iter().collect::<Vec<_>>(), "{entry}");
    }
    let (_, events) = rest.split_once("interface Events {").unwrap();
    let (events, _) = events.split_once(" } /**").unwrap();
    let everything = Grant { permissions: Permission::ALL.iter().copied().collect(), ..Grant::default() };
    for event in RESERVED.iter().filter(|event| may_hear(event, &everything)) {
        assert!(events.contains(&format!(" {event}: {{")), "{event}");
    }
}
