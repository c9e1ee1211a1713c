//! Parameters of a query or of an `application/x-www-form-urlencoded` body.

use url::form_urlencoded;

/// Parameters in the order in which they came.
#[derive(Debug)]
pub(crate) struct Form(Vec<(String, String)>);

/// A parameter came twice, which RFC 6749 section 3.1 forbids.
#[derive(Debug, thiserror::Error)]
#[error("the parameter {0} is there more than once")]
pub(crate) struct Repeated(pub(crate) &'static str);

impl Form {
    /// Decodes `text`; nothing in it can fail.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value of `name`; an empty one counts as absent (RFC 6749 section 3.1).
    ///
    /// # Errors
    /// [`Repeated`] if it is there more than once.
    pub(crate) fn get(&self, name: &'static str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = values.next();
        match values.next() {
            Some(_) => Err(Repeated(name)),
            None => Ok(first.filter(|value| !value.is_empty())),
        }
    }
}

/// Adds parameters to an address that may have some already.
pub(crate) fn append(address: &str, params: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_there_once_or_not_at_all() {
        let form = Form::parse(b"a=1&b=&c=1&c=1&d=x+y%26z");
        assert_eq!(form.get("a").unwrap(), Some("1"));
        assert_eq!(form.get("b").unwrap(), None);
        assert_eq!(form.get("missing").unwrap(), None);
        assert_eq!(form.get("d").unwrap(), Some("x y&z"));
        assert!(form.get("c").is_err());
    }

    #[test]
    fn appending_keeps_a_query_and_encodes_values() {
        assert_eq!(append("https://a/cb", &[("state", "a&b=c d")]), "https://a/cb?state=a%26b%3Dc+d");
        assert_eq!(append("https://a/cb?x=1", &[("code", "1")]), "https://a/cb?x=1&code=1");
    }
}
