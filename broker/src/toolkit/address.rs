//! The addresses that a toolkit may name.

use url::Url;

/// Whether plain http to a literal loopback address is allowed (`TAIKU_ALLOW_LOOPBACK_HTTP`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopbackHttp {
    /// Only https is.
    Refused,
    /// `http://127.0.0.1:…` and `http://[::1]:…` are, too.
    Allowed,
}

/// Checks that a text is an absolute address of the kind that a toolkit may reach.
///
/// What is checked is the text as well as what the URL parser makes of it, because the parser repairs much that
/// an admin never meant: backslashes, blanks, dot segments, addresses in octal.
pub(crate) fn check(text: &str, loopback: LoopbackHttp) -> Result<Url, &'static str> {
    if text.chars().any(|c| c <= ' ' || c == '\x7f' || c == '\\') {
        return Err("must not contain blanks, control characters or backslashes");
    }
    if text.contains('#') {
        return Err("must not have a fragment (`#`)");
    }
    let (scheme, rest) =
        text.split_once("://").ok_or("must be an absolute address, such as https://example.com")?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must not contain a user name or password");
    }
    if authority.is_empty() {
        return Err("must name a host");
    }
    check_scheme(scheme, authority, loopback)?;
    let url = Url::parse(text).map_err(|_| "is not a valid address")?;
    let host = url.host_str().ok_or("must name a host")?.trim_end_matches('.');
    if host == "localhost" || host.ends_with(".localhost") {
        return Err("must not name localhost; write 127.0.0.1 for a provider on this machine");
    }
    let path = rest[authority.len()..].split('?').next().unwrap_or_default();
    if path.split('/').any(is_dot_segment) {
        return Err("must not contain the path segments `.` and `..`");
    }
    Ok(url)
}

fn check_scheme(scheme: &str, authority: &str, loopback: LoopbackHttp) -> Result<(), &'static str> {
    match (scheme, loopback) {
        ("https", _) => Ok(()),
        ("http", LoopbackHttp::Allowed) if is_literal_loopback(authority) => Ok(()),
        ("http", LoopbackHttp::Refused) if is_literal_loopback(authority) => {
            Err("is plain http on this machine, which needs TAIKU_ALLOW_LOOPBACK_HTTP=true")
        }
        ("http", _) => Err("must begin with https://; plain http is for 127.0.0.1 and [::1] only"),
        _ => Err("must begin with https://"),
    }
}

fn is_literal_loopback(authority: &str) -> bool {
    ["127.0.0.1", "[::1]"].iter().any(|address| {
        authority.strip_prefix(address).is_some_and(|port| port.is_empty() || port.starts_with(':'))
    })
}

/// Whether the URL standard takes a path segment for `.` or `..`, percent-encoded or not.
pub(crate) fn is_dot_segment(segment: &str) -> bool {
    let segment = segment.to_ascii_lowercase().replace("%2e", ".");
    segment == "." || segment == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_allowed_anywhere_but_on_localhost() {
        for text in ["https://example.com", "https://example.com:8443/api/v3?x=1", "https://127.0.0.1/"] {
            assert!(check(text, LoopbackHttp::Refused).is_ok(), "{text}");
        }
        for text in ["https://localhost", "https://LOCALHOST./x", "https://a.localhost:80/"] {
            assert!(check(text, LoopbackHttp::Allowed).unwrap_err().contains("localhost"), "{text}");
        }
    }

    #[test]
    fn plain_http_is_for_literal_loopback_and_only_when_allowed() {
        for text in ["http://127.0.0.1:8090", "http://[::1]:8090/x", "http://127.0.0.1"] {
            assert!(check(text, LoopbackHttp::Allowed).is_ok(), "{text}");
            let refused = check(text, LoopbackHttp::Refused).unwrap_err();
            assert!(refused.contains("TAIKU_ALLOW_LOOPBACK_HTTP"), "{text}");
        }
        for text in [
            "http://localhost:8090",
            "http://example.com",
            "http://0177.0.0.1",
            "http://2130706433",
            "http://127.1",
            "http://127.0.0.1.example.com",
            "http://127.0.0.2",
            "http://[::ffff:127.0.0.1]",
            "HTTP://127.0.0.1",
        ] {
            assert!(check(text, LoopbackHttp::Allowed).is_err(), "{text}");
        }
    }

    #[test]
    fn what_the_parser_would_repair_is_refused() {
        for text in [
            "",
            "example.com",
            "//example.com",
            "https:example.com",
            "https://",
            "https:///x",
            "https://user@example.com",
            "https://user:pass@example.com",
            "https://example.com#x",
            "https://example.com\\@evil.test",
            "https://exam\tple.com",
            " https://example.com",
            "https://example.com/a/../b",
            "https://example.com/%2E%2e/b",
            "ftp://example.com",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            assert!(check(text, LoopbackHttp::Allowed).is_err(), "{text:?}");
        }
    }
}
