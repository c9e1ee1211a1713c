//! Where the browser lands after a consent: a path of our own origin.

use taiku_bridge::Refusal;
use url::Url;

use crate::broker::Broker;
use crate::failure::Failure;

/// Where the browser lands unless told otherwise.
const DEFAULT_CALLBACK: &str = "/connections";

/// The path where the browser lands, if it is one of our own origin.
pub(super) fn callback_path(broker: &Broker, wanted: Option<&str>) -> Result<String, Failure> {
    let Some(wanted) = wanted else { return Ok(DEFAULT_CALLBACK.to_owned()) };
    own_path(broker.origins.app.as_str(), wanted).ok_or_else(|| {
        let what = "must be a path of this server, such as /connections";
        Refusal::field("/callbackUrl", what).into()
    })
}

/// Reads `wanted` as a browser would, and keeps path, query and fragment if the origin is `app`.
fn own_path(app: &str, wanted: &str) -> Option<String> {
    let base = Url::parse(app).ok()?;
    // What the parser would mend silently, a backslash or a line feed, no honest caller sends.
    if wanted.is_empty() || wanted.len() > 2048 || wanted.contains(|c: char| c.is_control() || c == '\\') {
        return None;
    }
    if !wanted.starts_with('/') && !wanted.starts_with(app) {
        return None;
    }
    let url = base.join(wanted).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    let own = url.origin() == base.origin() && plain && !url.path().starts_with("//");
    own.then(|| url[url::Position::BeforePath..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_our_own_origin_are_callbacks() {
        let app = "https://app.example";
        for (wanted, path) in [
            ("/connections", "/connections"),
            ("/ok?x#y", "/ok?x#y"),
            ("https://app.example/a", "/a"),
            ("https://app.example", "/"),
        ] {
            assert_eq!(own_path(app, wanted).as_deref(), Some(path), "{wanted}");
        }
        for wanted in [
            "",
            "//evil",
            "https://app.example@evil/",
            "https://app.example.evil/",
            "/\\evil",
            "\\\\evil",
            "javascript:alert(1)",
            "https://app.example:444/",
            "http://app.example/",
            "connections",
            "/a\n/b",
            "///evil",
            "/.//evil",
            "/x/..//evil",
            "https:/app.example",
            "data:text/html,x",
            " /a",
        ] {
            assert_eq!(own_path(app, wanted), None, "{wanted:?}");
        }
    }
}
