//! Taking back every access of a toolkit.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use taiku_bridge::Refusal;
use taiku_bridge::api::{self, FailedRevocation, RevocationDetail, Revocations};

use super::super::access::SignedIn;
use super::super::body::Json;
use crate::broker::Broker;
use crate::clock::rfc3339;
use crate::events::Event;
use crate::failure::Failure;
use crate::integration;
use crate::store::audit::{self, Actor};
use crate::store::revocations::{self, Failed, New, Revocation};

/// Connections that a provider is asked for in a minute, unless the admin says another number.
const PER_MINUTE: i64 = 600;
/// The most that an admin may say.
const MOST_PER_MINUTE: i64 = 60_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Body {
    #[serde(default)]
    per_minute: Option<i64>,
}

/// `POST /admin/toolkits/{slug}/revocations`
pub(crate) async fn begin(
    State(broker): State<Broker>,
    SignedIn(admin): SignedIn,
    Path(slug): Path<String>,
    Json(body): Json<Body>,
) -> Result<Response, Failure> {
    let slug = integration::toolkit(&broker, &integration::slug(&slug)?).await?.slug.clone();
    let per_minute = body.per_minute.unwrap_or(PER_MINUTE);
    if !(1..=MOST_PER_MINUTE).contains(&per_minute) {
        let what = format!("must be from 1 to {MOST_PER_MINUTE}");
        return Err(Refusal::field("/perMinute", what).into());
    }
    let now = broker.clock.now();
    let id = broker.random.id("rev_");
    let mut tx = broker.store.write().await?;
    let new = New { id: &id, toolkit: &slug, asked_by: &admin.id, per_minute };
    let ended = revocations::begin(&mut tx, &new, now).await?;
    let detail = json!({"revocation": id, "connections": ended.len(), "perMinute": per_minute});
    audit::add(&mut tx, now, Actor::User(&admin.id), "toolkit.revoke", slug.as_str(), &detail).await?;
    let begun = revocations::find(&mut tx, &slug, &id).await?;
    tx.commit().await?;
    for connection in &ended {
        broker.events.tell(&connection.user_id, &Event::connection(connection));
    }
    let begun = begun.ok_or_else(|| Failure::Internal("a revocation has vanished".into()))?;
    Ok((StatusCode::CREATED, axum::Json(view(begun))).into_response())
}

/// `GET /admin/toolkits/{slug}/revocations`
pub(crate) async fn list(
    State(broker): State<Broker>,
    Path(slug): Path<String>,
) -> Result<axum::Json<Revocations>, Failure> {
    let slug = integration::slug(&slug)?;
    let mut tx = broker.store.read().await?;
    let all = revocations::of_toolkit(&mut tx, &slug).await?;
    Ok(axum::Json(Revocations { revocations: all.into_iter().map(view).collect() }))
}

#[derive(Deserialize)]
pub(crate) struct Cursor {
    #[serde(default)]
    cursor: String,
}

/// `GET /admin/toolkits/{slug}/revocations/{id}`
pub(crate) async fn show(
    State(broker): State<Broker>,
    Path((slug, id)): Path<(String, String)>,
    Query(Cursor { cursor }): Query<Cursor>,
) -> Result<axum::Json<RevocationDetail>, Failure> {
    let slug = integration::slug(&slug)?;
    let mut tx = broker.store.read().await?;
    let revocation = revocations::find(&mut tx, &slug, &id).await?;
    let revocation = revocation.ok_or_else(|| Failure::not_found("revocation"))?;
    let failed = revocations::failed(&mut tx, &id, &cursor).await?;
    let next_cursor =
        failed.last().filter(|_| failed.len() >= revocations::PAGE).map(|one| one.connection_id.clone());
    let failures = failed.into_iter().map(failure).collect();
    Ok(axum::Json(RevocationDetail { revocation: view(revocation), failures, next_cursor }))
}

fn failure(failed: Failed) -> FailedRevocation {
    FailedRevocation {
        connection_id: failed.connection_id,
        email: failed.email,
        account: failed.account,
        tokens: failed.tokens,
    }
}

fn view(revocation: Revocation) -> api::Revocation {
    api::Revocation {
        id: revocation.id,
        toolkit: revocation.toolkit,
        per_minute: revocation.per_minute,
        total: revocation.total,
        revoked: revocation.revoked,
        failed: revocation.failed,
        created_at: rfc3339(revocation.created_at),
        finished_at: revocation.finished_at.map(rfc3339),
    }
}
