//! The paths of the panel origin: `/<content hash>/<file>`.

use percent_encoding::percent_decode_str;
use taiku_bridge::manifest::path_fault;

/// The content hash and the decoded name of a file. What is decoded once must be a plain relative path; a name
/// that would need decoding twice is none.
pub(super) fn parse(path: &str) -> Option<(&str, String)> {
    let hash = hash(path)?;
    let name = path.get(hash.len() + 2..)?;
    let name = percent_decode_str(name).decode_utf8().ok()?;
    path_fault(&name).is_none().then(|| (hash, name.into_owned()))
}

/// The content hash that a path begins with: 64 lower-case hex digits between two slashes.
pub(super) fn hash(path: &str) -> Option<&str> {
    let (hash, _) = path.strip_prefix('/')?.split_once('/')?;
    let plain = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    plain.then_some(hash)
}
