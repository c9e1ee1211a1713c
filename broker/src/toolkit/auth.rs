//! How to sign in to a toolkit's provider.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::fault::Faults;
use super::file::{AccountTable, AuthTable};
use super::reserved;
use super::revoke::Revoke;
use super::template::Template;
use super::value::ConnectionValue;

/// How a toolkit signs in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// With a credential of the user's: by a grant of OAuth 2, or typed.
    OAuth2(Box<OAuth2>),
    /// The API is open to everybody.
    None,
}

impl Auth {
    /// The mode's name in `toolkit.toml` and in the API.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        match self {
            Self::OAuth2(oauth) => oauth.habits.mode.as_str(),
            Self::None => "none",
        }
    }
}

/// An OAuth 2 provider, before its settings are filled in.
#[derive(Clone, Debug)]
pub struct OAuth2 {
    /// The provider's issuer identifier (RFC 9207), if it has one.
    pub issuer: Option<Template>,
    /// Where the user consents; only for [`Mode::Code`].
    pub authorize_url: Option<Template>,
    /// Where authorization requests are pushed first (RFC 9126).
    pub par_url: Option<Template>,
    /// Where the codes of a device flow come from; only for [`Mode::Device`].
    pub device_url: Option<Template>,
    /// Where tokens come from; none where users type their credential.
    pub token_url: Option<Template>,
    /// Where tokens are refreshed, if it is not where codes are exchanged.
    pub refresh_url: Option<Template>,
    /// How to revoke a token at the provider.
    pub revoke: Option<Revoke>,
    /// Everything else.
    pub habits: Arc<Habits>,
}

/// What a provider does in its own way, but for its addresses.
#[derive(Clone, Debug)]
pub struct Habits {
    /// How the user's credential comes here.
    pub mode: Mode,
    /// What users read beside the fields that they type a credential into.
    pub labels: BTreeMap<String, String>,
    /// Where users find that credential.
    pub help: Option<String>,
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
    /// Other names for the standard's parameters of the authorization request.
    pub authorize_names: BTreeMap<String, String>,
    /// Other names for the standard's parameters of the callback.
    pub callback_names: BTreeMap<String, String>,
    /// Further parameters of token requests.
    pub token_params: BTreeMap<String, String>,
    /// Other names for the standard's parameters of token requests.
    pub token_names: BTreeMap<String, String>,
    /// JSON pointer to the token object within the token answer; empty for the answer itself.
    pub token_pointer: String,
    /// JSON pointers to further tokens that come with the same answer, by the names that tools call them.
    pub more_tokens: BTreeMap<String, String>,
    /// What differs between connections, for the API's address and headers.
    pub values: Vec<ConnectionValue>,
    /// JSON pointers to the standard's fields within the token object, where they are not where the standard has them.
    pub token_fields: BTreeMap<String, String>,
    /// What the token answer's `expires_in` is.
    pub expires: Expires,
    /// How long tokens live of which the provider does not say it, in seconds.
    pub default_lifetime: Option<u64>,
    /// How tokens are refreshed.
    pub refresh: Refresh,
    /// How refresh tokens behave.
    pub rotation: Rotation,
    /// How long the provider still takes a refresh token that it has replaced, in seconds.
    pub grace_seconds: u32,
    /// Whether there is one grant for each user and client: its refresh token comes with the first consent only, and
    /// revoking any of its tokens ends all of them.
    pub one_grant: bool,
    /// How to find out whose account it is.
    pub account: Option<Account>,
}

/// How a user's credential comes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The authorization code grant of OAuth 2 (RFC 6749 section 4.1).
    Code,
    /// The client's own token (RFC 6749 section 4.4).
    ClientCredentials,
    /// A code that the user types at the provider (RFC 8628).
    Device,
    /// A key that the user types here.
    ApiKey,
    /// A user name and a password that the user types here (RFC 7617).
    Basic,
}

