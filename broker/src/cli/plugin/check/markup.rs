//! What in a panel's HTML cannot work under the headers that panels are served with.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

use super::{Finding, Level};
use crate::panel::content_type;
use crate::plugin::Files;

type Tag = StartTag<usize>;

/// Attributes that load something, with the element that has them; `*` is any element.
const LOADS: &[(&str, &str)] = &[
    ("script", "src"),
    ("img", "src"),
    ("input", "src"),
    ("image", "href"),
    ("use", "href"),
    ("source", "src"),
    ("track", "src"),
    ("audio", "src"),
    ("video", "src"),
    ("video", "poster"),
];
/// Relations of `<link>` that load something.
const LINKS: &[&str] = &["stylesheet", "icon", "preload", "modulepreload", "manifest", "apple-touch-icon"];
/// Elements that hold another document, which a panel must not have.
const NESTED: &[&str] = &["iframe", "frame", "object", "embed"];

/// Looks at every HTML file.
pub(super) fn look(files: &Files) -> Vec<Finding> {
    let pages = files.iter().filter(|(path, _)| content_type::is_html(path));
    pages.flat_map(|(path, content)| Page { path, files }.look(content)).collect()
}

struct Page<'a> {
    path: &'a str,
    files: &'a Files,
}

impl Page<'_> {
    fn look(&self, content: &[u8]) -> Vec<Finding> {
        let mut emitter = DefaultEmitter::<usize>::new_with_span();
        // Without it, what a script contains would be taken for elements.
        emitter.naively_switch_states(true);
        let mut findings = Vec::new();
        for token in Tokenizer::new_with_emitter(content, emitter) {
            let Ok(token) = token;
            if let Token::StartTag(tag) = token {
                let line = line_of(content, tag.span.start);
                let found = self.tag(&tag).into_iter();
                findings.extend(found.map(|(level, what)| Finding::at_line(level, self.path, line, what)));
            }
        }
        findings
    }

    fn tag(&self, tag: &Tag) -> Vec<(Level, String)> {
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        let mut found: Vec<_> = loaded(tag, &name).iter().filter_map(|url| self.load(&name, url)).collect();
        found.extend(leads_away(tag, &name));
        found
    }

    /// What is wrong with loading an address.
    fn load(&self, element: &str, url: &str) -> Option<(Level, String)> {
        let fault = |what: String| Some((Level::Fault, what));
        match Target::of(url) {
            Target::Inline => None,
            Target::Remote => fault(format!(
                "<{element}> loads `{}` from elsewhere, and a panel has no network: put the file into the folder",
                shown(url)
            )),
            Target::Root(path) => fault(format!(
                "<{element}> loads `{}`: a panel lives below a folder of its own, so write `{path}`",
                shown(url)
            )),
            Target::File(file) => {
                let path = resolve(self.path, &file);
                if path.as_deref().is_some_and(|path| self.files.get(path).is_some()) {
                    return None;
                }
                fault(format!("<{element}> loads `{}`, which is not in the plugin's folder", shown(url)))
            }
        }
    }
}

/// The addresses that an element loads.
fn loaded(tag: &Tag, name: &str) -> Vec<String> {
    let plain = LOADS.iter().filter(|(element, _)| *element == name);
    let mut urls: Vec<_> = plain.filter_map(|(_, attribute)| attribute_of(tag, attribute)).collect();
    if name == "link" {
        let relations = attribute_of(tag, "rel").unwrap_or_default().to_ascii_lowercase();
        if relations.split_ascii_whitespace().any(|relation| LINKS.contains(&relation)) {
            urls.extend(attribute_of(tag, "href"));
        }
    }
    urls.retain(|url| !url.is_empty());
    urls
}

/// What an element does that ends or stops a panel.
fn leads_away(tag: &Tag, name: &str) -> Option<(Level, String)> {
    let text = |attribute: &str| attribute_of(tag, attribute);
    let warning = |what: &str| Some((Level::Warning, what.to_owned()));
    let fault = |what: String| Some((Level::Fault, what));
    match name {
        "a" | "area" => link(&text("href")?, text("target").as_deref()),
        // The HTML standard stops a sandboxed form before it fires the event.
        "form" => warning(
            "<form> is never submitted in a panel, and its `submit` event does not fire: listen to the click of \
             a button with type=\"button\"",
        ),
        "base" if text("href").is_some() => {
            fault("<base> is not allowed in a panel: write relative paths".into())
        }
        "meta" if text("http-equiv").is_some_and(|value| value.eq_ignore_ascii_case("refresh")) => {
            fault("<meta http-equiv=\"refresh\"> leaves the panel, and the host then stops it".into())
        }
        _ if NESTED.contains(&name) => {
            fault(format!("<{name}> shows nothing: a panel has no frames of its own"))
        }
        _ => None,
    }
}

