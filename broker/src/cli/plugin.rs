//! `taiku plugin`: the tools of authors.

mod check;
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
    /// Pack a plugin into one file that can be given away.
    Pack(pack::Pack),
}

pub(super) async fn run(command: Command) -> Result<(), CommandError> {
    match command {
        Command::New(new) => new.run(),
        Command::Check(check) => check.run().await,
        Command::Pack(pack) => pack.run().await,
    }
}
