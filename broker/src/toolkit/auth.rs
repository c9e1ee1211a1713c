//! How to sign in to a toolkit's provider.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::fault::Faults;
use super::file::{AccountTable, AuthTable};
use super::reserved;
use super::revoke::Revoke;
use super::template::Template;

/// The modes that the format knows and this version does not support yet.
const LATER: [&str; 4] = ["client_credentials", "device_code", "api_key", "basic"];

/// How a toolkit signs in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// The authorization code grant of OAuth 2 (RFC 6749 section 4.1).
    OAuth2(Box<OAuth2>),
    /// The API is open to everybody.
    None,
}

impl Auth {
    /// The mode's name in `toolkit.toml` and in the API.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        match self {
            Self::OAuth2(_) => "oauth2",
            Self::None => "none",
        }
    }
}

/// An OAuth 2 provider, before its settings are filled in.
#[derive(Clone, Debug)]
pub struct OAuth2 {
    /// The provider's issuer identifier (RFC 9207), if it has one.
    pub issuer: Option<Template>,
    /// Where the user consents.
    pub authorize_url: Template,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Template,
    /// The scopes that are asked for unless an admin chooses others.
    pub scopes: Vec<String>,
    /// What stands between scopes.
    pub scope_separator: String,
    /// How the client proves itself at the token endpoint.
    pub client_auth: ClientAuth,
    /// How requests to the token endpoint are written.
    pub token_body: TokenBody,
    /// Whether to send a code challenge (RFC 7636, always S256).
    pub pkce: bool,
    /// Further parameters of the authorization request.
    pub authorize_params: BTreeMap<String, String>,
    /// Further parameters of token requests.
    pub token_params: BTreeMap<String, String>,
    /// JSON pointer to the token object within the token answer; empty for the answer itself.
    pub token_pointer: String,
    /// How refresh tokens behave.
    pub rotation: Rotation,
    /// How long the provider still takes a refresh token that it has replaced, in seconds.
    pub grace_seconds: u32,
    /// How to revoke a token at the provider.
    pub revoke: Option<Revoke>,
    /// How to find out whose account it is.
    pub account: Option<Account>,
}

/// How the client proves itself at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// Id and secret in the body.
    #[default]
    Body,
    /// Id and secret, form-encoded, in a Basic authorization header.
    Basic,
}

/// How requests to the token endpoint are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenBody {
    /// `application/x-www-form-urlencoded`, the standard.
    #[default]
    Form,
    /// `application/json`.
    Json,
}

/// Whether a refresh gives a new refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// Refresh tokens stay what they are.
    Never,
    /// Each refresh replaces the refresh token.
    Always,
    /// The provider does not say.
    #[default]
    Unknown,
}

/// How to find out whose account was connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The slug of the tool to call, one that needs no arguments.
    pub tool: String,
    /// JSON pointer to the account's lasting id in the tool's answer.
    pub id: String,
    /// JSON pointer to what a person knows the account by.
    pub label: Option<String>,
    /// JSON pointer to the address of a picture.
    pub avatar: Option<String>,
}

/// Reads the table `[auth]`.
pub(crate) fn read(table: AuthTable, faults: &mut Faults) -> Option<Auth> {
    match table.mode.as_str() {
        "oauth2" => oauth2(table, faults).map(|oauth| Auth::OAuth2(Box::new(oauth))),
        "none" => Some(Auth::None),
        mode => {
            let known = if LATER.contains(&mode) { "is not supported yet" } else { "is not a mode" };
            faults.push("auth.mode", format!("`{mode}` {known}; this version supports `oauth2` and `none`"));
            None
        }
    }
}

fn oauth2(table: AuthTable, faults: &mut Faults) -> Option<OAuth2> {
    let authorize_url = address("auth.authorize_url", table.authorize_url, faults);
    let token_url = address("auth.token_url", table.token_url, faults);
    let issuer = match table.issuer.filter(|text| !text.is_empty()) {
        Some(text) => faults.take("auth.issuer", Template::parse(&text)),
        None => None,
    };
    check_scopes(&table.scopes, faults);
    check_params("auth.authorize_params", &table.authorize_params, reserved::AUTHORIZE, faults);
    check_params("auth.token_params", &table.token_params, reserved::TOKEN, faults);
    let token_pointer = table.token_pointer.unwrap_or_default();
    check_pointer("auth.token_pointer", &token_pointer, faults);
    let client_auth = table.client_auth.unwrap_or_default();
    Some(OAuth2 {
        issuer,
        authorize_url: authorize_url?,
        token_url: token_url?,
        scopes: table.scopes,
        scope_separator: table.scope_separator.unwrap_or_else(|| " ".to_owned()),
        client_auth,
        token_body: table.token_body.unwrap_or_default(),
        pkce: table.pkce.unwrap_or(true),
        authorize_params: table.authorize_params,
        token_params: table.token_params,
        token_pointer,
        rotation: table.rotation.unwrap_or_default(),
        grace_seconds: table.grace_seconds.unwrap_or(0),
        revoke: table.revoke.and_then(|revoke| super::revoke::read(revoke, client_auth, faults)),
        account: table.account.map(|account| read_account(account, faults)),
    })
}

fn address(at: &str, text: Option<String>, faults: &mut Faults) -> Option<Template> {
    match text {
        Some(text) if !text.is_empty() => faults.take(at, Template::parse(&text)),
        _ => {
            faults.push(at, "is needed for `oauth2`");
            None
        }
    }
}

/// A scope is `NQCHAR`s (RFC 6749 section 3.3).
fn check_scopes(scopes: &[String], faults: &mut Faults) {
    for (index, scope) in scopes.iter().enumerate() {
        let fits = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if scope.is_empty() || !scope.bytes().all(fits) {
            faults.push(format!("auth.scopes[{index}]"), "must be visible ASCII without `\"` and `\\`");
        }
    }
}

fn check_params(at: &str, params: &BTreeMap<String, String>, reserved: &[&str], faults: &mut Faults) {
    for name in params.keys().filter(|name| reserved.contains(&name.as_str())) {
        faults.push(format!("{at}.{name}"), "is set by taiku and cannot be replaced; remove it");
    }
}

/// A JSON pointer is empty or begins with `/` (RFC 6901 section 3).
pub(crate) fn check_pointer(at: &str, pointer: &str, faults: &mut Faults) {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        faults.push(at, "must be a JSON pointer, such as `/login`");
    }
}

fn read_account(table: AccountTable, faults: &mut Faults) -> Account {
    check_pointer("auth.account.id", &table.id, faults);
    check_pointer("auth.account.label", table.label.as_deref().unwrap_or_default(), faults);
    check_pointer("auth.account.avatar", table.avatar.as_deref().unwrap_or_default(), faults);
    Account { tool: table.tool, id: table.id, label: table.label, avatar: table.avatar }
}
