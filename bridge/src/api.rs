//! The HTTP API that the host page and the broker share: paths, headers and bodies.
//!
//! Times are RFC 3339 in UTC. Fields are camelCase. Errors are [`Problem`].

mod installing;
mod revocation;
mod trial;

use serde::{Deserialize, Serialize};

pub use self::installing::{
    AdminPlugin, AdminPlugins, InstallBody, InstalledPlugin, Members, Offer, PACKED, PluginPolicy,
    PluginPolicyBody, PluginRule, PluginRuleBody, PolicyMode, Registries, Registry, Verdict,
};
pub use self::revocation::{
    FailedRevocation, Revocation, RevocationDetail, Revocations, revocation, revocations,
};
pub use self::trial::{NumberedCall, NumberedCalls, SeenCall, SeenCalls, trial, trial_calls};
use crate::call::Shelf;
use crate::gate::Grant;
use crate::id::PluginId;
use crate::manifest::{Fault, Manifest};
use crate::permission::Permission;
use crate::refusal::{Code, Refusal};
use crate::slug::Slug;

/// Where the API begins.
pub const BASE: &str = "/api/v1";
/// On every request of the host page that is not safe, with the value `1`: no form can send it.
pub const REQUEST_HEADER: &str = "x-taiku-request";
/// The plugin that a call is made for; the broker then applies its grant.
pub const PLUGIN_HEADER: &str = "taiku-plugin";
/// The provider's status; there exactly when the body is the provider's.
pub const UPSTREAM_STATUS_HEADER: &str = "taiku-upstream-status";
/// There, with the value `1`, when the provider's body is long and exactly one JSON value, so that the host page can
/// put it into a message without reading it.
pub const UPSTREAM_JSON_HEADER: &str = "taiku-upstream-json";
/// The same key and arguments give the first result for 24 h.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// The `sessionId` that a page of a browser believes to be in. Another one's requests are not done in its name.
pub const SESSION_HEADER: &str = "taiku-session";
/// Name of the channel between the pages of one browser. Each message is `{type, data}`: an event of
/// [`crate::event`], as the callback page or the tab that reads the stream tells it.
pub const CHANNEL: &str = "taiku";

/// Path of the session.
pub const SESSION: &str = "/api/v1/session";
/// Path of the first admin's set-up.
pub const SETUP: &str = "/api/v1/setup";
/// Path of the API keys.
pub const API_KEYS: &str = "/api/v1/api-keys";
/// Path of the plugins.
pub const PLUGINS: &str = "/api/v1/plugins";
/// Path of the connections.
pub const CONNECTIONS: &str = "/api/v1/connections";
/// Path of the enabled toolkits.
pub const TOOLKITS: &str = "/api/v1/toolkits";
/// Path of the events.
pub const EVENTS: &str = "/api/v1/events";
/// Path of what was done as the user.
pub const ACTIVITY: &str = "/api/v1/activity";
/// Path of every toolkit, for admins.
pub const ADMIN_TOOLKITS: &str = "/api/v1/admin/toolkits";
/// Path of every plugin, those that failed to load included, for admins.
pub const ADMIN_PLUGINS: &str = "/api/v1/admin/plugins";
/// Path of what admins allow of plugins.
pub const ADMIN_PLUGIN_POLICY: &str = "/api/v1/admin/plugin-policy";
/// Path of what further registries offer.
pub const REGISTRIES: &str = "/api/v1/registries";
/// Path of the users, for admins.
pub const ADMIN_USERS: &str = "/api/v1/admin/users";
/// Path of the audit log, for admins.
pub const ADMIN_AUDIT: &str = "/api/v1/admin/audit";

/// Path of one API key.
#[must_use]
pub fn api_key(id: &str) -> String {
    format!("{API_KEYS}/{}", segment(id))
}

/// Path of one plugin.
#[must_use]
pub fn plugin(id: &PluginId) -> String {
    format!("{PLUGINS}/{id}")
}

/// Path of the user's grant to a plugin.
#[must_use]
pub fn grant(id: &PluginId) -> String {
    format!("{PLUGINS}/{id}/grant")
}

/// Path of what a plugin stores on a shelf.
#[must_use]
pub fn shelf(id: &PluginId, shelf: Shelf) -> String {
    format!("{PLUGINS}/{id}/{}", shelf.path())
}

