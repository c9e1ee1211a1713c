//! API keys.

use axum::extract::{Path, State};
use http::StatusCode;
use taiku_bridge::api::{ApiKeys, CreatedApiKey, NewApiKey};
use taiku_bridge::{Code, Refusal};

use super::access::{Identity, KEY_SCOPES, SignedIn};
use super::body::Json;
use crate::api_key;
use crate::broker::Broker;
use crate::clock::{Millis, parse_rfc3339};
use crate::failure::Failure;
use crate::store::api_keys;

/// `GET /api-keys`
pub(super) async fn list(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
) -> Result<axum::Json<ApiKeys>, Failure> {
    let mut tx = broker.store.read().await?;
    Ok(axum::Json(ApiKeys { api_keys: api_keys::of_user(&mut tx, &user.id).await? }))
}

/// `POST /api-keys`
pub(super) async fn add(
    State(broker): State<Broker>,
    identity: Identity,
    SignedIn(user): SignedIn,
    Json(body): Json<NewApiKey>,
) -> Result<(StatusCode, axum::Json<CreatedApiKey>), Failure> {
    let now = broker.clock.now();
    if let Some(unknown) = body.scopes.iter().flatten().find(|scope| !KEY_SCOPES.contains(&scope.as_str())) {
        let what = format!("`{unknown}` is none of `read`, `write` and `admin`");
        return Err(Refusal::field("/scopes", what).into());
    }
    if body.scopes.as_ref().is_some_and(Vec::is_empty) {
        return Err(Refusal::field("/scopes", "must name at least one; leave it out for all").into());
    }
    let expires_at = match &body.expires_at {
        None => None,
        Some(text) => match parse_rfc3339(text) {
            Some(at) if at > now => Some(at),
            _ => return Err(Refusal::field("/expiresAt", "must be a time to come, in RFC 3339").into()),
        },
    };
    within(&identity, body.scopes.as_deref(), expires_at)?;
    let wish =
        api_key::Wish { user_id: &user.id, name: &body.name, scopes: body.scopes.as_deref(), expires_at };
    let mut tx = broker.store.write().await?;
    let (id, key) = api_key::add(&mut tx, &broker.random, &wish, now).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, axum::Json(CreatedApiKey { id, key })))
}

/// A key cannot make one that may do more than itself, or that outlives it.
fn within(identity: &Identity, scopes: Option<&[String]>, expires_at: Option<Millis>) -> Result<(), Failure> {
    let Identity::Key(key) = identity else { return Ok(()) };
    let narrow = match (&key.scopes, scopes) {
        (None, _) => true,
        (Some(own), Some(wanted)) => wanted.iter().all(|scope| own.contains(scope)),
        (Some(_), None) => false,
    };
    let short = key.expires_at.is_none_or(|own| expires_at.is_some_and(|wanted| wanted <= own));
    if narrow && short {
        return Ok(());
    }
    let message = "An API key cannot make one that may do more than itself or lives longer.";
    Err(Failure::new(Code::Forbidden, message))
}

/// `DELETE /api-keys/{id}`
pub(super) async fn revoke(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let mut tx = broker.store.write().await?;
    if !api_keys::revoke(&mut tx, &user.id, &id).await? {
        return Err(Failure::not_found("API key"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
