//! Looks for secrets where none may be, in every form that they could have there.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How much of a secret is looked for: a part of it in a log is a leak as well.
const PART: usize = 18;

/// Every form in which a secret is looked for, by name.
pub const FORMS: [&str; 20] = [
    "as it is",
    "reversed",
    "base64",
    "base64url",
    "base64 of base64",
    "hexadecimal",
    "hexadecimal, capital",
    "percent-encoded",
    "percent-encoded, capital",
    "escaped for JSON",
    "escaped for JSON, capital",
    "escaped with \\x",
    "escaped in octal",
    "a list of numbers",
    "HTML entities",
    "HTML entities, hexadecimal",
    "quoted-printable",
    "base32",
    "UTF-16, little end first",
    "UTF-16, big end first",
];

/// A secret with all its forms.
pub struct Canary {
    name: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    /// A secret to look for.
    ///
    /// # Panics
    /// When it is too short to be told from chance.
    #[must_use]
    pub fn new(name: &str, secret: &str) -> Self {
        assert!(secret.len() >= 8, "{name} is too short to be looked for");
        // The end is where random characters are; what a secret begins with may be the same in all of them.
        let part = &secret.as_bytes()[secret.len().saturating_sub(PART)..];
        Self { name: name.to_owned(), forms: forms(part) }
    }

    /// The name of the secret and its form, if it is in the bytes.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Option<String> {
        let found = self.forms.iter().find(|(_, form)| memchr::memmem::find(bytes, form).is_some());
        found.map(|(form, _)| format!("{}, {form}", self.name))
    }
}

/// Looks for secrets in bytes, and in what is packed in them with gzip.
///
/// # Panics
/// When one is there.
pub fn assert_none(canaries: &[Canary], place: &str, bytes: &[u8]) {
    for bytes in [bytes.to_vec()].into_iter().chain(unpacked(bytes)) {
        for canary in canaries {
            if let Some(found) = canary.find(&bytes) {
                panic!("{place} holds {found}");
            }
        }
    }
}

fn unpacked(bytes: &[u8]) -> Vec<Vec<u8>> {
    use std::io::Read as _;
    let begins = bytes.windows(3).enumerate().filter(|(_, window)| *window == [0x1f, 0x8b, 8]);
    begins
        .filter_map(|(at, _)| {
            let mut out = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(&bytes[at..]).take(16 << 20);
            // A stream that was cut has told what it had until then.
            let _ = decoder.read_to_end(&mut out);
            (!out.is_empty()).then_some(out)
        })
        .collect()
}

fn forms(part: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let each = |write: &dyn Fn(&u8) -> String| part.iter().map(write).collect::<String>().into_bytes();
    let list: Vec<String> = part.iter().map(u8::to_string).collect();
    let reversed: Vec<u8> = part.iter().rev().copied().collect();
    let mut forms = vec![
        (FORMS[0], part.to_vec()),
        (FORMS[1], reversed),
        (FORMS[5], each(&|byte| format!("{byte:02x}"))),
        (FORMS[6], each(&|byte| format!("{byte:02X}"))),
        (FORMS[7], each(&|byte| format!("%{byte:02x}"))),
        (FORMS[8], each(&|byte| format!("%{byte:02X}"))),
        (FORMS[9], each(&|byte| format!("\\u{byte:04x}"))),
        (FORMS[10], each(&|byte| format!("\\u{byte:04X}"))),
        (FORMS[11], each(&|byte| format!("\\x{byte:02x}"))),
        (FORMS[12], each(&|byte| format!("\\{byte:03o}"))),
        (FORMS[13], list.join(", ").into_bytes()),
        (FORMS[13], list.join(",").into_bytes()),
        (FORMS[14], each(&|byte| format!("&#{byte};"))),
        (FORMS[15], each(&|byte| format!("&#x{byte:x};"))),
        (FORMS[16], each(&|byte| format!("={byte:02X}"))),
        (FORMS[18], part.iter().flat_map(|byte| [*byte, 0]).collect()),
        (FORMS[19], part.iter().flat_map(|byte| [0, *byte]).collect()),
    ];
    // What stands before the secret moves the groups that these write bytes in.
    for before in 0..3 {
        let plain = inner(&shifted(part, before), before, |bytes| STANDARD_NO_PAD.encode(bytes));
        forms.push((FORMS[2], plain.clone()));
        forms.push((FORMS[3], inner(&shifted(part, before), before, |bytes| URL_SAFE_NO_PAD.encode(bytes))));
        for twice in 0..3 {
            forms.push((
                FORMS[4],
                inner(&shifted(&plain, twice), twice, |bytes| STANDARD_NO_PAD.encode(bytes)),
            ));
        }
    }
    for before in 0..5 {
        forms.push((FORMS[17], base32(&shifted(part, before), before)));
    }
    forms
}

fn shifted(part: &[u8], before: usize) -> Vec<u8> {
    [&vec![0; before][..], part].concat()
}

/// The digits that depend on the secret alone, and not on what stands before or behind it.
fn inner(bytes: &[u8], before: usize, encode: impl Fn(&[u8]) -> String) -> Vec<u8> {
    let text = encode(&bytes[..bytes.len() / 3 * 3]);
    let skipped = [0, 2, 3][before];
    text.into_bytes()[skipped..].to_vec()
}

fn base32(bytes: &[u8], before: usize) -> Vec<u8> {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let whole = &bytes[..bytes.len() / 5 * 5];
    let digits = whole.chunks(5).flat_map(|group| {
        let number = group.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        (0..8).rev().map(move |place| DIGITS[usize::try_from(number >> (5 * place) & 31).unwrap_or_default()])
    });
    digits.skip([0, 2, 4, 5, 7][before]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "demo_rt_7yXk29PqLmN4vBc81ZsT";

    #[test]
    fn each_form_is_found_wherever_it_stands() {
        let canary = Canary::new("a token", SECRET);
        let encoded = |text: &str| STANDARD_NO_PAD.encode(text);
        for before in ["", "x", "xy", "xyz"] {
            let text = format!("{before}{SECRET}; more");
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let plain: [Vec<u8>; 8] = [
                text.clone().into_bytes(),
                text.chars().rev().collect::<String>().into_bytes(),
                encoded(&text).into_bytes(),
                URL_SAFE_NO_PAD.encode(&text).into_bytes(),
                encoded(&encoded(&text)).into_bytes(),
                hex.into_bytes(),
                format!("{:?}", text.as_bytes()).into_bytes(),
                wide,
            ];
            for (form, bytes) in plain.iter().enumerate() {
                assert!(canary.find(bytes).is_some(), "form {form} behind `{before}`");
            }
        }
        assert!(canary.find(encoded("demo_rt_AnotherTokenOfTheSame").as_bytes()).is_none());
        assert_eq!(base32(b"foobarfoob", 0), b"MZXW6YTBOJTG633C", "RFC 4648, section 10");
    }

    #[test]
    fn every_form_has_its_bytes() {
        let found = forms(SECRET.as_bytes());
        for form in FORMS {
            assert!(found.iter().any(|(name, bytes)| *name == form && bytes.len() >= 16), "{form}");
        }
    }

    #[test]
    #[should_panic(expected = "the log holds a token, as it is")]
    fn what_is_packed_is_looked_into() {
        use std::io::Write as _;
        let mut packed = flate2::write::GzEncoder::new(b"before".to_vec(), flate2::Compression::best());
        packed.write_all(format!("{SECRET} and more").as_bytes()).unwrap();
        assert_none(&[Canary::new("a token", SECRET)], "the log", &packed.finish().unwrap());
    }
}
