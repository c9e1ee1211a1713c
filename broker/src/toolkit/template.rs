//! Addresses with `{KEY}` in them, filled from settings.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 section 2.3.
pub(crate) const NOT_UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address with places to fill. Where a place stands decides which values it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Key { name: String, place: Place },
}

/// What a value stands for in its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Scheme, host and perhaps a path: `{SITE_URL}/token`. `followed` if a path goes on behind it.
    Base { followed: bool },
    /// All of the host: `https://{HOST}/token`.
    Host,
    /// Some of the host: `https://{TENANT}.example.com`.
    Label,
    /// Within the path.
    Path,
    /// Within the query.
    Query,
}

/// A text with `{KEY}` in it that is no address, such as a header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    parts: Vec<Result<String, String>>,
}

impl Text {
    /// Reads such a text; `None` if there is no place to fill in it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').filter(|(name, _)| is_key(name))?;
            parts.push(Ok(before.to_owned()));
            parts.push(Err(name.to_owned()));
            rest = after;
        }
        parts.push(Ok(rest.to_owned()));
        (parts.len() > 1).then_some(Self { parts })
    }

    /// The keys that must be known to fill it.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| part.as_ref().err()).map(String::as_str)
    }

    /// Fills every place.
    pub(crate) fn fill(&self, value: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
        let part = |part: &Result<String, String>| match part {
            Ok(text) => Ok(text.clone()),
            Err(name) => value(name).ok_or_else(|| format!("needs a value for {name}")),
        };
        self.parts.iter().map(part).collect()
    }
}

impl Template {
    /// Reads a template.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let before = &text[..text.len() - rest.len() + open];
            let inside = rest[open..].strip_prefix('{').ok_or("has a `}` without a `{` before it")?;
            let close = inside.find('}').ok_or("has a `{` without a `}` behind it")?;
            let (name, after) = (&inside[..close], &inside[close + 1..]);
            if !is_key(name) {
                return Err(format!("{{{name}}} is not a key: letters, digits and `_`, a letter first"));
            }
            if open > 0 {
                parts.push(Part::Text(rest[..open].to_owned()));
            }
            parts.push(Part::Key { name: name.to_owned(), place: place(name, before, after)? });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The template as its author wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The keys that must be known to fill it.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Key { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Fills every place; a value that would break out of its place is an error.
    pub(crate) fn fill(&self, value: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Key { name, place } => {
                    let value = value(name).ok_or_else(|| format!("needs a value for {name}"))?;
                    let fitted = place.fit(&value).map_err(|why| format!("the value of {name} {why}"))?;
                    filled.push_str(&fitted);
                }
            }
        }
        Ok(filled)
    }
}

fn is_key(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn place(name: &str, before: &str, after: &str) -> Result<Place, String> {
    let at_end_of_host = after.is_empty() || after.starts_with(['/', '?', ':']);
    if before.is_empty() {
        return match after.chars().next() {
            None => Ok(Place::Base { followed: false }),
            Some('/' | '?') => Ok(Place::Base { followed: true }),
            Some(_) => Err(format!("needs `/`, `?` or its end behind {{{name}}}")),
        };
    }
    if before.contains('?') {
        return Ok(Place::Query);
    }
    let Some((_, authority)) = before.split_once("://") else {
        // `{BASE_URL}/a/{KEY}`: what stands before is a base and a path.
        return if before.contains('/') {
            Ok(Place::Path)
        } else {
            Err(format!("{{{name}}} stands in the scheme"))
        };
    };
    match authority {
        "" if at_end_of_host => Ok(Place::Host),
        path if path.contains('/') => Ok(Place::Path),
        host if host.contains([':', '@']) => Err(format!("{{{name}}} stands in the port")),
        _ => Ok(Place::Label),
    }
}

impl Place {
    fn fit(self, value: &str) -> Result<String, &'static str> {
        let host_byte = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || (b == b'.' && self == Self::Host);
        match self {
            _ if value.is_empty() => Err("is empty"),
            Self::Base { .. } if value.contains(['?', '#', '@', '\\']) || !value.contains("://") => {
                Err("must be an address such as https://example.com, without `?`, `#`, `@` and `\\`")
            }
            Self::Base { followed: true } => Ok(value.trim_end_matches('/').to_owned()),
            Self::Base { followed: false } => Ok(value.to_owned()),
            Self::Host | Self::Label if value.bytes().all(host_byte) => Ok(value.to_owned()),
            Self::Host => Err("must be a host name: letters, digits, `-` and `.`"),
            Self::Label => Err("must be one label of a host name: letters, digits and `-`"),
            Self::Path if value == "." || value == ".." => Err("must not be `.` or `..`"),
            Self::Path | Self::Query if value.chars().any(char::is_control) => {
                Err("must not contain control characters")
            }
            Self::Path | Self::Query => Ok(utf8_percent_encode(value, NOT_UNRESERVED).to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, value: &str) -> Result<String, String> {
        Template::parse(template)?.fill(&|_| Some(value.to_owned()))
    }

    #[test]
    fn values_are_fitted_to_their_place() {
        assert_eq!(fill("{U}/token", "https://a.test/").unwrap(), "https://a.test/token");
        assert_eq!(fill("{U}", "https://a.test/").unwrap(), "https://a.test/");
        assert_eq!(fill("https://{T}.a.test/x", "acme").unwrap(), "https://acme.a.test/x");
        assert_eq!(fill("https://{H}/x", "a.b.test").unwrap(), "https://a.b.test/x");
        assert_eq!(fill("https://a.test/{P}/x", "a/../b").unwrap(), "https://a.test/a%2F..%2Fb/x");
        assert_eq!(fill("https://a.test/x?q={Q}", "a&b=c#").unwrap(), "https://a.test/x?q=a%26b%3Dc%23");
    }

    #[test]
    fn values_cannot_leave_their_place() {
        for (template, value) in [
            ("https://{T}.a.test/x", "evil.test/"),
            ("https://{T}.a.test/x", "evil.test#"),
            ("https://{T}.a.test/x", "a.b"),
            ("https://{H}/x", "evil.test@b"),
            ("https://{H}/x", "evil.test:80"),
            ("https://a.test/{P}/x", ".."),
            ("https://a.test/{P}/x", "a\r\nb"),
            ("{U}/token", "https://evil.test/?"),
            ("{U}/token", "https://evil.test/#"),
            ("{U}/token", "https://a@evil.test"),
            ("{U}/token", "evil.test"),
            ("{U}/token", ""),
        ] {
            assert!(fill(template, value).is_err(), "{template} {value}");
        }
    }

    #[test]
    fn malformed_templates_say_why() {
        for text in ["{", "}", "{a b}", "{}", "{A}x", "http{S}://a", "https://a.test:{P}/", "{A{B}}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        assert_eq!(Template::parse("{A}/x/{B}?c={A}").unwrap().keys().collect::<Vec<_>>(), ["A", "B", "A"]);
    }

    #[test]
    fn a_missing_value_is_named() {
        let error = Template::parse("{A}/x").unwrap().fill(&|_| None).unwrap_err();
        assert_eq!(error, "needs a value for A");
    }
}
