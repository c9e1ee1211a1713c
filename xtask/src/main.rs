//! `cargo xtask <command>`: everything that is done with this repository.
//!
//! Each command finds or installs what it needs and says what it does.

mod error;
mod process;
mod progress;
mod run;
mod rust;
mod web;
mod workspace;

use std::process::ExitCode;

use crate::{
    error::{Error, Result},
    workspace::Workspace,
};

const HELP: &str = "\
cargo xtask <command>

  run [args…]       build what is missing and serve taiku with the offline demo provider
  web               bundle the front end into target/web
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_else(|| "help".to_owned());
    let rest: Vec<String> = args.collect();
    match dispatch(&command, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, rest: &[String]) -> Result<()> {
    let workspace = Workspace::find()?;
    match command {
        "run" => run::run(&workspace, rest),
        "web" => web::build(&workspace),
        "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(Error::UnknownCommand(other.to_owned())),
    }
}
