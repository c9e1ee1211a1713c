//! Where a toolkit's API is and what its answers mean.

use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::auth::{Auth, Mode};
use super::condition::Condition;
use super::fault::Faults;
use super::file::{ApiTable, Said};
use super::headers;
use super::template::{Template, Text};

/// A toolkit's API, before its settings are filled in.
#[derive(Clone, Debug)]
pub struct Api {
    /// The address that the paths of the tools are appended to.
    pub base_url: Template,
    /// Its other addresses, on further hosts.
    pub more: Vec<Template>,
    /// Headers of every request.
    pub headers: HeaderMap,
    /// Headers of every request that need settings, or values of the connection.
    pub filled_headers: Vec<(HeaderName, Text)>,
    /// How the access token is sent; `None` for an open API.
    pub authorization: Option<Authorization>,
    /// What tells that the access token no longer lives.
    pub dead_token: Vec<Condition>,
    /// What tells that a 2xx answer is a failure.
    pub failure: Vec<Condition>,
    /// What tells that the call was one too many.
    pub rate_limited: Vec<Condition>,
    /// Headers that say when to try again, the first that is there counts.
    pub retry_after: Vec<HeaderName>,
}

/// Where and how a credential is sent: in a header, `Authorization` unless the toolkit names another, or as a parameter
/// of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    slot: Slot,
    before: String,
    after: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Slot {
    Header(HeaderName),
    Query(String),
}

const ACCESS_TOKEN: &str = "{access_token}";

impl Authorization {
    fn parse(text: &str, slot: Slot) -> Result<Self, &'static str> {
        let (before, after) = text.split_once(ACCESS_TOKEN).ok_or("must contain {access_token}")?;
        if after.contains(ACCESS_TOKEN) || !headers::is_value(before) && !before.is_empty() {
            return Err("must be visible ASCII with one {access_token}");
        }
        if !after.is_empty() && !headers::is_value(after.trim()) {
            return Err("must be visible ASCII with one {access_token}");
        }
        Ok(Self { slot, before: before.to_owned(), after: after.to_owned() })
    }

    /// Whether it is in that header.
    pub(crate) fn is_in(&self, header: &HeaderName) -> bool {
        matches!(&self.slot, Slot::Header(name) if name == header)
    }

    /// Puts a credential into a request; whether it fits.
    #[must_use]
    pub fn put(&self, credential: &str, headers: &mut HeaderMap, url: &mut Url) -> bool {
        let text = zeroize::Zeroizing::new(format!("{}{credential}{}", self.before, self.after));
        match &self.slot {
            Slot::Header(name) => {
                let Ok(mut value) = HeaderValue::from_str(&text) else { return false };
                value.set_sensitive(true);
                headers.insert(name.clone(), value);
            }
            Slot::Query(name) => {
                url.query_pairs_mut().append_pair(name, &text);
            }
        }
        true
    }
}

/// Reads the table `[api]`.
pub(crate) fn read(table: &ApiTable, auth: Option<&Auth>, faults: &mut Faults) -> Option<Api> {
    let base_url = faults.take("api.base_url", Template::parse(&table.base_url));
    let more =
        table.hosts.iter().filter_map(|host| faults.take("api.hosts", Template::parse(host))).collect();
    let authorization = authorization(table, auth, faults);
    let dead_token = conditions("api.dead_token", table.dead_token.as_deref(), &["401"], faults);
    for condition in dead_token.iter().filter(|one| one.may_be_success() && !one.has_subject()) {
        faults.push(
            "api.dead_token",
            format!("{condition} would end every token; name a status of 400 to 599"),
        );
    }
    let failure = conditions("api.failure", table.failure.as_ref().map(std::slice::from_ref), &[], faults);
    let rate_limited = conditions("api.rate_limited", table.rate_limited.as_deref(), &["429"], faults);
    let mut names = Vec::new();
    for name in &table.retry_after {
        let parsed =
            HeaderName::try_from(name.as_str()).map_err(|_| format!("`{name}` is not a header name"));
        names.extend(faults.take("api.retry_after", parsed));
    }
    let (headers, filled_headers) = fixed_headers(table, faults);
    Some(Api {
        base_url: base_url?,
        more,
        headers,
        filled_headers,
        authorization,
        dead_token,
        failure,
        rate_limited,
        retry_after: names,
    })
}

