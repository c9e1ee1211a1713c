//! The fields of a token object (RFC 6749 section 5.1), wherever and however they are written.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use super::{Tokens, Unusable};
use crate::toolkit::{Expires, Habits};
use crate::vault::SecretString;

/// Ten years in seconds: longer than any installation keeps a token without a refresh.
const MAX_LIFETIME: u64 = 10 * 365 * 24 * 60 * 60;
/// From here on a moment is in milliseconds: 2001 in milliseconds, and the year 33658 in seconds.
const MILLIS_BEGIN: f64 = 1e12;
/// Bytes of one token.
const MAX_TOKEN: usize = 32 * 1024;
/// Scopes that are kept of an answer.
const MAX_SCOPES: usize = 500;
/// Types that are sent as `Authorization: Bearer`, whatever their provider calls them.
const BEARER_TYPES: &[&str] = &["", "bearer", "bot", "user", "token"];

/// Reads a token object.
pub(super) fn read(token: &Value, habits: &Habits, date: Option<i64>) -> Result<Tokens, Unusable> {
    let field = |name: &str| match habits.token_fields.get(name) {
        Some(pointer) => token.pointer(pointer),
        None => token.get(name),
    };
    check_type(field("token_type"))?;
    let access_token = sendable(field("access_token")).ok_or(Unusable::AccessToken)?;
    let refresh_token = match field("refresh_token") {
        None | Some(Value::Null) => None,
        Some(Value::String(empty)) if empty.is_empty() => None,
        found => Some(sendable(found).ok_or(Unusable::RefreshToken)?),
    };
    let secret = |text: &str| SecretString::new(text.to_owned());
    let lifetime = field("expires_in").and_then(|found| lifetime(found, habits.expires, date));
    Ok(Tokens {
        access_token: secret(access_token),
        refresh_token: refresh_token.map(secret),
        expires_in: lifetime.or(habits.default_lifetime),
        scopes: scopes(field("scope"), &habits.scope_separator),
        token_type: "bearer",
    })
}

fn check_type(found: Option<&Value>) -> Result<(), Unusable> {
    let found = match found {
        None | Some(Value::Null) => "",
        Some(Value::String(found)) => found,
        Some(_) => return Err(Unusable::TokenType),
    };
    let known = BEARER_TYPES.iter().any(|known| known.eq_ignore_ascii_case(found));
    if known { Ok(()) } else { Err(Unusable::TokenType) }
}

/// A token of visible ASCII (RFC 6749 appendix A.12), which a header can carry.
fn sendable(found: Option<&Value>) -> Option<&str> {
    let token = found?.as_str()?;
    let sendable =
        !token.is_empty() && token.len() <= MAX_TOKEN && token.bytes().all(|b| b.is_ascii_graphic());
    sendable.then_some(token)
}

/// Seconds that a token still lives.
fn lifetime(found: &Value, expires: Expires, date: Option<i64>) -> Option<u64> {
    let seconds = match expires {
        Expires::Seconds => number(found)?,
        Expires::Milliseconds => number(found)? / 1000.0,
        // The provider's own clock wrote both, so that it does not matter how far off it is.
        Expires::Timestamp => (moment(found)? - date? as f64) / 1000.0,
    };
    // Casting a float to an integer saturates; what is not a number compares false.
    (seconds >= 1.0).then(|| (seconds as u64).min(MAX_LIFETIME))
}

fn number(found: &Value) -> Option<f64> {
    match found {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A moment in milliseconds since 1970, from RFC 3339 or from a number of seconds or milliseconds.
fn moment(found: &Value) -> Option<f64> {
    match number(found) {
        Some(number) if number < MILLIS_BEGIN => Some(number * 1000.0),
        Some(number) => Some(number),
        None => {
            let moment = OffsetDateTime::parse(found.as_str()?.trim(), &Rfc3339).ok()?;
            Some(moment.unix_timestamp() as f64 * 1000.0)
        }
    }
}

/// An HTTP date (RFC 9110 section 5.6.7) in milliseconds since 1970.
pub(super) fn date(text: &str) -> Option<i64> {
    let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some(date.unix_timestamp().saturating_mul(1000))
}

fn scopes(found: Option<&Value>, separator: &str) -> Option<Vec<String>> {
    let texts: Vec<&str> = match found? {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let between = |c: char| matches!(c, ' ' | ',' | '\t' | '\n' | '\r') || separator.contains(c);
    let names = texts.into_iter().flat_map(|text| text.split(between));
    Some(names.filter(|name| !name.is_empty()).take(MAX_SCOPES).map(str::to_owned).collect())
}
