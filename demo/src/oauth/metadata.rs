//! What the provider says about itself, RFC 8414.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::scope::Scope;
use crate::demo::Demo;

/// `GET /.well-known/oauth-authorization-server`
pub(crate) async fn show(State(demo): State<Demo>) -> Json<Value> {
    let issuer = demo.issuer();
    let client_auth = ["client_secret_basic", "client_secret_post"];
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "scopes_supported": Scope::ALL.map(Scope::name),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": client_auth,
        "revocation_endpoint_auth_methods_supported": client_auth,
        "authorization_response_iss_parameter_supported": true,
    }))
}
