//! `POST /token`, RFC 6749 sections 4.1.3 and 6.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::client_auth::authenticate;
use super::error::{OAuthError, not_stored};
use super::grants::{Exchange, Issued, NewTokens, Refresh, Refused};
use super::scope::Scopes;
use crate::demo::Demo;
use crate::form::Form;
use crate::random::{Kind, NoRandom, Token};

/// Exchanges a code or a refresh token.
pub(crate) async fn exchange(
    State(demo): State<Demo>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, OAuthError> {
    demo.count(|counts| counts.token_requests += 1);
    let form = read_form(&headers, body)?;
    let client_id = authenticate(&demo, &headers, &form)?;
    let grant_type = form.get("grant_type")?.ok_or(OAuthError::Missing("grant_type"))?;
    let issued = match grant_type {
        "authorization_code" => from_code(&demo, &client_id, &form)?,
        "refresh_token" => from_refresh(&demo, &client_id, &form)?,
        _ => return Err(OAuthError::UnsupportedGrantType),
    };
    Ok(answer(&issued))
}

/// Reads the body of the token or revocation endpoint.
pub(crate) fn read_form(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Form, OAuthError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OAuthError::NotAForm);
    }
    body.map(|body| Form::parse(&body)).map_err(|_| OAuthError::NotAForm)
}

fn from_code(demo: &Demo, client_id: &str, form: &Form) -> Result<Issued, OAuthError> {
    let presented = Exchange {
        client_id,
        code: form.get("code")?.ok_or(OAuthError::Missing("code"))?,
        redirect_uri: form.get("redirect_uri")?.ok_or(OAuthError::Missing("redirect_uri"))?,
        verifier: form.get("code_verifier")?.ok_or(OAuthError::Missing("code_verifier"))?,
    };
    let tokens = new_tokens(demo)?;
    let result = demo.grants(|grants, now| grants.exchange(now, presented, tokens));
    demo.count(|counts| match &result {
        Ok(_) => counts.codes_exchanged += 1,
        Err(Refused::CodeReplayed) => counts.reuses_detected += 1,
        Err(_) => {}
    });
    Ok(result?)
}

fn from_refresh(demo: &Demo, client_id: &str, form: &Form) -> Result<Issued, OAuthError> {
    let presented = form.get("refresh_token")?.ok_or(OAuthError::Missing("refresh_token"))?;
    let narrowed = form.get("scope")?.map(Scopes::parse).transpose()?;
    let presented = Refresh { client_id, token: presented, rotation: demo.rotation() };
    let tokens = new_tokens(demo)?;
    let result = demo.grants(|grants, now| grants.refresh(now, presented, narrowed, tokens));
    demo.count(|counts| match &result {
        Ok(refreshed) => {
            counts.refreshes += 1;
            counts.reuses_honoured += u64::from(refreshed.repeated);
        }
        Err(Refused::RefreshReused) => counts.reuses_detected += 1,
        Err(_) => {}
    });
    Ok(result?.issued)
}

fn new_tokens(demo: &Demo) -> Result<NewTokens, NoRandom> {
    Ok(NewTokens {
        access: Token::new(Kind::Access)?,
        refresh: Token::new(Kind::Refresh)?,
        access_life: demo.access_life(),
    })
}

fn answer(issued: &Issued) -> Response {
    let body = json!({
        "access_token": issued.tokens.access.expose(),
        "token_type": "Bearer",
        "expires_in": issued.tokens.access_life.as_secs(),
        "refresh_token": issued.tokens.refresh.expose(),
        "scope": issued.scopes.text(),
    });
    (not_stored(), Json(body)).into_response()
}
