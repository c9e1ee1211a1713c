//! What an admin may set of a toolkit.

use super::fault::Faults;
use super::file::SettingTable;
use super::pattern::Pattern;
use super::template::Template;

/// One setting of a toolkit. Its value comes from the database, else the environment variable of the same name,
/// else the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, such as `TRACKER_URL`.
    pub key: String,
    /// What it is for.
    pub description: String,
    /// The value without an admin.
    pub default: Option<String>,
    /// Whether the toolkit cannot be enabled without a value.
    pub required: bool,
    /// Whether the value is kept in the vault and never shown again.
    pub secret: bool,
    /// What its value must look like as a whole.
    pub pattern: Option<Pattern>,
}

impl Setting {
    /// The other settings that are in its default.
    pub(crate) fn keys_in_default(&self) -> Vec<String> {
        let default = self.default.as_deref().filter(|default| default.contains('{'));
        let template = default.and_then(|default| Template::parse(default).ok());
        template.iter().flat_map(Template::keys).map(str::to_owned).collect()
    }

    /// Why a value cannot be this setting's; `None` if it can.
    #[must_use]
    pub fn refuses(&self, value: &str) -> Option<String> {
        let pattern = self.pattern.as_ref()?;
        (!pattern.matches(value)).then(|| format!("must look like `{}`", pattern.as_str()))
    }
}

pub(crate) fn read(tables: Vec<SettingTable>, faults: &mut Faults) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let at = format!("settings[{index}].key");
        if !is_variable(&table.key) {
            faults.push(&at, "must be 1 to 64 characters of `A-Z`, `0-9` and `_`, a letter first");
        } else if table.key.starts_with("TAIKU_") {
            faults.push(&at, "must not begin with TAIKU_, which is for taiku's own configuration");
        } else if settings.iter().any(|known| known.key == table.key) {
            faults.push(&at, format!("{} is there twice", table.key));
        }
        if table.secret && table.default.is_some() {
            faults.push(format!("settings[{index}].default"), "a secret setting must not have a default");
        }
        let pattern = match table.pattern.as_deref() {
            None | Some("") => None,
            Some(text) => faults.take(&format!("settings[{index}].pattern"), Pattern::parse(text)),
        };
        settings.push(Setting {
            pattern,
            key: table.key,
            description: table.description,
            default: table.default,
            required: table.required,
            secret: table.secret,
        });
    }
    settings
}

fn is_variable(key: &str) -> bool {
    (1..=64).contains(&key.len())
        && key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}
