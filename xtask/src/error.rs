//! What can go wrong in a command, each as one sentence with what to do.

use std::path::{Path, PathBuf};

use crate::web::html::PageError;

/// Result of every step.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },

    #[error("{tool} is not on this machine; {remedy}")]
    MissingTool { tool: String, remedy: String },

    #[error("`{command}` could not be started: {source}")]
    Start { command: String, source: std::io::Error },

    #[error("`{command}` failed ({status})")]
    Failed { command: String, status: String },

    #[error("{}: {source}", path.display())]
    Page { path: PathBuf, source: PageError },

    #[error("{} is wrong: {problem}", path.display())]
    File { path: PathBuf, problem: String },

    #[error("wasm-bindgen could not process {}: {problem}", path.display())]
    Bindgen { path: PathBuf, problem: String },

    #[error("{} could not be taken apart: {problem}", path.display())]
    Split { path: PathBuf, problem: String },

    #[error("unknown command `{0}`; `cargo xtask help` lists the commands")]
    UnknownCommand(String),

    #[error("{what} was not ready after {seconds} s; its last words: {last_words}")]
    NotReady { what: String, seconds: u64, last_words: String },

    #[error("{0}")]
    Missed(String),
}

impl Error {
    /// For `map_err` on the result of a file operation: what was tried, on which path.
    pub(crate) fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}
