//! Parameters that only the protocol sets, because its safety hangs on them.

/// Parameters of the authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 9101 section 5) that
/// neither `auth.authorize_params` nor the query of `auth.authorize_url` can set.
pub(crate) const AUTHORIZE: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
];

/// Parameters of token requests (RFC 6749 sections 2.3.1, 4.1.3 and 6, RFC 7636 section 4.5) that
/// `auth.token_params` cannot set.
pub(crate) const TOKEN: &[&str] = &[
    "grant_type",
    "code",
    "redirect_uri",
    "client_id",
    "client_secret",
    "code_verifier",
    "refresh_token",
    "scope",
];

/// What `auth.authorize_names` can give another name. `state` is not among them: the callback brings it back by its own.
pub(crate) const AUTHORIZE_NAMES: &[&str] = &["client_id", "redirect_uri", "scope"];

/// What `auth.callback_names` can give another name (RFC 6749 section 4.1.2).
pub(crate) const CALLBACK_NAMES: &[&str] = &["code", "error", "error_description"];

/// What `auth.token_names` can give another name.
pub(crate) const TOKEN_NAMES: &[&str] =
    &["client_id", "client_secret", "code", "code_verifier", "grant_type", "redirect_uri", "refresh_token"];

/// What `auth.token_fields` can point to (RFC 6749 section 5.1).
pub(crate) const TOKEN_FIELDS: &[&str] =
    &["access_token", "expires_in", "refresh_token", "scope", "token_type"];
