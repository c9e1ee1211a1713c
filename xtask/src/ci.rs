//! `cargo xtask ci`: what a change must pass.

use std::fs;

use crate::{
    error::{Error, Result},
    process,
    progress::step,
    rust,
    test::{self, Counts},
    web::bundle::SPLIT,
    workspace::Workspace,
};

/// Checks the format, lints both halves, and runs the test command.
///
/// # Errors
/// At the first check that does not pass. Tests that fail are counted.
pub(crate) fn run(workspace: &Workspace) -> Result<Counts> {
    rust::ensure_checkers()?;
    rust::ensure_wasm_target()?;
    // The broker embeds this folder and does not compile without it.
    fs::create_dir_all(workspace.web()).map_err(Error::io("create", workspace.web()))?;
    step("Check the format", || process::run(workspace.cargo().args(["fmt", "--all", "--check"])))?;
    step("Lint the native crates", || {
        let mut clippy = workspace.cargo();
        clippy.args([
            "clippy",
            "--workspace",
            "--exclude",
            "taiku-app",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]);
        process::run(&mut clippy)
    })?;
    step("Lint the application", || {
        let mut clippy = workspace.cargo();
        clippy.args(["clippy", "--package", "taiku-app", "--target", rust::WASM]);
        clippy.args(["--features", SPLIT, "--", "-D", "warnings"]);
        process::run(&mut clippy)
    })?;
    test::run(workspace, &[])
}
