//! What came back over HTTP.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use taiku_bridge::api::UPSTREAM_STATUS_HEADER;

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// A header as text; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The body as one of the API's types, of a success.
    ///
    /// # Panics
    /// When the status is not 2xx or the body is of another shape.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> T {
        assert!(self.status.is_success(), "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("another shape ({error}): {self:?}"))
    }

    /// The status, and the code of a problem document (RFC 9457); for one line in a test.
    ///
    /// # Panics
    /// When the body is no problem document.
    #[must_use]
    pub fn problem(&self) -> (u16, String) {
        assert!(self.header("content-type").starts_with("application/problem+json"), "no problem: {self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{self:?}");
        let code = problem["code"].as_str().unwrap_or_default();
        assert_ne!(
            problem["detail"].as_str().unwrap_or_default(),
            "",
            "a problem says what is wrong: {self:?}"
        );
        (self.status.as_u16(), code.to_owned())
    }

    /// The provider's status, when the body is the provider's.
    #[must_use]
    pub fn upstream(&self) -> Option<u16> {
        self.header(UPSTREAM_STATUS_HEADER).parse().ok()
    }

    /// Checks the status and gives the answer back.
    ///
    /// # Panics
    /// When it is another.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }
}
