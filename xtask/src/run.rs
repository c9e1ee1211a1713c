//! `cargo xtask run`: from a fresh clone to a taiku in the browser.

use std::{os::unix::process::CommandExt, process::Command};

use crate::{
    error::{Error, Result},
    process,
    progress::{note, step},
    web,
    workspace::Workspace,
};

/// Builds the front end and the broker, then becomes `taiku serve --demo` with the caller's arguments.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<()> {
    note("the first build takes some minutes, later ones seconds");
    web::build(workspace)?;
    step("Build the broker", || {
        process::run(workspace.cargo().args(["build", "--package", "taiku-broker"]))
    })?;

    let mut taiku = Command::new(workspace.debug_binary());
    taiku.current_dir(&workspace.root).args(["serve", "--demo"]).args(args);
    note(&format!("starting `{}`; stop it with Ctrl-C", process::describe(&taiku)));
    // Returns only if it could not start.
    let source = taiku.exec();
    Err(Error::Start { command: process::describe(&taiku), source })
}
