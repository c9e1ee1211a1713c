//! A provider at a scripted server.

use http::Method;

use super::{ClientAuth, Provider, Revoke, RevokeAuth, TokenBody};
use crate::egress::testing::Scripted;
use crate::vault::SecretString;

pub(super) fn secret(text: &str) -> SecretString {
    SecretString::new(text.to_owned())
}

/// The plainest provider: form, Basic, PKCE, RFC 7009.
pub(super) fn provider(server: &Scripted) -> Provider {
    Provider {
        issuer: None,
        authorize_url: server.at("/authorize"),
        token_url: server.at("/token"),
        client_id: "client:1".into(),
        client_secret: Some(secret("s3cret %+")),
        client_auth: ClientAuth::Basic,
        token_body: TokenBody::Form,
        scopes: vec!["read".into(), "write:all".into()],
        scope_separator: " ".into(),
        pkce: true,
        authorize_params: Vec::new(),
        token_params: Vec::new(),
        token_pointer: String::new(),
        revoke: Some(Revoke {
            method: Method::POST,
            url: server.at("/revoke"),
            auth: RevokeAuth::Basic,
            body: TokenBody::Form,
            token_field: "token".into(),
        }),
        redirect_uri: "http://localhost:8080/oauth/callback/ctx1".parse().unwrap(),
        hosts: server.hosts(),
    }
}
