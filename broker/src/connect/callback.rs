//! What a provider sent the browser back with.

use std::collections::BTreeMap;

use crate::custody::consent::Answer;
use crate::toolkit::{ResolvedOAuth, Source};
use crate::vault::SecretString;

/// What the provider sent the browser back with.
#[derive(Default)]
pub struct Callback {
    /// RFC 6749, section 4.1.2.
    pub code: Option<SecretString>,
    /// Ours, returned.
    pub state: Option<String>,
    /// RFC 9207.
    pub iss: Option<String>,
    /// RFC 6749, section 4.1.2.1.
    pub error: Option<String>,
    /// What the provider says of it, in the same section.
    pub error_description: Option<String>,
    /// Whether a parameter came twice.
    pub ambiguous: bool,
    /// Parameters that no standard names, as they came. One of them may be the code.
    pub others: Vec<(String, String)>,
}

impl Callback {
    /// Takes over what the provider has given another name.
    pub(super) fn named(mut self, names: &BTreeMap<String, String>) -> Self {
        for (standard, own) in names {
            let mut found =
                self.others.iter().filter(|(name, _)| name == own).map(|(_, value)| value.clone());
            let (value, again) = (found.next(), found.next().is_some());
            let Some(value) = value else { continue };
            let taken = match standard.as_str() {
                "code" => self.code.replace(SecretString::new(value)).is_some(),
                "error" => self.error.replace(value).is_some(),
                _ => self.error_description.replace(value).is_some(),
            };
            self.ambiguous |= again || taken;
        }
        self
    }

    /// What the provider said. An answer that says nothing is an error, too.
    pub(super) fn answer(self, auth: Option<&ResolvedOAuth>) -> Answer {
        let wanted = |name: &str| {
            auth.is_some_and(|auth| {
                let mut values = auth.habits.values.iter();
                values.any(|value| matches!(&value.source, Source::Callback(own) if own == name))
            })
        };
        let values = self.others.into_iter().filter(|(name, _)| wanted(name)).collect();
        match (self.error, self.code) {
            (Some(error), _) => Answer::Error { error, description: self.error_description },
            (None, Some(code)) => Answer::Code { code, values },
            (None, None) => Answer::Error { error: "no_code".into(), description: None },
        }
    }
}
