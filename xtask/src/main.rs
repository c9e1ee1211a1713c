//! `cargo xtask <command>`: everything that is done with this repository.
//!
//! Each command finds or installs what it needs and says what it does.

mod bench;
mod ci;
mod dist;
mod error;
mod packages;
mod postgres;
mod process;
mod progress;
mod reliability;
mod run;
mod rust;
mod sdk;
mod test;
mod web;
mod workspace;

use std::process::ExitCode;

use crate::{
    error::{Error, Result},
    test::Counts,
    workspace::Workspace,
};

const HELP: &str = "\
cargo xtask <command>

  run [args…]       build what is missing and serve taiku with the offline demo provider
  test [filter…]    run every test, the browser's included, or those whose names contain a filter
  web               bundle the front end into target/web
  sdk               build the SDK for panels into plugins/sdk/dist
  dist              build the self-contained release binary target/dist/taiku
  bench             measure sizes, start, memory and the bridge against their limits
  ci                check the format, lint, and test
  reliability [name…] [--postgres|--sqlite] [--quick]
                    measure what taiku promises in numbers, at full size, and print a table
  nightly           the same for everything, and the tests that take too long for each change
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_else(|| "help".to_owned());
    let rest: Vec<String> = args.collect();
    dispatch(&command, &rest).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn dispatch(command: &str, rest: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    match command {
        "run" => run::run(&workspace, rest)?,
        "test" => return Ok(close(test::run(&workspace, rest)?)),
        "web" => web::build(&workspace)?,
        "sdk" => sdk::build(&workspace)?,
        "dist" => dist::build(&workspace)?,
        "bench" => bench::run(&workspace)?,
        "ci" => return Ok(close(ci::run(&workspace)?)),
        "reliability" => return reliability::run(&workspace, rest),
        "nightly" => return reliability::nightly(&workspace),
        "help" | "-h" | "--help" => print!("{HELP}"),
        other => return Err(Error::UnknownCommand(other.to_owned())),
    }
    Ok(ExitCode::SUCCESS)
}

/// The last line of a run with tests.
fn close(counts: Counts) -> ExitCode {
    println!("{counts}");
    counts.exit_code()
}
