//! Where a toolkit's API is and what its answers mean.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::auth::{Auth, check_pointer};
use super::fault::Faults;
use super::file::ApiTable;
use super::headers;
use super::template::Template;

/// A toolkit's API, before its settings are filled in.
#[derive(Clone, Debug)]
pub struct Api {
    /// The address that the paths of the tools are appended to.
    pub base_url: Template,
    /// Headers of every request.
    pub headers: HeaderMap,
    /// How the access token is sent; `None` for an open API.
    pub authorization: Option<Authorization>,
    /// Statuses that say that the access token no longer lives.
    pub dead_token: Vec<u16>,
    /// What tells that a 2xx answer is a failure.
    pub failure: Option<Failure>,
    /// Headers that say when to try again, the first that is there counts.
    pub retry_after: Vec<HeaderName>,
}

/// The value of the `Authorization` header, with a place for the access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    before: String,
    after: String,
}

const ACCESS_TOKEN: &str = "{access_token}";

impl Authorization {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (before, after) = text.split_once(ACCESS_TOKEN).ok_or("must contain {access_token}")?;
        if after.contains(ACCESS_TOKEN) || !headers::is_value(before) && !before.is_empty() {
            return Err("must be visible ASCII with one {access_token}");
        }
        if !after.is_empty() && !headers::is_value(after.trim()) {
            return Err("must be visible ASCII with one {access_token}");
        }
        Ok(Self { before: before.to_owned(), after: after.to_owned() })
    }

    /// The header's value, marked as sensitive; `None` for a token that no header can carry.
    #[must_use]
    pub fn value(&self, access_token: &str) -> Option<HeaderValue> {
        let text = zeroize::Zeroizing::new(format!("{}{access_token}{}", self.before, self.after));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// A field of a 2xx answer that tells a failure, such as `/ok == false`.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pointer: String,
    value: Value,
}

impl Failure {
    /// Reads `<JSON pointer> == <JSON value>`.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let form = "must be `<JSON pointer> == <JSON value>`, such as `/ok == false`";
        let (pointer, value) = text.split_once("==").ok_or(form)?;
        let value = serde_json::from_str(value.trim()).map_err(|_| form)?;
        let pointer = pointer.trim();
        if pointer.starts_with('/') { Ok(Self { pointer: pointer.to_owned(), value }) } else { Err(form) }
    }

    /// Whether an answer is such a failure.
    #[must_use]
    pub fn is_in(&self, answer: &Value) -> bool {
        answer.pointer(&self.pointer) == Some(&self.value)
    }
}

/// Reads the table `[api]`.
pub(crate) fn read(table: ApiTable, auth: Option<&Auth>, faults: &mut Faults) -> Option<Api> {
    let base_url = faults.take("api.base_url", Template::parse(&table.base_url));
    let authorization = authorization(table.authorization.as_deref(), auth, faults);
    for status in table.dead_token.iter().flatten().filter(|status| !(400..600).contains(*status)) {
        faults.push("api.dead_token", format!("{status} is not a status of 400 to 599"));
    }
    let failure = match table.failure.as_str() {
        "" => None,
        text => faults.take("api.failure", Failure::parse(text)),
    };
    check_pointer("api.failure", failure.as_ref().map_or("", |failure| &failure.pointer), faults);
    let mut names = Vec::new();
    for name in &table.retry_after {
        let parsed =
            HeaderName::try_from(name.as_str()).map_err(|_| format!("`{name}` is not a header name"));
        names.extend(faults.take("api.retry_after", parsed));
    }
    let headers = fixed_headers(&table, faults);
    Some(Api {
        base_url: base_url?,
        headers,
        authorization,
        dead_token: table.dead_token.unwrap_or_else(|| vec![401]),
        failure,
        retry_after: names,
    })
}

fn authorization(text: Option<&str>, auth: Option<&Auth>, faults: &mut Faults) -> Option<Authorization> {
    match (text, auth) {
        (None | Some(""), Some(Auth::None) | None) => None,
        (Some(text), Some(Auth::None)) if !text.is_empty() => {
            faults.push("api.authorization", "needs a token, and auth.mode is `none`; remove it");
            None
        }
        (text, _) => {
            let text = text.filter(|text| !text.is_empty()).unwrap_or("Bearer {access_token}");
            faults.take("api.authorization", Authorization::parse(text))
        }
    }
}

fn fixed_headers(table: &ApiTable, faults: &mut Faults) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in &table.headers {
        let at = format!("api.headers.{name}");
        let Ok(parsed) = HeaderName::try_from(name.as_str()) else {
            faults.push(at, "is not a header name");
            continue;
        };
        if headers::is_owned(&parsed) {
            faults.push(at, "is set by taiku and cannot be replaced; remove it");
        } else if !headers::is_value(value) {
            faults.push(at, "must be visible ASCII");
        } else if let Ok(value) = HeaderValue::from_str(value) {
            map.insert(parsed, value);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_read_and_found() {
        let failure = Failure::parse("/ok == false").unwrap();
        assert!(failure.is_in(&serde_json::json!({"ok": false})));
        assert!(!failure.is_in(&serde_json::json!({"ok": true})));
        assert!(!failure.is_in(&serde_json::json!([])));
        for text in ["ok == false", "/ok = false", "/ok == no", "/ok"] {
            assert!(Failure::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_access_token_has_one_place() {
        let bearer = Authorization::parse("Bearer {access_token}").unwrap();
        let value = bearer.value("abc").unwrap();
        assert_eq!(value, "Bearer abc");
        assert!(value.is_sensitive());
        assert_eq!(bearer.value("a\r\nb"), None);
        for text in ["Bearer", "{access_token}{access_token}", "Bé {access_token}"] {
            assert!(Authorization::parse(text).is_err(), "{text}");
        }
    }
}
