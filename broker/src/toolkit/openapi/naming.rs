//! Slugs of tools.

use std::collections::HashMap;

use super::operation::Operation;
use crate::toolkit::fault::Faults;
use crate::toolkit::limits;
use crate::toolkit::naming::screaming;

/// The names that an operation could have, best first, and which one it has at the moment.
struct Candidates {
    names: Vec<String>,
    chosen: usize,
}

/// Gives each operation its slug, in their order; `None` where there is a fault.
///
/// An operation is named by its summary; where summaries are missing or collide, by its id; then by method and
/// path. All that collide move on together, so that the order in the document does not matter.
pub(super) fn assign(
    toolkit: &str,
    operations: &[Operation<'_>],
    faults: &mut Faults,
) -> Vec<Option<String>> {
    let prefix = screaming(toolkit);
    let mut all: Vec<Candidates> =
        operations.iter().map(|operation| candidates(&prefix, operation)).collect();
    while move_colliding(&mut all) {}
    let mut seen: HashMap<&str, &Operation<'_>> = HashMap::new();
    let mut slugs = Vec::with_capacity(all.len());
    for (candidates, operation) in all.iter().zip(operations) {
        let slug = candidates.names[candidates.chosen].as_str();
        let place = &operation.place.at;
        if let Some(problem) = check(slug, &prefix) {
            faults.push(place, format!("would be the tool `{slug}`, and {problem}"));
            slugs.push(None);
        } else if let Some(other) = seen.insert(slug, operation) {
            let other = &other.place.at;
            faults.push(
                place,
                format!("would be the tool `{slug}`, as {other} is; give one an own `x-taiku-tool.slug`"),
            );
            slugs.push(None);
        } else {
            slugs.push(Some(slug.to_owned()));
        }
    }
    slugs
}

fn candidates(prefix: &str, operation: &Operation<'_>) -> Candidates {
    let names = match operation.overrides.slug {
        Some(slug) => vec![slug.to_owned()],
        None => [operation.summary, operation.id]
            .into_iter()
            .flatten()
            .map(screaming)
            .chain([screaming(&format!("{} {}", operation.method, operation.path))])
            .filter(|name| !name.is_empty())
            .map(|name| format!("{prefix}_{name}"))
            .collect(),
    };
    Candidates { names, chosen: 0 }
}

/// Moves every operation that shares its name to its next one; whether any moved.
fn move_colliding(all: &mut [Candidates]) -> bool {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for candidates in all.iter() {
        *counts.entry(candidates.names[candidates.chosen].clone()).or_default() += 1;
    }
    let mut moved = false;
    for candidates in all {
        let collides = counts.get(&candidates.names[candidates.chosen]).is_some_and(|count| *count > 1);
        if collides && candidates.chosen + 1 < candidates.names.len() {
            candidates.chosen += 1;
            moved = true;
        }
    }
    moved
}

fn check(slug: &str, prefix: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    if slug.len() > limits::TOOL_SLUG {
        return Some(format!("a slug has at most {} characters; set `x-taiku-tool.slug`", limits::TOOL_SLUG));
    }
    if !slug.bytes().all(plain) {
        return Some("a slug has only `A-Z`, `0-9` and `_`".to_owned());
    }
    let named = slug.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    if named.is_none_or(str::is_empty) {
        return Some(format!("a slug of this toolkit begins with `{prefix}_`"));
    }
    None
}
