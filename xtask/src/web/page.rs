//! `app/index.html`: which files go into the front end, and the page that names the result.
//!
//! A `<link data-trunk rel="…" href="…">` is one of:
//!
//! | rel | href | becomes |
//! |---|---|---|
//! | `rust` | the application's `Cargo.toml` | the script tag of `Trunk.toml` and two preloads |
//! | `css` | a style sheet | `<link rel="stylesheet">` to its hashed name |
//! | `icon` | an image | `<link rel="icon">` to its hashed name |
//! | `copy-file` | a file | a hashed name if the script tag names it, else a copy in the root |
//! | `copy-dir` | a folder | a copy in the root, or under `data-target-path` |
//!
//! Everything else that Trunk could do is refused, so that both tools always make the same of the page. So are
//! scripts and styles inside the page, which the host page's content security policy would block.

use std::ops::Range;

use super::html::{PageError, Tag, tags};

/// The page and its links, in order.
#[derive(Debug)]
pub(crate) struct Page {
    html: String,
    links: Vec<(Range<usize>, Link)>,
}

/// A file or folder that goes into the front end. Paths are relative to the page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The application: its manifest and, where it has several, the binary.
    Rust { manifest: String, bin: Option<String> },
    /// A style sheet with the attributes that stay on its link.
    Css { href: String, kept: String },
    /// An icon with the attributes that stay on its link.
    Icon { href: String, kept: String },
    /// A file that is copied.
    CopyFile { href: String },
    /// A folder that is copied, and to where.
    CopyDir { href: String, to: Option<String> },
}

impl Page {
    /// Finds the links.
    ///
    /// # Errors
    /// A link that is not in the table above, a script or a style in the page, or not exactly one `rust` link.
    pub(crate) fn parse(html: String) -> Result<Self, PageError> {
        let mut links = Vec::new();
        for tag in tags(&html)? {
            let problem = |problem: String| PageError::at(&html, tag.span.start, problem);
            refuse_inline(&tag).map_err(problem)?;
            if tag.get("data-trunk").is_some() {
                links.push((tag.span.clone(), link(&tag).map_err(problem)?));
            }
        }
        let applications = links.iter().filter(|(_, link)| matches!(link, Link::Rust { .. })).count();
        if applications != 1 {
            let problem = format!("the page has {applications} links with rel=\"rust\" and must have one");
            return Err(PageError::at(&html, 0, problem));
        }
        Ok(Self { html, links })
    }

    /// The links, in order.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().map(|(_, link)| link)
    }

    /// The page with each link replaced by the text that stands for it, in order.
    pub(crate) fn render(&self, replacements: &[String]) -> String {
        let mut html = String::with_capacity(self.html.len());
        let mut position = 0;
        for ((span, _), text) in self.links.iter().zip(replacements) {
            html.push_str(&self.html[position..span.start]);
            html.push_str(text);
            position = span.end;
        }
        html.push_str(&self.html[position..]);
        html
    }
}

/// Scripts and styles must be files.
fn refuse_inline(tag: &Tag<'_>) -> Result<(), String> {
    let name = tag.name.to_ascii_lowercase();
    if name == "script" || name == "style" {
        return Err(format!("`<{name}>` is refused in the page; link a file with data-trunk instead"));
    }
    let inline = |key: &str| {
        let key = key.to_ascii_lowercase();
        key == "style" || key.starts_with("on")
    };
    match tag.attributes.iter().find(|(key, _)| inline(key)) {
        Some((key, _)) => Err(format!("the attribute `{key}` is blocked by the content security policy")),
        None => Ok(()),
    }
}

fn link(tag: &Tag<'_>) -> Result<Link, String> {
    if !tag.name.eq_ignore_ascii_case("link") {
        return Err(format!("`<{} data-trunk>` is not supported, only `<link data-trunk>`", tag.name));
    }
    let rel = tag.get("rel").unwrap_or_default();
    let href = tag.get("href").filter(|href| !href.is_empty());
    let href = href.ok_or_else(|| format!("the link rel=\"{rel}\" has no href"))?.to_owned();
    let text = |name: &str| tag.get(name).map(str::to_owned);
    match rel {
        "rust" => {
            known(tag, &["data-bin", "data-wasm-opt"])?;
            // Trunk would fetch and run wasm-opt; we never do.
            match tag.get("data-wasm-opt") {
                None | Some("0") => Ok(Link::Rust { manifest: href, bin: text("data-bin") }),
                Some(level) => Err(format!("data-wasm-opt=\"{level}\" is not supported, only \"0\"")),
            }
        }
        "css" => {
            known(tag, &["media"])?;
            Ok(Link::Css { href, kept: kept(tag) })
        }
        "icon" => {
            known(tag, &["type", "sizes", "media"])?;
            Ok(Link::Icon { href, kept: kept(tag) })
        }
        "copy-file" => {
            known(tag, &[])?;
            Ok(Link::CopyFile { href })
        }
        "copy-dir" => {
            known(tag, &["data-target-path"])?;
            Ok(Link::CopyDir { href, to: text("data-target-path") })
        }
        other => Err(format!(
            "rel=\"{other}\" is not supported, only \"rust\", \"css\", \"icon\", \"copy-file\" and \"copy-dir\""
        )),
    }
}

