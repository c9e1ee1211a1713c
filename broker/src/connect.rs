//! The OAuth flow: begun by a user's browser, finished by the same browser, session, user and context, once.

mod flow_error;
mod mismatch;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use taiku_bridge::api::{Account, ConnectBody, Connecting, Status};
use taiku_bridge::{Code, Refusal};
use url::Url;

use self::flow_error::outcome;
pub use self::flow_error::{FlowError, why};
pub(crate) use self::flow_error::{exchange_error, provider_error};
use self::mismatch::Mismatch;
use crate::broker::Broker;
use crate::clock::Millis;
use crate::custody::consent::{Answer, Complete, Completed, Next, Prepare, Step};
use crate::custody::typed::{Supplied, Supply, Typed};
use crate::events::Event;
use crate::execute;
use crate::failure::Failure;
use crate::integration::{self, Ready};
use crate::oauth::{self, IssError};
use crate::store::StoreError;
use crate::store::connections::{self, Connection, Pending, State};
use crate::store::flows::{self, Flow, LIFETIME, MAX_PENDING};
use crate::store::integrations;
use crate::store::sessions::{self, Session};
use crate::toolkit::{ResolvedOAuth, Source};
use crate::vault::SecretString;
use crate::vault::hash::{eq, sha256};

/// Where the browser lands unless told otherwise.
const DEFAULT_CALLBACK: &str = "/connections";

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

/// What is asked for. Whoever renews keeps what was granted, which would end with the older token; and asks again for
/// what was not, unless it is said what to add.
fn wanted(ready: &Ready, asked: Option<Vec<String>>, renewed: Option<&Connection>) -> Vec<String> {
    let more: Vec<String> = match (renewed, &asked) {
        (None, _) => Vec::new(),
        (Some(renewed), Some(_)) => renewed.scopes.clone(),
        (Some(renewed), None) => [renewed.scopes.clone(), renewed.requested.clone()].concat(),
    };
    union(asked.unwrap_or_else(|| ready.scopes.clone()), more)
}

