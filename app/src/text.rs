//! Texts of strangers, made fit to be shown.

/// Longest name that is shown, in characters.
pub(crate) const NAME: usize = 80;
/// Longest sentence that is shown, in characters.
pub(crate) const SENTENCE: usize = 400;

/// Most marks above and below one letter: real scripts need no more, and a pile of them covers other lines.
const MARKS: usize = 2;

/// How many there are of something whose plural ends in an s.
pub(crate) fn counted(many: usize, one: &str) -> String {
    if many == 1 { format!("1 {one}") } else { format!("{many} {one}s") }
}

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
        let mut marks = 0;
        for character in word.chars().filter(|c| !is_unseen(*c)) {
            marks = if is_mark(character) { marks + 1 } else { 0 };
            if marks > MARKS {
                continue;
            }
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
        // Blanks that are no white space: soft hyphen, Hangul fillers, the empty Braille pattern, tags.
        || matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Marks that stand above or below the letter before them (Unicode's blocks of combining marks).
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
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
    fn marks_do_not_pile_up() {
        let zalgo = format!("a{}b", "\u{301}\u{489}".repeat(50));
        assert_eq!(shown(&zalgo, 80), "a\u{301}\u{489}b");
        assert_eq!(shown("e\u{301}\u{323}", 80), "e\u{301}\u{323}");
    }

    #[test]
    fn a_name_of_blanks_is_empty() {
        assert_eq!(shown("\u{3164}\u{2800}\u{ad}\u{115f}\u{e0041}\u{202e}", 80), "");
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(shown("abcdef", 3), "abc…");
        assert_eq!(shown("abc", 3), "abc");
        assert_eq!(shown(&"ä".repeat(500), NAME).chars().count(), NAME + 1);
    }
}
