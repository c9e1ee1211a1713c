//! The script that every panel document begins with.

use bytes::Bytes;

/// Drops messages of strangers and tells the host which document speaks; `protocol.md` section 5, rules 3 and 5.
const SCRIPT: &str = include_str!("guard.js");

/// The document with the guard right after its doctype, or at its start when it has none. Nothing of the author's
/// can run before it.
pub(super) fn inject(html: &[u8]) -> Bytes {
    let (before, after) = html.split_at(place(html));
    let parts: [&[u8]; 5] = [before, b"<script>", SCRIPT.as_bytes(), b"</script>", after];
    parts.concat().into()
}

/// The author's line that is served as `line`, both from 1; nothing when all of it is the guard's.
pub(super) fn author_line(html: &[u8], line: usize) -> Option<usize> {
    let newlines = |text: &[u8]| memchr::memchr_iter(b'\n', text).count();
    let before = 1 + newlines(&html[..place(html)]);
    let guard = newlines(SCRIPT.as_bytes());
    match line {
        _ if line <= before => Some(line),
        _ if line < before + guard => None,
        _ => Some(line - guard),
    }
}

/// Where the guard goes, by the tokenizer and the "initial" insertion mode of the HTML standard: white space and
/// comments may stand before a doctype, and anything else begins the document.
fn place(html: &[u8]) -> usize {
    let start = if html.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let mut at = start;
    loop {
        let rest = html.get(at..).unwrap_or_default();
        let length = match rest {
            [b'\t' | b'\n' | b'\x0C' | b'\r' | b' ', ..] => Some(1),
            [b'<', b'!', b'-', b'-', comment @ ..] => comment_end(comment).map(|end| end + 4),
            [b'<', b'?', ..] => end_of_tag(rest),
            [b'<', b'!', ..] if is_doctype(rest) => return end_of_tag(rest).map_or(start, |end| at + end),
            _ => None,
        };
        match length {
            Some(length) => at += length,
            None => return start,
        }
    }
}

fn is_doctype(rest: &[u8]) -> bool {
    rest.get(2..9).is_some_and(|word| word.eq_ignore_ascii_case(b"doctype"))
}

/// A doctype ends at its first `>`, quotes or not, and so does a bogus comment.
fn end_of_tag(rest: &[u8]) -> Option<usize> {
    rest.iter().position(|byte| *byte == b'>').map(|end| end + 1)
}

/// Length of what follows `<!--` up to the comment's end. `<!-->` and `<!--->` are whole comments, and `--!>` ends
/// one: a comment that seemed longer than it is would let a script run before the guard.
fn comment_end(comment: &[u8]) -> Option<usize> {
    match comment {
        [b'>', ..] => return Some(1),
        [b'-', b'>', ..] => return Some(2),
        _ => {}
    }
    let ends = |tail: &[u8], end: &[u8]| tail.starts_with(end).then_some(end.len());
    (0..comment.len()).find_map(|at| {
        let tail = &comment[at..];
        ends(tail, b"-->").or_else(|| ends(tail, b"--!>")).map(|length| at + length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn injected_after(before: &str, after: &str) {
        let html = inject(format!("{before}{after}").as_bytes());
        let html = std::str::from_utf8(&html).unwrap();
        assert_eq!(html, format!("{before}<script>{SCRIPT}</script>{after}"));
    }

    #[test]
    fn the_guard_stands_right_after_the_doctype() {
        injected_after("<!doctype html>", "<p>");
        injected_after("\u{feff}<!DOCTYPE HTML>", "\n<p>");
        injected_after("\r\n\t\u{c} <!-- a > b -->\n<!DocType html SYSTEM 'x>", "y'><p>");
        injected_after("<?xml version='1.0'?><!----><!-- <!doctype a> --><!doctype html>", "");
    }

    #[test]
    fn lines_are_told_as_the_author_counts_them() {
        let line_of = |text: &str, word: &str| text.lines().position(|line| line.contains(word)).unwrap() + 1;
        for html in
            ["<!doctype html>\nX", "<!doctype html>X", "<!--\n-->\n<!doctype html>\n\nX\n", "<p>\nX", "X"]
        {
            let served = String::from_utf8(inject(html.as_bytes()).to_vec()).unwrap();
            let told = author_line(html.as_bytes(), line_of(&served, "X"));
            assert_eq!(told, Some(line_of(html, "X")), "{html}");
        }
        assert_eq!(author_line(b"<!--\n--><!doctype html>", 1), Some(1));
        assert_eq!(author_line(b"<p>", 3), None, "a line of the guard is not the author's");
    }

    #[test]
    fn without_a_doctype_the_guard_stands_first() {
        for html in [
            "",
            "<p>",
            "text<!doctype html>",
            "<!doctype html",
            "<!-- open <!doctype html>",
            "<!foo><!doctype html>",
            "<script>1</script><!doctype html>",
            "\0<!doctype html>",
        ] {
            injected_after("", html);
        }
        injected_after("\u{feff}", "<p><!doctype html>");
        injected_after("\u{feff}", "\u{feff}<!doctype html>");
    }

    #[test]
    fn a_script_in_what_only_looks_like_a_comment_comes_after_the_guard() {
        for start in ["<!-->", "<!--->", "<!-- --!>", "<!----!>", "<!--<!-->"] {
            injected_after("", &format!("{start}<script>1</script> --><!doctype html>"));
            injected_after(&format!("{start}<!doctype html>"), "<script>1</script> -->");
        }
        // These are not over where they seem to be.
        for start in ["<!---!>", "<!-- -- >", "<!-- ->", "<!-- - ->"] {
            injected_after(&format!("{start}<!doctype a> --><!doctype html>"), "<p>");
        }
    }

    #[test]
    fn utf_16_does_not_garble_the_guard() {
        // The browser takes UTF-16 only when its mark is first; the guard is before it.
        let html = inject(b"\xFF\xFE<\0p\0>\0");
        assert!(html.starts_with(b"<script>"));
    }

    #[test]
    fn the_guard_does_not_end_its_own_element() {
        let script = SCRIPT.to_ascii_lowercase();
        for bad in ["</script", "<script", "<!--"] {
            assert!(!script.contains(bad), "{bad}");
        }
    }
}