/// All of `one`, and what of `other` is not in it.
pub(crate) fn union(mut one: Vec<String>, other: impl IntoIterator<Item = String>) -> Vec<String> {
    for scope in other {
        if !one.contains(&scope) {
            one.push(scope);
        }
    }
    one
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

/// Tells a user's pages what a connection is now.
async fn tell(broker: &Broker, user_id: &str, id: &str) -> Result<(), StoreError> {
    let mut tx = broker.store.read().await?;
    if let Some(connection) = connections::find(&mut tx, user_id, id).await? {
        broker.events.tell(user_id, &Event::connection(&connection));
    }
    Ok(())
}

/// Scopes as somebody wrote them, if they are scopes.
///
/// # Errors
/// `invalid_params` with the first that is none.
pub fn checked_scopes(scopes: Vec<String>) -> Result<Vec<String>, Refusal> {
    // RFC 6749, section 3.3: printable ASCII without blanks, quotes and backslashes.
    let bad = |scope: &String| {
        scope.is_empty()
            || scope.len() > 256
            || !scope.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\".contains(&b))
    };
    match scopes.iter().position(bad) {
        Some(index) => Err(Refusal::field(format!("/scopes/{index}"), "is not a scope")),
        None if scopes.len() > 100 => Err(Refusal::field("/scopes", "has more than 100 entries")),
        None => Ok(scopes),
    }
}

/// The path where the browser lands, if it is one of our own origin.
fn callback_path(broker: &Broker, wanted: Option<&str>) -> Result<String, Failure> {
    let Some(wanted) = wanted else { return Ok(DEFAULT_CALLBACK.to_owned()) };
    own_path(broker.origins.app.as_str(), wanted).ok_or_else(|| {
        let what = "must be a path of this server, such as /connections";
        Refusal::field("/callbackUrl", what).into()
    })
}

/// Reads `wanted` as a browser would, and keeps path, query and fragment if the origin is `app`.
fn own_path(app: &str, wanted: &str) -> Option<String> {
    let base = Url::parse(app).ok()?;
    // What the parser would mend silently, a backslash or a line feed, no honest caller sends.
    if wanted.is_empty() || wanted.len() > 2048 || wanted.contains(|c: char| c.is_control() || c == '\\') {
        return None;
    }
    if !wanted.starts_with('/') && !wanted.starts_with(app) {
        return None;
    }
    let url = base.join(wanted).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    let own = url.origin() == base.origin() && plain && !url.path().starts_with("//");
    own.then(|| url[url::Position::BeforePath..].to_owned())
}

/// What the start page shows.
pub struct StartPage {
    /// The toolkit's name.
    pub toolkit: String,
    /// The plugin that asked.
    pub plugin: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What the user has to do.
    pub step: Step,
}

/// What opening a flow's page shows.
pub enum Opened {
    /// What to do.
    Start(StartPage),
    /// A device flow has ended.
    Ended(Ended),
}

/// Prepares the page that leads to the provider. `cookie` is the flow cookie that came with the request.
///
/// # Errors
/// When the flow is not this browser's or is over.
pub async fn start_page(broker: &Broker, flow: &str, cookie: Option<&str>) -> Result<Opened, FlowError> {
    let began = broker.clock.now();
    let flow = {
        let mut tx = broker.store.read().await?;
        flows::by_id(&mut tx, flow).await?.ok_or(FlowError::NotYours)?
    };
    of_this_browser(broker, &flow, cookie).await?;
    let slug = integration::slug(&flow.toolkit)?;
    let toolkit = integration::toolkit(broker, &slug).await?;
    if !session_lives(broker, &flow, began).await? {
        return Err(FlowError::SessionEnded);
    }
    let step = match broker.custody.ask(Next { flow: flow.id.clone() }).await? {
        Step::Ended(completed) => {
            return ended(broker, &toolkit, flow, completed, began).await.map(Opened::Ended);
        }
        step => step,
    };
    let page = StartPage { toolkit: toolkit.name.clone(), plugin: flow.plugin, scopes: flow.scopes, step };
    Ok(Opened::Start(page))
}

/// What came of what the user typed.
pub enum Sent {
    /// Something is wrong with it: the page again, and what to mend.
    Again(StartPage, String),
    /// The flow has ended.
    Ended(Ended),
}

/// Completes a flow with what its user has typed on our own page. `cookie` is the flow cookie.
///
/// # Errors
/// When the flow is not this browser's or is over.
pub async fn supply(
    broker: &Broker,
    flow: &str,
    cookie: Option<&str>,
    values: Vec<Typed>,
) -> Result<Sent, FlowError> {
    let page = match start_page(broker, flow, cookie).await? {
        Opened::Start(page) => page,
        Opened::Ended(ended) => return Ok(Sent::Ended(ended)),
    };
    let began = broker.clock.now();
    let flow = {
        let mut tx = broker.store.read().await?;
        flows::by_id(&mut tx, flow).await?.ok_or(FlowError::NotYours)?
    };
    let toolkit = integration::toolkit(broker, &integration::slug(&flow.toolkit)?).await?;
    match broker.custody.ask(Supply { flow: flow.id.clone(), values }).await? {
        Supplied::Wrong(why) => Ok(Sent::Again(page, why)),
        Supplied::Ended(completed) => ended(broker, &toolkit, flow, completed, began).await.map(Sent::Ended),
    }
}

/// Tells and notes how a flow ended.
async fn ended(
    broker: &Broker,
    toolkit: &crate::toolkit::Toolkit,
    flow: Flow,
    completed: Completed,
    began: Millis,
) -> Result<Ended, FlowError> {
    let (connection_id, outcome) = (completed.connection_id, completed.outcome);
    tell(broker, &flow.user_id, &connection_id).await?;
    note(broker, &flow, &connection_id, began, outcome.as_ref().err()).await?;
    Ok(Ended {
        toolkit: toolkit.name.clone(),
        slug: flow.toolkit,
        connection_id,
        callback_url: flow.callback_url,
        flow: flow.id,
        outcome,
    })
}

/// A toolkit that pages of a flow name.
pub struct Toolkit {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// The toolkit of a flow, for the browser that began it.
pub async fn toolkit_of(broker: &Broker, flow: &str, cookie: Option<&str>) -> Option<Toolkit> {
    let mut tx = broker.store.read().await.ok()?;
    let flow = flows::by_id(&mut tx, flow).await.ok()?.filter(|flow| is_own(flow, cookie))?;
    drop(tx);
    let toolkit = integration::toolkit(broker, &integration::slug(&flow.toolkit).ok()?).await.ok()?;
    Some(Toolkit { slug: flow.toolkit, name: toolkit.name.clone() })
}

/// The toolkit whose answers come to a redirect path.
pub async fn toolkit_at(broker: &Broker, context_id: &str) -> Option<Toolkit> {
    let all = {
        let mut tx = broker.store.read().await.ok()?;
        integrations::all(&mut tx).await.ok()?
    };
    let (slug, _) = all.into_iter().find(|(_, integration)| integration.context_id == context_id)?;
    let toolkit = integration::toolkit(broker, &slug).await.ok()?;
    Some(Toolkit { slug: slug.to_string(), name: toolkit.name.clone() })
}

/// Whether a browser is the one that began a flow.
fn is_own(flow: &Flow, cookie: Option<&str>) -> bool {
    cookie.is_some_and(|cookie| eq(&sha256(cookie.as_bytes()), &flow.cookie_hash))
}

/// Whether a flow goes on in this browser.
async fn of_this_browser(broker: &Broker, flow: &Flow, cookie: Option<&str>) -> Result<(), FlowError> {
    if !is_own(flow, cookie) {
        mismatch::note(broker, flow, Mismatch::Browser).await;
        return Err(FlowError::NotYours);
    }
    match flow.used_at {
        Some(_) => Err(FlowError::Over),
        None if broker.clock.now() >= flow.expires_at => Err(FlowError::TooLate),
        None => Ok(()),
    }
}

/// What the provider sent the browser back with.
#[derive(Default)]
pub struct Callback {
    /// RFC 6749, section 4.1.2.
    pub code: Option<SecretString>,
    /// Ours, returned.
    pub state: Option<String>,
    /// RFC 9207.
    pub iss: Option<String>,
    /// RFC 6749, section 4.1.2.1.
    pub error: Option<String>,
    /// What the provider says of it, in the same section.
    pub error_description: Option<String>,
    /// Whether a parameter came twice.
    pub ambiguous: bool,
    /// Parameters that no standard names, as they came. One of them may be the code.
    pub others: Vec<(String, String)>,
}

impl Callback {
    /// Takes over what the provider has given another name.
    fn named(mut self, names: &BTreeMap<String, String>) -> Self {
        for (standard, own) in names {
            let mut found =
                self.others.iter().filter(|(name, _)| name == own).map(|(_, value)| value.clone());
            let (value, again) = (found.next(), found.next().is_some());
            let Some(value) = value else { continue };
            let taken = match standard.as_str() {
                "code" => self.code.replace(SecretString::new(value)).is_some(),
                "error" => self.error.replace(value).is_some(),
                _ => self.error_description.replace(value).is_some(),
            };
            self.ambiguous |= again || taken;
        }
        self
    }

    /// What the provider said. An answer that says nothing is an error, too.
    fn answer(self, auth: Option<&ResolvedOAuth>) -> Answer {
        let wanted = |name: &str| {
            auth.is_some_and(|auth| {
                let mut values = auth.habits.values.iter();
                values.any(|value| matches!(&value.source, Source::Callback(own) if own == name))
            })
        };
        let values = self.others.into_iter().filter(|(name, _)| wanted(name)).collect();
        match (self.error, self.code) {
            (Some(error), _) => Answer::Error { error, description: self.error_description },
            (None, Some(code)) => Answer::Code { code, values },
            (None, None) => Answer::Error { error: "no_code".into(), description: None },
        }
    }
}

/// A flow that ended, well or not.
pub struct Ended {
    /// The toolkit's name, once the flow is known to be this browser's.
    pub toolkit: String,
    /// The toolkit's slug.
    pub slug: String,
    /// The connection: the renewed one, or the one that was made.
    pub connection_id: String,
    /// Where to go on.
    pub callback_url: String,
    /// The flow's id, whose cookie can go.
    pub flow: String,
    /// What was connected, or why nothing was.
    pub outcome: Result<Connected, FlowError>,
}

/// What a consent has brought.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connected {
    /// The account works.
    Active(Account),
    /// The account is another one than that of the connection to be renewed, so the user has to decide.
    Undecided {
        /// The account of the consent.
        account: Account,
        /// The account of the connection that stays as it was.
        other: Account,
    },
}

/// Finds the flow that a callback belongs to.
///
/// # Errors
/// When the state names no flow.
pub async fn find(broker: &Broker, callback: &Callback) -> Result<Flow, FlowError> {
    let state = callback.state.as_deref().filter(|_| !callback.ambiguous).ok_or(FlowError::NotYours)?;
    let mut tx = broker.store.read().await?;
    flows::by_state(&mut tx, &sha256(state.as_bytes())).await?.ok_or(FlowError::NotYours)
}

/// Finishes a flow: every proof first; then the vault consumes it and exchanges the code.
///
/// # Errors
/// When a proof is missing; then the flow is untouched. What goes wrong later is in [`Ended::outcome`].
pub async fn finish(
    broker: &Broker,
    flow: Flow,
    context_id: &str,
    cookie: Option<&str>,
    callback: Callback,
) -> Result<Ended, FlowError> {
    let now = broker.clock.now();
    of_this_browser(broker, &flow, cookie).await?;
    if !eq(flow.context_id.as_bytes(), context_id.as_bytes()) {
        mismatch::note(broker, &flow, Mismatch::Context).await;
        return Err(FlowError::MixUp);
    }
    if !session_lives(broker, &flow, now).await? {
        return Err(FlowError::SessionEnded);
    }
    let slug = integration::slug(&flow.toolkit)?;
    let ready = integration::ready(broker, &slug).await?;
    if !integration::same_context(&flow.context_hash, &ready.context) {
        return Err(FlowError::Changed(integration::CHANGED.into()));
    }
    let from_issuer = check_iss(broker, &ready, callback.iss.as_deref()).await;
    if from_issuer == Err(FlowError::MixUp) {
        mismatch::note(broker, &flow, Mismatch::Issuer).await;
    }
    from_issuer?;
    let callback = match &ready.resolved.auth {
        Some(oauth) => callback.named(&oauth.habits.callback_names),
        None => callback,
    };
    if callback.ambiguous {
        return Err(FlowError::NotYours);
    }
    let complete = Complete { flow: flow.id.clone(), answer: callback.answer(ready.resolved.auth.as_ref()) };
    let completed = broker.custody.ask(complete).await?.ok_or(FlowError::NotYours)?;
    ended(broker, &ready.toolkit, flow, completed, now).await
}

async fn session_lives(broker: &Broker, flow: &Flow, now: Millis) -> Result<bool, FlowError> {
    let mut tx = broker.store.read().await?;
    let session = sessions::find(&mut tx, &flow.session_hash, now).await?;
    Ok(session.is_some_and(|session| session.user.id == flow.user_id))
}

/// A provider that has an issuer says in its metadata whether answers name it (RFC 9207, section 3).
async fn check_iss(broker: &Broker, ready: &Ready, iss: Option<&str>) -> Result<(), FlowError> {
    let Some(provider) = &ready.resolved.auth else { return Ok(()) };
    let issuer = provider.issuer.as_deref();
    let supported = match issuer {
        // An answer that names its issuer is compared whatever the metadata says; it is needed only for silence.
        Some(issuer) if iss.is_none() => {
            let metadata = oauth::discover(&broker.egress, issuer, &ready.resolved.hosts).await;
            metadata
                .map_err(|error| FlowError::Exchange {
                    code: format!("its metadata cannot be used: {error}"),
                    said: None,
                })?
                .iss_supported
        }
        Some(_) | None => false,
    };
    oauth::check_iss(issuer, supported, iss).map_err(|error: IssError| {
        tracing::warn!(toolkit = %ready.toolkit.slug, %error, "the issuer of an answer is wrong");
        FlowError::MixUp
    })
}

async fn note(
    broker: &Broker,
    flow: &Flow,
    connection_id: &str,
    began: Millis,
    error: Option<&FlowError>,
) -> Result<(), FlowError> {
    execute::note(
        broker,
        &execute::Done {
            user_id: &flow.user_id,
            plugin: flow.plugin.as_deref(),
            toolkit: &flow.toolkit,
            action: "connect",
            connection_id: Some(connection_id),
            outcome: error.map_or("ok", outcome),
            upstream_status: None,
            began,
        },
    )
    .await
    .map_err(FlowError::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_our_own_origin_are_callbacks() {
        let app = "https://app.example";
        for (wanted, path) in [
            ("/connections", "/connections"),
            ("/ok?x#y", "/ok?x#y"),
            ("https://app.example/a", "/a"),
            ("https://app.example", "/"),
        ] {
            assert_eq!(own_path(app, wanted).as_deref(), Some(path), "{wanted}");
        }
        for wanted in [
            "",
            "//evil",
            "https://app.example@evil/",
            "https://app.example.evil/",
            "/\\evil",
            "\\\\evil",
            "javascript:alert(1)",
            "https://app.example:444/",
            "http://app.example/",
            "connections",
            "/a\n/b",
            "///evil",
            "/.//evil",
            "/x/..//evil",
            "https:/app.example",
            "data:text/html,x",
            " /a",
        ] {
            assert_eq!(own_path(app, wanted), None, "{wanted:?}");
        }
    }
}
