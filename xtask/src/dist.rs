//! `cargo xtask dist`: one file that needs nothing beside it.

use std::fs;

use crate::{
    error::{Error, Result},
    process,
    progress::{note, step},
    web::{self, sizes::kilobytes},
    workspace::Workspace,
};

/// Builds `target/dist/taiku` and checks that the front end is inside.
///
/// # Errors
/// When a build fails or a file of the front end is not in the binary.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    web::build(workspace)?;
    step("Build the broker for release", || {
        process::run(workspace.cargo().args(["build", "--release", "--package", "taiku-broker"]))
    })?;
    let built = workspace.cargo_target.join("release/taiku");
    let binary = fs::read(&built).map_err(Error::io("read", &built))?;
    let assets = names(workspace)?;
    if let Some(missing) = assets.iter().find(|name| !contains(&binary, name.as_bytes())) {
        let problem =
            format!("it does not contain {missing} of the front end; touch broker/build.rs and try again");
        return Err(Error::File { path: built, problem });
    }

    let dist = workspace.dist();
    let folder = dist.parent().unwrap_or(&workspace.root);
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    // Beside it first: a running binary cannot be written, only replaced.
    let beside = dist.with_extension("new");
    fs::copy(&built, &beside).map_err(Error::io("copy to", &beside))?;
    fs::rename(&beside, &dist).map_err(Error::io("replace", &dist))?;
    let size = kilobytes(binary.len() as u64);
    note(&format!("{} is {size} and contains all {} files of the front end", dist.display(), assets.len()));
    Ok(())
}

/// The names of the front end's hashed files.
fn names(workspace: &Workspace) -> Result<Vec<String>> {
    let assets = workspace.web().join("assets");
    let entries = fs::read_dir(&assets).map_err(Error::io("read", &assets))?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

fn contains(binary: &[u8], name: &[u8]) -> bool {
    binary.windows(name.len()).any(|window| window == name)
}
