//! The slug of a toolkit.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Longest slug, in characters.
pub const MAX_LENGTH: usize = 64;

/// The name of a toolkit, such as `github`: 1 to 64 characters of `a-z`, `0-9`, `_` and `-`.
///
/// [`Slug::parse`] is the only way to one, so host, broker and manifest loader normalise alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

/// Why a text is not a slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlugError {
    /// The text is empty.
    Empty,
    /// The text has more than [`MAX_LENGTH`] characters.
    TooLong,
    /// The text has a character outside `a-z`, `0-9`, `_` and `-`.
    Character,
}

impl Slug {
    /// Lowercases ASCII letters, and nothing else, and checks the result.
    ///
    /// # Errors
    /// When what is left is not `^[a-z0-9_-]{1,64}$`.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        if text.is_empty() {
            return Err(SlugError::Empty);
        }
        if text.len() > MAX_LENGTH {
            return Err(SlugError::TooLong);
        }
        let slug = text.to_ascii_lowercase();
        let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if slug.bytes().all(allowed) { Ok(Self(slug)) } else { Err(SlugError::Character) }
    }

    /// The slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SlugError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "must name a toolkit",
            Self::TooLong => "must have at most 64 characters",
            Self::Character => "may only have letters, digits, `_` and `-`",
        })
    }
}

impl std::error::Error for SlugError {}

impl<'de> Deserialize<'de> for Slug {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ascii_letters_are_lowercased() {
        assert_eq!(Slug::parse("GitHub").unwrap().as_str(), "github");
        assert_eq!(Slug::parse("my_tool-2").unwrap().as_str(), "my_tool-2");
    }

    #[test]
    fn everything_else_is_refused() {
        for text in
            ["github ", " github", "git\0hub", "ｇithub", "İ", "\u{212a}", "git.hub", "git/hub", "a%62"]
        {
            assert_eq!(Slug::parse(text), Err(SlugError::Character), "{text:?}");
        }
        assert_eq!(Slug::parse(""), Err(SlugError::Empty));
        assert_eq!(Slug::parse(&"a".repeat(65)), Err(SlugError::TooLong));
    }

    proptest! {
        #[test]
        fn a_slug_is_a_fixed_point_of_the_alphabet(text in any::<String>()) {
            let expected = text.to_ascii_lowercase();
            let fits = !text.is_empty() && text.len() <= MAX_LENGTH
                && expected.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
            match Slug::parse(&text) {
                Ok(slug) => {
                    prop_assert!(fits);
                    prop_assert_eq!(slug.as_str(), &expected);
                    prop_assert_eq!(Slug::parse(slug.as_str()).unwrap(), slug);
                }
                Err(_) => prop_assert!(!fits),
            }
        }
    }
}
