//! The fields of a token object, each brought to the form of RFC 6749 section 5.1.

use serde_json::{Map, Value};

use super::Unusable;

/// Ten years in seconds: longer than any installation keeps a token without a refresh.
const MAX_LIFETIME: u64 = 10 * 365 * 24 * 60 * 60;
/// Bytes of one token.
const MAX_TOKEN: usize = 32 * 1024;
/// Scopes that are kept of an answer.
const MAX_SCOPES: usize = 500;
/// Types that are sent as `Authorization: Bearer`, whatever their provider calls them.
const BEARER_TYPES: &[&str] = &["", "bearer", "bot", "user", "token"];

pub(super) fn even(token: &Map<String, Value>) -> Result<Map<String, Value>, Unusable> {
    let mut even = Map::new();
    check_type(token.get("token_type"))?;
    even.insert("token_type".into(), "bearer".into());
    let access_token = sendable(token.get("access_token")).ok_or(Unusable::AccessToken)?;
    even.insert("access_token".into(), access_token.into());
    match token.get("refresh_token") {
        None | Some(Value::Null) => {}
        Some(Value::String(empty)) if empty.is_empty() => {}
        found => {
            even.insert("refresh_token".into(), sendable(found).ok_or(Unusable::RefreshToken)?.into());
        }
    }
    if let Some(seconds) = lifetime(token.get("expires_in")) {
        even.insert("expires_in".into(), seconds.into());
    }
    if let Some(scopes) = scopes(token.get("scope")) {
        even.insert("scope".into(), scopes.join(" ").into());
    }
    Ok(even)
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

fn lifetime(found: Option<&Value>) -> Option<u64> {
    let seconds = match found? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // Casting a float to an integer saturates; what is not a number compares false.
    (seconds >= 1.0).then(|| (seconds as u64).min(MAX_LIFETIME))
}

fn scopes(found: Option<&Value>) -> Option<Vec<&str>> {
    let texts: Vec<&str> = match found? {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let names = texts.into_iter().flat_map(|text| text.split([' ', ',', '\t', '\n', '\r']));
    Some(names.filter(|name| !name.is_empty()).take(MAX_SCOPES).collect())
}
