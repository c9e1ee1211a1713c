//! The client side of OAuth 2.0 (RFC 6749, RFC 7636, RFC 7009, RFC 8414, RFC 9207), with the habits of providers as
//! data.
//!
//! Everything a provider does differently is data of its toolkit or is evened out in one pure function that reads every
//! answer. The crate `oauth2` writes authorization requests; it cannot write the token requests of providers that name
//! or place things their own way. All requests leave through [`Egress`](crate::egress::Egress).

mod answer;
mod begin;
mod client;
pub mod device;
mod error;
mod held;
mod issuer;
mod metadata;
pub mod par;
mod provider;
mod revoke;
mod token;
mod typed;

#[cfg(test)]
mod testing;

pub use answer::value_text;
pub use begin::{Begun, begin};
pub use error::{Said, TokenError, Unusable};
pub use held::{token, values, with_values};
pub use issuer::{IssError, check_iss};
pub use metadata::{Metadata, MetadataError, discover};
pub use provider::Provider;
pub use revoke::{RevokeOutcome, revoke};
pub use token::{Tokens, client_credentials, exchange, refresh};
pub use typed::{Field, fields, typed};
