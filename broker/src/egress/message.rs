//! A request on its way out and the answer to it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

/// One request. Its `Debug` shows neither path, headers nor body, since each can hold a credential.
pub struct Outbound {
    /// HTTP method.
    pub method: Method,
    /// Where to; its origin must be one of the toolkit's [`AllowedHosts`](super::AllowedHosts).
    pub url: Url,
    /// Headers; all are treated as secrets. Those that belong to the connection, such as `Host`, are refused.
    pub headers: HeaderMap,
    /// Body; empty means none.
    pub body: Bytes,
    /// From the first step until the last byte of the answer; usually [`TOTAL`](super::TOTAL), at most
    /// [`TOKEN_TOTAL`](super::TOKEN_TOTAL).
    pub timeout: Duration,
}

impl Outbound {
    /// A `GET` without headers that may take [`TOTAL`](super::TOTAL).
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: super::TOTAL,
        }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("method", &self.method)
            .field("origin", &self.url.origin().ascii_serialization())
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// A whole answer, decoded and within the caps.
pub struct Inbound {
    /// The status as it came; redirects included.
    pub status: StatusCode,
    /// The headers as they came, without `Content-Encoding` and `Content-Length` where the body was decompressed.
    pub headers: HeaderMap,
    /// The decompressed body.
    pub body: Bytes,
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
