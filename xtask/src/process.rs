//! Other programs: found, started, waited for.

use std::{
    env,
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::error::{Error, Result};

/// The folder of `program` on PATH, if any.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Runs to the end with this terminal's output and no input.
///
/// # Errors
/// When it cannot start or does not end with 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|source| Error::Start { command: describe(command), source })?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Failed { command: describe(command), status: status.to_string() })
    }
}

/// Runs to the end and returns what it printed on standard output.
///
/// # Errors
/// When it cannot start or does not end with 0; what it printed on standard error is part of the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let out = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Start { command: describe(command), source })?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&out.stderr);
    Err(Error::Failed { command: describe(command), status: format!("{}: {}", out.status, words.trim()) })
}

/// The command as one would type it.
pub(crate) fn describe(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}
