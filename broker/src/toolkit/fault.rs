//! What is wrong with a toolkit folder.

use std::fmt;

use super::limits;

/// One thing that is wrong in a toolkit folder: which file, where in it, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file's name within the folder, such as `openapi.json`; empty when the folder itself is meant.
    pub file: String,
    /// Where in the file: a JSON pointer (RFC 6901) or a dotted TOML key, empty for the whole file.
    pub at: String,
    /// What is wrong and what to do, as a sentence.
    pub message: String,
}

impl Fault {
    /// A fault of one place in a file.
    #[must_use]
    pub fn new(file: impl Into<String>, at: impl Into<String>, message: impl fmt::Display) -> Self {
        Self { file: file.into(), at: at.into(), message: message.to_string() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in [&self.file, &self.at] {
            if !place.is_empty() {
                write!(f, "{place}: ")?;
            }
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// Gathers the faults of one file, so that its author sees them all at once.
#[derive(Debug)]
pub(crate) struct Faults {
    file: String,
    list: Vec<Fault>,
}

impl Faults {
    pub(crate) fn of(file: impl Into<String>) -> Self {
        Self { file: file.into(), list: Vec::new() }
    }

    /// Notes a fault; those beyond [`limits::FAULTS`] are dropped.
    pub(crate) fn push(&mut self, at: impl Into<String>, message: impl fmt::Display) {
        if self.list.len() < limits::FAULTS {
            self.list.push(Fault::new(self.file.clone(), at, message));
        }
    }

    /// Notes the error of `result` at `at` and hands on its value.
    pub(crate) fn take<T>(&mut self, at: &str, result: Result<T, impl fmt::Display>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.push(at, error);
                None
            }
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= limits::FAULTS
    }

    pub(crate) fn into_list(self) -> Vec<Fault> {
        self.list
    }
}

/// Appends one token to a JSON pointer, escaped as RFC 6901 section 3 wants it.
pub(crate) fn pointer(base: &str, token: &str) -> String {
    format!("{base}/{}", token.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_as_file_place_and_sentence() {
        let fault = Fault::new("openapi.json", "/paths", "must be an object");
        assert_eq!(fault.to_string(), "openapi.json: /paths: must be an object");
        assert_eq!(Fault::new("", "", "is empty").to_string(), "is empty");
    }

    #[test]
    fn pointers_escape_slashes_and_tildes() {
        assert_eq!(pointer("/paths", "/a~b"), "/paths/~1a~0b");
    }

    #[test]
    fn the_list_of_faults_is_bounded() {
        let mut faults = Faults::of("x");
        for _ in 0..limits::FAULTS * 2 {
            faults.push("", "again");
        }
        assert_eq!(faults.into_list().len(), limits::FAULTS);
    }
}
