//! One pass over a JSON text (RFC 8259) that checks all of it and copies nothing.
//!
//! It runs on every message of every panel, so it looks at eight bytes at a time where a text lies, and allocates
//! only for keys with escapes and for objects with many keys.

use std::borrow::Cow;
use std::collections::HashSet;

use super::JsonError;

/// The deepest nesting.
const DEPTH: u32 = 128;
/// Up to so many keys are compared one by one, which is faster than hashing them.
const FEW: usize = 16;

/// The fields of an object: their names, and their values as the text that they are.
pub(super) type Fields<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// A place in a text.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// How many arrays and objects lie around the place.
    depth: u32,
    /// The keys of the objects around the place, each object's after those of the one around it.
    keys: Vec<Cow<'a, str>>,
}

/// What is wrong, before it is known where.
pub(super) struct Fault {
    what: &'static str,
    /// The text's own fault, or none when only its meaning is wrong.
    at: Option<usize>,
    /// The way to the place, the innermost first.
    path: Vec<String>,
}

type Checked<T = ()> = Result<T, Fault>;

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, keys: Vec::new() }
    }

    /// The sentence for a fault.
    pub(super) fn explain(&self, fault: &Fault) -> JsonError {
        let segments: Vec<&str> = fault.path.iter().rev().map(String::as_str).collect();
        let pointer = super::pointer(&segments);
        let Some(at) = fault.at else { return JsonError { pointer, what: fault.what.to_owned() } };
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        JsonError {
            pointer,
            what: format!("is not valid JSON: {} at line {line} column {column}", fault.what),
        }
    }

    /// A value that stands alone.
    pub(super) fn whole(&mut self) -> Checked {
        self.value()?;
        self.end()
    }

    /// Nothing but space until the end.
    pub(super) fn end(&mut self) -> Checked {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.fault("trailing characters")) }
    }

    /// The next byte that is no space, which stays.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.space();
        self.byte()
    }

    /// The fields of the object that begins here; nothing when it is another value, which is checked all the same.
    pub(super) fn fields(&mut self) -> Checked<Option<Fields<'a>>> {
        if self.peek() != Some(b'{') {
            return self.value().map(|()| None);
        }
        let mut fields = Vec::new();
        self.object(|key, value| fields.push((key, value)))?;
        Ok(Some(fields))
    }

    /// Does something with each item of the array that begins here. `item` must pass one value.
    pub(super) fn items(&mut self, mut item: impl FnMut(&mut Self) -> Checked) -> Checked {
        self.enter()?;
        if self.peek() == Some(b']') {
            return self.leave();
        }
        for index in 0_usize.. {
            item(self).map_err(|fault| fault.inside(|| index.to_string()))?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                found => return Err(self.unexpected(found, "expected `,` or `]`")),
            }
        }
        self.leave()
    }

    fn value(&mut self) -> Checked {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{') => self.object(|_, _| {}),
            Some(b'[') => self.items(Self::value),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            found => Err(self.unexpected(found, "expected value")),
        }
    }

    fn object(&mut self, mut field: impl FnMut(Cow<'a, str>, &'a str)) -> Checked {
        self.enter()?;
        if self.peek() == Some(b'}') {
            return self.leave();
        }
        let first = self.keys.len();
        let mut many = None;
        loop {
            match self.peek() {
                Some(b'"') => {}
                found => return Err(self.unexpected(found, "key must be a string")),
            }
            let key = self.string()?;
            if self.stands_twice(first, &mut many, key.clone()) {
                let fault = Fault { what: "stands twice", at: None, path: Vec::new() };
                return Err(fault.inside(|| key.into_owned()));
            }
            self.keys.push(key.clone());
            match self.peek() {
                Some(b':') => self.at += 1,
                found => return Err(self.unexpected(found, "expected `:`").inside(|| key.into_owned())),
            }
            self.space();
            let start = self.at;
            self.value().map_err(|fault| fault.inside(|| key.clone().into_owned()))?;
            field(key, &self.text[start..self.at]);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                found => return Err(self.unexpected(found, "expected `,` or `}`")),
            }
        }
        self.keys.truncate(first);
        self.leave()
    }

    /// Whether the object whose keys begin at `first` has the key already.
    fn stands_twice(
        &self,
        first: usize,
        many: &mut Option<HashSet<Cow<'a, str>>>,
        key: Cow<'a, str>,
    ) -> bool {
        let before = &self.keys[first..];
        if before.len() < FEW {
            return before.contains(&key);
        }
        !many.get_or_insert_with(|| before.iter().cloned().collect()).insert(key)
    }

    /// A string's text; its escapes are read only when somebody wants it.
    fn string(&mut self) -> Checked<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        let mut escapes = false;
        loop {
            self.at += plain(&self.text.as_bytes()[self.at..]);
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escapes = true;
                    self.escape()?;
                }
                Some(_) => {
                    return Err(
                        self.fault("control character (\\u0000-\\u001F) found while parsing a string")
                    );
                }
                None => return Err(self.fault("EOF while parsing a string")),
            }
        }
        let inside = &self.text[start..self.at];
        self.at += 1;
        if !escapes {
            return Ok(Cow::Borrowed(inside));
        }
        let quoted = &self.text[start - 1..self.at];
        // It has been checked, so this reads it.
        serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| self.fault("invalid escape"))
    }

    fn escape(&mut self) -> Checked {
        self.at += 1;
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => self.unicode(),
            found => Err(self.unexpected(found, "invalid escape")),
        }
    }

    /// `\uXXXX`, or two of them for a character beyond U+FFFF.
    fn unicode(&mut self) -> Checked {
        match self.hex()? {
            0xdc00..=0xdfff => Err(self.fault("lone leading surrogate in hex escape")),
            0xd800..=0xdbff => {
                if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                    return Err(self.fault("unexpected end of hex escape"));
                }
                self.at += 1;
                match self.hex()? {
                    0xdc00..=0xdfff => Ok(()),
                    _ => Err(self.fault("lone leading surrogate in hex escape")),
                }
            }
            _ => Ok(()),
        }
    }

    /// The four digits after a `u`.
    fn hex(&mut self) -> Checked<u32> {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return Err(self.fault("invalid escape")) };
        self.at += 5;
        Ok(digits
            .iter()
            .fold(0, |number, digit| number * 16 + char::from(*digit).to_digit(16).unwrap_or_default()))
    }

    fn number(&mut self) -> Checked {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.byte() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            found => return Err(self.unexpected(found, "invalid number")),
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.in_range(start)
    }

    /// At least one digit.
    fn digits(&mut self) -> Checked {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.unexpected(self.byte(), "invalid number")) }
    }

    /// A number that no machine can hold means nothing. Only a long one or one with an exponent can be that.
    fn in_range(&mut self, start: usize) -> Checked {
        let number = &self.text[start..self.at];
        let suspect = number.len() > 300 || number.contains(['e', 'E']);
        if suspect && !number.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(self.fault("number out of range"));
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> Checked {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.fault("expected ident"));
        }
        self.at += word.len();
        Ok(())
    }

    fn enter(&mut self) -> Checked {
        self.depth += 1;
        if self.depth >= DEPTH {
            return Err(self.fault("recursion limit exceeded"));
        }
        self.at += 1;
        Ok(())
    }

    fn leave(&mut self) -> Checked {
        self.depth -= 1;
        self.at += 1;
        Ok(())
    }

    fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&self, what: &'static str) -> Fault {
        Fault { what, at: Some(self.at + 1), path: Vec::new() }
    }

    fn unexpected(&self, found: Option<u8>, what: &'static str) -> Fault {
        self.fault(if found.is_some() { what } else { "EOF while parsing a value" })
    }
}

impl Fault {
    fn inside(mut self, segment: impl FnOnce() -> String) -> Self {
        self.path.push(segment());
        self
    }
}

/// How many bytes of a string stand for themselves, before its end, an escape or what may not be in one.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    for chunk in bytes.chunks_exact(8) {
        let Ok(chunk) = <[u8; 8]>::try_from(chunk) else { break };
        let word = u64::from_le_bytes(chunk);
        let quote = zero(word ^ (ONES * 0x22));
        let escape = zero(word ^ (ONES * 0x5c));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        // The lowest mark is right; those above it may be too many, for a borrow runs upwards.
        let marks = quote | escape | control;
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let ends = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
    at + bytes[at..].iter().position(ends).unwrap_or(bytes.len() - at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::plain;

    proptest! {
        #[test]
        fn eight_bytes_at_a_time_end_where_one_at_a_time_does(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let ends = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
            prop_assert_eq!(plain(&bytes), bytes.iter().position(ends).unwrap_or(bytes.len()));
        }
    }
}
