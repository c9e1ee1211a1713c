//! Programs that the tests need and cargo does not bring: found, or installed with Debian's packages.

use std::{path::Path, process::Command};

use crate::{
    error::{Error, Result},
    postgres, process,
    progress::{note, step},
};

/// One program and where it comes from.
struct Need {
    /// For people.
    what: &'static str,
    found: fn() -> bool,
    /// Packages that bring it; the first one that apt knows is taken.
    packages: &'static [&'static str],
}

const NEEDS: [Need; 3] = [
    Need {
        what: "Chromium",
        found: || ["chromium", "chromium-browser", "google-chrome"].into_iter().any(on_path),
        packages: &["chromium"],
    },
    Need { what: "chromedriver", found: || on_path("chromedriver"), packages: &["chromium-driver"] },
    Need {
        what: "the server of PostgreSQL 15",
        found: || postgres::programs().is_some(),
        packages: &["postgresql-15", "postgresql"],
    },
];

fn on_path(program: &str) -> bool {
    process::find(program).is_some()
}

/// Makes sure that all of them are there.
///
/// # Errors
/// Names what is missing where apt cannot install it.
pub(crate) fn ensure() -> Result<()> {
    ensure_all(&NEEDS)
}

/// Makes sure that there is a browser, for what needs nothing else.
///
/// # Errors
/// When it is missing and apt cannot install it.
pub(crate) fn ensure_browser() -> Result<()> {
    ensure_all(&NEEDS[..1])
}

fn ensure_all(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.found)()).collect();
    if missing.is_empty() {
        note(&format!("{} found", needs.iter().map(|need| need.what).collect::<Vec<_>>().join(", ")));
        return Ok(());
    }
    let names = missing.iter().map(|need| need.what).collect::<Vec<_>>().join(", ");
    if process::find("apt-get").is_none() {
        return Err(Error::MissingTool {
            tool: names,
            remedy: "install it with your system's package manager, so that it is on PATH".to_owned(),
        });
    }
    step(&format!("Install {names}"), || {
        process::run(apt()?.arg("update"))?;
        let packages = missing.iter().map(|need| available(need.packages));
        process::run(apt()?.args(["install", "--yes", "--no-install-recommends"]).args(packages))
    })
}

/// The first package that apt has heard of.
fn available(packages: &'static [&'static str]) -> &'static str {
    let known =
        |package: &&&str| process::output(Command::new("apt-cache").args(["show", **package])).is_ok();
    packages.iter().find(known).or(packages.last()).copied().unwrap_or_default()
}

/// `apt-get` as root, asking nothing.
fn apt() -> Result<Command> {
    let mut apt = if is_root()? {
        Command::new("env")
    } else if on_path("sudo") {
        let mut sudo = Command::new("sudo");
        sudo.arg("env");
        sudo
    } else {
        let remedy =
            "become root, or install chromium, chromium-driver and postgresql-15 with apt".to_owned();
        return Err(Error::MissingTool { tool: "sudo".to_owned(), remedy });
    };
    apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--option", "Dpkg::Use-Pty=0"]);
    Ok(apt)
}

/// Whether this process is root.
pub(crate) fn is_root() -> Result<bool> {
    Ok(process::output(Command::new("id").arg("-u"))?.trim() == "0")
}

/// Installs the npm packages of a folder and of those within it that have a `package-lock.json`.
///
/// # Errors
/// When npm is missing or fails.
pub(crate) fn ensure_npm(folder: &Path) -> Result<()> {
    let folders = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for folder in
        folders.chain([folder.to_path_buf()]).filter(|folder| folder.join("package-lock.json").is_file())
    {
        if npm_is_current(&folder) {
            continue;
        }
        let npm = process::find("npm").ok_or_else(|| Error::MissingTool {
            tool: "npm".to_owned(),
            remedy: "install Node.js 20 or newer with npm".to_owned(),
        })?;
        step(&format!("Install the npm packages of {}", folder.display()), || {
            process::run(Command::new(npm).args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))
        })?;
    }
    Ok(())
}

/// npm writes its own copy of the lock file last.
fn npm_is_current(folder: &Path) -> bool {
    let time = |file: &str| folder.join(file).metadata().and_then(|data| data.modified()).ok();
    match (time("node_modules/.package-lock.json"), time("package-lock.json")) {
        (Some(installed), Some(wanted)) => installed >= wanted,
        _ => false,
    }
}