impl Mode {
    /// Every mode by its name in `toolkit.toml`.
    const ALL: [(&'static str, Self); 5] = [
        ("oauth2", Self::Code),
        ("client_credentials", Self::ClientCredentials),
        ("device_code", Self::Device),
        ("api_key", Self::ApiKey),
        ("basic", Self::Basic),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }

    /// Whether an admin has to register a client for it.
    #[must_use]
    pub fn needs_client(self) -> bool {
        !self.is_typed()
    }

    /// Whether the user types the credential here.
    #[must_use]
    pub fn is_typed(self) -> bool {
        matches!(self, Self::ApiKey | Self::Basic)
    }
}

/// How the client proves itself at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// Id and secret in the body.
    #[default]
    Body,
    /// Id and secret, form-encoded, in a Basic authorization header.
    Basic,
    /// The same without the form encoding, for providers that do not undo it.
    BasicRaw,
    /// The secret alone as the user name, without a password.
    BasicSecret,
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

/// What `expires_in` of a token answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expires {
    /// Seconds from the answer on, the standard.
    #[default]
    Seconds,
    /// Milliseconds from the answer on.
    Milliseconds,
    /// A moment: RFC 3339, or seconds or milliseconds since 1970.
    Timestamp,
}

/// How tokens are refreshed, but for the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refresh {
    /// The HTTP method.
    pub method: RefreshMethod,
    /// The `grant_type`, if it is not the standard's.
    pub grant_type: Option<String>,
    /// Which token is refreshed with.
    pub token: RefreshWith,
    /// The parameter that it is in, if it is not `refresh_token`.
    pub parameter: Option<String>,
}

/// The HTTP method of a refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum RefreshMethod {
    /// The standard's.
    #[default]
    #[serde(rename = "POST")]
    Post,
    /// The parameters are in the query.
    #[serde(rename = "GET")]
    Get,
}

/// Which token is refreshed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshWith {
    /// The refresh token.
    #[default]
    RefreshToken,
    /// The access token itself: there are no refresh tokens.
    AccessToken,
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
    if table.mode == "none" {
        return Some(Auth::None);
    }
    let Some((_, mode)) = Mode::ALL.into_iter().find(|(name, _)| *name == table.mode) else {
        let names = Mode::ALL.map(|(name, _)| name).join("`, `");
        faults.push("auth.mode", format!("`{}` is not a mode; there are `{names}` and `none`", table.mode));
        return None;
    };
    oauth2(mode, table, faults).map(|oauth| Auth::OAuth2(Box::new(oauth)))
}

fn oauth2(mode: Mode, table: AuthTable, faults: &mut Faults) -> Option<OAuth2> {
    for (at, text, wanted) in [
        ("auth.authorize_url", &table.authorize_url, Some(mode == Mode::Code)),
        ("auth.device_url", &table.device_url, Some(mode == Mode::Device)),
        ("auth.token_url", &table.token_url, Some(!mode.is_typed())),
        ("auth.par_url", &table.par_url, (mode != Mode::Code).then_some(false)),
    ] {
        match (text.as_deref().unwrap_or_default().is_empty(), wanted) {
            (true, Some(true)) => faults.push(at, format!("is needed for `{}`", mode.as_str())),
            (false, Some(false)) => faults.push(at, format!("is not for `{}`; remove it", mode.as_str())),
            _ => {}
        }
    }
    let authorize_url = optional_address("auth.authorize_url", table.authorize_url.as_deref(), faults);
    let device_url = optional_address("auth.device_url", table.device_url.as_deref(), faults);
    let token_url = optional_address("auth.token_url", table.token_url.as_deref(), faults);
    let par_url = optional_address("auth.par_url", table.par_url.as_deref(), faults);
    let issuer = optional_address("auth.issuer", table.issuer.as_deref(), faults);
    let refresh_url = table.refresh.as_ref().and_then(|refresh| refresh.url.as_deref());
    let refresh_url = optional_address("auth.refresh.url", refresh_url, faults);
    let client_auth = table.client_auth.unwrap_or_default();
    let revoke =
        table.revoke.as_ref().and_then(|revoke| super::revoke::read(revoke.clone(), client_auth, faults));
    let habits = Arc::new(habits(mode, table, faults));
    Some(OAuth2 { issuer, authorize_url, par_url, device_url, token_url, refresh_url, revoke, habits })
}

