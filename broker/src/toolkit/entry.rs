//! An entry of the catalogue: a provider of which only signing in and the API's hosts are described.
//!
//! An entry is one file in the format of `toolkit.toml`, without tools. What is the same for all of them is added
//! here: each address becomes the default of a setting, so that another server or a test provider needs no change of
//! files, and the one tool is the one that makes any request.

use super::file::{SettingTable, ToolkitFile};
use super::naming::screaming;

/// What an address is for, in the words of an admin's page.
const WORDS: [(&str, &str); 6] = [
    ("AUTHORIZE_URL", "Where users consent"),
    ("TOKEN_URL", "Where tokens are issued"),
    ("REFRESH_URL", "Where tokens are refreshed"),
    ("REVOKE_URL", "Where tokens are revoked"),
    ("ISSUER", "The issuer that the provider calls itself"),
    ("API_URL", "Address of the API"),
];

/// Adds to an entry what it does not say.
pub(super) fn expand(slug: &str, entry: &mut ToolkitFile) {
    let prefix = screaming(slug);
    let mut settings = Vec::new();
    let mut take = |suffix: &str, address: &mut String| {
        let key = format!("{prefix}_{suffix}");
        let description =
            WORDS.iter().find(|(known, _)| suffix.starts_with(known)).map_or("", |(_, words)| words);
        let default = std::mem::replace(address, format!("{{{key}}}"));
        settings.push(SettingTable {
            key,
            description: format!("{description}; change it for another server only"),
            default: Some(default),
            required: false,
            secret: false,
            pattern: None,
        });
    };
    let auth = &mut entry.auth;
    let refresh = auth.refresh.as_mut().and_then(|refresh| refresh.url.as_mut());
    let revoke = auth.revoke.as_mut().map(|revoke| &mut revoke.url);
    let named = [
        ("AUTHORIZE_URL", auth.authorize_url.as_mut()),
        ("TOKEN_URL", auth.token_url.as_mut()),
        ("REFRESH_URL", refresh),
        ("REVOKE_URL", revoke),
        ("ISSUER", auth.issuer.as_mut()),
        ("API_URL", Some(&mut entry.api.base_url)),
    ];
    for (suffix, address) in named {
        if let Some(address) = address.filter(|address| !address.is_empty()) {
            take(suffix, address);
        }
    }
    for (index, address) in entry.api.hosts.iter_mut().enumerate() {
        take(&format!("API_URL_{}", index + 2), address);
    }
    entry.settings.extend(settings);
    entry.tools.http_request = true;
}
