//! `cargo xtask sdk`: the SDK for authors of panels, and the copies of it that the shipped plugins load.
//!
//! What it builds is committed: nobody who only builds or runs taiku needs npm for it. A test rebuilds it and compares.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::{Error, Result},
    packages, process,
    progress::{note, step},
    workspace::Workspace,
};

/// What a panel loads: the build for script tags and the look. A panel loads only its own files, so each plugin that
/// uses them has copies.
const LOADED: [&str; 2] = ["taiku.js", "taiku.css"];

/// Builds the SDK into `plugins/sdk/dist`, checks its types and renews the copies.
///
/// # Errors
/// When npm or node is missing, a type is wrong, or a file cannot be written.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let plugins = workspace.root.join("plugins");
    packages::ensure_npm(&plugins)?;
    let sdk = plugins.join("sdk");
    let node = |script: &str, argument: &[&str]| {
        process::run(Command::new("node").arg(script).args(argument).current_dir(&sdk))
    };
    step("Build the SDK", || node("build.mjs", &[]))?;
    // The examples of right and wrong calls see what was built.
    step("Check the types of the SDK", || node("node_modules/typescript/bin/tsc", &["--noEmit"]))?;
    for name in LOADED {
        for copy in copies(&plugins, name)? {
            fs::copy(sdk.join("dist").join(name), &copy).map_err(Error::io("write", &copy))?;
            note(&format!("renewed {}", copy.display()));
        }
    }
    Ok(())
}

/// The copies of a file in the folders of plugins.
fn copies(plugins: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(plugins).map_err(Error::io("read", plugins))?;
    let copy = |entry: std::io::Result<fs::DirEntry>| Some(entry.ok()?.path().join(name));
    Ok(entries.filter_map(copy).filter(|copy| copy.is_file()).collect())
}
