//! What was done as the user.

use axum::extract::{Query, State};
use taiku_bridge::Refusal;
use taiku_bridge::api::Activities;

use super::access::SignedIn;
use super::failure::Failure;
use crate::broker::Broker;
use crate::clock::Millis;
use crate::store::activity;

/// Where a page begins.
#[derive(serde::Deserialize)]
pub(super) struct Cursor {
    pub(super) cursor: Option<String>,
}

/// `GET /activity`
pub(super) async fn list(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Query(Cursor { cursor }): Query<Cursor>,
) -> Result<axum::Json<Activities>, Failure> {
    let before = cursor.as_deref().map(read_cursor).transpose()?;
    let mut tx = broker.store.read().await?;
    let (entries, next) = activity::page(&mut tx, &user.id, before).await?;
    Ok(axum::Json(Activities { entries, next_cursor: next.map(|(at, id)| format!("{at}.{id}")) }))
}

fn read_cursor(cursor: &str) -> Result<(Millis, &str), Refusal> {
    cursor
        .split_once('.')
        .and_then(|(at, id)| Some((at.parse().ok()?, id)))
        .ok_or_else(|| Refusal::field("/cursor", "is not a cursor; take it from the page before"))
}
