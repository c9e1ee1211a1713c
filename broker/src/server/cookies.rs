//! Cookies. Their names carry the port on loopback, because browsers share cookies between the ports of a host.

use http::{HeaderMap, HeaderValue, header};

use crate::config::Origin;

/// Whether a cookie comes along when another site sends the browser here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SameSite {
    /// Never.
    Strict,
    /// When a person follows a link or is redirected, with a safe method.
    Lax,
}

/// The name of the session cookie.
#[must_use]
pub(super) fn session_name(origin: &Origin) -> String {
    with_port("__Host-taiku", origin)
}

/// The name of the cookie by which a browser is known in which somebody has signed in. It lets nobody in.
#[must_use]
pub(super) fn known_name(origin: &Origin) -> String {
    with_port("__Host-taiku-known", origin)
}

/// The name of the cookie of one OAuth flow.
#[must_use]
pub(super) fn flow_name(flow: &str, origin: &Origin) -> String {
    with_port(&format!("__Host-taiku-{flow}"), origin)
}

fn with_port(name: &str, origin: &Origin) -> String {
    match origin.port_on_loopback() {
        Some(port) => format!("{name}-{port}"),
        None => name.to_owned(),
    }
}

/// The value of a cookie, if the request carries exactly one of that name: two may mean that somebody has
/// planted one.
#[must_use]
pub(super) fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// Sets a cookie that only HTTPS, or loopback, and no script may see.
#[must_use]
pub(super) fn set(name: &str, value: &str, same_site: SameSite, max_age_seconds: i64) -> Option<HeaderValue> {
    let same_site = match same_site {
        SameSite::Strict => "Strict",
        SameSite::Lax => "Lax",
    };
    let text =
        format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}; Max-Age={max_age_seconds}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Removes a cookie.
#[must_use]
pub(super) fn clear(name: &str, same_site: SameSite) -> Option<HeaderValue> {
    set(name, "", same_site, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_of_a_name_is_found_and_two_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; __Host-taiku-80=x"));
        assert_eq!(get(&headers, "__Host-taiku-80"), Some("x"));
        assert_eq!(get(&headers, "__Host-taiku"), None);
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-taiku-80=y"));
        assert_eq!(get(&headers, "__Host-taiku-80"), None);
    }
}
