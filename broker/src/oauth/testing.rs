//! A provider at a scripted server.

use std::sync::Arc;

use super::Provider;
use crate::egress::testing::Scripted;
use crate::toolkit::{self, Folder, LoopbackHttp};
use crate::vault::SecretString;

/// The plainest way to revoke: RFC 7009 with Basic.
pub(super) const REVOKE: &str = "revoke = { url = '{SITE}/revoke' }";

pub(super) fn secret(text: &str) -> SecretString {
    SecretString::new(text.to_owned())
}

/// The plainest provider: form, Basic, PKCE, RFC 7009.
pub(super) fn provider(server: &Scripted) -> Provider {
    provider_with(server, REVOKE)
}

/// A provider from these further lines of `[auth]`, as a toolkit would have them; `{SITE}` is the server.
pub(super) fn provider_with(server: &Scripted, auth: &str) -> Provider {
    let settings = format!(
        "name = 'Test'\ndescription = 'A provider of the tests'\n\
         [[settings]]\nkey = 'SITE'\ndescription = 'Address of the server'\ndefault = '{}'\n\
         [auth]\nmode = 'oauth2'\nauthorize_url = '{{SITE}}/authorize'\ntoken_url = '{{SITE}}/token'\n\
         client_auth = 'basic'\nscopes = ['read', 'write:all']\n{auth}\n\
         [api]\nbase_url = '{{SITE}}'\n[tools]\nopenapi = 'openapi.json'\n",
        server.at("/"),
    );
    let openapi = r#"{"openapi": "3.1.0", "paths": {}}"#.to_owned();
    let files = [("toolkit.toml", settings), ("openapi.json", openapi)];
    let folder = Folder::in_memory("test", files.map(|(name, text)| (name, text.into_bytes())));
    let resolved = toolkit::read(&folder).unwrap().resolve(&|_| None, LoopbackHttp::Allowed).unwrap();
    let oauth = resolved.auth.unwrap();
    Provider {
        scopes: oauth.habits.scopes.clone(),
        oauth,
        client_id: "client:1".into(),
        client_secret: Some(Arc::new(secret("s3cret %+"))),
        redirect_uri: "http://localhost:8080/oauth/callback/ctx1".parse().unwrap(),
        hosts: resolved.hosts,
    }
}
