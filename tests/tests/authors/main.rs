//! The tools of authors, as their users run them: `taiku plugin new`, `check`, `dev` and `pack`.

mod check;
mod dev;
mod new;
mod pack;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use taiku_tests::binary;
use tempfile::TempDir;

/// What a command came to.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs `taiku` in a folder.
fn taiku(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Done {
    let output = Command::new(binary())
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(folder)
        .output()
        .expect("the program can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Done { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A manifest with one panel and no wishes.
fn manifest() -> Value {
    json!({
        "id": "tests.author", "name": "Author", "version": "1.2.3", "permissions": [],
        "panels": [{ "id": "main", "title": "Author", "position": "sidebar", "htmlUrl": "panel.html" }],
    })
}

/// A folder `plugin` with a manifest and other files, in a folder of its own.
fn plugin(manifest: &Value, files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a folder can be made for temporary files");
    write(&folder, "manifest.json", &manifest.to_string());
    files.iter().for_each(|(path, text)| write(&folder, path, text));
    folder
}

fn write(folder: &TempDir, path: &str, text: &str) {
    let path = folder.path().join("plugin").join(path);
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
    fs::write(path, text).expect("a file can be written");
}
