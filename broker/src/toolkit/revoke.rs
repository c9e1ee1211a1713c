//! How a token is revoked at its provider. The defaults are those of RFC 7009.

use std::collections::BTreeMap;

use http::Method;
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;
use url::Url;

use super::address::{self, LoopbackHttp};
use super::auth::ClientAuth;
use super::fault::Faults;
use super::file::RevokeTable;
use super::template::{NOT_UNRESERVED, Template};

/// A revocation endpoint, before its settings are filled in.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// The HTTP method.
    pub method: RevokeMethod,
    /// Its address, which may hold `{client_id}`.
    pub url: Template,
    /// How the request proves who sends it.
    pub auth: RevokeAuth,
    /// How the parameters are written.
    pub body: RevokeBody,
    /// The parameters; `{token}`, `{token_type_hint}` and `{client_id}` stand for what their names say.
    pub params: BTreeMap<String, String>,
    /// Which tokens can be revoked, in the order in which to do it.
    pub tokens: Vec<TokenKind>,
}

/// The HTTP method of a revocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum RevokeMethod {
    /// The method of RFC 7009.
    #[default]
    #[serde(rename = "POST")]
    Post,
    /// For providers whose tokens are resources.
    #[serde(rename = "DELETE")]
    Delete,
}

impl From<RevokeMethod> for Method {
    fn from(method: RevokeMethod) -> Self {
        match method {
            RevokeMethod::Post => Self::POST,
            RevokeMethod::Delete => Self::DELETE,
        }
    }
}

/// How a revocation proves who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevokeAuth {
    /// Client id and secret in a Basic authorization header.
    Basic,
    /// `client_id` and `client_secret` among the parameters.
    Body,
    /// The token itself as a bearer.
    Bearer,
    /// Not at all.
    None,
}

/// How the parameters of a revocation are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevokeBody {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// `application/json`.
    Json,
    /// There is no body.
    None,
}

/// A kind of token, by its name in RFC 7009 section 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A refresh token.
    RefreshToken,
    /// An access token.
    AccessToken,
}

impl TokenKind {
    /// The name, as in `token_type_hint`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::AccessToken => "access_token",
        }
    }
}

/// What only a revocation knows.
const CLIENT_ID: &str = "client_id";

