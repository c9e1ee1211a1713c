//! Why there is no answer, told by what the other side can have seen of the request.

use std::error::Error;
use std::io;

/// A request without a usable answer. Holds no URL, header or body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// A rule of ours refused it; nothing was sent.
    #[error("the request was not sent: {0}")]
    Refused(#[from] Refusal),
    /// No connection came about; nothing was sent.
    #[error("the request was not sent: {0}")]
    NotSent(NotSent),
    /// It may have been acted on.
    #[error("whether the request was acted on is unknown: {0}")]
    Unknown(Unknown),
    /// It was answered, beyond the caps.
    #[error("the request was answered, but {0}")]
    TooLarge(Oversize),
}

/// The rule that a request broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither `https` nor an allowed loopback literal.
    #[error(
        "its URL must begin with https, or with http on 127.0.0.1 or [::1] where TAIKU_ALLOW_LOOPBACK_HTTP is on"
    )]
    Scheme,
    /// Such as `https:///path`.
    #[error("its URL names no host")]
    NoHost,
    /// `https://user:password@host`.
    #[error("its URL holds a user name or a password")]
    Userinfo,
    /// Not an origin of the toolkit.
    #[error("its scheme, host and port are not declared by the toolkit")]
    Undeclared,
    /// An address that is not public.
    #[error("its host is or resolves to an address that is not public ({range})")]
    Address {
        /// What the address is for.
        range: &'static str,
    },
    /// A header of the connection.
    #[error("the header {name} belongs to the connection and cannot be set")]
    Header {
        /// Its name.
        name: &'static str,
    },
}

/// How far it came without a byte of the request leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// No address for the name.
    #[error("the host's name could not be resolved")]
    Dns,
    /// Refused, unreachable or too slow.
    #[error("the host did not accept a connection within 5 s")]
    Connect,
    /// A handshake that failed.
    #[error("the host's TLS certificate or handshake was not acceptable")]
    Tls,
    /// A method, URL or header that the client could not write down.
    #[error("it could not be written as HTTP")]
    Malformed,
}

/// How it ended after the request began to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No whole answer in time.
    #[error("no whole answer came in time")]
    Slow,
    /// The connection broke, or what came was not HTTP.
    #[error("the connection ended before a whole answer came")]
    Broken,
}

/// The cap that an answer went beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Oversize {
    /// Decoded body.
    #[error("the answer's body is larger than 8 MiB")]
    Body,
    /// Headers.
    #[error("the answer's headers are larger than 64 KiB")]
    Headers,
}

/// Why there is no client at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressSetupError {
    /// TLS versions or ciphers.
    #[error("the TLS client could not be set up")]
    Tls,
    /// The HTTP client itself.
    #[error("the HTTP client could not be set up")]
    Client,
}

/// What the vetting resolver answers instead of addresses.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ResolveError {
    #[error("no address")]
    Unknown,
    #[error(transparent)]
    Refused(Refusal),
}

/// Sorts the client's error; its text goes no further, because it holds the URL.
pub(super) fn classify(error: &reqwest::Error) -> EgressError {
    if let Some(refused) = find::<ResolveError>(error) {
        return match refused {
            ResolveError::Unknown => EgressError::NotSent(NotSent::Dns),
            ResolveError::Refused(refusal) => EgressError::Refused(*refusal),
        };
    }
    if error.is_builder() {
        return EgressError::NotSent(NotSent::Malformed);
    }
    if error.is_connect() {
        let tls = find::<rustls::Error>(error).is_some();
        return EgressError::NotSent(if tls { NotSent::Tls } else { NotSent::Connect });
    }
    EgressError::Unknown(if error.is_timeout() { Unknown::Slow } else { Unknown::Broken })
}

/// Looks for an error type along the chain of causes, inside I/O errors too, whose `source` skips what they wrap.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}
