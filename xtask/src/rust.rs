//! The parts of the Rust toolchain that a fresh machine may lack.

use std::process::Command;

use crate::{
    error::{Error, Result},
    process,
    progress::step,
};

/// The target of the front end.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Adds the wasm target to the active toolchain if it is not there.
///
/// # Errors
/// When it is missing and `rustup` cannot add it.
pub(crate) fn ensure_wasm_target() -> Result<()> {
    let sysroot = process::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let library = std::path::Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).join("lib");
    if library.is_dir() {
        return Ok(());
    }
    let rustup = rustup(&format!("add the target {WASM} to your Rust toolchain by hand"))?;
    step("Add the wasm target", || process::run(Command::new(rustup).args(["target", "add", WASM])))
}

/// Adds rustfmt and clippy to the active toolchain if they are not there.
///
/// # Errors
/// When one is missing and `rustup` cannot add it.
pub(crate) fn ensure_checkers() -> Result<()> {
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        let works = Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success());
        if !works {
            let rustup = rustup(&format!("add {component} to your Rust toolchain by hand"))?;
            step(&format!("Add {component}"), || {
                process::run(Command::new(rustup).args(["component", "add", component]))
            })?;
        }
    }
    Ok(())
}

fn rustup(remedy: &str) -> Result<std::path::PathBuf> {
    process::find("rustup")
        .ok_or_else(|| Error::MissingTool { tool: "rustup".into(), remedy: remedy.to_owned() })
}
