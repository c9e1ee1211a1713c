//! Which headers a toolkit may set.

use http::HeaderName;

/// Headers that are taiku's own or belong to one hop. Neither a toolkit file nor an argument may set them.
const OWNED: [&str; 30] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "cookie2",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Whether a header is set by taiku or by nobody.
pub(crate) fn is_owned(name: &HeaderName) -> bool {
    OWNED.contains(&name.as_str()) || name.as_str().starts_with("sec-") || name.as_str().starts_with("taiku-")
}

/// Whether a text can be a header's value: visible ASCII, blanks only within.
pub(crate) fn is_value(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~')) && !text.starts_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_credentials_or_frames_the_message_is_owned() {
        for name in
            ["Authorization", "HOST", "cookie", "Content-Length", "transfer-encoding", "Sec-Fetch-Site"]
        {
            assert!(is_owned(&HeaderName::try_from(name).unwrap()), "{name}");
        }
        assert!(!is_owned(&HeaderName::from_static("accept")));
    }

    #[test]
    fn values_are_visible_ascii() {
        assert!(is_value("application/json; q=1"));
        for text in ["a\r\nb", "a\nb", "a\0", "é", " a", "a\t", "\x7f"] {
            assert!(!is_value(text), "{text:?}");
        }
    }
}