fn habits(mode: Mode, table: AuthTable, faults: &mut Faults) -> Habits {
    check_scopes(&table.scopes, faults);
    check_params("auth.authorize_params", &table.authorize_params, reserved::AUTHORIZE, faults);
    check_params("auth.token_params", &table.token_params, reserved::TOKEN, faults);
    check_names("auth.authorize_names", &table.authorize_names, reserved::AUTHORIZE_NAMES, faults);
    check_names("auth.callback_names", &table.callback_names, reserved::CALLBACK_NAMES, faults);
    check_names("auth.token_names", &table.token_names, reserved::TOKEN_NAMES, faults);
    check_names("auth.token_fields", &table.token_fields, reserved::TOKEN_FIELDS, faults);
    for (name, pointer) in &table.token_fields {
        check_pointer(&format!("auth.token_fields.{name}"), pointer, faults);
    }
    let token_pointer = table.token_pointer.unwrap_or_default();
    check_pointer("auth.token_pointer", &token_pointer, faults);
    for (name, pointer) in &table.more_tokens {
        let at = format!("auth.more_tokens.{name}");
        if name.is_empty() || pointer.is_empty() {
            faults.push(&at, "needs a name and a JSON pointer");
        }
        check_pointer(&at, pointer, faults);
    }
    for (name, label) in &table.labels {
        if !["key", "username", "password"].contains(&name.as_str()) || label.trim().is_empty() {
            faults.push(
                format!("auth.labels.{name}"),
                "is not known or empty; there are key, username and password",
            );
        }
    }
    let help = table.help.filter(|help| !help.is_empty());
    if let Some(help) = &help {
        faults.take("auth.help", super::address::check(help, super::LoopbackHttp::Refused));
    }
    let several = !table.more_tokens.is_empty() || !table.values.is_empty();
    let with_access =
        table.refresh.as_ref().and_then(|refresh| refresh.token) == Some(RefreshWith::AccessToken);
    if several && with_access {
        faults.push(
            "auth.refresh.token",
            "cannot be `access_token` together with auth.more_tokens or auth.values",
        );
    }
    if !table.more_tokens.is_empty() && mode != Mode::Code {
        faults.push("auth.more_tokens", "is for `oauth2` only; remove it");
    }
    if table.default_lifetime == Some(0) {
        faults.push("auth.default_lifetime", "must be at least one second");
    }
    let refresh = table.refresh.unwrap_or_default();
    Habits {
        mode,
        labels: table.labels,
        help,
        scopes: table.scopes,
        scope_separator: table.scope_separator.unwrap_or_else(|| " ".to_owned()),
        client_auth: table.client_auth.unwrap_or_default(),
        token_body: table.token_body.unwrap_or_default(),
        pkce: table.pkce.unwrap_or(true),
        authorize_params: table.authorize_params,
        authorize_names: table.authorize_names,
        callback_names: table.callback_names,
        token_params: table.token_params,
        token_names: table.token_names,
        token_pointer,
        more_tokens: table.more_tokens,
        values: super::value::read(table.values, mode, faults),
        token_fields: table.token_fields,
        expires: table.expires.unwrap_or_default(),
        default_lifetime: table.default_lifetime,
        refresh: Refresh {
            method: refresh.method.unwrap_or_default(),
            grant_type: refresh.grant_type.filter(|text| !text.is_empty()),
            token: refresh.token.unwrap_or_default(),
            parameter: refresh.parameter.filter(|text| !text.is_empty()),
        },
        rotation: table.rotation.unwrap_or_default(),
        grace_seconds: table.grace_seconds.unwrap_or(0),
        one_grant: table.one_grant,
        account: table.account.map(|account| read_account(account, faults)),
    }
}

fn optional_address(at: &str, text: Option<&str>, faults: &mut Faults) -> Option<Template> {
    let text = text.filter(|text| !text.is_empty())?;
    faults.take(at, Template::parse(text))
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

/// Other names are for what the standard names, each for one thing, and none of them is already taken by it.
fn check_names(at: &str, names: &BTreeMap<String, String>, known: &[&str], faults: &mut Faults) {
    for (standard, own) in names {
        let at = format!("{at}.{standard}");
        if !known.contains(&standard.as_str()) {
            faults.push(at, format!("is not known; there are `{}`", known.join("`, `")));
        } else if own.is_empty() || !own.bytes().all(|b| b.is_ascii_graphic()) {
            faults.push(at, "must be visible ASCII");
        } else if names.iter().any(|(other, taken)| taken == own && other != standard) {
            faults.push(at, format!("`{own}` is there twice"));
        }
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
