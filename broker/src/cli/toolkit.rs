//! `taiku toolkit`

mod make;

use std::path::PathBuf;

use clap::Subcommand;

use super::{CommandError, say};
use crate::config::Config;
use crate::egress::Policy;
use crate::toolkit;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the toolkits that this server would load.
    List,
    /// Begin a toolkit: a folder with a commented toolkit.toml and a small OpenAPI document.
    New(make::New),
    /// Make a toolkit of an OpenAPI document, and say what was left out and why.
    Import(make::Import),
    /// Check toolkit folders.
    Check {
        /// The folders.
        #[arg(required = true)]
        folders: Vec<PathBuf>,
    },
}

pub(super) async fn run(command: Command, config: &Config) -> Result<(), CommandError> {
    match command {
        Command::New(new) => new.run(),
        Command::Import(import) => {
            import.run(Policy { allow_loopback_http: config.allow_loopback_http.unwrap_or(false) }).await
        }
        Command::List => list(config),
        Command::Check { folders } => check(&folders),
    }
}

fn list(config: &Config) -> Result<(), CommandError> {
    let catalog = toolkit::Catalog::load(toolkit::embedded(), &config.toolkit_dirs);
    for toolkit in catalog.iter() {
        let (slug, mode, count) = (&toolkit.slug, toolkit.auth.mode(), toolkit.tool_count());
        say(&format!("{slug}\t{mode}\t{count} tools\t{}", toolkit.name))?;
    }
    for failed in catalog.faults() {
        for fault in &failed.faults {
            say(&format!("{}: {fault}", failed.folder))?;
        }
    }
    Ok(())
}

fn check(folders: &[PathBuf]) -> Result<(), CommandError> {
    let mut wrong = 0;
    for folder in folders {
        match toolkit::check(folder) {
            Ok(toolkit) => say(&format!("{}: {} tools", folder.display(), toolkit.tool_count()))?,
            Err(faults) => {
                wrong += 1;
                for fault in faults {
                    say(&format!("{}: {fault}", folder.display()))?;
                }
            }
        }
    }
    if wrong == 0 { Ok(()) } else { Err(CommandError::Said(format!("{wrong} folders have faults"))) }
}
