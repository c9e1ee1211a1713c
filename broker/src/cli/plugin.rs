//! `taiku plugin`: the tools of authors.

mod check;
mod dev;
mod new;
mod pack;
mod report;
mod source;

use clap::Subcommand;

use super::CommandError;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Write a small plugin that works, to begin with.
    New(new::New),
    /// Find what is wrong with a plugin, before its users do.
    Check(check::Check),
    /// Try a plugin in a host: open panels load again when a file changes, and every call is shown.
    Dev(dev::Dev),
    /// Pack a plugin into one file that can be given away.
    Pack(pack::Pack),
}

pub(super) async fn run(command: Command) -> Result<(), CommandError> {
    match command {
        Command::New(new) => new.run(),
        Command::Check(check) => check.run().await,
        Command::Dev(dev) => dev.run().await,
        Command::Pack(pack) => pack.run().await,
    }
}
