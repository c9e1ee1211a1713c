//! Which crate may know which. The arrows of `ARCHITECTURE.md`, enforced.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Every crate of the workspace and the crates of the workspace that it may name, for any purpose.
const EDGES: [(&str, &[&str]); 6] = [
    ("taiku-app", &["taiku-bridge"]),
    ("taiku-bridge", &[]),
    ("taiku-broker", &["taiku-bridge", "taiku-demo"]),
    ("taiku-demo", &[]),
    ("taiku-tests", &["taiku-bridge", "taiku-broker", "taiku-demo"]),
    ("xtask", &[]),
];

/// What the bridge may depend on. Before adding a line: it touches no file, socket, clock, random source or browser.
const PURE: [&str; 10] = [
    "base64",
    "percent-encoding",
    "semver",
    "serde",
    "serde_json",
    "serde_path_to_error",
    "strsim",
    "thiserror",
    "unicode-normalization",
    "url",
];

/// Crates that do input or output, none of which may come along with the pure ones, and the browser's.
const IMPURE: [&str; 16] = [
    "axum",
    "getrandom",
    "gloo-net",
    "hyper",
    "js-sys",
    "libc",
    "mio",
    "rand",
    "reqwest",
    "rustix",
    "rustls",
    "socket2",
    "sqlx-core",
    "tokio",
    "wasm-bindgen",
    "web-sys",
];

/// The standard library's ways out of pure code.
const WAYS_OUT: [&str; 8] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// What opens a connection, resolves a name, or can.
const OUTBOUND: [&str; 8] = [
    "reqwest",
    "TcpStream",
    "TcpSocket",
    "UdpSocket",
    "lookup_host",
    "ToSocketAddrs",
    "hyper_util::client",
    "hyper::client",
];

/// The files of the broker that may, beside `egress`: two commands for authors of plugins, neither of which is part of
/// a server.
const MAY_CONNECT: [&str; 2] = [
    // `taiku plugin dev` talks to the author's own taiku.
    "cli/plugin/dev/client.rs",
    // `taiku plugin check` talks to the browser that it has started on this machine.
    "cli/plugin/check/browser/devtools.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn cargo(args: &[&str]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo).args(args).current_dir(root()).output().unwrap();
    assert!(out.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn packages() -> Vec<Value> {
    let metadata = cargo(&["metadata", "--no-deps", "--locked", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    package["dependencies"].as_array().unwrap().iter()
}

/// All Rust files of a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The lines of a file that are not comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn crates_depend_one_way() {
    let packages = packages();
    assert_eq!(packages.len(), EDGES.len(), "a crate was added or removed: say in EDGES what it may know");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) =
            EDGES.iter().find(|(edge, _)| *edge == name).unwrap_or_else(|| panic!("{name} has no edges"));
        // A path marks a crate of this repository.
        let found: BTreeSet<_> = dependencies(&package)
            .filter(|dependency| dependency["path"].is_string())
            .map(|dependency| dependency["name"].as_str().unwrap())
            .collect();
        let allowed: BTreeSet<_> = allowed.iter().copied().collect();
        assert!(found.is_subset(&allowed), "{name} depends on {found:?}, and may only on {allowed:?}");
    }
}

#[test]
fn the_bridge_depends_on_nothing_that_does_io() {
    let packages = packages();
    let bridge = packages.iter().find(|package| package["name"] == "taiku-bridge").unwrap();
    for dependency in dependencies(bridge).filter(|dependency| dependency["kind"].is_null()) {
        let name = dependency["name"].as_str().unwrap();
        assert!(PURE.contains(&name), "the bridge depends on {name}; is it pure?");
    }
    for target in ["x86_64-unknown-linux-gnu", "wasm32-unknown-unknown"] {
        let args = ["tree", "--locked", "--package", "taiku-bridge", "--edges", "normal", "--prefix", "none"];
        let tree = cargo(&[&args[..], &["--target", target]].concat());
        for line in tree.lines() {
            let name = line.split(' ').next().unwrap_or_default();
            assert!(!IMPURE.contains(&name), "{name} comes along with the bridge on {target}:\n{tree}");
        }
    }
}

#[test]
fn the_bridge_uses_nothing_that_does_io() {
    for path in sources(&root().join("bridge/src")) {
        let code = code(&path);
        for way in WAYS_OUT {
            assert!(!code.contains(way), "{} uses {way}", path.display());
        }
    }
}

/// Tests of a crate are no part of the program.
fn is_test(path: &Path) -> bool {
    let inside = path.strip_prefix(root()).unwrap_or(path);
    inside.iter().any(|part| part == "tests" || part == "tests.rs" || part == "testing.rs")
}

/// The code of a file without the module of its tests at its end.
fn program(path: &Path) -> String {
    let code = code(path);
    code.split_once("#[cfg(test)]\nmod tests {").map_or(code.clone(), |(program, _)| program.to_owned())
}

#[test]
fn only_egress_opens_connections() {
    let folder = root().join("broker/src");
    for path in sources(&folder).into_iter().filter(|path| !is_test(path)) {
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        let may = name == "egress.rs" || name.starts_with("egress/") || MAY_CONNECT.contains(&name.as_str());
        let code = program(&path);
        for way in OUTBOUND.into_iter().filter(|way| code.contains(way)) {
            assert!(may, "{name} uses {way}: all outbound HTTP goes through taiku_broker::egress");
        }
    }
}

#[test]
fn only_serve_demo_names_the_demo() {
    let folder = root().join("broker/src");
    let naming: Vec<_> = sources(&folder)
        .into_iter()
        .filter(|path| !is_test(path) && code(path).contains("taiku_demo"))
        .collect();
    assert_eq!(naming.len(), 1, "one file starts the demo, and these name it: {naming:?}");
}
