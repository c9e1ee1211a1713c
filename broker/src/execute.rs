//! Running a tool: choose the account, check the arguments, send, and forward what the provider answers.

mod outcome;
mod redact;
mod right;

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use taiku_bridge::api::{Account, ConnectionChoice};
use taiku_bridge::call::Execute;
use taiku_bridge::{Code, Refusal};
use url::Url;

use crate::broker::Broker;
use crate::clock::Millis;
use crate::common::Common;
use crate::egress::{EgressError, Inbound, Outbound, TOTAL, Unknown};
use crate::failure::Failure;
use crate::integration::{self, Ready};
use crate::oauth;
use crate::store::activity::{self, Entry};
use crate::store::connections::{self, Connection, State};
use crate::tokens::{self, Live};
use crate::toolkit::{Prepared, Said, Tool, wait};
use crate::vault::SecretString;
pub use outcome::Answer;
pub use right::Right;

/// When to try again after a provider could not be reached, in seconds.
const RETRY_AFTER_SECONDS: u64 = 5;

/// Runs a tool for a user and notes it. A call whose right ends while it runs is answered at once.
///
/// # Errors
/// Whatever stands between the caller and the provider. A failure of the provider itself is an [`Answer`].
pub async fn run(broker: &Broker, ready: &Ready, right: &Right<'_>) -> Result<Answer, Failure> {
    let began = broker.clock.now();
    let used = OnceLock::new();
    let (user_id, call) = (right.user.id.as_str(), right.call);
    // What must come to its end, a refresh, runs on a task of its own.
    let result = tokio::select! {
        result = attempt(broker, ready, user_id, call, &used) => result,
        ended = right.ended(broker, &used) => Err(ended),
    };
    let (outcome, upstream_status) = match &result {
        Ok(answer) if answer.failed => (Code::UpstreamFailed.as_str(), Some(answer.status.as_u16())),
        Ok(answer) => ("ok", Some(answer.status.as_u16())),
        Err(failure) => (failure.code().as_str(), None),
    };
    broker.metrics.call(ready.toolkit.slug.as_str(), outcome);
    if matches!(&result, Err(failure) if matches!(failure.code(), Code::KeyUnknown | Code::VaultIntegrity)) {
        broker.metrics.vault_error(outcome);
    }
    let done = Done {
        user_id,
        plugin: right.plugin_id(),
        toolkit: ready.toolkit.slug.as_str(),
        action: &call.action,
        connection_id: used.get().map(String::as_str),
        outcome,
        upstream_status,
        began,
    };
    // Whatever the provider did is done: that it could not be noted must not make the caller do it again.
    if let Err(failure) = note(broker, &done).await {
        tracing::error!(
            user = user_id,
            toolkit = done.toolkit,
            action = done.action,
            outcome,
            ?failure,
            "a tool ran and could not be noted"
        );
    }
    result
}

async fn attempt(
    broker: &Broker,
    ready: &Ready,
    user_id: &str,
    call: &Execute,
    used: &OnceLock<String>,
) -> Result<Answer, Failure> {
    let connection = match ready.resolved.auth {
        Some(_) => Some(choose(broker, ready, user_id, call.connection_id.as_deref()).await?),
        None => None,
    };
    if let Some(connection) = &connection {
        // It is set here and nowhere else.
        let _ = used.set(connection.id.clone());
    }
    let tool = ready.toolkit.find(&call.action)?;
    let prepared = tool.prepare(&ready.resolved, call.arguments.get())?;
    let Some(connection) = connection else {
        return send(broker, ready, outbound(ready, &prepared, None)?, None).await;
    };
    in_scope(ready, &connection, tool)?;
    let live = tokens::live(broker, ready, connection).await?;
    let own = of_connection(ready, &live.token)?;
    let (ready, prepared) = match &own {
        Some(own) => (own, tool.prepare(&own.resolved, call.arguments.get())?),
        None => (ready, prepared),
    };
    let answer = send_with(broker, (ready, tool), &prepared, &live).await?;
    if !answer.dead {
        return Ok(answer);
    }
    // The provider does not take the token although its time is not over: it was revoked, or its lifetime is
    // other than was said. A refresh tells which; without a refresh token the connection has ended.
    let id = live.connection.id.clone();
    let renewed = tokens::renewed(broker, ready, live.connection).await?;
    let answer = send_with(broker, (ready, tool), &prepared, &renewed).await?;
    if answer.dead {
        tracing::warn!(connection = %id, toolkit = %ready.toolkit.slug, "the provider refuses a token just renewed");
    }
    Ok(answer)
}

