//! `taiku doctor`

use clap::Args;

use super::{CommandError, say};
use crate::broker::Start;
use crate::clock::Clock;
use crate::config::{Config, Source};
use crate::doctor::{self, Finding, Status};
use crate::random::Random;

#[derive(Args)]
pub(super) struct Arguments {
    /// As JSON, for scripts.
    #[arg(long)]
    json: bool,
}

/// Looks at the installation; ends with 1 when something does not work.
pub(super) async fn run(arguments: &Arguments, source: Source, config: Config) -> Result<(), CommandError> {
    let port = config.listen.port();
    let (clock, random) = (Clock::System, Random::system());
    let loopback_by_default = false;
    let findings = doctor::examine(&Start { config, source, port, loopback_by_default, clock, random }).await;
    if arguments.json {
        let text = serde_json::to_string_pretty(&findings).map_err(std::io::Error::other)?;
        say(&text)?;
    } else {
        findings.iter().try_for_each(line)?;
    }
    let fails = findings.iter().any(|finding| finding.status == Status::Fail);
    if fails { Err(CommandError::Found(1)) } else { Ok(()) }
}

fn line(finding: &Finding) -> Result<(), CommandError> {
    let Finding { check, status, found, todo } = finding;
    let status = match status {
        Status::Ok => "ok  ",
        Status::Warn => "warn",
        Status::Fail => "fail",
    };
    say(&format!("{status}  {check}: {found}"))?;
    if todo.is_empty() { Ok(()) } else { say(&format!("      {todo}")) }
}
