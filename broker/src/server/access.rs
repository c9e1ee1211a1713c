//! Who may use a route, and whether a request really comes from the host page.

use axum::body::HttpBody as _;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use taiku_bridge::api::{PACKED, REQUEST_HEADER, Role, SESSION_HEADER, User};
use taiku_bridge::{Code, Refusal};

use super::{body, cookies};
use crate::broker::Broker;
use crate::events::Credential;
use crate::failure::Failure;
use crate::store::api_keys::LiveKey;
use crate::store::sessions::Session;
use crate::store::{api_keys, sessions};
use crate::vault::hash::sha256;

/// Who may use a route. Every route declares one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Anyone,
    /// Everybody, unless visitors are kept out.
    Visitor,
    /// A user, by session or API key.
    User,
    /// A user, while integrations are enabled.
    Integrations,
    /// A user who goes on to listen; a browser's page must be ours, although nothing is changed.
    Stream,
    /// A user in a browser, while integrations are enabled: an API key has no browser to consent in.
    Browser,
    /// An admin.
    Admin,
}

/// What the body of a route may be, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// JSON.
    Json,
    /// JSON, or a packed plugin. No form of another site can send either.
    JsonOrPacked,
}

/// Who sent a request.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    /// Nobody that we know.
    Visitor,
    /// A browser with a living session.
    Browser(Session),
    /// A script with an API key.
    Key(LiveKey),
}

impl Identity {
    /// The user.
    #[must_use]
    pub(super) fn user(&self) -> Option<&User> {
        match self {
            Self::Visitor => None,
            Self::Browser(session) => Some(&session.user),
            Self::Key(key) => Some(&key.user),
        }
    }

    /// What lets the sender in, and with whose end the right to everything ends.
    #[must_use]
    pub(super) fn credential(&self) -> Option<Credential> {
        match self {
            Self::Visitor => None,
            Self::Browser(session) => Some(Credential::Session(session.id_hash.clone())),
            Self::Key(key) => Some(Credential::Key(key.id.clone())),
        }
    }
}

/// The user of a route that needs one.
pub(super) struct SignedIn(pub User);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let user = parts.extensions.get::<Identity>().and_then(Identity::user);
        user.cloned().map(Self).ok_or_else(|| Failure::new(Code::NotSignedIn, "Sign in first."))
    }
}

/// The session of a route that needs a browser.
pub(super) struct InBrowser(pub Session);

impl<S: Send + Sync> FromRequestParts<S> for InBrowser {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        match parts.extensions.get::<Identity>() {
            Some(Identity::Browser(session)) => Ok(Self(session.clone())),
            Some(Identity::Key(_)) => Err(session_required()),
            Some(Identity::Visitor) | None => Err(Refusal::not_signed_in().into()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self::Visitor))
    }
}

fn session_required() -> Failure {
    let message = "Only a signed-in browser can do this, because a person has to consent in it.";
    Failure::new(Code::SessionRequired, message)
}

/// Runs before every handler: proves where the request comes from, who sent it, and that they may.
pub(super) async fn guard(
    State((broker, access, takes)): State<(Broker, Access, Takes)>,
    mut request: Request,
    next: Next,
) -> Response {
    let checked = check(&broker, access, request.method(), request.headers()).await;
    match checked.and_then(|identity| has_kind(&request, takes).map(|()| identity)) {
        Ok(identity) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    }
}