/// Finds the connection to use: the named one, else the user's default.
async fn choose(
    broker: &Broker,
    ready: &Ready,
    user_id: &str,
    wanted: Option<&str>,
) -> Result<Connection, Failure> {
    let name = &ready.toolkit.name;
    let mut tx = broker.store.read().await?;
    if let Some(id) = wanted {
        let found = connections::find(&mut tx, user_id, id).await?;
        let found = found.filter(|connection| connection.toolkit == ready.toolkit.slug);
        let missing = || {
            let message = format!("There is no such {name} connection. Connect {name} first.");
            Failure::new(Code::ConnectionMissing, message)
        };
        return found.ok_or_else(missing).and_then(|connection| usable(ready, connection));
    }
    let all = connections::of_user(&mut tx, user_id).await?;
    drop(tx);
    let own: Vec<Connection> =
        all.into_iter().filter(|connection| connection.toolkit == ready.toolkit.slug).collect();
    if let Some(index) = own.iter().position(|connection| connection.is_default) {
        return own.into_iter().nth(index).map_or_else(|| Err(missing(name)), |found| usable(ready, found));
    }
    let active = own.iter().filter(|connection| matches!(connection.state, State::Active(_)));
    let choices: Vec<ConnectionChoice> = active
        .map(|connection| ConnectionChoice {
            id: connection.id.clone(),
            label: connection.account.label.clone(),
            alias: connection.alias.clone(),
        })
        .collect();
    if !choices.is_empty() {
        let message =
            format!("Your default {name} account is gone. Choose one of the others by its connectionId.");
        return Err(Failure::Choose(Refusal::new(Code::ConnectionRequired, message), choices));
    }
    match own.into_iter().find(|connection| matches!(connection.state, State::Expired { .. })) {
        Some(connection) => Err(tokens::expired(ready, &connection)),
        None => Err(missing(name)),
    }
}

fn missing(name: &str) -> Failure {
    Failure::new(Code::ConnectionMissing, format!("You have not connected {name}. Connect it first."))
}

fn usable(ready: &Ready, connection: Connection) -> Result<Connection, Failure> {
    match connection.state {
        State::Active(_) if integration::same_context(&connection.context_hash, &ready.context) => {
            Ok(connection)
        }
        // An admin's change reaches calls a moment before it ends their connections.
        State::Active(_) | State::Expired { .. } | State::Revoked { .. } => {
            Err(tokens::expired(ready, &connection))
        }
        State::Initiated | State::Undecided(_) | State::Failed { .. } => {
            let name = &ready.toolkit.name;
            let message = format!("This {name} connection was not completed. Connect {name} again.");
            Err(Failure::new(Code::ConnectionMissing, message))
        }
    }
}

fn in_scope(ready: &Ready, connection: &Connection, tool: &Tool) -> Result<(), Failure> {
    let lacks = |scope: &&String| !connection.scopes.contains(*scope);
    let missing: Vec<&str> = tool.scopes.iter().filter(lacks).map(String::as_str).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (scopes, them) = if missing.len() == 1 { ("scope", "it") } else { ("scopes", "them") };
    let message = format!(
        "{} needs the {scopes} {}, which your {} connection does not have. Connect again and allow {them}.",
        tool.slug,
        missing.join(" and "),
        ready.toolkit.name
    );
    Err(Failure::new(Code::ScopeMissing, message))
}

fn outbound(ready: &Ready, prepared: &Prepared, token: Option<&SecretString>) -> Result<Outbound, Failure> {
    let (mut headers, mut url): (HeaderMap, Url) = (prepared.headers.clone(), prepared.url.clone());
    if let (Some(token), Some(authorization)) = (token, &ready.resolved.api.authorization)
        && !authorization.put(token.expose(), &mut headers, &mut url)
    {
        return Err(Failure::Internal("an access token fits into no header".into()));
    }
    let body = match &prepared.body {
        Some(body) => {
            headers.insert(CONTENT_TYPE, body.content_type.clone());
            body.bytes.clone()
        }
        None => Bytes::new(),
    };
    Ok(Outbound { method: prepared.method.clone(), url, headers, body, timeout: TOTAL })
}

