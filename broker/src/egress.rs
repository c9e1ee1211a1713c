//! The one door to the outside: every outbound HTTP request of the broker is sent by [`Egress::send`].
//!
//! What holds for each request, whoever asks for it:
//!
//! - its origin is one that the toolkit declared ([`AllowedHosts`]), over `https`; plain `http` only to a literal
//!   loopback address and only where [`Policy::allow_loopback_http`] says so;
//! - every address that its name resolves to is public ([`address`]), and the connection goes to exactly the
//!   addresses that were vetted, because the client connects with the vetting resolver's own answer;
//! - redirects are handed back instead of followed, there is no cookie store, and no proxy is taken from the
//!   environment;
//! - time, headers and decoded body are bounded ([`CONNECT`], [`TOTAL`], [`MAX_HEADERS`], [`MAX_BODY`]), and so is the
//!   memory of all answers that are being read at a time ([`buffers`]);
//! - a host that lets connections wait in vain is left alone for a while ([`breaker`]);
//! - an error says whether the request can have reached the other side, and never holds a credential, a header or
//!   a path.

pub mod address;
mod breaker;
mod buffers;
mod error;
mod hosts;
mod message;
mod public;
mod resolver;
pub(crate) mod tls;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use error::{EgressError, EgressSetupError, NotSent, Oversize, Refusal, Unknown};
pub use hosts::AllowedHosts;
pub use message::{Inbound, Outbound};
pub use public::PUBLIC_REDIRECTS;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use breaker::Breaker;
use buffers::{Buffers, Seats};
use resolver::{Lookup, SystemLookup, VettingResolver};

/// How long resolving, connecting and the TLS handshake may take together.
pub const CONNECT: Duration = Duration::from_secs(5);
/// How long an ordinary request may take until the last byte of its answer.
pub const TOTAL: Duration = Duration::from_secs(30);
/// The same for token endpoints, whose lost answers are dear. No request gets more.
pub const TOKEN_TOTAL: Duration = Duration::from_secs(60);
/// Bytes of an answer's body after decompression.
pub const MAX_BODY: usize = 8 * 1024 * 1024;
/// Bytes of an answer's header names and values together.
pub const MAX_HEADERS: usize = 64 * 1024;

/// Headers that the connection owns. A caller that set them could address another virtual host or desynchronise
/// the connection that other requests share (RFC 9112 section 11.2).
const OWNED_HEADERS: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
];

/// What an installation allows beyond public `https` hosts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    /// `TAIKU_ALLOW_LOOPBACK_HTTP`: whether toolkits may point at the literals `127.0.0.1` and `[::1]`.
    pub allow_loopback_http: bool,
}

/// The client for outbound HTTP. Clones share their connections.
#[derive(Clone)]
pub struct Egress {
    client: reqwest::Client,
    policy: Policy,
    buffers: Buffers,
    breaker: Breaker,
}

impl Egress {
    /// A client that resolves names with the operating system.
    ///
    /// # Errors
    /// Fails where no TLS client can be set up.
    pub fn new(policy: Policy) -> Result<Self, EgressSetupError> {
        Self::with_lookup(policy, Arc::new(SystemLookup))
    }

    fn with_lookup(policy: Policy, lookup: Arc<dyn Lookup>) -> Result<Self, EgressSetupError> {
        let client = client(VettingResolver::new(lookup))?;
        Ok(Self { client, policy, buffers: Buffers::new(), breaker: Breaker::default() })
    }

    /// Sends one request to one of `hosts` and reads the whole answer, whatever its status; a redirect is an
    /// answer too.
    ///
    /// # Errors
    /// [`EgressError`] says whether the request was not sent, may have been acted on, or was answered beyond the caps.
    pub async fn send(&self, outbound: Outbound, hosts: &AllowedHosts) -> Result<Inbound, EgressError> {
        self.vet(&outbound.url, hosts)?;
        vet_headers(&outbound.headers)?;
        let origin = outbound.url.origin().ascii_serialization();
        self.breaker.ask(&origin).map_err(EgressError::NotSent)?;
        let began = Instant::now();
        let deadline = began + outbound.timeout.min(TOKEN_TOTAL);
        let request = self.request(outbound);
        let exchange = async {
            let response = request.send().await.map_err(|error| error::classify(&error))?;
            receive(response, self.buffers.answer(&origin)).await
        };
        let result = timeout_at(deadline, exchange).await.unwrap_or(Err(EgressError::Unknown(Unknown::Slow)));
        self.breaker.learn(&origin, began, &result);
        result
    }

    /// Whether a request to `url` would be allowed to leave at all, before its name is resolved.
    ///
    /// # Errors
    /// Says which rule the URL breaks.
    pub fn vet(&self, url: &Url, hosts: &AllowedHosts) -> Result<(), Refusal> {
        self.vet_url(url)?;
        if hosts.contains(url) { Ok(()) } else { Err(Refusal::Undeclared) }
    }

    /// The part of [`Egress::vet`] that needs no toolkit: scheme, host form, literal addresses, user names.
    ///
    /// # Errors
    /// Says which rule the URL breaks.
    pub fn vet_url(&self, url: &Url) -> Result<(), Refusal> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Userinfo);
        }
        let literal = match url.host() {
            None => return Err(Refusal::NoHost),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
        };
        let loopback = literal.is_some_and(address::is_plain_loopback) && self.policy.allow_loopback_http;
        match (url.scheme(), literal) {
            ("http" | "https", Some(_)) if loopback => Ok(()),
            ("https", None) => Ok(()),
            ("https", Some(ip)) => address::vet(ip).map_err(|range| Refusal::Address { range }),
            _ => Err(Refusal::Scheme),
        }
    }

    fn request(&self, outbound: Outbound) -> reqwest::RequestBuilder {
        let Outbound { method, url, mut headers, body, timeout: _ } = outbound;
        for value in headers.values_mut() {
            value.set_sensitive(true);
        }
        let request = self.client.request(method, url).headers(headers);
        if body.is_empty() { request } else { request.body(body) }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that may build an HTTP client")]
fn client(resolver: VettingResolver) -> Result<reqwest::Client, EgressSetupError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config()?)
        .dns_resolver(Arc::new(resolver))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // Its window may be 16 MiB, which is twice as much as an answer may be.
        .no_brotli()
        .no_proxy()
        .connect_timeout(CONNECT)
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(concat!("taiku/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|_| EgressSetupError::Client)
}

fn vet_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    match OWNED_HEADERS.iter().find(|name| headers.contains_key(**name)) {
        Some(name) => Err(Refusal::Header { name }),
        None => Ok(()),
    }
}

async fn receive(mut response: reqwest::Response, seats: Seats) -> Result<Inbound, EgressError> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > MAX_HEADERS {
        return Err(EgressError::TooLarge(Oversize::Headers));
    }
    // What was decoded has lost this header; what is left was not asked for and cannot be read.
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(EgressError::Unknown(Unknown::Broken));
    }
    let body = receive_body(response, seats).await?;
    Ok(Inbound { status, headers, body })
}

/// Collects the decoded body chunk by chunk, so that a bomb is dropped at the cap and never unpacked whole.
async fn receive_body(mut response: reqwest::Response, mut seats: Seats) -> Result<Bytes, EgressError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error::classify(&error))? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(EgressError::TooLarge(Oversize::Body));
        }
        seats.grow_to(body.len() + chunk.len()).await;
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
