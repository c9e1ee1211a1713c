//! A provider's answer on its way back: its bytes and status as they came, of its headers only what is safe.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use taiku_bridge::api::{UPSTREAM_JSON_HEADER, UPSTREAM_STATUS_HEADER};

/// From this length on, in bytes, it is worth saying that a body is JSON: a browser takes longer to find out.
const WORTH_CHECKING: usize = 16 * 1024;

/// What a provider answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The provider's status.
    pub status: StatusCode,
    /// Whether it is a failure, by its status or by the toolkit's own word for it.
    pub failed: bool,
    /// Whether it says that the access token no longer lives.
    pub dead: bool,
    /// The provider's content type.
    pub content_type: Option<String>,
    /// When the provider asks to be called again.
    pub retry_after: Option<HeaderValue>,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// An answer in storage.
#[derive(Serialize, Deserialize)]
struct Stored {
    status: u16,
    failed: bool,
    content_type: Option<String>,
}

impl Answer {
    /// As bytes, for the store: a line of JSON, then the body.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = Stored {
            status: self.status.as_u16(),
            failed: self.failed,
            content_type: self.content_type.clone(),
        };
        let mut bytes = serde_json::to_vec(&head).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The inverse of [`Answer::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Stored = serde_json::from_slice(&bytes[..end]).ok()?;
        Some(Self {
            status: StatusCode::from_u16(head.status).ok()?,
            failed: head.failed,
            dead: false,
            content_type: head.content_type,
            retry_after: None,
            body: Bytes::copy_from_slice(&bytes[end + 1..]),
        })
    }

    /// Whether the body is long and exactly one JSON value.
    fn is_long_json(&self) -> bool {
        self.body.len() >= WORTH_CHECKING && serde_json::from_slice::<IgnoredAny>(&self.body).is_ok()
    }

    /// JSON keeps its content type; what a browser might take for a page does not.
    fn safe_content_type(&self) -> HeaderValue {
        let given = self.content_type.as_deref().unwrap_or_default();
        let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_json = essence == "application/json"
            || (essence.starts_with("application/") && essence.ends_with("+json"));
        if is_json && let Ok(value) = HeaderValue::from_str(given) {
            return value;
        }
        let textual = essence.is_empty() || essence.starts_with("text/") || essence.ends_with("xml");
        if textual && std::str::from_utf8(&self.body).is_ok() {
            return HeaderValue::from_static("text/plain; charset=utf-8");
        }
        HeaderValue::from_static("application/octet-stream")
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = if self.failed { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
        let content_type = self.safe_content_type();
        let is_long_json = self.is_long_json();
        let mut response = (status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(HeaderName::from_static(UPSTREAM_STATUS_HEADER), self.status.as_u16().into());
        if is_long_json {
            headers.insert(HeaderName::from_static(UPSTREAM_JSON_HEADER), HeaderValue::from_static("1"));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, wait);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(content_type: Option<&str>, body: &'static [u8]) -> Answer {
        Answer {
            status: StatusCode::OK,
            failed: false,
            dead: false,
            content_type: content_type.map(str::to_owned),
            retry_after: None,
            body: Bytes::from_static(body),
        }
    }

    #[test]
    fn nothing_comes_back_as_a_page() {
        for (given, body, kept) in [
            (Some("application/json"), &b"{}"[..], "application/json"),
            (
                Some("application/problem+json; charset=utf-8"),
                b"{}",
                "application/problem+json; charset=utf-8",
            ),
            (Some("text/html"), b"<b>", "text/plain; charset=utf-8"),
            (Some("image/svg+xml"), b"<svg/>", "text/plain; charset=utf-8"),
            (Some("application/javascript"), b"1", "application/octet-stream"),
            (None, b"text", "text/plain; charset=utf-8"),
            (None, b"\xff\xfe", "application/octet-stream"),
            (Some("image/png"), b"\x89PNG", "application/octet-stream"),
        ] {
            assert_eq!(answer(given, body).safe_content_type(), kept, "{given:?}");
        }
    }

    #[test]
    fn only_a_long_body_that_is_one_json_value_is_said_to_be_json() {
        let long = format!("[\"{}\"]", "x".repeat(WORTH_CHECKING));
        let said = |body: String| {
            let answer = Answer { body: body.into(), ..answer(Some("application/json"), b"") };
            answer.into_response().headers().contains_key(UPSTREAM_JSON_HEADER)
        };
        assert!(said(long.clone()));
        for body in ["[]".into(), format!("{long},\"id\":\"2\""), format!("{long}}}"), long.replace(']', "")]
        {
            assert!(!said(body));
        }
    }

    #[test]
    fn an_answer_survives_storage() {
        let answer =
            Answer { failed: true, status: StatusCode::NOT_FOUND, ..answer(Some("text/x"), b"a\nb\0c") };
        assert_eq!(Answer::from_bytes(&answer.to_bytes()), Some(answer));
        assert_eq!(Answer::from_bytes(b""), None);
        assert_eq!(Answer::from_bytes(b"x\ny"), None);
    }
}