async fn send_with(
    broker: &Broker,
    (ready, tool): (&Ready, &Tool),
    prepared: &Prepared,
    live: &Live,
) -> Result<Answer, Failure> {
    let token = of_tool(ready, &live.token, tool).ok_or_else(|| {
        let (name, slug) = (&ready.toolkit.name, &tool.slug);
        let message = format!(
            "{slug} needs rights that your {name} connection does not have. Connect again and allow them."
        );
        Failure::new(Code::ScopeMissing, message)
    })?;
    send(broker, ready, outbound(ready, prepared, Some(&token))?, Some(&token)).await
}

/// The toolkit as one connection needs it, where connections differ.
fn of_connection(ready: &Ready, record: &SecretString) -> Result<Option<Ready>, Failure> {
    let habits = ready.resolved.auth.as_ref().map(|oauth| &oauth.habits);
    match habits.filter(|habits| !habits.values.is_empty()) {
        Some(habits) => ready.of_connection(&oauth::values(habits, record)).map(Some),
        None => Ok(None),
    }
}

/// Asks for what a new connection's value is in, with its first token.
pub async fn look_up(
    common: &Common,
    ready: &Ready,
    record: &SecretString,
    url: &Url,
) -> Option<serde_json::Value> {
    let oauth = ready.resolved.auth.as_ref()?;
    let token = oauth::token(&oauth.habits, record, None)?;
    let (mut headers, mut url) = (HeaderMap::new(), url.clone());
    headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
    if !ready.resolved.api.authorization.as_ref()?.put(token.expose(), &mut headers, &mut url) {
        return None;
    }
    let outbound = Outbound { headers, timeout: Duration::from_secs(10), ..Outbound::get(url) };
    let inbound = common.egress.send(outbound, &ready.resolved.hosts).await.ok()?;
    let body = inbound.status.is_success().then_some(inbound.body)?;
    serde_json::from_slice(&body).ok()
}

/// The token that a tool is called with, of those that a connection holds.
fn of_tool(ready: &Ready, record: &SecretString, tool: &Tool) -> Option<SecretString> {
    let oauth = ready.resolved.auth.as_ref()?;
    oauth::token(&oauth.habits, record, tool.token.as_deref())
}

async fn send(
    broker: &Broker,
    ready: &Ready,
    outbound: Outbound,
    token: Option<&SecretString>,
) -> Result<Answer, Failure> {
    let inbound = broker.egress.send(outbound, &ready.resolved.hosts).await;
    let inbound = inbound.map_err(|error| unreachable(ready, error))?;
    Ok(answer(ready, inbound, token, broker.clock.now()))
}

fn unreachable(ready: &Ready, error: EgressError) -> Failure {
    tracing::warn!(toolkit = %ready.toolkit.slug, %error, "a provider could not be called");
    let code = match error {
        EgressError::Unknown(Unknown::Slow) => Code::UpstreamSlow,
        EgressError::Unknown(Unknown::Broken)
        | EgressError::Refused(_)
        | EgressError::NotSent(_)
        | EgressError::TooLarge(_) => Code::UpstreamUnreachable,
    };
    let refusal = Refusal::new(code, format!("{}: {error}.", ready.toolkit.name));
    match error {
        EgressError::Refused(_) | EgressError::NotSent(_) => Failure::Wait(refusal, RETRY_AFTER_SECONDS),
        EgressError::Unknown(_) | EgressError::TooLarge(_) => Failure::Refused(refusal),
    }
}

fn answer(ready: &Ready, inbound: Inbound, token: Option<&SecretString>, now: Millis) -> Answer {
    let api = &ready.resolved.api;
    // The few headers that are forwarded must not carry what is taken out of the body.
    let clean =
        |value: &&HeaderValue| token.is_none_or(|token| !redact::holds(value.as_bytes(), token.expose()));
    let said = Said::new(inbound.status, &inbound.headers, &inbound.body);
    let wait = wait::seconds(&api.retry_after, &inbound.headers, said.is_any(&api.rate_limited), now);
    let (says_failure, dead) = (said.is_any(&api.failure), said.is_any(&api.dead_token));
    let content_type = inbound.headers.get(&CONTENT_TYPE).filter(clean);
    Answer {
        status: inbound.status,
        failed: !inbound.status.is_success() || says_failure || dead,
        dead,
        content_type: content_type.and_then(|value| value.to_str().ok()).map(str::to_owned),
        retry_after: wait.map(HeaderValue::from),
        body: match token {
            Some(token) => redact::without(inbound.body, token.expose()),
            None => inbound.body,
        },
    }
}

