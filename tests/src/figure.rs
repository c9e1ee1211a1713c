//! Figures of reliability: what a measurement in `tests/tests/reliability/` is sized by, and how it says its result.

use std::fmt;

/// Names the size of measurements: without it they are short enough for every run of the tests.
const VARIABLE: &str = "TAIKU_RELIABILITY_SCALE";

/// How much a measurement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// At most ten seconds: in every run of the tests.
    Short,
    /// As much as the goal is stated for: `cargo xtask reliability` and `cargo xtask nightly`.
    Full,
}

impl Scale {
    /// What this run was told.
    ///
    /// # Panics
    /// When it was told something that is no size.
    #[must_use]
    pub fn now() -> Self {
        match std::env::var(VARIABLE).as_deref() {
            Err(_) | Ok("" | "short") => Self::Short,
            Ok("full") => Self::Full,
            Ok(other) => panic!("{VARIABLE} is `short` or `full`, not `{other}`"),
        }
    }

    /// One of two sizes.
    #[must_use]
    pub fn pick<T>(self, short: T, full: T) -> T {
        match self {
            Self::Short => short,
            Self::Full => full,
        }
    }
}

/// What a figure must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// This and nothing else.
    Exactly(f64),
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Goal {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::Exactly(goal) => (value - goal).abs() < f64::EPSILON,
            Self::AtMost(goal) => value <= goal,
            Self::AtLeast(goal) => value >= goal,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(goal) => write!(f, "{goal}"),
            Self::AtMost(goal) => write!(f, "<= {goal}"),
            Self::AtLeast(goal) => write!(f, ">= {goal}"),
        }
    }
}

/// Says a figure in the line that `cargo xtask reliability` gathers, and fails the test when its goal is missed.
///
/// `name` is a sentence without `=`; `engine` is `sqlite`, `postgres` or `-`; `unit` may be empty.
///
/// # Panics
/// When the goal is missed.
pub fn figure(name: &str, engine: &str, value: f64, unit: &str, goal: Goal) {
    let value_text = if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.3}") };
    let unit_text = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    println!("figure: {name} {engine} = {value_text}{unit_text} (goal {goal}{unit_text})");
    assert!(goal.is_met_by(value), "{name} on {engine} is {value_text}{unit_text}, the goal {goal}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_or_missed() {
        assert!(Goal::Exactly(0.0).is_met_by(0.0) && !Goal::Exactly(0.0).is_met_by(1.0));
        assert!(Goal::AtMost(1.0).is_met_by(1.0) && !Goal::AtMost(1.0).is_met_by(1.001));
        assert!(Goal::AtLeast(60.0).is_met_by(61.0) && !Goal::AtLeast(60.0).is_met_by(59.0));
    }
}
