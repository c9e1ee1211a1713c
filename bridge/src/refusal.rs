//! Why a call was refused: a closed set of codes, each with its HTTP status, and one sentence for people.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal;)+) => {
        /// The stable machine name of an outcome.
        ///
        /// The first group stands in the order in which a call is checked; names and statuses are promised to
        /// users and never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP status of the broker's answer.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }
        }
    };
}

codes! {
    /// The message or body is not of the promised shape.
    BadMessage = "bad_message", 400;
    /// A request with this id is still under way.
    DuplicateId = "duplicate_id", 400;
    /// The message names another plugin or panel than the one that sent it.
    IdentityMismatch = "identity_mismatch", 403;
    /// The panel has navigated or was reloaded since it was given its token.
    StalePanel = "stale_panel", 403;
    /// Too many calls at once or in too short a time.
    RateLimited = "rate_limited", 429;
    /// This host has no such method.
    UnknownMethod = "unknown_method", 404;
    /// The admin has not enabled integrations.
    IntegrationsDisabled = "integrations_disabled", 503;
    /// Nobody is signed in.
    NotSignedIn = "not_signed_in", 401;
    /// The manifest does not ask for the permission.
    PermissionMissing = "permission_missing", 403;
    /// The user has not allowed it.
    GrantMissing = "grant_missing", 403;
    /// The user has uninstalled the plugin, or it is not on this server.
    PluginNotInstalled = "plugin_not_installed", 403;
    /// An admin does not allow the plugin.
    PluginBlocked = "plugin_blocked", 403;
    /// A parameter is missing, of the wrong type or out of range.
    InvalidParams = "invalid_params", 422;
    /// The manifest does not declare the toolkit.
    ToolkitNotDeclared = "toolkit_not_declared", 403;
    /// The toolkit exists, and the admin has not enabled it.
    ToolkitDisabled = "toolkit_disabled", 404;
    /// There is no such toolkit.
    ToolkitUnknown = "toolkit_unknown", 404;
    /// The user has no account connected.
    ConnectionMissing = "connection_missing", 409;
    /// The connection no longer works; the user must connect again.
    ConnectionExpired = "connection_expired", 409;
    /// The default account is gone; the caller must choose one.
    ConnectionRequired = "connection_required", 409;
    /// The toolkit has no such tool.
    ToolUnknown = "tool_unknown", 404;
    /// The connection lacks a scope that the tool needs.
    ScopeMissing = "scope_missing", 403;
    /// What is to be stored has no room.
    QuotaExceeded = "quota_exceeded", 413;
    /// The provider did not answer in time.
    UpstreamSlow = "upstream_slow", 504;
    /// The provider could not be reached.
    UpstreamUnreachable = "upstream_unreachable", 502;
    /// The provider answered with a failure; the error is its body.
    UpstreamFailed = "upstream_failed", 502;
    /// A fault of taiku itself.
    Internal = "internal", 500;

    /// E-mail or password is wrong.
    WrongCredentials = "wrong_credentials", 401;
    /// The request did not come from the host page.
    CrossSite = "cross_site", 403;
    /// Only a signed-in browser may do this, an API key may not.
    SessionRequired = "session_required", 403;
    /// The role of the user does not allow it.
    Forbidden = "forbidden", 403;
    /// There is nothing here, or it belongs to somebody else.
    NotFound = "not_found", 404;
    /// The path exists, with other methods.
    MethodNotAllowed = "method_not_allowed", 405;
    /// The state has moved on since the caller looked.
    Conflict = "conflict", 409;
    /// What was to be installed is no plugin, or not one that this server takes.
    PluginInvalid = "plugin_invalid", 422;
    /// What was to be installed could not be fetched.
    PluginUnreachable = "plugin_unreachable", 502;
    /// The body is too large.
    TooLarge = "too_large", 413;
    /// The body did not come in time.
    BodySlow = "body_slow", 408;
    /// The body is not JSON.
    UnsupportedMediaType = "unsupported_media_type", 415;
    /// The address is not one of this server's.
    MisdirectedRequest = "misdirected_request", 421;
    /// A secret cannot be opened with the keys that this broker has at the moment; try again.
    KeyUnknown = "key_unknown", 503;
    /// A stored secret does not belong where it was found.
    VaultIntegrity = "vault_integrity", 500;
    /// The database is busy; try again.
    Busy = "busy", 503;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refused call: what a panel gets as `error` and `code`, and a script as a problem document (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The machine name.
    pub code: Code,
    /// One sentence that says what is wrong, where, and what to do.
    pub message: String,
    /// JSON pointer (RFC 6901) of the field that is wrong.
    pub pointer: Option<String>,
}

impl Refusal {
    /// A refusal with its sentence.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), pointer: None }
    }

    /// A refusal of one field.
    #[must_use]
    pub fn field(pointer: impl Into<String>, what: impl fmt::Display) -> Self {
        let pointer = pointer.into();
        let place = if pointer.is_empty() { "params" } else { &pointer };
        Self { code: Code::InvalidParams, message: format!("{place}: {what}"), pointer: Some(pointer) }
    }

    /// Integrations are switched off for everybody.
    #[must_use]
    pub fn integrations_disabled() -> Self {
        Self::new(
            Code::IntegrationsDisabled,
            "Integrations are not enabled on this server. Ask your admin to enable them.",
        )
    }

    /// The method needs a user.
    #[must_use]
    pub fn not_signed_in() -> Self {
        Self::new(Code::NotSignedIn, "Sign in to use integrations.")
    }

    /// What plugins store is stored for a user.
    #[must_use]
    pub fn no_shelf() -> Self {
        Self::new(Code::NotSignedIn, "Sign in to let plugins store data.")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_name_is_the_same_everywhere() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!((400..600).contains(&code.status()));
        }
    }
}
