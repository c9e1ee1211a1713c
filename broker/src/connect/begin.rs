//! Beginning a flow: what is asked for, of whom, and where the browser lands in the end.

use taiku_bridge::api::{ConnectBody, Connecting, Status};
use taiku_bridge::{Code, Refusal};

use super::callback_url::callback_path;
use super::scopes::{checked_scopes, wanted};
use super::tell;
use crate::broker::Broker;
use crate::custody::consent::Prepare;
use crate::failure::Failure;
use crate::integration::{self, Ready};
use crate::store::connections::{self, Connection, Pending, State};
use crate::store::flows::{self, Flow, LIFETIME, MAX_PENDING};
use crate::store::sessions::Session;
use crate::vault::SecretString;
use crate::vault::hash::sha256;

/// A flow that has begun.
pub struct Begun {
    /// What the caller is told.
    pub connecting: Connecting,
    /// The flow's id, for the cookie's name.
    pub flow: String,
    /// The cookie's value, which nobody else ever has.
    pub cookie: String,
}

/// Begins to connect an account of the toolkit to the session's user.
///
/// # Errors
/// `invalid_params` for a callback that is not ours, `rate_limited` with too many flows under way.
pub async fn begin(
    broker: &Broker,
    ready: &Ready,
    session: &Session,
    plugin: Option<&str>,
    body: ConnectBody,
) -> Result<Begun, Failure> {
    if ready.resolved.auth.is_none() {
        return Err(integration::needs_no_account(ready));
    }
    let asked = body.scopes.map(checked_scopes).transpose()?;
    let callback_url = callback_path(broker, body.callback_url.as_deref())?;
    let replaces = match body.connection_id {
        Some(id) => Some(renewable(broker, ready, session, plugin, id).await?),
        None => None,
    };
    let renewed = match &replaces {
        Some(connection) => Some(connection.clone()),
        None => ended_default(broker, ready, session).await?,
    };
    let scopes = wanted(ready, asked, renewed.as_ref());
    let random = &broker.random;
    let (state, cookie) = (random.token(), random.token());
    let (connection_id, flow_id) = (random.id("con_"), random.id("flw_"));
    let prepare = Prepare {
        flow: flow_id.clone(),
        user_id: session.user.id.clone(),
        toolkit: ready.toolkit.slug.clone(),
        scopes: scopes.clone(),
        state: SecretString::new(state.clone()),
    };
    let prepared = broker.custody.ask(prepare).await?;
    let flow = Flow {
        secrets: prepared.secrets,
        id: flow_id,
        cookie_hash: sha256(cookie.as_bytes()).to_vec(),
        session_hash: session.id_hash.clone(),
        user_id: session.user.id.clone(),
        connection_id,
        toolkit: ready.toolkit.slug.to_string(),
        context_id: ready.context_id.clone(),
        context_hash: prepared.context_hash,
        plugin: plugin.map(str::to_owned),
        callback_url,
        scopes,
        expires_at: broker.clock.now() + LIFETIME,
        used_at: None,
    };
    let replaces = replaces.map(|connection| connection.id);
    insert(broker, ready, &flow, replaces.as_deref(), &state).await?;
    let connecting = Connecting {
        redirect_url: format!("{}/oauth/start/{}", broker.origins.app.as_str(), flow.id),
        provider_host: prepared.provider_host,
        // Whoever renews a connection has the same one in the end.
        connection_id: renewed.map_or(flow.connection_id, |connection| connection.id),
        status: Status::Initiated,
    };
    Ok(Begun { connecting, flow: flow.id, cookie })
}

/// A connection that its user may renew. A plugin cannot: it connects accounts and does not choose among them.
async fn renewable(
    broker: &Broker,
    ready: &Ready,
    session: &Session,
    plugin: Option<&str>,
    id: String,
) -> Result<Connection, Failure> {
    let mut tx = broker.store.read().await?;
    let connection = connections::find(&mut tx, &session.user.id, &id).await?;
    match connection {
        Some(connection) if connection.toolkit == ready.toolkit.slug && plugin.is_none() => Ok(connection),
        Some(_) | None => Err(Refusal::field("/connectionId", "is no connection to renew here").into()),
    }
}

/// The user's default at a toolkit if it has ended: connecting again is told to whoever calls without naming a
/// connection, and renews it if the consent comes in the same account.
async fn ended_default(
    broker: &Broker,
    ready: &Ready,
    session: &Session,
) -> Result<Option<Connection>, Failure> {
    let mut tx = broker.store.read().await?;
    let all = connections::of_user(&mut tx, &session.user.id).await?;
    let is_ended = |connection: &Connection| {
        matches!(connection.state, State::Expired { .. } | State::Revoked { .. })
            && connection.is_default
            && connection.toolkit == ready.toolkit.slug
    };
    Ok(all.into_iter().find(is_ended))
}

async fn insert(
    broker: &Broker,
    ready: &Ready,
    flow: &Flow,
    replaces: Option<&str>,
    state: &str,
) -> Result<(), Failure> {
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    if flows::pending(&mut tx, &flow.user_id, now).await? >= MAX_PENDING {
        let message = "Too many connections are being made at once. Finish one, or wait 10 minutes.";
        return Err(Failure::Wait(Refusal::new(Code::RateLimited, message), 60));
    }
    let pending = Pending {
        id: &flow.connection_id,
        user_id: &flow.user_id,
        toolkit: &ready.toolkit.slug,
        context_hash: &flow.context_hash,
        replaces,
        requested: &flow.scopes,
    };
    connections::begin(&mut tx, &pending, now).await?;
    flows::begin(&mut tx, flow, &sha256(state.as_bytes()), now).await?;
    tx.commit().await?;
    tell(broker, &flow.user_id, &flow.connection_id).await?;
    Ok(())
}
