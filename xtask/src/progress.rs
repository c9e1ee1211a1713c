//! Says what is being done and how long it took.

use std::time::{Duration, Instant};

use crate::error::Result;

/// Announces `what`, does it, and prints the time it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("▸ {what}");
    let start = Instant::now();
    let done = work()?;
    eprintln!("  {what}: {}", seconds(start.elapsed()));
    Ok(done)
}

/// A fact worth a line between two steps.
pub(crate) fn note(text: &str) {
    eprintln!("  {text}");
}

/// `0.3 s`, `83.0 s`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
