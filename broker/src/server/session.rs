//! Signing in and out.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use taiku_bridge::Code;
use taiku_bridge::api::{Session, SignIn};

use super::access::Identity;
use super::body::Json;
use super::cookies::{self, SameSite};
use super::listener::Peer;
use crate::accounts::{self, MAX_EMAIL};
use crate::broker::Broker;
use crate::events::Credential;
use crate::failure::Failure;
use crate::limits::sign_in::{self, Attempt};
use crate::store::sessions::ABSOLUTE;
use crate::store::users::{Account, normal_email};
use crate::store::{known_browsers, sessions, users};
use crate::vault::hash::{eq, sha256};

/// `GET /session`
pub(super) async fn show(State(broker): State<Broker>, identity: Identity) -> axum::Json<Session> {
    axum::Json(view(&broker, &identity))
}

fn view(broker: &Broker, identity: &Identity) -> Session {
    let session_id = match identity {
        Identity::Browser(session) => Some(session.public_id.clone()),
        Identity::Visitor | Identity::Key(_) => None,
    };
    Session {
        user: identity.user().cloned(),
        session_id,
        anonymous: broker.config.anonymous,
        integrations: broker.config.integrations,
        panel_origin: broker.origins.panels.as_str().to_owned(),
    }
}

/// `POST /session`: always a new session id; the one that the browser had before ends.
pub(super) async fn begin(
    State(broker): State<Broker>,
    identity: Identity,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Json(body): Json<SignIn>,
) -> Result<Response, Failure> {
    let email = normal_email(&body.email);
    let wrong = || Failure::new(Code::WrongCredentials, "E-mail or password is wrong.");
    // Nobody has such an address.
    if email.len() > MAX_EMAIL {
        return Err(wrong());
    }
    let browser = known_browser(&broker, &headers);
    let (account, known) = find(&broker, &email, browser.as_deref()).await?;
    let queues = &broker.limits.passwords;
    let queue = if known { &queues.known } else { &queues.strangers };
    let place = queue.enter().map_err(accounts::password_failure)?;
    let attempt = match browser.filter(|_| known) {
        Some(cookie_hash) => Attempt::Known(cookie_hash),
        None => Attempt::Stranger { email, from: peer.map(|Extension(Peer(address))| address) },
    };
    sign_in::begin(&broker, &attempt).await?;
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let right = place.verify(body.password, hash).await;
    let account = account.filter(|account| right && account.disabled_at.is_none());
    let Some(Account { user, .. }) = account else {
        return Err(wrong());
    };
    sign_in::worked(&broker, &attempt).await?;
    sign_in(&broker, &identity, &headers, &user.id).await
}

/// The SHA-256 of the cookie of a browser in which somebody has signed in before.
fn known_browser(broker: &Broker, headers: &HeaderMap) -> Option<Vec<u8>> {
    let cookie = cookies::get(headers, &cookies::known_name(&broker.origins.app))?;
    Some(sha256(cookie.as_bytes()).to_vec())
}

/// The account of an address, and whether its user has signed in with this browser before.
async fn find(
    broker: &Broker,
    email: &str,
    browser: Option<&[u8]>,
) -> Result<(Option<Account>, bool), Failure> {
    let mut tx = broker.store.read().await?;
    let account = users::by_email(&mut tx, email).await?;
    let known = match (&account, browser) {
        (Some(account), Some(browser)) => {
            known_browsers::is_known(&mut tx, browser, &account.user.id, broker.clock.now()).await?
        }
        _ => false,
    };
    Ok((account, known))
}

/// Gives the browser a new session of a user, and a cookie by which it is known the next time.
pub(super) async fn sign_in(
    broker: &Broker,
    before: &Identity,
    headers: &HeaderMap,
    user_id: &str,
) -> Result<Response, Failure> {
    let cookie = broker.random.token();
    let id_hash = sha256(cookie.as_bytes());
    let now = broker.clock.now();
    let known = broker.random.token();
    let mut tx = broker.store.write().await?;
    if let Identity::Browser(old) = before {
        sessions::end(&mut tx, &old.id_hash).await?;
    }
    sessions::begin(&mut tx, &id_hash, &broker.random.id("ses_"), user_id, now).await?;
    let known_as = match known_browser(broker, headers) {
        Some(old) if known_browsers::is_known(&mut tx, &old, user_id, now).await? => old,
        // One that another user has signed in with, or that somebody has planted, becomes nobody's.
        Some(_) | None => sha256(known.as_bytes()).to_vec(),
    };
    known_browsers::seen(&mut tx, &known_as, user_id, now).await?;
    let is_new = eq(&known_as, &sha256(known.as_bytes()));
    let session = sessions::find(&mut tx, &id_hash, now).await?;
    tx.commit().await?;
    if let Identity::Browser(old) = before {
        broker.events.end(&Credential::Session(old.id_hash.clone()));
    }
    let session =
        session.ok_or_else(|| Failure::Internal("a session was not found after it began".into()))?;
    let name = cookies::session_name(&broker.origins.app);
    let cookie = cookies::set(&name, &cookie, SameSite::Strict, ABSOLUTE / 1000);
    let body = axum::Json(view(broker, &Identity::Browser(session)));
    let response = with_cookie(body.into_response(), cookie);
    let name = cookies::known_name(&broker.origins.app);
    let known = cookies::set(&name, &known, SameSite::Strict, known_browsers::KEPT / 1000);
    Ok(with_cookie(response, known.filter(|_| is_new)))
}

/// `DELETE /session`: also ends the flows that this browser has begun.
pub(super) async fn end(
    State(broker): State<Broker>,
    identity: Identity,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if let Identity::Browser(session) = &identity {
        let mut tx = broker.store.write().await?;
        sessions::end(&mut tx, &session.id_hash).await?;
        tx.commit().await?;
        broker.events.end(&Credential::Session(session.id_hash.clone()));
    }
    let name = cookies::session_name(&broker.origins.app);
    let cookie = cookies::get(&headers, &name).and_then(|_| cookies::clear(&name, SameSite::Strict));
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), cookie))
}

/// Adds a cookie to a response.
pub(super) fn with_cookie(mut response: Response, cookie: Option<http::HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
