//! `POST /revoke`, RFC 7009.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::client_auth::authenticate;
use super::error::{OAuthError, not_stored};
use super::token::read_form;
use crate::demo::Demo;

/// Ends a token. One that is unknown, or of another client, is answered with 200 as well (section 2.2),
/// and lives on.
pub(crate) async fn revoke(
    State(demo): State<Demo>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, OAuthError> {
    demo.count(|counts| counts.revocations += 1);
    let form = read_form(&headers, body)?;
    let client_id = authenticate(&demo, &headers, &form)?;
    let token = form.get("token")?.ok_or(OAuthError::Missing("token"))?;
    demo.grants(|grants, _| grants.revoke(&client_id, token));
    Ok(not_stored().into_response())
}