/// What every link has.
const COMMON: [&str; 3] = ["data-trunk", "rel", "href"];

fn known(tag: &Tag<'_>, own: &[&str]) -> Result<(), String> {
    match tag.attributes.iter().find(|(key, _)| !COMMON.contains(key) && !own.contains(key)) {
        Some((key, _)) => Err(format!(
            "the attribute `{key}` is not supported on a link rel=\"{}\"",
            tag.get("rel").unwrap_or_default()
        )),
        None => Ok(()),
    }
}

/// The attributes that stay, each with a space before it.
fn kept(tag: &Tag<'_>) -> String {
    let own = tag.attributes.iter().filter(|(key, _)| !COMMON.contains(key));
    own.map(|(key, value)| format!(" {key}=\"{value}\"")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str = r#"<link data-trunk rel="rust" href="Cargo.toml" data-wasm-opt="0">"#;

    fn refusal(html: &str) -> String {
        Page::parse(format!("{RUST}\n{html}")).unwrap_err().to_string()
    }

    #[test]
    fn every_supported_link_is_read() {
        let html = format!(
            r#"{RUST}<link data-trunk rel="css" href="a.css" media="print">
            <link data-trunk rel="icon" href="i.svg" type="image/svg+xml" />
            <link rel="canonical" href="/">
            <link data-trunk rel="copy-file" href="boot.js"><link data-trunk rel="copy-dir" href="../public" data-target-path="p">"#
        );
        let page = Page::parse(html).unwrap();
        let links: Vec<_> = page.links().collect();
        assert_eq!(
            links,
            [
                &Link::Rust { manifest: "Cargo.toml".into(), bin: None },
                &Link::Css { href: "a.css".into(), kept: r#" media="print""#.into() },
                &Link::Icon { href: "i.svg".into(), kept: r#" type="image/svg+xml""#.into() },
                &Link::CopyFile { href: "boot.js".into() },
                &Link::CopyDir { href: "../public".into(), to: Some("p".into()) },
            ]
        );
    }

    #[test]
    fn links_are_replaced_where_they_stand() {
        let page = Page::parse(format!("<head>{RUST}<title>x</title></head>")).unwrap();
        assert_eq!(page.render(&["<b>".into()]), "<head><b><title>x</title></head>");
    }

    #[test]
    fn what_trunk_would_do_and_we_do_not_is_refused_with_its_line() {
        for (html, words) in [
            (r#"<link data-trunk rel="sass" href="a.scss">"#, "line 2: rel=\"sass\" is not supported"),
            (r#"<link data-trunk rel="css" href="a.css" data-inline>"#, "`data-inline` is not supported"),
            (r#"<link data-trunk rel="css">"#, "has no href"),
            (r#"<script data-trunk src="a.js"></script>"#, "`<script>` is refused"),
            (r#"<link data-trunk rel="rust" href="b" data-wasm-opt="z">"#, "only \"0\""),
            (r#"<img data-trunk src="a.png">"#, "only `<link data-trunk>`"),
        ] {
            let refusal = refusal(html);
            assert!(refusal.contains(words), "{html}: {refusal}");
        }
    }

    #[test]
    fn what_the_content_security_policy_blocks_is_refused() {
        for (html, words) in [
            ("<script>1</script>", "`<script>` is refused"),
            ("<STYLE>a{}</STYLE>", "`<style>` is refused"),
            (r#"<p style="color:red">"#, "`style` is blocked"),
            (r#"<p onclick="x()">"#, "`onclick` is blocked"),
        ] {
            let refusal = refusal(html);
            assert!(refusal.contains(words), "{html}: {refusal}");
        }
    }

    #[test]
    fn one_application_is_needed() {
        for html in [String::new(), format!("{RUST}{RUST}")] {
            assert!(Page::parse(html).unwrap_err().problem.contains("must have one"));
        }
    }
}
