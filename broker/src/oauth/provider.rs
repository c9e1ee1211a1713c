//! What is known about a provider and our client there.

use http::Method;
use url::Url;

use crate::egress::AllowedHosts;
use crate::vault::SecretString;

/// A provider together with the client that an admin registered there. All of it is data of a toolkit.
pub struct Provider {
    /// Its issuer identifier, if it has one (RFC 8414 section 2).
    pub issuer: Option<String>,
    /// Where the user is sent; may carry a query.
    pub authorize_url: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Url,
    /// Client identifier.
    pub client_id: String,
    /// Client secret; a public client has none.
    pub client_secret: Option<SecretString>,
    /// How the client proves itself at the token endpoint.
    pub client_auth: ClientAuth,
    /// The format of the token request.
    pub token_body: TokenBody,
    /// Scopes to ask for; none leaves the parameter out.
    pub scopes: Vec<String>,
    /// What stands between scopes in the authorization request; RFC 6749 section 3.3 says a space.
    pub scope_separator: String,
    /// Whether to send a PKCE challenge (always S256). Off only for providers that refuse one.
    pub pkce: bool,
    /// Extra parameters of the authorization request; [`RESERVED_PARAMS`](super::RESERVED_PARAMS) are ignored.
    pub authorize_params: Vec<(String, String)>,
    /// Extra parameters of the token request; those that the protocol sets are ignored.
    pub token_params: Vec<(String, String)>,
    /// JSON pointer to the object that holds the token; empty is the whole answer.
    pub token_pointer: String,
    /// How to revoke, if the provider can.
    pub revoke: Option<Revoke>,
    /// Our callback, exactly as registered.
    pub redirect_uri: Url,
    /// The origins that requests for this provider may reach.
    pub hosts: AllowedHosts,
}

/// How the client proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// `Authorization: Basic`, id and secret form-encoded first (RFC 6749 section 2.3.1).
    Basic,
    /// `client_id` and `client_secret` in the body.
    Body,
}

/// The format of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenBody {
    /// `application/x-www-form-urlencoded`, as RFC 6749 says.
    Form,
    /// A JSON object of strings.
    Json,
}

/// How a token is revoked.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// `POST` in RFC 7009; some providers want `DELETE`.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// How the request proves itself.
    pub auth: RevokeAuth,
    /// The format of the body.
    pub body: TokenBody,
    /// The name of the field that holds the token: `token` in RFC 7009, `access_token` at GitHub.
    pub token_field: String,
}

/// How a revocation request proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokeAuth {
    /// As [`ClientAuth::Basic`].
    Basic,
    /// As [`ClientAuth::Body`].
    Body,
    /// The token itself as `Authorization: Bearer`.
    Bearer,
    /// Not at all.
    None,
}