/// Path of one thing on a shelf.
#[must_use]
pub fn shelved(id: &PluginId, on: Shelf, name: &str) -> String {
    format!("{}/{}", shelf(id, on), segment(name))
}

/// Path of one connection.
#[must_use]
pub fn connection(id: &str) -> String {
    format!("{CONNECTIONS}/{}", segment(id))
}

/// Path on which the user adds a connection of another account than the one that was to be renewed.
#[must_use]
pub fn accept(id: &str) -> String {
    format!("{CONNECTIONS}/{}/accept", segment(id))
}

/// Path on which a connection to a toolkit begins.
#[must_use]
pub fn connect(toolkit: &Slug) -> String {
    format!("{TOOLKITS}/{toolkit}/connections")
}

/// Path of a toolkit's tools.
#[must_use]
pub fn tools(toolkit: &Slug) -> String {
    format!("{TOOLKITS}/{toolkit}/tools")
}

/// Path on which a tool runs.
#[must_use]
pub fn tool(toolkit: &Slug, tool: &str) -> String {
    format!("{TOOLKITS}/{toolkit}/tools/{}", segment(tool))
}

/// Path of one plugin for admins.
#[must_use]
pub fn admin_plugin(id: &PluginId) -> String {
    format!("{ADMIN_PLUGINS}/{id}")
}

/// Path of one toolkit for admins.
#[must_use]
pub fn admin_toolkit(toolkit: &Slug) -> String {
    format!("{ADMIN_TOOLKITS}/{toolkit}")
}

/// One path segment or query value: everything but unreserved characters (RFC 3986) percent-encoded.
///
/// `.` and `..` would still be dot segments, so their dots are encoded too.
#[must_use]
pub fn segment(text: &str) -> String {
    let dots = matches!(text, "." | "..");
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => encoded.push(char::from(byte)),
            b'.' if !dots => encoded.push('.'),
            _ => {
                encoded.push('%');
                for digit in [byte >> 4, byte & 15] {
                    encoded.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
                }
            }
        }
    }
    encoded
}

/// A refused request (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `about:blank`: the code says more.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, where, and what to do.
    pub detail: String,
    /// The machine name.
    pub code: Code,
    /// JSON pointer of the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// With `connection_required`: the accounts to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<ConnectionChoice>,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self {
            kind: "about:blank".into(),
            title: refusal.code.as_str().replace('_', " "),
            status: refusal.code.status(),
            detail: refusal.message,
            code: refusal.code,
            pointer: refusal.pointer,
            connections: Vec::new(),
        }
    }
}

/// An account to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionChoice {
    /// The connection's id.
    pub id: String,
    /// What the provider calls the account.
    pub label: Option<String>,
    /// The user's own name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Enables integrations and sees the audit log.
    Admin,
    /// Uses plugins and connects accounts.
    Member,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never changes.
    pub id: String,
    /// Also the name to sign in with.
    pub email: String,
    /// For people.
    pub name: String,
    /// What the user may do.
    pub role: Role,
}

/// Body of `POST /session`.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignIn {
    /// Without regard to case.
    pub email: String,
    /// Never logged.
    pub password: String,
}

/// Body of `POST /setup`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Setup {
    /// The one-time token of the link that the server printed.
    pub token: String,
    /// The first admin's address.
    pub email: String,
    /// For people.
    pub name: String,
    /// At least 8 characters.
    pub password: String,
}

/// Answer of `GET /session` and `POST /session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Who is signed in.
    pub user: Option<User>,
    /// Id of this browser's session as panels see it; says nothing about the cookie.
    pub session_id: Option<String>,
    /// Whether visitors who are not signed in may open plugins.
    pub anonymous: bool,
    /// Whether integrations are enabled.
    pub integrations: bool,
    /// Where panels are served from.
    pub panel_origin: String,
}

/// An API key, without the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do; empty for all that its user may.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: String,
    /// When it stops to work.
    pub expires_at: Option<String>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<String>,
}

/// Answer of `GET /api-keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeys {
    /// The user's keys.
    pub api_keys: Vec<ApiKey>,
}

/// Body of `POST /api-keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
    /// What it may do; all that its user may, when absent.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// When it stops to work.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// Answer of `POST /api-keys`. The key is shown this once.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreatedApiKey {
    /// Its id.
    pub id: String,
    /// The secret.
    pub key: String,
}

