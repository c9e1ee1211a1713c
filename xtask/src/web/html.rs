//! The tags of a page, with where they stand. Enough of HTML for a page of our own, and strict about it.

use std::ops::Range;

/// What is wrong with the page, and in which line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct PageError {
    pub(crate) line: usize,
    pub(crate) problem: String,
}

impl PageError {
    /// At a byte of the page.
    pub(crate) fn at(html: &str, position: usize, problem: impl Into<String>) -> Self {
        let line = html[..position].matches('\n').count() + 1;
        Self { line, problem: problem.into() }
    }
}

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// From `<` to behind `>`.
    pub(crate) span: Range<usize>,
    pub(crate) name: &'a str,
    /// In order; an attribute without a value has the empty one.
    pub(crate) attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Tag<'a> {
    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// All start tags of a page, comments left out.
///
/// # Errors
/// When a comment or a tag does not end.
pub(crate) fn tags(html: &str) -> Result<Vec<Tag<'_>>, PageError> {
    let mut tags = Vec::new();
    let mut position = 0;
    while let Some(offset) = html[position..].find('<') {
        let start = position + offset;
        let rest = &html[start..];
        let (opening, closing) = if rest.starts_with("<!--") { ("<!--", "-->") } else { ("<", ">") };
        if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            let tag = tag(html, start)?;
            position = tag.span.end;
            tags.push(tag);
        } else {
            let end = rest[opening.len()..]
                .find(closing)
                .ok_or_else(|| PageError::at(html, start, format!("`{opening}` has no `{closing}`")))?;
            position = start + opening.len() + end + closing.len();
        }
    }
    Ok(tags)
}

/// The tag that starts at `start`, where a `<` and a letter stand.
fn tag(html: &str, start: usize) -> Result<Tag<'_>, PageError> {
    let endless = || PageError::at(html, start, "this tag does not end");
    let mut rest = &html[start + 1..];
    let name = take(&mut rest, |c| !c.is_ascii_whitespace() && c != '>' && c != '/');
    let mut attributes = Vec::new();
    loop {
        take(&mut rest, |c| c.is_ascii_whitespace() || c == '/');
        if let Some(behind) = rest.strip_prefix('>') {
            return Ok(Tag { span: start..html.len() - behind.len(), name, attributes });
        }
        let key = take(&mut rest, |c| !c.is_ascii_whitespace() && !matches!(c, '>' | '/' | '='));
        if key.is_empty() {
            return Err(endless());
        }
        take(&mut rest, |c| c.is_ascii_whitespace());
        attributes.push((key, value(&mut rest).ok_or_else(endless)?));
    }
}

/// The value behind an attribute's name, the empty one if there is no `=`.
fn value<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let Some(behind) = rest.strip_prefix('=') else {
        return Some("");
    };
    *rest = behind.trim_ascii_start();
    let quote = rest.chars().next()?;
    if quote != '"' && quote != '\'' {
        return Some(take(rest, |c| !c.is_ascii_whitespace() && c != '>'));
    }
    let (value, behind) = rest[1..].split_once(quote)?;
    *rest = behind;
    Some(value)
}

/// Cuts off and returns the characters that `accepted` accepts.
fn take<'a>(rest: &mut &'a str, accepted: impl Fn(char) -> bool) -> &'a str {
    let end = rest.find(|c| !accepted(c)).unwrap_or(rest.len());
    let (taken, behind) = rest.split_at(end);
    *rest = behind;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_quoted_unquoted_and_bare() {
        let html = "<link data-trunk rel=css href='a>b.css' title=\"x\" />";
        let tags = tags(html).unwrap();
        assert_eq!(tags.len(), 1);
        assert_eq!(
            tags[0].attributes,
            [("data-trunk", ""), ("rel", "css"), ("href", "a>b.css"), ("title", "x")]
        );
        assert_eq!(tags[0].span, 0..html.len());
    }

    #[test]
    fn comments_doctype_and_end_tags_are_no_tags() {
        let names: Vec<_> = tags("<!doctype html><!-- <link data-trunk> --><p>a</p>")
            .unwrap()
            .iter()
            .map(|tag| tag.name)
            .collect();
        assert_eq!(names, ["p"]);
    }

    #[test]
    fn what_does_not_end_is_named_with_its_line() {
        for html in ["<p>\n<!-- never", "<p>\n<a href=\"x", "<p>\n<a href", "<p>\n<a href="] {
            assert_eq!(tags(html).unwrap_err().line, 2, "{html}");
        }
    }
}
