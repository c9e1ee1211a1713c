//! `cargo xtask test`: every test, with all that they need.

use std::{
    fmt,
    io::{BufRead, BufReader, Write},
    ops::AddAssign,
    process::{Command, ExitCode, Stdio},
};

use crate::{
    error::{Error, Result},
    packages, postgres, process,
    progress::step,
    web,
    workspace::Workspace,
};

/// The crates that run on this machine, without those that stand apart.
pub(crate) const NATIVE: [&str; 5] = ["--workspace", "--exclude", "taiku-app", "--exclude", "xtask"];

/// Tested by themselves: xtask with the features that it already has here, and what of the front end needs no browser,
/// whose dependencies want other features than the broker's.
const APART: [[&str; 2]; 2] = [["--package", "xtask"], ["--package", "taiku-app"]];

/// How the tests ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// Success only if something ran and nothing failed.
    pub(crate) fn exit_code(self) -> ExitCode {
        if self.passed > 0 && self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// From the line with which a test binary ends.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (_, fields) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |name: &str| {
            fields.split("; ").find_map(|field| field.strip_suffix(name)?.trim_end().parse::<u64>().ok())
        };
        Some(Self { passed: count("passed")?, failed: count("failed")?, skipped: count("ignored")? })
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Prepares everything and runs the tests whose names contain one of the filters, or all.
///
/// # Errors
/// When something cannot be prepared or built. Tests that fail are counted, not an error.
pub(crate) fn run(workspace: &Workspace, filters: &[String]) -> Result<Counts> {
    packages::ensure()?;
    for folder in ["tests/fixtures", "plugins"] {
        packages::ensure_npm(&workspace.root.join(folder))?;
    }
    web::build(workspace)?;
    step("Build the tests and the broker", || {
        process::run(workspace.cargo().arg("build").args(NATIVE).arg("--all-targets"))?;
        APART
            .iter()
            .try_for_each(|package| process::run(workspace.cargo().args(["test", "--no-run"]).args(package)))
    })?;
    let postgres = postgres::Server::start()?;
    step("Run the tests", || {
        let mut counts = Counts::default();
        for packages in [&NATIVE[..]].into_iter().chain(APART.iter().map(|package| &package[..])) {
            let mut cargo = workspace.cargo();
            cargo.args(["test", "--no-fail-fast"]).args(packages).arg("--").args(filters);
            cargo.env("TAIKU_TEST_POSTGRES_URL", postgres.url());
            counts += count(cargo, &mut std::io::stdout())?;
        }
        Ok(counts)
    })
}

/// Runs `cargo test`, passes on what it prints and adds up its counts.
fn count(mut cargo: Command, terminal: &mut impl Write) -> Result<Counts> {
    let start = |source| Error::Start { command: "cargo test".to_owned(), source };
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(start)?;
    let mut counts = Counts::default();
    let mut output =
        BufReader::new(child.stdout.take().ok_or_else(|| Error::Missed("no output".to_owned()))?);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).map_err(start)? > 0 {
        terminal.write_all(&line).map_err(start)?;
        if let Some(more) = Counts::parse(&String::from_utf8_lossy(&line)) {
            counts += more;
        }
        line.clear();
    }
    let status = child.wait().map_err(start)?;
    if !status.success() && counts.failed == 0 {
        // A test binary that crashed has no result line.
        counts.failed = 1;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_line_is_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s\n";
        assert_eq!(Counts::parse(line), Some(Counts { passed: 12, failed: 3, skipped: 1 }));
        assert_eq!(Counts::parse("test result_is_fine ... ok"), None);
    }

    #[test]
    fn a_crash_without_a_result_line_is_a_failure() {
        let mut crash = Command::new("sh");
        crash.args([
            "-c",
            "echo 'test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'; exit 101",
        ]);
        assert_eq!(count(crash, &mut Vec::new()).unwrap(), Counts { passed: 2, failed: 1, skipped: 0 });
    }

    #[test]
    fn the_closing_line_has_all_three() {
        let mut counts = Counts { passed: 1, failed: 0, skipped: 2 };
        counts += Counts { passed: 122, failed: 0, skipped: 0 };
        assert_eq!(counts.to_string(), "123 passed, 0 failed, 2 skipped");
    }

    #[test]
    fn a_run_without_a_test_is_no_success() {
        let code = |passed, failed| format!("{:?}", Counts { passed, failed, skipped: 0 }.exit_code());
        assert_eq!(code(1, 0), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(0, 0), format!("{:?}", ExitCode::FAILURE));
        assert_eq!(code(5, 1), format!("{:?}", ExitCode::FAILURE));
    }
}