fn link(href: &str, target: Option<&str>) -> Option<(Level, String)> {
    let href = href.trim();
    if href.is_empty() || href.starts_with('#') || is_scheme(href, "javascript") {
        return None;
    }
    let what = if target.is_some_and(|target| target.eq_ignore_ascii_case("_blank")) {
        "a link opens nothing: a panel cannot open tabs, so show the address as text that can be copied"
    } else {
        "a link leaves the panel, and the host then stops it: show another part of the page by script instead"
    };
    Some((Level::Warning, what.to_owned()))
}

fn attribute_of(tag: &Tag, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(&value.value).trim().to_owned())
}

/// Where an address leads.
enum Target {
    /// It is the content itself, or a part of the same page.
    Inline,
    /// Another server.
    Remote,
    /// The root of the panel origin, where no plugin is; without the slash.
    Root(String),
    /// A file beside the page, without query and fragment.
    File(String),
}

impl Target {
    fn of(url: &str) -> Self {
        if url.starts_with('#') || is_scheme(url, "data") || is_scheme(url, "blob") {
            return Self::Inline;
        }
        if url.starts_with("//") || has_scheme(url) {
            return Self::Remote;
        }
        let path = url.split(['?', '#']).next().unwrap_or_default();
        match path.strip_prefix('/') {
            Some(rest) => Self::Root(rest.to_owned()),
            None => Self::File(path.to_owned()),
        }
    }
}

fn is_scheme(url: &str, scheme: &str) -> bool {
    url.split_once(':').is_some_and(|(start, _)| start.trim().eq_ignore_ascii_case(scheme))
}

fn has_scheme(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// The path of a file that a page names; nothing when it leads out of the folder.
fn resolve(page: &str, file: &str) -> Option<String> {
    let file = percent_encoding::percent_decode_str(file).decode_utf8().ok()?;
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The line of a place in a text, from 1.
pub(in crate::cli::plugin) fn line_of(content: &[u8], at: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', content.get(..at).unwrap_or(content)).count()
}

/// The start of an address, without what a terminal would obey.
fn shown(url: &str) -> String {
    url.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// The findings in a page with a file `a/b.js` beside it, as `line: sentence`.
    fn found(html: &str) -> Vec<String> {
        let files = [("panel.html", html), ("a/b.js", "")];
        let files =
            files.map(|(path, text)| (path.to_owned(), bytes::Bytes::copy_from_slice(text.as_bytes())));
        let findings = look(&Files::new(BTreeMap::from(files)));
        findings.iter().map(|finding| format!("{}: {}", finding.line.unwrap(), finding.what)).collect()
    }

    #[track_caller]
    fn assert_found(html: &str, words: &str) {
        let found = found(&format!("<!doctype html>\n{html}"));
        assert_eq!(found.len(), 1, "{html}: {found:?}");
        assert!(found[0].starts_with("2: ") && found[0].contains(words), "{html}: {found:?}");
    }

    #[test]
    fn what_works_is_not_spoken_of() {
        for html in [
            "<script src=a/b.js></script><script src='./a/b.js?v=1'></script>",
            "<script src=\"a/../a/b.js#x\"></script>",
            "<img src=data:image/png;base64,AA==><button onclick='go()'>Go</button>",
            "<a href='#top'>up</a><a>none</a><link rel=author href=https://example.test>",
            "<script>const html = '<form><iframe src=https://x.test>';</script>",
            "<!-- <script src=https://x.test></script> -->",
        ] {
            assert_eq!(found(html), Vec::<String>::new(), "{html}");
        }
    }

    #[test]
    fn each_fault_is_named_with_its_line() {
        for (html, words) in [
            ("<script src=https://cdn.test/x.js></script>", "`https://cdn.test/x.js` from elsewhere"),
            ("<link rel='Stylesheet' href=//cdn.test/x.css>", "from elsewhere"),
            ("<img src='http://x.test/a.png'>", "from elsewhere"),
            ("<script src=/a/b.js></script>", "write `a/b.js`"),
            ("<script src=gone.js></script>", "`gone.js`, which is not in"),
            ("<script src=../a/b.js></script>", "not in the plugin's folder"),
            ("<iframe></iframe>", "no frames"),
            ("<base href=a/>", "<base>"),
            ("<meta http-equiv=Refresh content=1>", "refresh"),
            ("<form></form>", "`submit` event does not fire"),
            ("<a href=https://x.test>x</a>", "leaves the panel"),
            ("<a href=other.html>x</a>", "leaves the panel"),
            ("<a href=https://x.test target=_blank>x</a>", "opens nothing"),
        ] {
            assert_found(html, words);
        }
    }

    proptest! {
        #[test]
        fn no_page_makes_it_panic(html in any::<Vec<u8>>(), tag in "<[a-z]{1,6} (src|href|rel)=[^>]{0,20}>") {
            let html = [&html[..], tag.as_bytes()].concat();
            let files = BTreeMap::from([("panel.html".to_owned(), bytes::Bytes::from(html))]);
            let _ = look(&Files::new(files));
        }
    }
}