/// Where a plugin comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Shipped with this server, or installed from a further registry.
    Registry,
    /// A folder of `TAIKU_PLUGIN_DIRS`.
    Folder,
    /// Installed from its address.
    Url,
    /// Installed from a file that somebody uploaded.
    File,
    /// Its author, who is trying it out: nobody else sees it.
    Trial,
}

impl Source {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Folder => "folder",
            Self::Url => "url",
            Self::File => "file",
            Self::Trial => "trial",
        }
    }
}

/// Who publishes what comes with this server.
pub const OWN_PUBLISHER: &str = "taiku";

/// A plugin and what the user allowed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plugin {
    /// Its id.
    pub id: PluginId,
    /// For people.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// Where it comes from.
    pub source: Source,
    /// Who publishes it there: [`OWN_PUBLISHER`], a registry's address, an address's origin, the name of who
    /// uploaded it, or `folder`.
    pub publisher: String,
    /// Whether the user finds it on the page: it is pre-installed or the user added it, and did not uninstall it.
    pub added: bool,
    /// What it asks for and shows.
    pub manifest: Manifest,
    /// Where its files are: a path below the panel origin, without a slash at its end.
    pub files: String,
    /// What the user allowed.
    pub grant: Option<StoredGrant>,
    /// What differs between the manifest and the grant.
    pub change: Option<Change>,
}

/// Answer of `GET /plugins`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugins {
    /// All that the user may open.
    pub plugins: Vec<Plugin>,
}

/// A grant with the version it was given for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredGrant {
    /// The version that the user looked at.
    pub version: String,
    /// What was allowed.
    #[serde(flatten)]
    pub grant: Grant,
    /// When.
    pub granted_at: String,
}

/// Body of `PUT /plugins/{id}/grant`: any subset of the manifest.
///
/// Names that this host does not have may be sent and are not granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantBody {
    /// The version that the user looked at.
    pub version: String,
    /// The content that the user looked at, as [`Plugin::files`] names it. A browser always sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<String>,
    /// What to allow.
    pub permissions: Vec<String>,
    /// What to allow.
    pub integrations: Vec<Slug>,
}

/// Permissions and toolkits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    /// Permissions.
    pub permissions: Vec<Permission>,
    /// Toolkits.
    pub integrations: Vec<Slug>,
}

/// What a plugin asks for beyond its grant, and what it no longer asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Asked for and not granted.
    pub added: Wishes,
    /// Granted and no longer asked for.
    pub removed: Wishes,
}

impl Change {
    /// The difference, if there is one.
    #[must_use]
    pub fn between(grant: &Grant, manifest: &Manifest) -> Option<Self> {
        let wanted = Grant::all_of(manifest);
        let beyond = |a: &Grant, b: &Grant| Wishes {
            permissions: a.permissions.difference(&b.permissions).copied().collect(),
            integrations: a.integrations.difference(&b.integrations).cloned().collect(),
        };
        let change = Self { added: beyond(&wanted, grant), removed: beyond(grant, &wanted) };
        (change != Self::default()).then_some(change)
    }
}

/// Answer of listing what a plugin stores: the result of `kv.list` and `storage.list` too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Items {
    /// Of values.
    Keys {
        /// Their keys, in order.
        keys: Vec<String>,
        /// The `cursor` of the next page, if there is one.
        next_cursor: Option<String>,
        /// How much is stored, in bytes, keys included.
        used_bytes: i64,
        /// How much may be stored.
        max_bytes: i64,
    },
    /// Of files.
    Files {
        /// The files, in the order of their names.
        files: Vec<StoredFile>,
        /// The `cursor` of the next page, if there is one.
        next_cursor: Option<String>,
        /// How much is stored, in bytes, names included.
        used_bytes: i64,
        /// How much may be stored.
        max_bytes: i64,
    },
}

/// A file that a plugin stored for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredFile {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub size: i64,
    /// When it was last written.
    pub updated_at: String,
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// The user has not finished the consent.
    Initiated,
    /// Works.
    Active,
    /// Needs the user to connect again; `why` says why.
    Expired,
    /// The consent was declined or went wrong.
    Failed,
    /// The user has disconnected.
    Revoked,
}

