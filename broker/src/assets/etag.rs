//! Entity tags (RFC 9110 section 8.8.3): strong ones, of the bytes that are sent.

use sha2::{Digest, Sha256};

use crate::plugin::hex;

/// The tag of a content, with its quotes.
pub(crate) fn of(content: &[u8]) -> String {
    format!("\"{}\"", hex(&Sha256::digest(content)[..16]))
}

/// Whether `If-None-Match` names the tag. The comparison is the weak one (RFC 9110 section 13.1.2).
pub(crate) fn matches(if_none_match: &str, tag: &str) -> bool {
    if_none_match
        .split(',')
        .map(str::trim)
        .any(|sent| sent == "*" || sent.strip_prefix("W/").unwrap_or(sent) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_matches_in_a_list_weak_or_as_any() {
        let tag = of(b"x");
        assert_ne!(tag, of(b"y"));
        for sent in [tag.clone(), format!("W/{tag}"), format!("\"a\" , {tag}"), "*".into()] {
            assert!(matches(&sent, &tag), "{sent}");
        }
        for sent in ["", "\"a\"", &tag[1..], "W/*"] {
            assert!(!matches(sent, &tag), "{sent}");
        }
    }
}
