//! What a plugin may ask for.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How much harm a permission can do in the wrong hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Reads what the plugin would be useless without.
    Low,
    /// Reaches beyond the plugin's own panel.
    Medium,
    /// Acts as the user.
    High,
}

impl Risk {
    /// The word shown to people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $risk:ident, $sentence:literal;)+) => {
        /// A permission of this host. A name that is not among them is shown to the user as not supported, and
        /// is never granted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $($(#[$doc])* $variant,)+ }

        impl Permission {
            /// Every permission, in the order in which consent lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in a manifest.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The permission of that exact name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }

            /// How much harm it can do.
            #[must_use]
            pub fn risk(self) -> Risk {
                match self { $(Self::$variant => Risk::$risk,)+ }
            }

            /// What it lets a plugin do, as consent says it.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }
        }
    };
}

permissions! {
    /// Run a tool of a declared toolkit as the signed-in user.
    IntegrationsExecute = "integrations.execute", High, "Act in your connected accounts";
    /// Start an OAuth connection to a declared toolkit.
    IntegrationsConnect = "integrations.connect", Medium, "Ask you to connect an account";
    /// List connections, browse tools.
    IntegrationsRead = "integrations.read", Low, "See which accounts you have connected and what their tools are";
    /// Broadcast to other plugins.
    EventsBroadcast = "events.broadcast", Medium, "Send events to other plugins";
    /// Receive host events.
    EventsSubscribe = "events.subscribe", Low, "Receive events of this page";
    /// Desktop notifications.
    UiNotify = "ui.notify", Medium, "Show desktop notifications";
    /// Sounds.
    AudioPlay = "audio.play", Medium, "Play sounds";
    /// Write shared key-value data.
    KvWrite = "kv.write", Medium, "Change data that this plugin shares between all users";
    /// Read shared key-value data.
    KvRead = "kv.read", Low, "Read data that this plugin shares between all users";
    /// Write the plugin's own files.
    StorageWrite = "storage.write", Medium, "Store files of its own for you";
    /// Read the plugin's own files.
    StorageRead = "storage.read", Low, "Read files that it stored for you";
    /// Session, user and role.
    SessionRead = "session.read", Low, "See your user id and role";
    /// Open and size panels.
    UiPanel = "ui.panel", Low, "Show panels";
    /// A toolbar icon.
    UiToolbar = "ui.toolbar", Low, "Show an icon in the toolbar";
    /// Toolbar actions and badges.
    UiToolbarCustom = "ui.toolbar.custom", Low, "Show actions and badges in the toolbar";
    /// Toasts.
    UiToast = "ui.toast", Low, "Show short messages";
    /// Hotkeys.
    HotkeyRegister = "hotkey.register", Low, "Use keyboard shortcuts";
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| serde::de::Error::custom("is not a permission of this host"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Some(*permission));
        }
        for name in
            ["Integrations.read", "integrations.read ", "integrations", "terminal.read", "__proto__", ""]
        {
            assert_eq!(Permission::parse(name), None, "{name:?}");
        }
    }
}
