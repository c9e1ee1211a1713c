//! `taiku audit`

use clap::Subcommand;

use super::{CommandError, Context, say};
use crate::store::audit::{self, Verdict};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Follow the chain of the audit log and name the first entry that was deleted, edited or moved.
    Verify,
}

pub(super) async fn run(command: &Command, context: &Context) -> Result<(), CommandError> {
    let Command::Verify = command;
    let mut tx = context.opened.store.read().await?;
    match audit::verify(&mut tx).await? {
        Verdict::Sound { entries } => say(&format!("the audit log is sound: {entries} entries")),
        Verdict::Broken { seq } => Err(CommandError::Said(format!(
            "the audit log is broken at entry {seq}: it was deleted, edited or moved"
        ))),
    }
}
