//! The line that a measurement prints: `figure: <name> <engine> = <value> (goal <goal>)`.

/// One measured number and what it must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    name: String,
    engine: String,
    value: String,
    goal: String,
}

impl Figure {
    /// From a line of a test's output. Under `--nocapture` the name of the test may stand before it.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once("figure: ")?;
        let (what, result) = rest.split_once(" = ")?;
        let (name, engine) = what.rsplit_once(' ')?;
        let (value, goal) = result.split_once(" (goal ")?;
        let (goal, _) = goal.rsplit_once(')')?;
        let text = |text: &str| text.trim().to_owned();
        Some(Self { name: text(name), engine: text(engine), value: text(value), goal: text(goal) })
    }

    /// Whether the value is what it must be. One that cannot be read is not.
    pub(crate) fn is_met(&self) -> bool {
        let Some(value) = number(&self.value) else { return false };
        let goal = |text: &str| number(text.trim());
        if let Some(most) = self.goal.strip_prefix("<=").or_else(|| self.goal.strip_prefix('≤')) {
            return goal(most).is_some_and(|most| value <= most);
        }
        if let Some(least) = self.goal.strip_prefix(">=").or_else(|| self.goal.strip_prefix('≥')) {
            return goal(least).is_some_and(|least| value >= least);
        }
        goal(&self.goal).is_some_and(|goal| (value - goal).abs() < f64::EPSILON)
    }
}

/// The number that a text begins with; a unit may follow.
fn number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.replace(',', "").parse().ok()
}

/// All figures as a table that `docs/reliability.md` can take over.
pub(crate) fn table(figures: &[Figure]) -> String {
    let mut text = String::from("| figure | engine | measured | goal | |\n|---|---|---|---|---|\n");
    for figure in figures {
        let Figure { name, engine, value, goal } = figure;
        let verdict = if figure.is_met() { "met" } else { "MISSED" };
        text.push_str(&format!("| {name} | {engine} | {value} | {goal} | {verdict} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(line: &str) -> bool {
        Figure::parse(line).unwrap().is_met()
    }

    #[test]
    fn a_line_is_read_wherever_it_stands() {
        let line = "test kills::sqlite ... figure: grants lost in 100 kills sqlite = 0 (goal 0)";
        let figure = Figure::parse(line).unwrap();
        assert_eq!((figure.name.as_str(), figure.engine.as_str()), ("grants lost in 100 kills", "sqlite"));
        assert_eq!((figure.value.as_str(), figure.goal.as_str()), ("0", "0"));
        assert_eq!(Figure::parse("test result: ok. 1 passed"), None);
    }

    #[test]
    fn goals_are_compared() {
        assert!(met("figure: a - = 0.9 s (goal <= 1 s)") && !met("figure: a - = 1.1 s (goal <= 1 s)"));
        assert!(met("figure: a - = 64 (goal ≥ 60)") && !met("figure: a - = 59 (goal >= 60)"));
        assert!(met("figure: a - = 0 (goal 0)") && !met("figure: a - = 1 (goal 0)"));
        assert!(met("figure: a - = 1,000 (goal 1000)") && !met("figure: a - = nothing (goal 0)"));
    }

    #[test]
    fn the_table_names_what_was_missed() {
        let lines = ["figure: lost sqlite = 0 (goal 0)", "figure: lost postgres = 2 (goal 0)"];
        let figures: Vec<_> = lines.iter().filter_map(|line| Figure::parse(line)).collect();
        let table = table(&figures);
        assert!(table.contains("| lost | sqlite | 0 | 0 | met |"), "{table}");
        assert!(table.contains("| lost | postgres | 2 | 0 | MISSED |"), "{table}");
    }
}
