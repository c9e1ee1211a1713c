//! The user's connections.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use taiku_bridge::api::{self, ConnectBody, ConnectionBody, Connections, Receipt};
use taiku_bridge::call::Connect;
use taiku_bridge::{Call, Method, Refusal, Slug, json};

use super::access::{InBrowser, SignedIn};
use super::body::{Json, JsonText};
use super::cookies::{self, SameSite};
use super::session::with_cookie;
use crate::broker::Broker;
use crate::custody::consent::Accept;
use crate::custody::disconnect::Disconnect;
use crate::events::Event;
use crate::failure::Failure;
use crate::store::connections;
use crate::store::flows::LIFETIME;
use crate::{caller, connect, integration};

/// `GET /connections`
pub(super) async fn list(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    headers: HeaderMap,
) -> Result<axum::Json<Connections>, Failure> {
    let plugin = caller::plugin(&broker, &user, &headers).await?;
    caller::decide(&broker, &user, plugin.as_ref(), Method::IntegrationsList, || Ok(Call::List)).await?;
    let mut tx = broker.store.read().await?;
    let connections = connections::of_user(&mut tx, &user.id).await?;
    Ok(axum::Json(Connections {
        connections: connections.iter().map(connections::Connection::view).collect(),
    }))
}

/// `POST /toolkits/{slug}/connections`
pub(super) async fn connect(
    State(broker): State<Broker>,
    InBrowser(session): InBrowser,
    headers: HeaderMap,
    Path(slug): Path<String>,
    JsonText(text): JsonText,
) -> Result<Response, Failure> {
    let plugin = caller::plugin(&broker, &session.user, &headers).await?;
    let mut body = ConnectBody::default();
    // Read within the gate: whether the plugin may connect at all is said before what is wrong with the body.
    let parse = || {
        body = json::parse(&text).map_err(|error| Refusal::field(error.pointer, error.what))?;
        let toolkit = Slug::parse(&slug).map_err(|error| Refusal::field("/toolkit", error))?;
        Ok(Call::Connect(Connect { toolkit, callback_url: body.callback_url.clone() }))
    };
    let call =
        caller::decide(&broker, &session.user, plugin.as_ref(), Method::IntegrationsConnect, parse).await?;
    let Some(toolkit) = call.toolkit() else {
        return Err(Failure::Internal("connecting without a toolkit".into()));
    };
    let ready = integration::ready(&broker, toolkit).await?;
    let plugin = plugin.as_ref().map(|plugin| plugin.manifest.id.as_str());
    let begun = connect::begin(&broker, &ready, &session, plugin, body).await?;
    let name = cookies::flow_name(&begun.flow, &broker.origins.app);
    let cookie = cookies::set(&name, &begun.cookie, SameSite::Lax, LIFETIME / 1000);
    let answer = (StatusCode::CREATED, axum::Json(begun.connecting));
    Ok(with_cookie(answer.into_response(), cookie))
}

/// `PATCH /connections/{id}`
pub(super) async fn change(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Json(body): Json<ConnectionBody>,
) -> Result<axum::Json<api::Connection>, Failure> {
    let missing = || Failure::not_found("connection");
    let mut tx = broker.store.write().await?;
    let connection = connections::find(&mut tx, &user.id, &id).await?.ok_or_else(missing)?;
    match body.default {
        Some(true) => connections::make_default(&mut tx, &connection).await?,
        Some(false) => {
            let what = "cannot be taken away: make another connection the default";
            return Err(Refusal::field("/default", what).into());
        }
        None => {}
    }
    if let Some(alias) = &body.alias {
        let bad = |alias: &String| {
            alias.is_empty() || alias.chars().count() > 100 || alias.contains(char::is_control)
        };
        if alias.as_ref().is_some_and(bad) {
            return Err(Refusal::field("/alias", "must have 1 to 100 characters").into());
        }
        connections::set_alias(&mut tx, &user.id, &connection.id, alias.as_deref()).await?;
    }
    let connection = connections::find(&mut tx, &user.id, &id).await?.ok_or_else(missing)?;
    tx.commit().await?;
    broker.events.tell(&user.id, &Event::connection(&connection));
    Ok(axum::Json(connection.view()))
}

/// `DELETE /connections/{id}`
pub(super) async fn disconnect(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<axum::Json<Receipt>, Failure> {
    let missing = || Failure::not_found("connection");
    let disconnect = Disconnect { user_id: user.id, connection_id: id };
    Ok(axum::Json(broker.custody.ask(disconnect).await?.ok_or_else(missing)?))
}

/// `POST /connections/{id}/accept`
pub(super) async fn accept(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<axum::Json<api::Connection>, Failure> {
    let accept = Accept { user_id: user.id, connection_id: id };
    let accepted = broker.custody.ask(accept).await?;
    Ok(axum::Json(accepted.ok_or_else(|| Failure::not_found("connection"))?))
}