impl Status {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "INITIATED",
            Self::Active => "ACTIVE",
            Self::Expired => "EXPIRED",
            Self::Failed => "FAILED",
            Self::Revoked => "REVOKED",
        }
    }
}

/// The account at the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The provider's id of it.
    pub id: Option<String>,
    /// Its name.
    pub label: Option<String>,
    /// Address of its picture.
    pub avatar: Option<String>,
}

/// One account of the user at one toolkit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// The toolkit.
    pub toolkit: Slug,
    /// Its state.
    pub status: Status,
    /// Why it is in that state, as a machine name.
    pub why: Option<String>,
    /// The account.
    pub account: Account,
    /// The user's own name for it.
    pub alias: Option<String>,
    /// Whether calls without a `connectionId` use it.
    pub default: bool,
    /// What the provider granted.
    pub scopes: Vec<String>,
    /// What it was asked for.
    #[serde(default)]
    pub requested_scopes: Vec<String>,
    /// What of that it did not grant. Connecting again with `scopes` asks for it.
    #[serde(default)]
    pub missing_scopes: Vec<String>,
    /// The connection that the user has to keep or to add this one to: the consent was given in another account.
    pub replaces: Option<String>,
    /// When it was begun.
    pub created_at: String,
    /// When a tool last used it.
    pub last_used_at: Option<String>,
    /// When its access token ends; it is refreshed where the provider allows.
    pub expires_at: Option<String>,
}

/// Body of `PATCH /connections/{id}`: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionBody {
    /// `true`: calls without a `connectionId` use it from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<bool>,
    /// The user's own name for it; null takes it away.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub alias: Option<Option<String>>,
}

/// Answer of `GET /connections`: active ones first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// The user's connections.
    pub connections: Vec<Connection>,
}

/// Answer of `DELETE /connections/{id}`: what died and what could not be killed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The connection.
    pub connection_id: String,
    /// Each token that the provider was asked to revoke.
    pub revoked: Vec<Revoked>,
    /// When our copies were destroyed.
    pub deleted_at: String,
}

/// What became of one token at its provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// `access_token` or `refresh_token`.
    pub token: String,
    /// `revoked`, `unsupported` or `failed`.
    pub outcome: String,
}

/// A toolkit that an admin has enabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Toolkit {
    /// Its name in manifests and paths.
    pub slug: Slug,
    /// For people.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Where to list it.
    pub categories: Vec<String>,
    /// Address of its picture on this server.
    pub logo: Option<String>,
    /// How one signs in to it.
    pub auth_mode: String,
    /// How many tools it has.
    pub tool_count: usize,
}

/// Answer of `GET /toolkits`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolkits {
    /// The enabled ones.
    pub toolkits: Vec<Toolkit>,
}

/// Body of `POST /toolkits/{slug}/connections`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectBody {
    /// Where the browser lands after consent: a path of our own origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// Scopes to ask for instead of the integration's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The connection to renew; without it another one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
}

/// Answer of `POST /toolkits/{slug}/connections`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connecting {
    /// The pending connection, or the one to be renewed.
    pub connection_id: String,
    /// The host that the page of ours leads to, such as `github.com`.
    pub provider_host: String,
    /// The page of ours that leads to the provider.
    pub redirect_url: String,
    /// `INITIATED`.
    pub status: Status,
}

/// One entry of `GET /activity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Its id.
    pub id: String,
    /// When.
    pub at: String,
    /// For which plugin; none for the user's own scripts and pages.
    pub plugin: Option<String>,
    /// The toolkit.
    pub toolkit: String,
    /// What was done: a tool's slug, `connect` or `disconnect`.
    pub action: String,
    /// The connection that it was done with.
    pub connection_id: Option<String>,
    /// `ok` or the code of the refusal.
    pub outcome: String,
    /// The provider's status.
    pub upstream_status: Option<u16>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Answer of `GET /activity`, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activities {
    /// What was done as the user.
    pub entries: Vec<Activity>,
    /// For the next page.
    pub next_cursor: Option<String>,
}

/// A secret that can be set and never read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretState {
    /// Whether there is one.
    pub set: bool,
    /// Eight digits that tell one from another.
    pub fingerprint: Option<String>,
}

