//! The program `taiku`.

use std::process::ExitCode;

fn main() -> ExitCode {
    taiku_broker::cli::main()
}