pub(crate) fn read(table: RevokeTable, client_auth: ClientAuth, faults: &mut Faults) -> Option<Revoke> {
    let url = faults.take("auth.revoke.url", Template::parse(&table.url))?;
    let params = table.params.unwrap_or_else(|| {
        [("token", "{token}"), ("token_type_hint", "{token_type_hint}")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    });
    let default_auth = match client_auth {
        ClientAuth::Basic | ClientAuth::BasicRaw | ClientAuth::BasicSecret => RevokeAuth::Basic,
        ClientAuth::Body => RevokeAuth::Body,
    };
    Some(Revoke {
        method: table.method.unwrap_or_default(),
        url,
        auth: table.auth.unwrap_or(default_auth),
        body: table.body.unwrap_or_default(),
        params,
        tokens: table.tokens.unwrap_or_else(|| vec![TokenKind::RefreshToken, TokenKind::AccessToken]),
    })
}

impl Revoke {
    /// The keys of its address that are settings.
    pub(crate) fn setting_keys(&self) -> impl Iterator<Item = &str> {
        self.url.keys().filter(|key| *key != CLIENT_ID)
    }

    pub(crate) fn resolve(
        &self,
        value: &dyn Fn(&str) -> Option<String>,
        loopback: LoopbackHttp,
    ) -> Result<ResolvedRevoke, String> {
        // The client id is not known yet. A stand-in of one plain character is checked with the rest, and
        // what is put in its place later is encoded to one segment.
        let with = |client_id: &str| {
            self.url.fill(&|key| if key == CLIENT_ID { Some(client_id.to_owned()) } else { value(key) })
        };
        let url = address::check(&with("0")?, loopback)?;
        let marked = with(MARK)?;
        address::check(&marked, loopback)?;
        Ok(ResolvedRevoke {
            method: self.method,
            auth: self.auth,
            tokens: self.tokens.clone(),
            url,
            marked,
            body: self.body,
            params: self.params.clone(),
        })
    }
}

/// Stands for the client id in a resolved address.
const MARK: &str = "--client-id--";

/// A revocation endpoint that can be called.
#[derive(Clone, Debug)]
pub struct ResolvedRevoke {
    /// The HTTP method.
    pub method: RevokeMethod,
    /// How the request proves who sends it.
    pub auth: RevokeAuth,
    /// Which tokens can be revoked, in the order in which to do it.
    pub tokens: Vec<TokenKind>,
    url: Url,
    marked: String,
    body: RevokeBody,
    params: BTreeMap<String, String>,
}

/// The body of a revocation. It holds a token: wipe it after use.
pub struct RevocationBody {
    /// The content type.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: zeroize::Zeroizing<Vec<u8>>,
}

impl ResolvedRevoke {
    /// An address on the endpoint's host, for the list of hosts.
    pub(crate) fn host_url(&self) -> &Url {
        &self.url
    }

    /// The address for one client; `None` if the id does not fit into it.
    #[must_use]
    pub fn url(&self, client_id: &str) -> Option<Url> {
        if !self.marked.contains(MARK) {
            return Some(self.url.clone());
        }
        if address::is_dot_segment(client_id) || client_id.is_empty() {
            return None;
        }
        let id = utf8_percent_encode(client_id, NOT_UNRESERVED).to_string();
        let url = Url::parse(&self.marked.replace(MARK, &id)).ok()?;
        (url.origin() == self.url.origin()).then_some(url)
    }

    /// The body that revokes `token`. With [`RevokeAuth::Body`] the caller passes the client's secret.
    #[must_use]
    pub fn body(
        &self,
        token: &str,
        kind: TokenKind,
        client_id: &str,
        client_secret: Option<&str>,
    ) -> Option<RevocationBody> {
        let mut params: Vec<(&str, &str)> = self
            .params
            .iter()
            .map(|(name, value)| {
                let value = match value.as_str() {
                    "{token}" => token,
                    "{token_type_hint}" => kind.as_str(),
                    "{client_id}" => client_id,
                    literal => literal,
                };
                (name.as_str(), value)
            })
            .collect();
        if self.auth == RevokeAuth::Body {
            params.push((CLIENT_ID, client_id));
            params.extend(client_secret.map(|secret| ("client_secret", secret)));
        }
        let (content_type, bytes) = match self.body {
            RevokeBody::None => return None,
            RevokeBody::Form => (
                "application/x-www-form-urlencoded",
                url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(params)
                    .finish()
                    .into_bytes(),
            ),
            RevokeBody::Json => {
                let object: serde_json::Map<_, _> =
                    params.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
                ("application/json", serde_json::Value::Object(object).to_string().into_bytes())
            }
        };
        Some(RevocationBody { content_type, bytes: bytes.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(table: &str) -> ResolvedRevoke {
        let table = toml::from_str::<RevokeTable>(table).unwrap();
        let mut faults = Faults::of("t");
        let revoke = read(table, ClientAuth::Body, &mut faults).unwrap();
        assert_eq!(faults.into_list(), []);
        revoke.resolve(&|_| Some("https://api.test".to_owned()), LoopbackHttp::Refused).unwrap()
    }

    fn text(body: Option<RevocationBody>) -> String {
        String::from_utf8(body.unwrap().bytes.to_vec()).unwrap()
    }

    #[test]
    fn the_defaults_are_those_of_rfc_7009() {
        let revoke = resolved("url = '{API}/revoke'");
        assert_eq!(revoke.url("id").unwrap().as_str(), "https://api.test/revoke");
        assert_eq!(
            text(revoke.body("a b", TokenKind::RefreshToken, "id", Some("s&"))),
            "token=a+b&token_type_hint=refresh_token&client_id=id&client_secret=s%26"
        );
        assert_eq!(revoke.tokens, [TokenKind::RefreshToken, TokenKind::AccessToken]);
    }

    #[test]
    fn an_odd_endpoint_is_expressible() {
        let revoke = resolved(
            "method = 'DELETE'\nurl = '{API}/applications/{client_id}/token'\nauth = 'basic'\nbody = 'json'\n\
             params = { access_token = '{token}' }\ntokens = ['access_token']",
        );
        assert_eq!(revoke.method, RevokeMethod::Delete);
        assert_eq!(revoke.url("Iv1/..").unwrap().path(), "/applications/Iv1%2F../token");
        assert_eq!(
            text(revoke.body("t\"", TokenKind::AccessToken, "id", Some("s"))),
            r#"{"access_token":"t\""}"#
        );
        for id in ["..", "%2e%2e", ""] {
            assert_eq!(revoke.url(id), None, "{id}");
        }
    }
}
