//! Lists of tools: search and pages.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use taiku_bridge::Refusal;

use super::Toolkit;
use super::limits;
use super::tool::Tool;

/// Some of a toolkit's tools.
#[derive(Debug)]
pub struct Page<'a> {
    /// The tools, best matches first.
    pub tools: Vec<&'a Arc<Tool>>,
    /// What to ask for the next page with; `None` at the end.
    pub next_cursor: Option<String>,
}

/// How well a tool matches a search. Equal ones are in the order of their slugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// The search is the slug.
    Exact,
    /// Every word is in slug or name.
    Title,
    /// Every word is somewhere.
    Anywhere,
}

const RANKS: [(Rank, &str); 3] = [(Rank::Exact, "e"), (Rank::Title, "t"), (Rank::Anywhere, "a")];

impl Toolkit {
    /// The tools that have every word of `search` in slug, name or description; letters match without regard to
    /// case and every other character stands for itself. `limit` is clamped to 1 to 100.
    ///
    /// # Errors
    /// [`taiku_bridge::Code::InvalidParams`] when the cursor is not one that a page of this list ended with.
    pub fn tools(
        &self,
        search: Option<&str>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<'_>, Refusal> {
        let after = match cursor {
            Some(cursor) => {
                let why = "is not a cursor; take it from the page before";
                Some(read_cursor(cursor).ok_or_else(|| Refusal::field("/cursor", why))?)
            }
            None => None,
        };
        let search = search.unwrap_or_default().trim().to_lowercase();
        let words = words(&search);
        let mut found: Vec<(Rank, &Arc<Tool>)> =
            self.tools.iter().filter_map(|tool| Some((rank(tool, &search, &words)?, tool))).collect();
        found.sort_by(|a, b| (a.0, &a.1.slug).cmp(&(b.0, &b.1.slug)));
        if let Some((rank, slug)) = &after {
            found.retain(|(at, tool)| (*at, tool.slug.as_str()) > (*rank, slug.as_str()));
        }
        let limit = limit.clamp(1, limits::PAGE);
        let next_cursor =
            found.get(limit).and_then(|_| found.get(limit - 1)).map(|(rank, tool)| write_cursor(*rank, tool));
        Ok(Page { tools: found.into_iter().take(limit).map(|(_, tool)| tool).collect(), next_cursor })
    }
}

/// The different words, longest first because those fail soonest; `None` when there are too many.
fn words(search: &str) -> Option<Vec<&str>> {
    let mut words: Vec<&str> = search.split_whitespace().collect();
    words.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    words.dedup();
    (words.len() <= limits::SEARCH_WORDS).then_some(words)
}

fn rank(tool: &Tool, search: &str, words: &Option<Vec<&str>>) -> Option<Rank> {
    let words = words.as_ref()?;
    if !words.iter().all(|word| tool.haystack.all.contains(word)) {
        return None;
    }
    if tool.slug.eq_ignore_ascii_case(search) {
        Some(Rank::Exact)
    } else if words.iter().all(|word| tool.haystack.title.contains(word)) {
        Some(Rank::Title)
    } else {
        Some(Rank::Anywhere)
    }
}

fn write_cursor(rank: Rank, tool: &Tool) -> String {
    let name = RANKS.iter().find(|(known, _)| *known == rank).map_or("", |(_, name)| name);
    URL_SAFE_NO_PAD.encode(format!("{name}{}", tool.slug))
}

fn read_cursor(cursor: &str) -> Option<(Rank, String)> {
    if cursor.len() > 2 * limits::TOOL_SLUG {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (rank, name) = RANKS.iter().find(|(_, name)| text.starts_with(name))?;
    let slug = text.strip_prefix(name)?;
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    (!slug.is_empty() && slug.bytes().all(plain)).then(|| (*rank, slug.to_owned()))
}
