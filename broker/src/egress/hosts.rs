//! The origins that one toolkit may reach.

use std::collections::BTreeSet;

use url::Url;

/// A set of (scheme, host, port), compared exactly as the WHATWG URL parser writes them. Empty allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    origins: BTreeSet<(String, String, u16)>,
}

impl AllowedHosts {
    /// Allows the origins of these URLs; path and query do not matter.
    pub fn of<'a>(urls: impl IntoIterator<Item = &'a Url>) -> Self {
        let mut hosts = Self::default();
        for url in urls {
            hosts.allow(url);
        }
        hosts
    }

    /// Adds the origin of `url`. A URL without host or port, such as `data:`, adds nothing.
    pub fn allow(&mut self, url: &Url) {
        self.origins.extend(origin(url));
    }

    /// Whether the origin of `url` is in the set.
    #[must_use]
    pub fn contains(&self, url: &Url) -> bool {
        origin(url).is_some_and(|origin| self.origins.contains(&origin))
    }
}

fn origin(url: &Url) -> Option<(String, String, u16)> {
    Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port_or_known_default()?))
}
