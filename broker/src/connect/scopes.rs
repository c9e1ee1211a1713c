//! What is asked for.

use taiku_bridge::Refusal;

use crate::integration::Ready;
use crate::store::connections::Connection;

/// What is asked for. Whoever renews keeps what was granted, which would end with the older token; and asks again for
/// what was not, unless it is said what to add.
pub(super) fn wanted(ready: &Ready, asked: Option<Vec<String>>, renewed: Option<&Connection>) -> Vec<String> {
    let more: Vec<String> = match (renewed, &asked) {
        (None, _) => Vec::new(),
        (Some(renewed), Some(_)) => renewed.scopes.clone(),
        (Some(renewed), None) => [renewed.scopes.clone(), renewed.requested.clone()].concat(),
    };
    union(asked.unwrap_or_else(|| ready.scopes.clone()), more)
}

/// All of `one`, and what of `other` is not in it.
pub(crate) fn union(mut one: Vec<String>, other: impl IntoIterator<Item = String>) -> Vec<String> {
    for scope in other {
        if !one.contains(&scope) {
            one.push(scope);
        }
    }
    one
}

/// Scopes as somebody wrote them, if they are scopes.
///
/// # Errors
/// `invalid_params` with the first that is none.
pub fn checked_scopes(scopes: Vec<String>) -> Result<Vec<String>, Refusal> {
    // RFC 6749, section 3.3: printable ASCII without blanks, quotes and backslashes.
    let bad = |scope: &String| {
        scope.is_empty()
            || scope.len() > 256
            || !scope.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\".contains(&b))
    };
    match scopes.iter().position(bad) {
        Some(index) => Err(Refusal::field(format!("/scopes/{index}"), "is not a scope")),
        None if scopes.len() > 100 => Err(Refusal::field("/scopes", "has more than 100 entries")),
        None => Ok(scopes),
    }
}
