//! The guide for authors, `docs/plugins.md`, in pieces that a test can run.

/// Its text.
pub const GUIDE: &str = include_str!("../../docs/plugins.md");

/// The code blocks of one kind, such as `json`, in order.
#[must_use]
pub fn guide_blocks(kind: &str) -> Vec<String> {
    let fence = format!("```{kind}");
    let mut blocks = Vec::new();
    let mut inside: Option<String> = None;
    for line in GUIDE.lines() {
        match &mut inside {
            None if line == fence => inside = Some(String::new()),
            None => {}
            Some(_) if line == "```" => blocks.extend(inside.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    blocks
}

/// The rows of the table below a heading: the cells of each, without the head of the table.
///
/// # Panics
/// When there is no such heading.
#[must_use]
pub fn guide_rows(heading: &str) -> Vec<Vec<String>> {
    let start = format!("\n## {heading}\n");
    let (_, rest) = GUIDE.split_once(&start).unwrap_or_else(|| panic!("there is no section {heading}"));
    let section = rest.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `") || line.starts_with("| any"));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.map(cells).collect()
}

/// What stands in backquotes.
#[must_use]
pub fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
