//! Evens out what token endpoints answer.
//!
//! | the answer | becomes |
//! |---|---|
//! | 429, 5xx | [`TokenError::Transient`] with `Retry-After` |
//! | 3xx, empty, HTML, over 256 KiB, no object | [`TokenError::Unusable`] |
//! | an `error`, or `ok: false`, at any other status | the class of its code ([`CODES`]) |
//! | 401 without a code | [`TokenError::InvalidClient`] |
//! | another 4xx whose object has no code | [`TokenError::Denied`] with `other` |
//! | form-encoded instead of JSON | read as if it were JSON |
//! | the token object elsewhere | found by `token_pointer`, its fields by `token_fields` |
//! | no `access_token`, or one that is no visible ASCII | [`Unusable::AccessToken`] |
//! | `token_type` absent or empty; in another case; `bot`, `user` | bearer |
//! | any other `token_type`, `mac` for one | [`Unusable::TokenType`] |
//! | `refresh_token` empty or null | none |
//! | `expires_in` absent, zero, negative, or no number | unknown: the token is used until the provider refuses it |
//! | `expires_in` as a string | the number in it |
//! | `expires_in` in milliseconds, or a moment | seconds, by `expires`; a moment is held against the answer's own `Date` |
//! | no lifetime, and the toolkit has a `default_lifetime` | that |
//! | `expires_in` beyond ten years, `1e30` for one | ten years |
//! | `scope` with commas, or as an array | a list; absent or null: unknown |

mod fields;
mod refused;

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::error::Unusable;
use super::held::{self, FIRST, Named};
use super::{TokenError, Tokens};
use crate::egress::Inbound;
use crate::toolkit::{Habits, Source};

#[cfg(doc)]
use refused::CODES;

/// Bytes of a token answer. The largest that were seen are JWTs of some kilobytes.
const MAX_ANSWER: usize = 256 * 1024;
/// Longest wait that a provider may ask for.
const MAX_RETRY_AFTER: u64 = 24 * 60 * 60;

/// The parts of an HTTP answer that matter here.
pub(super) struct Answer<'a> {
    status: StatusCode,
    content_type: &'a str,
    retry_after: Option<Duration>,
    /// When the provider says that it answered, in milliseconds since 1970.
    date: Option<i64>,
    body: &'a [u8],
}

impl<'a> From<&'a Inbound> for Answer<'a> {
    fn from(inbound: &'a Inbound) -> Self {
        let header = |name| inbound.headers.get(name).and_then(|value| value.to_str().ok());
        let seconds = header(RETRY_AFTER).and_then(|value| value.trim().parse::<u64>().ok());
        Self {
            status: inbound.status,
            content_type: header(CONTENT_TYPE).unwrap_or_default(),
            retry_after: seconds.map(|seconds| Duration::from_secs(seconds.min(MAX_RETRY_AFTER))),
            date: header(DATE).and_then(fields::date),
            body: &inbound.body,
        }
    }
}

/// Reads the tokens of an answer, or why there are none in it.
pub(super) fn read(answer: &Answer<'_>, habits: &Habits) -> Result<Tokens, TokenError> {
    if let Some(transient) = transient(answer.status, answer.retry_after) {
        return Err(transient);
    }
    if answer.status.is_redirection() {
        return Err(Unusable::Redirect.into());
    }
    let root = match object(answer, habits) {
        Ok(root) => root,
        Err(_) if answer.status == StatusCode::UNAUTHORIZED => return Err(TokenError::InvalidClient),
        Err(why) => return Err(why.into()),
    };
    if let Some(refused) = refused::reason(&root, answer.retry_after) {
        return Err(refused);
    }
    if !answer.status.is_success() {
        return Err(refused::without_code(answer.status));
    }
    let root = Value::Object(root);
    let first = token(&root, &habits.token_pointer, answer, habits)?;
    if !held::is_several(habits) {
        return Ok(first);
    }
    let mut all = vec![Named { name: FIRST.to_owned(), tokens: first }];
    for (name, pointer) in &habits.more_tokens {
        // What the user has not granted is not there.
        if root.pointer(pointer).and_then(|part| part.get("access_token")).is_some() {
            all.push(Named { name: name.clone(), tokens: token(&root, pointer, answer, habits)? });
        }
    }
    Ok(held::join(all, &values(&root, habits)))
}

