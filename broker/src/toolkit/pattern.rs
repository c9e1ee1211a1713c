//! What a value must look like as a whole.

use regex::{Regex, RegexBuilder};

/// Bytes of a compiled pattern.
const MAX_COMPILED: usize = 64 * 1024;

/// A regular expression that a whole value has to match. Matching takes linear time, whatever the expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    whole: Regex,
}

impl Pattern {
    /// Reads a pattern. It is for the whole value, so it needs no `^` and `$`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // The expression alone first, so that it cannot close the group around it.
        Regex::new(text).map_err(|_| format!("`{text}` is not a regular expression"))?;
        let whole = RegexBuilder::new(&format!(r"\A(?:{text})\z")).size_limit(MAX_COMPILED).build();
        let whole = whole.map_err(|_| format!("`{text}` is too large a regular expression"))?;
        Ok(Self { text: text.to_owned(), whole })
    }

    /// The expression as its author wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether all of `value` matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.whole.is_match(value)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_value_has_to_match() {
        let shop = Pattern::parse("[a-z0-9][a-z0-9-]*").unwrap();
        assert!(shop.matches("acme-1"));
        for value in ["", "acme.evil.test", "acme\n", "Acme", "x/../y", "acme "] {
            assert!(!shop.matches(value), "{value:?}");
        }
        let either = Pattern::parse("a|b").unwrap();
        assert!(either.matches("a") && !either.matches("ab") && !either.matches("xb"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["(", "a)(b", "[", "(a{1000}){1000}"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
