//! What is held of a consent where one token is not all of it.
//!
//! Mostly the access token is kept as it is, and so is the refresh token. Where a provider gives several tokens at once,
//! each record holds a small document instead: the access record all access tokens by name, and the refresh record what
//! each of them is refreshed with. Whoever stores the records need not know which it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Tokens;
use crate::toolkit::{Habits, Mode};
use crate::vault::SecretString;

/// The name of the token that a tool gets unless it asks for another.
pub(super) const FIRST: &str = "";

/// The tokens of one consent, by name.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Held {
    tokens: BTreeMap<String, Part>,
    /// What differs between connections.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) values: BTreeMap<String, String>,
}

/// One of the tokens.
#[derive(Serialize, Deserialize)]
pub(super) struct Part {
    /// The token that is sent to the API.
    #[serde(rename = "a", with = "exposed")]
    pub(super) access: SecretString,
    /// What it is refreshed with; absent in access records.
    #[serde(rename = "r", default, with = "exposed::maybe", skip_serializing_if = "Option::is_none")]
    pub(super) refresh: Option<SecretString>,
}

/// What a provider answered for one of the tokens, or what is kept of it.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) tokens: Tokens,
}

impl Held {
    /// Reads a record of one of these providers.
    pub(super) fn read(text: &SecretString) -> Option<Self> {
        serde_json::from_str(text.expose()).ok()
    }

    pub(super) fn into_parts(self) -> BTreeMap<String, Part> {
        self.tokens
    }

    fn write(&self) -> SecretString {
        // Maps of texts are always JSON.
        SecretString::new(serde_json::to_string(self).unwrap_or_default())
    }
}

/// Whether a provider's records are documents.
pub(super) fn is_several(habits: &Habits) -> bool {
    !habits.more_tokens.is_empty() || !habits.values.is_empty()
}

/// What a record says of its connection.
#[must_use]
pub fn values(habits: &Habits, record: &SecretString) -> BTreeMap<String, String> {
    if habits.values.is_empty() {
        return BTreeMap::new();
    }
    Held::read(record).map(|held| held.values).unwrap_or_default()
}

/// The same tokens, of a connection of which this is known.
#[must_use]
pub fn with_values(tokens: Tokens, values: &BTreeMap<String, String>) -> Tokens {
    let with = |record: &SecretString| {
        let mut held = Held::read(record).unwrap_or_default();
        held.values.clone_from(values);
        held.write()
    };
    Tokens {
        access_token: with(&tokens.access_token),
        refresh_token: tokens.refresh_token.as_ref().map(with),
        ..tokens
    }
}

/// The token of a name among what an access record holds; `None` if the user has not granted it.
#[must_use]
pub fn token(habits: &Habits, record: &SecretString, name: Option<&str>) -> Option<SecretString> {
    let name = name.unwrap_or(FIRST);
    if !is_several(habits) {
        return (name == FIRST).then(|| copy(record));
    }
    Held::read(record)?.tokens.remove(name).map(|part| part.access)
}

/// Every token that a record holds.
pub(super) fn all(habits: &Habits, record: &SecretString, refresh: bool) -> Vec<SecretString> {
    if refresh && habits.mode == Mode::ClientCredentials {
        return Vec::new();
    }
    if !is_several(habits) {
        return vec![copy(record)];
    }
    let parts = Held::read(record).unwrap_or_default().tokens.into_values();
    parts.filter_map(|part| if refresh { part.refresh } else { Some(part.access) }).collect()
}

