//! The first admin, by the one-time link that the server prints while there is none.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::json;
use taiku_bridge::Code;
use taiku_bridge::api::{Role, Setup};

use super::access::Identity;
use super::body::Json;
use super::session;
use crate::accounts::{self, NewUser};
use crate::broker::Broker;
use crate::failure::Failure;
use crate::store::audit::{self, Actor};
use crate::store::users;

/// `POST /setup`
pub(super) async fn make_first_admin(
    State(broker): State<Broker>,
    identity: Identity,
    headers: HeaderMap,
    Json(body): Json<Setup>,
) -> Result<Response, Failure> {
    let over = || Failure::new(Code::NotFound, "This set-up link has been used or is not this server's.");
    if !broker.setup.is(&body.token) {
        return Err(over());
    }
    let new = NewUser { email: body.email, name: body.name, role: Role::Admin, password: body.password };
    let prepared = accounts::prepare(&broker.random, new).await?;
    let mut tx = broker.store.write().await?;
    if users::has_admin(&mut tx).await? {
        broker.setup.end();
        return Err(over());
    }
    let now = broker.clock.now();
    accounts::add(&mut tx, &prepared, now).await?;
    audit::add(&mut tx, now, Actor::System, "user.add", &prepared.user.id, &json!({"role": "admin"})).await?;
    tx.commit().await?;
    broker.setup.end();
    session::sign_in(&broker, &identity, &headers, &prepared.user.id).await
}
