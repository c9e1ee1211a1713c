//! Signing in and out.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use taiku_bridge::Code;
use taiku_bridge::api::{Session, SignIn};

use super::access::Identity;
use super::body::Json;
use super::cookies::{self, SameSite};
use crate::accounts::MAX_EMAIL;
use crate::broker::Broker;
use crate::events::Credential;
use crate::failure::Failure;
use crate::password;
use crate::store::sessions::ABSOLUTE;
use crate::store::users::{Account, normal_email};
use crate::store::{sessions, users};
use crate::vault::hash::sha256;

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
    Json(body): Json<SignIn>,
) -> Result<Response, Failure> {
    let email = normal_email(&body.email);
    let wrong = || Failure::new(Code::WrongCredentials, "E-mail or password is wrong.");
    // Nobody has such an address, and the limits must not remember what is as long as a body may be.
    if email.len() > MAX_EMAIL {
        return Err(wrong());
    }
    broker.limits.sign_in(&email, broker.clock.now())?;
    let account = {
        let mut tx = broker.store.read().await?;
        users::by_email(&mut tx, &email).await?
    };
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let right = password::verify(body.password, hash).await;
    let account = account.filter(|account| right && account.disabled_at.is_none());
    let Some(Account { user, .. }) = account else {
        return Err(wrong());
    };
    broker.limits.sign_in_worked(&email);
    sign_in(&broker, &identity, &user.id).await
}

/// Gives the browser a new session of a user.
pub(super) async fn sign_in(broker: &Broker, before: &Identity, user_id: &str) -> Result<Response, Failure> {
    let cookie = broker.random.token();
    let id_hash = sha256(cookie.as_bytes());
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    if let Identity::Browser(old) = before {
        sessions::end(&mut tx, &old.id_hash).await?;
    }
    sessions::begin(&mut tx, &id_hash, &broker.random.id("ses_"), user_id, now).await?;
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
    Ok(with_cookie(body.into_response(), cookie))
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
