//! The id of a plugin.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A plugin's id, such as `my-org.issue-helper`: `^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$` without a dot at its end.
///
/// Two ids that differ only in case name the same plugin; [`PluginId::key`] is what to compare and store by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PluginId(String);

/// The text is not a plugin id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginIdError;

impl PluginId {
    /// Checks a plugin's id.
    ///
    /// # Errors
    /// When the text is not of the form that [`PluginId`] describes.
    pub fn parse(text: &str) -> Result<Self, PluginIdError> {
        let bytes = text.as_bytes();
        let first = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
        let rest = bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if first && rest && bytes.len() <= 128 && !text.ends_with('.') {
            Ok(Self(text.to_owned()))
        } else {
            Err(PluginIdError)
        }
    }

    /// The id as its author writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in lower case: unique over all plugins of a host.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PluginIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "must be 1 to 128 characters of letters, digits, `.`, `_` and `-`, \
             start with a letter or digit and not end with a dot",
        )
    }
}

impl std::error::Error for PluginIdError {}

impl<'de> Deserialize<'de> for PluginId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_ascii() {
        for text in ["my-org.issue-helper", "a", "A1._-x"] {
            assert_eq!(PluginId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", ".a", "a.", "-a", "a b", "a/b", "аpple", "a\0", &"a".repeat(129)] {
            assert!(PluginId::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn case_does_not_make_another_plugin() {
        assert_eq!(
            PluginId::parse("Example.Demo").unwrap().key(),
            PluginId::parse("example.demo").unwrap().key()
        );
    }
}