/// What the answer says of the connection, as far as it looks as it must.
fn values(root: &Value, habits: &Habits) -> BTreeMap<String, String> {
    let told = habits.values.iter().filter_map(|value| {
        let Source::Token(pointer) = &value.source else { return None };
        let text = value_text(root.pointer(pointer)?)?;
        value.pattern.matches(&text).then(|| (value.key.clone(), text))
    });
    told.collect()
}

/// A text or number of an answer as a connection's value.
#[must_use]
pub fn value_text(found: &Value) -> Option<String> {
    match found {
        Value::String(text) if text.len() <= 512 => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads the answer to a refresh of one of several tokens: it may be where consents have it, or stand alone.
pub(super) fn read_one(answer: &Answer<'_>, habits: &Habits, name: &str) -> Result<Tokens, TokenError> {
    let mut one = Habits { more_tokens: BTreeMap::new(), values: Vec::new(), ..habits.clone() };
    if let Some(pointer) = habits.more_tokens.get(name) {
        one.token_pointer.clone_from(pointer);
        if let Ok(tokens) = read(answer, &one) {
            return Ok(tokens);
        }
        one.token_pointer.clear();
    }
    read(answer, &one)
}

fn token(root: &Value, pointer: &str, answer: &Answer<'_>, habits: &Habits) -> Result<Tokens, TokenError> {
    let token = root.pointer(pointer).filter(|token| token.is_object()).ok_or(Unusable::Pointer)?;
    if let Some(refused) = token.as_object().and_then(|fields| refused::reason(fields, answer.retry_after)) {
        return Err(refused);
    }
    Ok(fields::read(token, habits, answer.date)?)
}

/// Whether the status alone says that the provider is overloaded or broken for now.
pub(super) fn transient(status: StatusCode, retry_after: Option<Duration>) -> Option<TokenError> {
    let busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    busy.then_some(TokenError::Transient { retry_after })
}

/// Why an answer that should have been a success is none.
pub(super) fn refusal(answer: &Answer<'_>, habits: &Habits) -> TokenError {
    if let Some(transient) = transient(answer.status, answer.retry_after) {
        return transient;
    }
    let root = object(answer, habits).unwrap_or_default();
    refused::reason(&root, answer.retry_after).unwrap_or_else(|| refused::without_code(answer.status))
}

/// Whether a body refuses although its status does not: `ok: false`, or an `error`.
pub(super) fn says_no(body: &[u8]) -> bool {
    let root = serde_json::from_slice::<Map<String, Value>>(body).unwrap_or_default();
    refused::reason(&root, None).is_some()
}

impl Answer<'_> {
    /// The wait that the provider asked for.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// Reads the body by what it looks like, since content types of token endpoints are often wrong.
fn object(answer: &Answer<'_>, habits: &Habits) -> Result<Map<String, Value>, Unusable> {
    if answer.body.len() > MAX_ANSWER {
        return Err(Unusable::TooLarge);
    }
    let body = answer.body.trim_ascii();
    match body.first() {
        None => Err(Unusable::Empty),
        Some(b'{') => serde_json::from_slice(body).map_err(|_| Unusable::NotAnObject),
        Some(b'<') => Err(Unusable::Html),
        Some(_) if answer.content_type.to_ascii_lowercase().starts_with("text/html") => Err(Unusable::Html),
        Some(_) => form(body, habits),
    }
}

/// A form that is none would parse too, as one field with an odd name; so it must name what an answer consists of.
fn form(body: &[u8], habits: &Habits) -> Result<Map<String, Value>, Unusable> {
    let fields: Map<String, Value> =
        form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into())).collect();
    let token = habits.token_fields.get("access_token").and_then(|pointer| pointer.strip_prefix('/'));
    let known = fields.contains_key(token.unwrap_or("access_token")) || fields.contains_key("error");
    if known { Ok(fields) } else { Err(Unusable::NotAnObject) }
}

#[cfg(test)]
mod tests;
