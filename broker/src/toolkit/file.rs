//! The shape of `toolkit.toml`, as it stands in the file. A key that is not named here is an error.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::fault::Fault;

/// The name of the file.
pub(crate) const NAME: &str = "toolkit.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolkitFile {
    pub(crate) name: String,
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) categories: Vec<String>,
    pub(crate) docs: Option<String>,
    pub(crate) source: Option<String>,
    #[serde(default)]
    pub(crate) settings: Vec<SettingTable>,
    pub(crate) auth: AuthTable,
    pub(crate) api: ApiTable,
    #[serde(default)]
    pub(crate) tools: ToolsTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingTable {
    pub(crate) key: String,
    pub(crate) description: String,
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) secret: bool,
    pub(crate) pattern: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthTable {
    pub(crate) mode: String,
    pub(crate) issuer: Option<String>,
    pub(crate) authorize_url: Option<String>,
    pub(crate) token_url: Option<String>,
    pub(crate) par_url: Option<String>,
    pub(crate) device_url: Option<String>,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) help: Option<String>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    pub(crate) scope_separator: Option<String>,
    pub(crate) client_auth: Option<super::auth::ClientAuth>,
    pub(crate) token_body: Option<super::auth::TokenBody>,
    pub(crate) pkce: Option<bool>,
    #[serde(default)]
    pub(crate) authorize_params: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) authorize_names: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) callback_names: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) token_params: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) token_names: BTreeMap<String, String>,
    pub(crate) token_pointer: Option<String>,
    #[serde(default)]
    pub(crate) more_tokens: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) token_fields: BTreeMap<String, String>,
    pub(crate) expires: Option<super::auth::Expires>,
    pub(crate) default_lifetime: Option<u64>,
    pub(crate) refresh: Option<RefreshTable>,
    pub(crate) rotation: Option<super::auth::Rotation>,
    pub(crate) grace_seconds: Option<u32>,
    #[serde(default)]
    pub(crate) one_grant: bool,
    pub(crate) revoke: Option<RevokeTable>,
    #[serde(default)]
    pub(crate) values: Vec<ValueTable>,
    pub(crate) account: Option<AccountTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValueTable {
    pub(crate) key: String,
    pub(crate) from: String,
    pub(crate) at: String,
    pub(crate) url: Option<String>,
    pub(crate) pattern: String,
    pub(crate) example: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshTable {
    pub(crate) url: Option<String>,
    pub(crate) method: Option<super::auth::RefreshMethod>,
    pub(crate) grant_type: Option<String>,
    pub(crate) token: Option<super::auth::RefreshWith>,
    pub(crate) parameter: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeTable {
    pub(crate) method: Option<super::revoke::RevokeMethod>,
    pub(crate) url: String,
    pub(crate) auth: Option<super::revoke::RevokeAuth>,
    pub(crate) body: Option<super::revoke::RevokeBody>,
    pub(crate) params: Option<BTreeMap<String, String>>,
    pub(crate) tokens: Option<Vec<super::revoke::TokenKind>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountTable {
    pub(crate) tool: String,
    pub(crate) id: String,
    pub(crate) label: Option<String>,
    pub(crate) avatar: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiTable {
    pub(crate) base_url: String,
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) authorization: Option<String>,
    pub(crate) authorization_header: Option<String>,
    pub(crate) authorization_query: Option<String>,
    pub(crate) dead_token: Option<Vec<Said>>,
    pub(crate) failure: Option<Said>,
    pub(crate) rate_limited: Option<Vec<Said>>,
    #[serde(default)]
    pub(crate) retry_after: Vec<String>,
}

/// Conditions on an answer: a status, a text, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Said {
    Status(u16),
    Text(String),
    Several(Vec<Said>),
}

impl Said {
    /// Each condition as a text.
    pub(crate) fn texts(&self) -> Vec<String> {
        match self {
            Self::Status(status) => vec![status.to_string()],
            Self::Text(text) if text.is_empty() => Vec::new(),
            Self::Text(text) => vec![text.clone()],
            Self::Several(several) => several.iter().flat_map(Self::texts).collect(),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolsTable {
    pub(crate) openapi: Option<String>,
    pub(crate) graphql: Option<String>,
    pub(crate) graphql_schema: Option<String>,
    #[serde(default)]
    pub(crate) http_request: bool,
}

/// Reads `toolkit.toml`; an error names the key and the line.
pub(crate) fn parse(bytes: &[u8]) -> Result<ToolkitFile, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Fault::new(NAME, "", format!("is not UTF-8 behind byte {}; save it as UTF-8", error.valid_up_to()))
    })?;
    let line = |error: &toml::de::Error| {
        error.span().map_or(String::new(), |span| {
            format!(" (line {})", text[..span.start.min(text.len())].matches('\n').count() + 1)
        })
    };
    let deserializer = toml::Deserializer::parse(text)
        .map_err(|error| Fault::new(NAME, "", format!("is not TOML: {}{}", error.message(), line(&error))))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let at = match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        };
        Fault::new(NAME, at, format!("{}{}", error.inner().message(), line(error.inner())))
    })
}
