//! `cargo xtask reliability` and `cargo xtask nightly`: the numbers that taiku promises, measured at full size.

mod figure;

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, ExitCode, Stdio},
};

use self::figure::{Figure, table};
use crate::{
    error::{Error, Result},
    packages, postgres, process,
    progress::{note, step},
    test::{Counts, NATIVE},
    workspace::Workspace,
};

/// Where measurements are: a test binary, and tests of the broker in process with this word in their path.
const MEASUREMENTS: [&[&str]; 2] =
    [&["--package", "taiku-tests", "--test", "reliability"], &["--package", "taiku-broker", "--lib"]];
const IN_PROCESS: &str = "reliability";

/// What of it is to be measured, and how much.
#[derive(Debug, Default, PartialEq, Eq)]
struct Choice {
    names: Vec<String>,
    /// An engine that is left out.
    without: Option<&'static str>,
    quick: bool,
}

impl Choice {
    fn parse(args: &[String]) -> Result<Self> {
        let mut choice = Self::default();
        for arg in args {
            match arg.as_str() {
                "--sqlite" => choice.without = Some("postgres"),
                "--postgres" => choice.without = Some("sqlite"),
                "--quick" => choice.quick = true,
                flag if flag.starts_with('-') => {
                    let known = "cargo xtask reliability [name…] [--postgres|--sqlite] [--quick]";
                    return Err(Error::Missed(format!("`{flag}` is not known: {known}")));
                }
                name => choice.names.push(name.to_owned()),
            }
        }
        Ok(choice)
    }
}

/// Measures what is named, or everything, prints the table and fails when a goal is missed.
///
/// # Errors
/// When something cannot be prepared or built.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<ExitCode> {
    measure(workspace, &Choice::parse(args)?)
}

/// Everything that takes too long for each change: the measurements at full size, and the tests that are ignored
/// otherwise.
///
/// # Errors
/// When something cannot be prepared or built.
pub(crate) fn nightly(workspace: &Workspace) -> Result<ExitCode> {
    let measured = measure(workspace, &Choice::default())?;
    let postgres = postgres::Server::start()?;
    let long = step("Run the long tests", || {
        let mut cargo = workspace.cargo();
        cargo.args(["test", "--no-fail-fast"]).args(NATIVE).args(["--", "--ignored"]);
        cargo.env("TAIKU_TEST_POSTGRES_URL", postgres.url());
        listen(cargo).map(|run| run.counts)
    })?;
    println!("long tests: {long}");
    Ok(if long.failed == 0 { measured } else { ExitCode::FAILURE })
}

fn measure(workspace: &Workspace, choice: &Choice) -> Result<ExitCode> {
    packages::ensure()?;
    packages::ensure_npm(&workspace.root.join("tests/fixtures"))?;
    // The broker embeds this folder and does not compile without it.
    fs::create_dir_all(workspace.web()).map_err(Error::io("create", workspace.web()))?;
    step("Build the broker and the measurements", || {
        process::run(workspace.cargo().args(["build", "--package", "taiku-broker"]))?;
        MEASUREMENTS
            .iter()
            .try_for_each(|which| process::run(workspace.cargo().args(["test", "--no-run"]).args(*which)))
    })?;
    let postgres = postgres::Server::start()?;
    let mut figures = Vec::new();
    let mut counts = Counts::default();
    step("Measure", || {
        for (which, filters) in MEASUREMENTS.iter().zip([choice.names.clone(), in_process(choice)]) {
            let mut cargo = workspace.cargo();
            cargo.args(["test", "--no-fail-fast"]).args(*which).args([
                "--",
                "--nocapture",
                "--test-threads=1",
            ]);
            cargo.args(choice.without.iter().flat_map(|engine| ["--skip", engine])).args(filters);
            cargo.env("TAIKU_RELIABILITY_SCALE", if choice.quick { "short" } else { "full" });
            cargo.env("TAIKU_TEST_POSTGRES_URL", postgres.url());
            let run = listen(cargo)?;
            counts += run.counts;
            figures.extend(run.figures);
        }
        Ok(())
    })?;
    println!("{}", table(&figures));
    Ok(verdict(&figures, counts))
}

/// The filters for the broker's own tests: libtest takes any of several, so each carries the word.
fn in_process(choice: &Choice) -> Vec<String> {
    if choice.names.is_empty() {
        return vec![format!("{IN_PROCESS}::")];
    }
    choice.names.iter().map(|name| format!("{IN_PROCESS}::{name}")).collect()
}

fn verdict(figures: &[Figure], counts: Counts) -> ExitCode {
    let missed = figures.iter().filter(|figure| !figure.is_met()).count();
    note(&format!("{} figures, {missed} missed; tests: {counts}", figures.len()));
    if figures.is_empty() {
        note("nothing was measured: is the name right?");
    }
    if missed == 0 && counts.failed == 0 && !figures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What a run of tests said.
#[derive(Default)]
struct Run {
    counts: Counts,
    figures: Vec<Figure>,
}

/// Runs `cargo test`, passes on what it prints, and gathers counts and figures.
fn listen(mut cargo: Command) -> Result<Run> {
    let start = |source| Error::Start { command: "cargo test".to_owned(), source };
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(start)?;
    let output = child.stdout.take().ok_or_else(|| Error::Missed("no output".to_owned()))?;
    let mut run = Run::default();
    for line in BufReader::new(output).lines() {
        let line = line.map_err(start)?;
        println!("{line}");
        run.figures.extend(Figure::parse(&line));
        if let Some(counts) = Counts::parse(&line) {
            run.counts += counts;
        }
    }
    if !child.wait().map_err(start)?.success() && run.counts.failed == 0 {
        // A test binary that crashed has no result line.
        run.counts.failed = 1;
    }
    Ok(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(args: &[&str]) -> Result<Choice> {
        Choice::parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn names_engine_and_size_are_read() {
        let names = vec!["kills".to_owned()];
        let expected = Choice { names, without: Some("sqlite"), quick: true };
        assert_eq!(choice(&["kills", "--postgres", "--quick"]).unwrap(), expected);
        assert_eq!(in_process(&expected), ["reliability::kills"]);
        assert!(choice(&["--fast"]).is_err());
    }

    #[test]
    fn a_run_that_measured_nothing_or_missed_a_goal_is_no_success() {
        let code = |lines: &[&str], failed| {
            let figures: Vec<_> = lines.iter().filter_map(|line| Figure::parse(line)).collect();
            format!("{:?}", verdict(&figures, Counts { passed: 1, failed, skipped: 0 }))
        };
        let (good, bad) = (format!("{:?}", ExitCode::SUCCESS), format!("{:?}", ExitCode::FAILURE));
        assert_eq!(code(&["figure: lost sqlite = 0 (goal 0)"], 0), good);
        assert_eq!(code(&["figure: lost sqlite = 0 (goal 0)"], 1), bad);
        assert_eq!(code(&["figure: lost sqlite = 1 (goal 0)"], 0), bad);
        assert_eq!(code(&[], 0), bad);
    }
}
