//! Who calls the token endpoint: `client_secret_basic` or `client_secret_post`.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::error::OAuthError;
use crate::demo::Demo;
use crate::form::Form;

struct Credentials {
    id: String,
    secret: String,
}

/// The id of the client that proved its secret.
///
/// # Errors
/// [`OAuthError`] if it did not, or tried in two ways at once.
pub(crate) fn authenticate(demo: &Demo, headers: &HeaderMap, form: &Form) -> Result<String, OAuthError> {
    let given = if headers.contains_key(AUTHORIZATION) {
        if form.get("client_secret")?.is_some() {
            return Err(OAuthError::TwoAuthentications);
        }
        let given = from_header(headers).ok_or(OAuthError::InvalidClient)?;
        if form.get("client_id")?.is_some_and(|id| id != given.id) {
            return Err(OAuthError::InvalidClient);
        }
        given
    } else {
        from_body(form)?
    };
    let client = demo.client(&given.id).ok_or(OAuthError::InvalidClient)?;
    if client.has_secret(&given.secret) { Ok(given.id) } else { Err(OAuthError::InvalidClient) }
}

fn from_body(form: &Form) -> Result<Credentials, OAuthError> {
    let id = form.get("client_id")?.ok_or(OAuthError::InvalidClient)?.to_owned();
    let secret = form.get("client_secret")?.ok_or(OAuthError::InvalidClient)?.to_owned();
    Ok(Credentials { id, secret })
}

fn from_header(headers: &HeaderMap) -> Option<Credentials> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some(Credentials { id: decode(id)?, secret: decode(secret)? })
}

/// Undoes the form-encoding that RFC 6749 section 2.3.1 asks for before Basic joins the two with a colon.
/// Text with a character that the encoding never leaves is refused, so that raw credentials are noticed.
fn decode(encoded: &str) -> Option<String> {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"*-._~+%".contains(&c);
    if !encoded.bytes().all(plain) {
        return None;
    }
    form_urlencoded::parse(encoded.as_bytes()).next().map(|(text, _)| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(pair: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)).parse().unwrap());
        headers
    }

    #[test]
    fn basic_is_form_encoded_before_it_is_joined() {
        let credentials = from_header(&basic("an+id%3A:s%26e+c%2Bret%25")).unwrap();
        assert_eq!(credentials.id, "an id:");
        assert_eq!(credentials.secret, "s&e c+ret%");
    }

    #[test]
    fn raw_credentials_are_refused() {
        for raw in ["id:s&ecret", "id:se cret", "id:se=cret", "id:se/cret", "no colon", "id:a:b"] {
            assert!(from_header(&basic(raw)).is_none(), "{raw}");
        }
    }

    #[test]
    fn the_scheme_has_no_case_and_other_schemes_are_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("bAsIc {}", STANDARD.encode("a:b")).parse().unwrap());
        assert!(from_header(&headers).is_some());
        headers.insert(AUTHORIZATION, "Bearer abc".parse().unwrap());
        assert!(from_header(&headers).is_none());
    }
}