/// What a provider says of a new token.
pub enum Looked {
    /// Whose account it is for.
    Account(Account),
    /// It does not take it.
    Refused,
    /// Nothing, or nothing for now.
    Unknown,
}

/// Asks the provider whose account a new token is for. A provider that does not say leaves it unnamed.
pub async fn account(common: &Common, ready: &Ready, token: &SecretString) -> Account {
    match whose(common, ready, token).await {
        Looked::Account(account) => account,
        Looked::Refused | Looked::Unknown => Account::default(),
    }
}

/// The same, and whether the provider takes the token at all.
pub async fn whose(common: &Common, ready: &Ready, token: &SecretString) -> Looked {
    let look_up = ready.resolved.auth.as_ref().and_then(|oauth| oauth.habits.account.as_ref());
    let Some(look_up) = look_up else { return Looked::Unknown };
    let asked = async {
        let tool = ready.toolkit.find(&look_up.tool).ok()?;
        let prepared = tool.prepare(&ready.resolved, "{}").ok()?;
        let token = of_tool(ready, token, tool)?;
        let outbound = outbound(ready, &prepared, Some(&token)).ok()?;
        let outbound = Outbound { timeout: Duration::from_secs(10), ..outbound };
        common.egress.send(outbound, &ready.resolved.hosts).await.ok()
    };
    let inbound = asked.await;
    let dead = |inbound: &Inbound| {
        let said = Said::new(inbound.status, &inbound.headers, &inbound.body);
        said.is_any(&ready.resolved.api.dead_token)
    };
    if inbound.as_ref().is_some_and(dead) {
        return Looked::Refused;
    }
    let body = inbound.filter(|inbound| inbound.status == StatusCode::OK);
    let body = body.and_then(|inbound| serde_json::from_slice(&inbound.body).ok());
    let Some(body): Option<serde_json::Value> = body else {
        tracing::warn!(toolkit = %ready.toolkit.slug, "the provider did not say whose account it is");
        return Looked::Unknown;
    };
    let text = |pointer: &str| match body.pointer(pointer)? {
        serde_json::Value::String(text) => Some(text.chars().take(200).collect()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Looked::Account(Account {
        id: text(&look_up.id),
        label: look_up.label.as_deref().and_then(text),
        avatar: look_up.avatar.as_deref().and_then(text),
    })
}

/// Something that was done as a user.
pub struct Done<'a> {
    /// As whom.
    pub user_id: &'a str,
    /// For which plugin, if for one.
    pub plugin: Option<&'a str>,
    /// At which toolkit.
    pub toolkit: &'a str,
    /// A tool's slug, `connect` or `disconnect`.
    pub action: &'a str,
    /// With which connection.
    pub connection_id: Option<&'a str>,
    /// `ok` or a code.
    pub outcome: &'a str,
    /// The provider's status.
    pub upstream_status: Option<u16>,
    /// When it began.
    pub began: Millis,
}

/// Notes what was done in the user's activity.
///
/// # Errors
/// When the database fails.
pub async fn note(common: &Common, done: &Done<'_>) -> Result<(), Failure> {
    let now = common.clock.now();
    let action: String = done.action.chars().take(200).filter(|c| !c.is_control()).collect();
    let entry = Entry {
        id: &common.random.id("act_"),
        user_id: done.user_id,
        at: done.began,
        plugin: done.plugin,
        toolkit: done.toolkit,
        action: &action,
        connection_id: done.connection_id,
        outcome: done.outcome,
        upstream_status: done.upstream_status,
        duration: (now - done.began).max(0),
    };
    let mut tx = common.store.write().await?;
    activity::add(&mut tx, &entry).await?;
    if let (Some(id), "ok") = (done.connection_id, done.outcome) {
        connections::used(&mut tx, id, now).await?;
    }
    tx.commit().await?;
    Ok(())
}
