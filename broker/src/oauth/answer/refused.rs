//! What error codes of token endpoints mean.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value};

use super::super::error::Said;
use super::TokenError;

/// What a code tells us to do.
#[derive(Clone, Copy)]
pub(super) enum Class {
    Grant,
    Client,
    Transient,
}

/// Codes of RFC 6749 section 5.2 and those that providers made up beside them; every other code is
/// [`TokenError::Denied`].
pub(super) const CODES: &[(&str, Class)] = &[
    ("invalid_grant", Class::Grant),
    ("bad_verification_code", Class::Grant),
    ("bad_refresh_token", Class::Grant),
    ("invalid_code", Class::Grant),
    ("code_already_used", Class::Grant),
    ("invalid_refresh_token", Class::Grant),
    ("token_expired", Class::Grant),
    ("token_revoked", Class::Grant),
    ("invalid_client", Class::Client),
    ("incorrect_client_credentials", Class::Client),
    ("invalid_client_id", Class::Client),
    ("bad_client_secret", Class::Client),
    ("temporarily_unavailable", Class::Transient),
    ("server_error", Class::Transient),
    ("slow_down", Class::Transient),
    ("ratelimited", Class::Transient),
    ("rate_limited", Class::Transient),
];

/// The refusal in an answer, whatever its status: an `error`, or `ok: false`.
pub(super) fn reason(answer: &Map<String, Value>, retry_after: Option<Duration>) -> Option<TokenError> {
    let code = match answer.get("error") {
        Some(Value::String(code)) if !code.is_empty() => code.as_str(),
        // Some providers answer an object with a code or type of their own.
        Some(Value::Object(error)) => text(error, &["code", "type", "status"]).unwrap_or_default(),
        _ if answer.get("ok") == Some(&Value::Bool(false)) => "",
        _ => return None,
    };
    Some(classify(code, text(answer, &["error_description", "message"]), retry_after))
}

/// A 4xx that names no code.
pub(super) fn without_code(status: StatusCode) -> TokenError {
    // RFC 6749 section 5.2 has 401 for a client that is not accepted.
    if status == StatusCode::UNAUTHORIZED { TokenError::InvalidClient } else { denied("", None) }
}

fn classify(code: &str, said: Option<&str>, retry_after: Option<Duration>) -> TokenError {
    match CODES.iter().find(|(known, _)| *known == code) {
        Some((_, Class::Grant)) => TokenError::InvalidGrant,
        Some((_, Class::Client)) => TokenError::InvalidClient,
        Some((_, Class::Transient)) => TokenError::Transient { retry_after },
        None => denied(code, said),
    }
}

/// Codes reach logs, so only what looks like one is kept; a token would have digits or be longer.
fn denied(code: &str, said: Option<&str>) -> TokenError {
    let plain = |c: char| c.is_ascii_alphabetic() || c == '_';
    let usable = !code.is_empty() && code.len() <= 40 && code.chars().all(plain);
    let code = if usable { code } else { "other" };
    TokenError::Denied { code: code.to_owned(), said: said.and_then(Said::new) }
}

fn text<'a>(object: &'a Map<String, Value>, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| object.get(*name).and_then(Value::as_str))
}