/// Whatever is not safe has a body of a kind that its route takes, or none: forms of other sites can send neither
/// those kinds nor our header.
fn has_kind(request: &Request, takes: Takes) -> Result<(), Failure> {
    if is_safe(request.method()) || request.body().is_end_stream() {
        return Ok(());
    }
    let kind = body::kind(request.headers());
    let message = match takes {
        _ if kind == body::JSON => return Ok(()),
        Takes::JsonOrPacked if kind == PACKED => return Ok(()),
        Takes::Json => "The body must be JSON, with `Content-Type: application/json`.",
        Takes::JsonOrPacked => {
            "The body must be JSON with `Content-Type: application/json`, or a packed plugin with \
             `application/zip`."
        }
    };
    Err(Failure::new(Code::UnsupportedMediaType, message))
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

async fn check(
    broker: &Broker,
    access: Access,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Identity, Failure> {
    let safe = is_safe(method);
    let key = headers.get(header::AUTHORIZATION);
    if key.is_none() && access == Access::Stream {
        from_no_other_page(headers, broker.origins.app.as_str())?;
    }
    if key.is_none() && !safe {
        from_host_page(headers, broker.origins.app.as_str())?;
    }
    // Before anything that depends on who asks: what is off looks the same to everybody.
    let integrations = matches!(access, Access::Integrations | Access::Browser);
    if integrations && !broker.config.integrations {
        return Err(Refusal::integrations_disabled().into());
    }
    let identity = match key {
        Some(value) => Identity::Key(api_key(broker, value.to_str().unwrap_or_default()).await?),
        None => browser(broker, headers).await?,
    };
    of_that_session(&identity, headers)?;
    permit(broker, access, &identity)?;
    if let Identity::Key(key) = &identity {
        in_scope(key, access, safe)?;
    }
    Ok(identity)
}

fn permit(broker: &Broker, access: Access, identity: &Identity) -> Result<(), Failure> {
    let user = identity.user();
    match (access, user) {
        (Access::Anyone, _) => Ok(()),
        (Access::Visitor, None) if broker.config.anonymous => Ok(()),
        (Access::Integrations | Access::Browser, None) => Err(Refusal::not_signed_in().into()),
        (Access::Visitor | Access::User | Access::Stream | Access::Admin, None) => {
            Err(Failure::new(Code::NotSignedIn, "Sign in first."))
        }
        (Access::Admin, Some(user)) if user.role != Role::Admin => {
            Err(Failure::new(Code::Forbidden, "Only an admin may do this."))
        }
        (Access::Browser, Some(_)) => match identity {
            Identity::Key(_) => Err(session_required()),
            Identity::Browser(_) | Identity::Visitor => Ok(()),
        },
        (Access::Visitor | Access::User | Access::Stream | Access::Integrations | Access::Admin, Some(_)) => {
            Ok(())
        }
    }
}

/// Refuses what a page sends that was loaded for another session than its browser is in now: what one user has
/// clicked must not be done in the name of the next.
fn of_that_session(identity: &Identity, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(believed) = text(headers, SESSION_HEADER) else { return Ok(()) };
    match identity {
        Identity::Browser(session) if session.public_id != believed => Err(Refusal::not_signed_in().into()),
        Identity::Browser(_) | Identity::Visitor | Identity::Key(_) => Ok(()),
    }
}

/// The scopes of API keys: `read` for what is safe, `write` for the rest, `admin` for the admin's routes.
pub(super) const KEY_SCOPES: &[&str] = &["read", "write", "admin"];

fn in_scope(key: &LiveKey, access: Access, safe: bool) -> Result<(), Failure> {
    let Some(scopes) = &key.scopes else { return Ok(()) };
    let needed = match (access, safe) {
        (Access::Admin, _) => "admin",
        (_, true) => "read",
        (_, false) => "write",
    };
    if scopes.iter().any(|scope| scope == needed) {
        return Ok(());
    }
    Err(Failure::new(Code::Forbidden, format!("This API key does not have the scope `{needed}`.")))
}

/// Refuses what a browser sends for any page but ours.
///
/// `Sec-Fetch-Site` says so by itself; a browser without it sends `Origin` with every unsafe method. A request
/// with neither proves nothing. The extra header cannot be sent by a form, nor across origins without CORS.
fn from_host_page(headers: &HeaderMap, own_origin: &str) -> Result<(), Failure> {
    from_no_other_page(headers, own_origin)?;
    if !headers.contains_key("sec-fetch-site") && !headers.contains_key(header::ORIGIN) {
        return foreign("says nothing of where it comes from: send Origin, or use an API key");
    }
    if text(headers, REQUEST_HEADER) != Some("1") {
        return foreign("lacks the header X-Taiku-Request: 1");
    }
    Ok(())
}

/// Refuses what says that it comes from another page than ours.
fn from_no_other_page(headers: &HeaderMap, own_origin: &str) -> Result<(), Failure> {
    if text(headers, "origin").is_some_and(|origin| origin != own_origin) {
        return foreign("comes from another origin");
    }
    if text(headers, "sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return foreign("comes from another site");
    }
    Ok(())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn foreign(what: &str) -> Result<(), Failure> {
    Err(Failure::new(Code::CrossSite, format!("This request {what}.")))
}

async fn api_key(broker: &Broker, authorization: &str) -> Result<LiveKey, Failure> {
    let refused = || Failure::new(Code::NotSignedIn, "The API key is not valid, has expired or was revoked.");
    let (scheme, key) = authorization.split_once(' ').ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused());
    }
    let now = broker.clock.now();
    let mut tx = broker.store.read().await?;
    let key = api_keys::find(&mut tx, &sha256(key.trim().as_bytes()), now).await?.ok_or_else(refused)?;
    drop(tx);
    if key.used_is_due {
        let mut tx = broker.store.write().await?;
        api_keys::used(&mut tx, &key.id, now).await?;
        tx.commit().await?;
    }
    Ok(key)
}

async fn browser(broker: &Broker, headers: &HeaderMap) -> Result<Identity, Failure> {
    let Some(cookie) = cookies::get(headers, &cookies::session_name(&broker.origins.app)) else {
        return Ok(Identity::Visitor);
    };
    let now = broker.clock.now();
    let id_hash = sha256(cookie.as_bytes());
    let mut tx = broker.store.read().await?;
    let Some(session) = sessions::find(&mut tx, &id_hash, now).await? else { return Ok(Identity::Visitor) };
    drop(tx);
    if session.seen_is_due(now) {
        let mut tx = broker.store.write().await?;
        sessions::seen(&mut tx, &id_hash, now).await?;
        tx.commit().await?;
    }
    Ok(Identity::Browser(session))
}
