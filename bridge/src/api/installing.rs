//! Installing plugins, and what admins allow.

use serde::{Deserialize, Serialize};

use super::{FailedFolder, Source};
use crate::id::PluginId;
use crate::manifest::Fault;

/// The content type of a packed plugin.
pub const PACKED: &str = "application/zip";

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The word on the wire and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The value of that exact word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    )+};
}

words! {
    /// What holds for plugins of which no admin has said anything.
    PolicyMode {
        /// They may be used.
        #[default]
        Open = "open",
        /// They may not: only those may that an admin has allowed.
        Listed = "listed",
    }
    /// What members may install on the server.
    Members {
        /// Nothing: admins install.
        #[default]
        Nothing = "nothing",
        /// What the registries that admins have allowed offer.
        Registries = "registries",
        /// Any file and any address, too.
        Anything = "anything",
    }
    /// What an admin says of one plugin.
    Verdict {
        /// It may be used, whatever the mode.
        #[default]
        Allowed = "allowed",
        /// It may not be used.
        Blocked = "blocked",
    }
}

/// A plugin as an admin sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminPlugin {
    /// Its id.
    pub id: PluginId,
    /// For people.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// Where it comes from.
    pub source: Source,
    /// Who publishes it there.
    pub publisher: String,
    /// Where a new version is looked for, if it was installed from an address.
    pub location: Option<String>,
    /// SHA-256 of its content, in hex.
    pub hash: String,
    /// What was said of it.
    pub rule: Option<Verdict>,
    /// Whether everybody finds it on their page.
    pub preinstalled: bool,
    /// Whether it was installed while the server ran, so that it can be uninstalled here.
    pub installed: bool,
    /// How many users have allowed it something.
    pub users: u32,
    /// What its author should know.
    pub warnings: Vec<Fault>,
}

/// Answer of `GET /admin/plugins`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminPlugins {
    /// Every plugin, those included that are blocked.
    pub plugins: Vec<AdminPlugin>,
    /// Folders and installed plugins that could not be loaded.
    pub failed: Vec<FailedFolder>,
}

/// What admins allow: answer of `GET` and `PUT /admin/plugin-policy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginPolicy {
    /// What holds for plugins without a rule.
    pub mode: PolicyMode,
    /// What members may install.
    pub members: Members,
    /// Addresses of further registries.
    pub registries: Vec<String>,
    /// What was said of single plugins, by id in lower case.
    pub rules: Vec<PluginRule>,
}

/// What an admin says of one plugin, whether it is on this server or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRule {
    /// The plugin's id in lower case.
    pub plugin: String,
    /// Whether it may be used; null leaves that to the mode.
    pub rule: Option<Verdict>,
    /// Whether everybody finds it on their page.
    pub preinstalled: bool,
}

/// Body of `PUT /admin/plugin-policy`: what is absent stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PluginPolicyBody {
    /// What holds for plugins without a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<PolicyMode>,
    /// What members may install.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Members>,
    /// Addresses of further registries, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registries: Option<Vec<String>>,
}

/// Body of `PUT /admin/plugins/{id}`: what is absent stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PluginRuleBody {
    /// Whether it may be used; null leaves that to the mode.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::present")]
    pub rule: Option<Option<Verdict>>,
    /// Whether everybody finds it on their page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preinstalled: Option<bool>,
}

/// Body of `POST /plugins` and `POST /admin/plugins`, where it is not a packed plugin itself: either `url`, or
/// `registry` and `plugin`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct InstallBody {
    /// Address of a manifest or of a packed plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Address of an allowed registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Id of a plugin in that registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// Whether an admin wants it although it is older, has changed under its version or is another publisher's.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replace: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Answer of installing and updating.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledPlugin {
    /// Its id.
    pub id: PluginId,
    /// For people.
    pub name: String,
    /// The version that is installed now.
    pub version: String,
    /// The version that it took the place of.
    pub previous: Option<String>,
    /// SHA-256 of its content, in hex.
    pub hash: String,
    /// What its author should know.
    pub warnings: Vec<Fault>,
}

/// Answer of `GET /registries`: what the further registries offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registries {
    /// In the admins' order.
    pub registries: Vec<Registry>,
}

/// One registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// Its address.
    pub url: String,
    /// Why it could not be read.
    pub error: Option<String>,
    /// What it offers.
    pub plugins: Vec<Offer>,
}

/// A plugin that a registry offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its id.
    pub id: PluginId,
    /// For people.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// Who wrote it, as the registry says.
    pub author: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// The version that is on this server already.
    pub installed: Option<String>,
}
