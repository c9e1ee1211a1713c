//! Credentials that the user types: an API key, or a user name with a password.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::Tokens;
use crate::toolkit::{Habits, Mode};
use crate::vault::SecretString;

/// Longest that one of them may be.
const MAX: usize = 8 * 1024;

/// Something for the user to type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in the form.
    pub name: String,
    /// What the user reads.
    pub label: String,
    /// Whether it is hidden while it is typed.
    pub secret: bool,
}

/// What the user of a toolkit types; nothing where it signs in in another way.
#[must_use]
pub fn fields(habits: &Habits) -> Vec<Field> {
    let names: &[(&str, &str, bool)] = match habits.mode {
        Mode::ApiKey => &[("key", "API key", true)],
        Mode::Basic => &[("username", "User name", false), ("password", "Password", true)],
        Mode::Code | Mode::ClientCredentials | Mode::Device => &[],
    };
    let field = |(name, label, secret): &(&str, &str, bool)| Field {
        name: (*name).to_owned(),
        label: habits.labels.get(*name).map_or(*label, String::as_str).to_owned(),
        secret: *secret,
    };
    names.iter().map(field).collect()
}

/// Makes of what was typed what is sent with each call.
///
/// # Errors
/// The label of the field that is empty or cannot be sent.
pub fn typed(habits: &Habits, values: &BTreeMap<String, SecretString>) -> Result<Tokens, String> {
    let mut parts = Vec::new();
    for field in fields(habits) {
        let value = values.get(&field.name).map(|value| value.expose().trim()).unwrap_or_default();
        let sendable =
            |c: char| if habits.mode == Mode::Basic { !c.is_control() } else { c.is_ascii_graphic() };
        // RFC 7617 section 2: the first colon ends the user name.
        let colon = habits.mode == Mode::Basic && !field.secret && value.contains(':');
        if value.is_empty() && field.name != "password"
            || value.len() > MAX
            || colon
            || !value.chars().all(sendable)
        {
            return Err(field.label);
        }
        parts.push(value);
    }
    let credential = match parts.as_slice() {
        [key] => (*key).to_owned(),
        [user, password] => BASE64_STANDARD.encode(format!("{user}:{password}")),
        _ => return Err("sign-in".to_owned()),
    };
    Ok(Tokens {
        access_token: SecretString::new(credential),
        refresh_token: None,
        expires_in: None,
        scopes: None,
        token_type: "bearer",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mode: &str, values: &[(&str, &str)]) -> Result<String, String> {
        let oauth =
            crate::toolkit::testing::oauth(&format!("mode = '{mode}'\nlabels = {{ username = 'E-mail' }}"));
        let secret = |text: &str| SecretString::new(text.to_owned());
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), secret(value))).collect();
        typed(&oauth.habits, &values).map(|tokens| tokens.access_token.expose().to_owned())
    }

    #[test]
    fn a_key_is_sent_as_it_is_and_a_password_as_basic_wants_it() {
        assert_eq!(of("api_key", &[("key", " sk_1 ")]), Ok("sk_1".into()));
        assert_eq!(of("basic", &[("username", "ada"), ("password", "p:é")]), Ok("YWRhOnA6w6k=".into()));
        assert_eq!(of("basic", &[("username", "sk_1")]), Ok("c2tfMTo=".into()));
    }

    #[test]
    fn what_cannot_be_sent_is_named_by_its_label() {
        for value in ["", "a b", "a\r\nb", "é", &"x".repeat(MAX + 1)] {
            assert_eq!(of("api_key", &[("key", value)]), Err("API key".into()), "{value:?}");
        }
        assert_eq!(of("basic", &[("username", "a:b"), ("password", "p")]), Err("E-mail".into()));
        assert_eq!(of("basic", &[("password", "p")]), Err("E-mail".into()));
        assert_eq!(of("basic", &[("username", "a"), ("password", "p\n")]), Ok("YTpw".into()));
        assert_eq!(of("basic", &[("username", "a"), ("password", "p\nq")]), Err("Password".into()));
    }
}
