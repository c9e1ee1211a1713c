//! The authorization server: OAuth 2.1 with what RFC 8414, RFC 7009 and RFC 9207 add.

mod authorize;
mod bounded;
mod client_auth;
mod consent;
mod error;
mod grants;
mod metadata;
mod pkce;
mod revoke;
mod scope;
mod token;

use axum::Router;
use axum::routing::{get, post};

use crate::demo::Demo;

pub(crate) use grants::{Grants, Rotation};
pub(crate) use scope::{Scope, Scopes};

/// The pages that a browser visits.
pub(crate) fn pages() -> Router<Demo> {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .route("/authorize", get(authorize::show))
        .route("/authorize/decision", post(consent::decide))
}

/// The endpoint that exchanges codes and refresh tokens.
pub(crate) fn token() -> Router<Demo> {
    Router::new().route("/token", post(token::exchange))
}

/// The endpoint that ends tokens.
pub(crate) fn revocation() -> Router<Demo> {
    Router::new().route("/revoke", post(revoke::revoke))
}