/// One setting of a toolkit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its name, also that of the environment variable.
    pub key: String,
    /// What it is for.
    pub description: String,
    /// Whether the toolkit cannot be enabled without.
    pub required: bool,
    /// Whether its value can never be read back.
    pub secret: bool,
    /// What holds when nothing is set.
    pub default: Option<String>,
    /// What holds now; never there for a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whether a value was set in the database or the environment.
    pub set: bool,
    /// Where the value comes from: `database`, `environment`, `default` or `none`.
    pub source: String,
    /// Of a secret: eight digits that tell one from another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// A toolkit as an admin sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdminToolkit {
    /// Its name in manifests and paths.
    pub slug: Slug,
    /// For people.
    pub name: String,
    /// What it is.
    pub description: String,
    /// What it is for, in words to group by.
    pub categories: Vec<String>,
    /// Address of its picture on this server.
    pub logo: Option<String>,
    /// Where to learn how to register a client.
    pub docs: Option<String>,
    /// How one signs in to it.
    pub auth_mode: String,
    /// How many tools it has.
    pub tool_count: usize,
    /// Whether users may use it.
    pub enabled: bool,
    /// What to register at the provider. There before anything is configured, and never changes.
    pub redirect_uri: String,
    /// The OAuth client's id.
    pub client_id: Option<String>,
    /// The OAuth client's secret.
    pub client_secret: SecretState,
    /// What is asked for at consent.
    pub scopes: Vec<String>,
    /// The toolkit's settings.
    pub settings: Vec<Setting>,
}

/// Answer of `GET /admin/toolkits`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminToolkits {
    /// Every toolkit.
    pub toolkits: Vec<AdminToolkit>,
    /// Folders that could not be loaded.
    pub failed: Vec<FailedFolder>,
}

/// A plugin or toolkit folder that could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedFolder {
    /// Its path.
    pub folder: String,
    /// What is wrong, each with its place.
    pub errors: Vec<Fault>,
    /// The plugin that an admin may reload to have the folder's files served as they are now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<PluginId>,
}

/// A user as an admin sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdminUser {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// Whether the user may no longer sign in.
    pub disabled: bool,
    /// When it was made.
    pub created_at: String,
}

/// Answer of `GET /admin/users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminUsers {
    /// Every user.
    pub users: Vec<AdminUser>,
}

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Its place in the chain.
    pub seq: i64,
    /// When.
    pub at: String,
    /// Who: a user's id, or `system`.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// With what, never a secret.
    pub detail: serde_json::Value,
}

/// Answer of `GET /admin/audit`, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// For the next page.
    pub next_cursor: Option<String>,
}

/// Body of `PUT /admin/toolkits/{slug}`: what is absent stays as it is.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdminToolkitBody {
    /// Whether users may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The OAuth client's id; null unsets it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub client_id: Option<Option<String>>,
    /// The OAuth client's secret; null unsets it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub client_secret: Option<Option<String>>,
    /// What is asked for at consent; null restores the toolkit's own.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub scopes: Option<Option<Vec<String>>>,
    /// Values by key; null unsets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<std::collections::BTreeMap<String, Option<String>>>,
}

/// Tells null from absent, for fields that null unsets.
///
/// # Errors
/// When the value is neither null nor a `T`.
pub fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(segment("GITHUB_CREATE_AN_ISSUE"), "GITHUB_CREATE_AN_ISSUE");
        assert_eq!(segment("a/b?c#d%e é."), "a%2Fb%3Fc%23d%25e%20%C3%A9.");
        assert_eq!((segment("."), segment("..")), ("%2E".into(), "%2E%2E".into()));
    }

    #[test]
    fn null_is_not_absent() {
        let body: AdminToolkitBody = serde_json::from_str(r#"{"clientId":null,"scopes":["a"]}"#).unwrap();
        assert_eq!(body.client_id, Some(None));
        assert_eq!(body.scopes, Some(Some(vec!["a".into()])));
        assert!(body.client_secret.is_none());
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"clientId":null,"scopes":["a"]}"#);
    }

    #[test]
    fn a_problem_carries_its_code() {
        let problem = Problem::from(Refusal::field("/toolkit", "must name a toolkit"));
        assert_eq!(
            serde_json::to_value(problem).unwrap(),
            serde_json::json!({
                "type": "about:blank", "title": "invalid params", "status": 422,
                "detail": "/toolkit: must name a toolkit", "code": "invalid_params", "pointer": "/toolkit"
            })
        );
    }
}