fn conditions(at: &str, said: Option<&[Said]>, default: &[&str], faults: &mut Faults) -> Vec<Condition> {
    let texts: Vec<String> = match said {
        Some(said) => said.iter().flat_map(Said::texts).collect(),
        None => default.iter().map(|text| (*text).to_owned()).collect(),
    };
    texts.iter().filter_map(|text| faults.take(at, Condition::parse(text))).collect()
}

fn authorization(table: &ApiTable, auth: Option<&Auth>, faults: &mut Faults) -> Option<Authorization> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let text = given(&table.authorization);
    let (header, query) = (given(&table.authorization_header), given(&table.authorization_query));
    if matches!(auth, None | Some(Auth::None)) {
        if auth.is_some() && (text.is_some() || header.is_some() || query.is_some()) {
            faults.push("api.authorization", "needs a token, and auth.mode is `none`; remove it");
        }
        return None;
    }
    let (slot, default) = match (header, query) {
        (Some(_), Some(_)) => {
            faults.push("api.authorization_query", "is a second place for the token; remove one of the two");
            return None;
        }
        (None, Some(name)) => (Slot::Query(name), ACCESS_TOKEN),
        (Some(name), None) => (Slot::Header(own_header(&name, faults)?), ACCESS_TOKEN),
        (None, None) => {
            let basic = matches!(auth, Some(Auth::OAuth2(oauth)) if oauth.habits.mode == Mode::Basic);
            let default = if basic { "Basic {access_token}" } else { "Bearer {access_token}" };
            (Slot::Header(http::header::AUTHORIZATION), default)
        }
    };
    faults.take("api.authorization", Authorization::parse(text.as_deref().unwrap_or(default), slot))
}

fn own_header(name: &str, faults: &mut Faults) -> Option<HeaderName> {
    let at = "api.authorization_header";
    let parsed = faults.take(at, HeaderName::try_from(name).map_err(|_| "is not a header name"))?;
    if headers::is_owned(&parsed) && parsed != http::header::AUTHORIZATION {
        faults.push(at, "is set by taiku and cannot be replaced");
        return None;
    }
    Some(parsed)
}

fn fixed_headers(table: &ApiTable, faults: &mut Faults) -> (HeaderMap, Vec<(HeaderName, Text)>) {
    let (mut map, mut filled) = (HeaderMap::new(), Vec::new());
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
        } else if let Some(text) = Text::parse(value) {
            filled.push((parsed, text));
        } else if let Ok(value) = HeaderValue::from_str(value) {
            map.insert(parsed, value);
        }
    }
    (map, filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(text: &str, slot: Slot, credential: &str) -> Option<(HeaderMap, String)> {
        let mut headers = HeaderMap::new();
        let mut url = Url::parse("https://api.test/x?a=1").unwrap();
        let fits = Authorization::parse(text, slot).unwrap().put(credential, &mut headers, &mut url);
        fits.then(|| (headers, url.into()))
    }

    #[test]
    fn the_access_token_has_one_place() {
        let authorization = || Slot::Header(http::header::AUTHORIZATION);
        let (headers, url) = put("Bearer {access_token}", authorization(), "abc").unwrap();
        assert_eq!(
            (&headers["authorization"], url.as_str()),
            (&HeaderValue::from_static("Bearer abc"), "https://api.test/x?a=1")
        );
        assert!(headers["authorization"].is_sensitive());
        assert_eq!(put("Bearer {access_token}", authorization(), "a\r\nb"), None);
        for text in ["Bearer", "{access_token}{access_token}", "Bé {access_token}"] {
            assert!(Authorization::parse(text, authorization()).is_err(), "{text}");
        }
        let own = Slot::Header(HeaderName::from_static("x-shopify-access-token"));
        let (headers, _) = put(ACCESS_TOKEN, own, "abc").unwrap();
        assert_eq!(
            (headers.len(), &headers["x-shopify-access-token"]),
            (1, &HeaderValue::from_static("abc"))
        );
        let (headers, url) = put(ACCESS_TOKEN, Slot::Query("key".to_owned()), "a&b").unwrap();
        assert_eq!((headers.len(), url.as_str()), (0, "https://api.test/x?a=1&key=a%26b"));
    }
}
