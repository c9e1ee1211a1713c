//! `cargo xtask web`: the front end, ready to serve.
//!
//! It reads the page that Trunk reads, `app/index.html`, with the same links (see [`page`]), and the same
//! `[build]` of `Trunk.toml` (see [`trunk`]). The link `rust` becomes `pattern_script`, in which a module
//! `boot.js` finds the two hashed names in its own tag's `data-module` and `data-wasm`. What the page names
//! lies in `/assets/` under a name with a hash of its content, each file with its `.br` beside it. The application is
//! taken apart first (see [`split`]): what a first visit does without is loaded when it is shown.

mod assets;
pub(crate) mod bundle;
mod glue;
pub(crate) mod html;
mod page;
pub(crate) mod sizes;
mod split;
mod trunk;

use crate::{
    error::Result,
    process,
    progress::{note, step},
    rust,
    workspace::Workspace,
};

/// Builds `target/web`, or leaves it when nothing that goes into it has changed.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    rust::ensure_wasm_target()?;
    let plan = bundle::Plan::read(workspace)?;
    step("Compile the front end", || process::run(&mut plan.cargo_build(workspace)))?;
    if bundle::is_current(workspace, &plan)? {
        note("the bundle in target/web is current");
    } else {
        step("Bundle the front end into target/web", || bundle::write(workspace, &plan))?;
    }
    for line in sizes::Sizes::read(&workspace.web())?.table() {
        note(&line);
    }
    Ok(())
}
