//! The one exception to "verbatim": an answer that contains the credential just sent.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

const REDACTED: &[u8] = b"[redacted]";

/// The body without the token, in the ways in which an echo may have written it.
pub(super) fn without(body: Bytes, token: &str) -> Bytes {
    if token.is_empty() {
        return body;
    }
    let mut body = body;
    for form in forms(token) {
        if let Some(clean) = replace(&body, form.as_bytes()) {
            body = clean.into();
        }
    }
    body
}

/// Whether a text has the token in it, in one of these ways.
pub(super) fn holds(text: &[u8], token: &str) -> bool {
    forms(token).iter().any(|form| find(text, form.as_bytes()).is_some())
}

/// The token as it is, escaped for JSON, HTML and URLs, and as base64 at each of the three alignments that it can
/// have within a longer text such as `Bearer <token>`.
fn forms(token: &str) -> Vec<String> {
    let json = serde_json::to_string(token).unwrap_or_default();
    let html = token.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut forms = vec![
        token.to_owned(),
        json.trim_matches('"').to_owned(),
        json.trim_matches('"').replace('/', "\\/"),
        html.clone(),
        html.replace('\'', "&#39;"),
        utf8_percent_encode(token, NON_ALPHANUMERIC).to_string(),
        url::form_urlencoded::byte_serialize(token.as_bytes()).collect(),
        token.bytes().map(|byte| format!("{byte:02x}")).collect(),
        token.bytes().map(|byte| format!("{byte:02X}")).collect(),
    ];
    for before in 0..3 {
        forms.extend(base64_at(token, before));
    }
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    forms.retain(|form| form.len() >= 8);
    forms
}

/// What every base64 text has in common that holds the token after `before` other bytes: the characters at the
/// edges, which depend on the neighbours, are left out.
fn base64_at(token: &str, before: usize) -> Vec<String> {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(token.as_bytes());
    let skip = (before * 8).div_ceil(6);
    let whole = bytes.len() * 8 / 6;
    [STANDARD.encode(&bytes), STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]
        .into_iter()
        .filter_map(|text| text.get(skip..whole).map(str::to_owned))
        .collect()
}

fn replace(body: &[u8], needle: &[u8]) -> Option<Vec<u8>> {
    let first = find(body, needle)?;
    let mut clean = Vec::with_capacity(body.len());
    let (mut rest, mut at) = (body, Some(first));
    while let Some(found) = at {
        clean.extend_from_slice(&rest[..found]);
        clean.extend_from_slice(REDACTED);
        rest = &rest[found + needle.len()..];
        at = find(rest, needle);
    }
    clean.extend_from_slice(rest);
    Some(clean)
}

fn find(body: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(body, needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "gho_a/b+c\"d&e<1234567890>'x";

    fn cleaned(body: &str) -> String {
        String::from_utf8(without(Bytes::from(body.to_owned()), TOKEN).to_vec()).unwrap()
    }

    #[test]
    fn an_echo_of_the_token_does_not_leave() {
        let header = format!("Bearer {TOKEN}");
        let echoes = [
            header.clone(),
            serde_json::json!({"authorization": header}).to_string(),
            serde_json::json!({"authorization": header}).to_string().replace('/', "\\/"),
            header.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
            utf8_percent_encode(&header, NON_ALPHANUMERIC).to_string(),
            url::form_urlencoded::byte_serialize(header.as_bytes()).collect(),
        ];
        for echo in echoes {
            let clean = cleaned(&format!("{{{echo}}} and again {echo}"));
            assert_eq!(clean.matches("[redacted]").count(), 2, "{echo} -> {clean}");
        }
        for prefix in ["", "a", "ab", "Bearer ", "token "] {
            for text in [
                STANDARD.encode(format!("{prefix}{TOKEN}!")),
                URL_SAFE_NO_PAD.encode(format!("{prefix}{TOKEN}")),
            ] {
                assert!(cleaned(&text).contains("[redacted]"), "{prefix:?} {text}");
            }
        }
    }

    #[test]
    fn everything_else_comes_byte_for_byte() {
        let body = Bytes::from_static(b"\x00\xff {\"a\": 1}");
        assert_eq!(without(body.clone(), TOKEN), body);
        assert_eq!(without(body.clone(), ""), body);
    }
}
