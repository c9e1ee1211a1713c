//! Who may ask for consent.

use std::fmt;

use subtle::ConstantTimeEq as _;
use url::Url;

/// A confidential OAuth client (RFC 6749 section 2).
#[derive(Clone)]
pub struct Client {
    /// The `client_id`.
    pub id: String,
    /// The `client_secret`; any text, since it is form-encoded on the wire.
    pub secret: String,
    /// The name that the consent page shows.
    pub name: String,
    /// Where the browser may be sent back to; compared as exact strings (RFC 9700 section 2.1).
    pub redirect_uris: Vec<String>,
}

/// Why a client was not registered.
#[derive(Debug, thiserror::Error)]
pub enum BadClient {
    /// The id or the secret is empty.
    #[error("the client needs an id and a secret that are not empty")]
    Empty,
    /// The provider already knows as many clients as it holds.
    #[error("the demo provider holds at most {0} clients; register an id that it knows to replace one")]
    TooMany(usize),
    /// A redirect URI is not usable.
    #[error("redirect URI {uri:?} {why}")]
    RedirectUri {
        /// The URI as it was given.
        uri: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Client {
    /// Says whether this client can be registered.
    pub(crate) fn check(&self) -> Result<(), BadClient> {
        if self.id.is_empty() || self.secret.is_empty() {
            return Err(BadClient::Empty);
        }
        self.redirect_uris.iter().try_for_each(|uri| {
            check_redirect_uri(uri).map_err(|why| BadClient::RedirectUri { uri: uri.clone(), why })
        })
    }

    /// Whether `secret` is this client's, in a time that does not depend on where they differ.
    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        self.secret.as_bytes().ct_eq(secret.as_bytes()).into()
    }
}

fn check_redirect_uri(uri: &str) -> Result<(), &'static str> {
    let url = Url::parse(uri).map_err(|_| "is not an absolute URL")?;
    if !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be printable ASCII");
    }
    if uri.contains('#') {
        return Err("must not have a fragment (RFC 6749 section 3.1.2)");
    }
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        _ => Err("must be https, or http on the loopback interface"),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("secret", &"[redacted]")
            .field("name", &self.name)
            .field("redirect_uris", &self.redirect_uris)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(redirect_uri: &str) -> Client {
        Client {
            id: "id".into(),
            secret: "hush".into(),
            name: "An application".into(),
            redirect_uris: vec![redirect_uri.into()],
        }
    }

    #[test]
    fn redirect_uris_are_https_or_loopback_without_a_fragment() {
        for good in
            ["https://app.example/cb", "http://localhost:1/cb?x=1", "http://127.0.0.1/cb", "http://[::1]/"]
        {
            assert!(client(good).check().is_ok(), "{good}");
        }
        for bad in [
            "/cb",
            "http://app.example/cb",
            "javascript:alert(1)",
            "https://a.example/#x",
            "https://a.example/ x",
            "",
        ] {
            assert!(client(bad).check().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_secret_is_compared_whole_and_never_printed() {
        let client = client("https://app.example/cb");
        assert!(client.has_secret("hush"));
        assert!(!client.has_secret("hus"));
        assert!(!client.has_secret("hush "));
        assert!(!format!("{client:?}").contains("hush"));
    }
}
