//! Texts of strangers, made fit to be shown.

/// Longest name that is shown, in characters.
pub(crate) const NAME: usize = 80;
/// Longest sentence that is shown, in characters.
pub(crate) const SENTENCE: usize = 400;

/// A stranger's text on one line: without control characters and marks that change the direction of what
/// follows, and cut to `max` characters.
pub(crate) fn shown(text: &str, max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max * 4));
    let mut length = 0;
    for word in text.split_whitespace() {
        let space = usize::from(length > 0);
        if space == 1 && length < max {
            line.push(' ');
            length += 1;
        }
        for character in word.chars().filter(|c| !is_unseen(*c)) {
            if length >= max {
                line.push('…');
                return line;
            }
            line.push(character);
            length += 1;
        }
    }
    line
}

/// Characters that draw nothing or reorder their neighbours.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_on_one_line_and_in_its_direction() {
        assert_eq!(shown("  a\n\tb  ", 10), "a b");
        assert_eq!(shown("GitHub\u{202e}evil\u{200b}", 80), "GitHubevil");
        assert_eq!(shown("\0\u{7}", 80), "");
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(shown("abcdef", 3), "abc…");
        assert_eq!(shown("abc", 3), "abc");
        assert_eq!(shown(&"ä".repeat(500), NAME).chars().count(), NAME + 1);
    }
}