/// Several tokens as one. They live as long as the first of them to end.
pub(super) fn join(all: Vec<Named>, values: &BTreeMap<String, String>) -> Tokens {
    let (mut access, mut refresh) = (Held::default(), Held::default());
    let (mut expires_in, mut scopes, mut refreshable) = (None, None, false);
    for Named { name, tokens } in all {
        expires_in = [expires_in, tokens.expires_in].into_iter().flatten().min();
        scopes = match (scopes, tokens.scopes) {
            (None, more) => more,
            (some, None) => some,
            (Some(some), Some(more)) => Some(union(some, more)),
        };
        refreshable |= tokens.refresh_token.is_some();
        let part = Part { access: copy(&tokens.access_token), refresh: None };
        access.tokens.insert(name.clone(), part);
        refresh.tokens.insert(name, Part { access: tokens.access_token, refresh: tokens.refresh_token });
    }
    access.values.clone_from(values);
    refresh.values.clone_from(values);
    Tokens {
        access_token: access.write(),
        refresh_token: refreshable.then(|| refresh.write()),
        expires_in,
        scopes,
        token_type: "bearer",
    }
}

fn union(mut some: Vec<String>, more: Vec<String>) -> Vec<String> {
    for scope in more {
        if !some.contains(&scope) {
            some.push(scope);
        }
    }
    some
}

pub(super) fn copy(secret: &SecretString) -> SecretString {
    SecretString::new(secret.expose().to_owned())
}

/// Writes a token into its record. There is no other way to serialise one here.
mod exposed {
    use super::{Deserialize, Deserializer, SecretString, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
        String::deserialize(deserializer).map(SecretString::new)
    }

    pub(super) mod maybe {
        use super::{Deserialize, Deserializer, SecretString, Serializer};

        pub(in super::super) fn serialize<S: Serializer>(
            secret: &Option<SecretString>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match secret {
                Some(secret) => serializer.serialize_some(secret.expose()),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<SecretString>, D::Error> {
            Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::new))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(access: &str, refresh: Option<&str>, expires_in: Option<u64>, scopes: &[&str]) -> Tokens {
        Tokens {
            access_token: SecretString::new(access.to_owned()),
            refresh_token: refresh.map(|text| SecretString::new(text.to_owned())),
            expires_in,
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            token_type: "bearer",
        }
    }

    fn habits(auth: &str) -> Habits {
        let table = format!(
            "mode = 'oauth2'\nauthorize_url = 'https://a.test'\ntoken_url = 'https://a.test'\n{auth}"
        );
        (*crate::toolkit::testing::oauth(&table).habits).clone()
    }

    #[test]
    fn several_tokens_are_one_record_and_come_out_by_name() {
        let both = habits("more_tokens = { user = '/authed_user' }");
        let named = |name: &str, tokens| Named { name: name.to_owned(), tokens };
        let bot = named("", tokens("xoxb", Some("r1"), Some(60), &["a", "b"]));
        let joined =
            join(vec![bot, named("user", tokens("xoxp", None, Some(30), &["b", "c"]))], &BTreeMap::new());
        assert_eq!(joined.expires_in, Some(30));
        assert_eq!(joined.scopes.as_deref().unwrap(), ["a", "b", "c"]);
        assert_eq!(token(&both, &joined.access_token, None).unwrap().expose(), "xoxb");
        assert_eq!(token(&both, &joined.access_token, Some("user")).unwrap().expose(), "xoxp");
        assert!(token(&both, &joined.access_token, Some("other")).is_none());
        assert!(!joined.access_token.expose().contains("r1"), "an access record holds no refresh token");
        let refresh = joined.refresh_token.unwrap();
        assert_eq!(all(&both, &refresh, true).iter().map(SecretString::expose).collect::<Vec<_>>(), ["r1"]);
        let alone = join(vec![named("", tokens("xoxb", None, None, &[]))], &BTreeMap::new());
        assert!(alone.refresh_token.is_none());
    }

    #[test]
    fn a_single_token_is_its_own_record_whatever_it_looks_like() {
        let record = SecretString::new(r#"{"tokens":{"":{"a":"x"}}}"#.to_owned());
        assert_eq!(token(&habits(""), &record, None).unwrap().expose(), record.expose());
        assert!(token(&habits(""), &record, Some("user")).is_none());
    }
}
