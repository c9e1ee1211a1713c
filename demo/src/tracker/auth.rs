//! Whom a request of the API speaks for.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::account::Account;
use super::api_error::ApiError;
use crate::demo::Demo;
use crate::oauth::{Scope, Scopes};

/// The holder of a living access token.
#[derive(Debug)]
pub(crate) struct Caller {
    account: &'static Account,
    scopes: Scopes,
}

impl Caller {
    /// The account, if the token is for this.
    pub(crate) fn with(&self, scope: Scope) -> Result<&'static Account, ApiError> {
        if self.scopes.contains(scope) { Ok(self.account) } else { Err(ApiError::Scope(scope)) }
    }
}

impl FromRequestParts<Demo> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, demo: &Demo) -> Result<Self, ApiError> {
        demo.count(|counts| counts.api_requests += 1);
        let mut values = parts.headers.get_all(AUTHORIZATION).iter();
        let value = values.next().and_then(|value| value.to_str().ok()).ok_or(ApiError::NoToken)?;
        let (scheme, token) = value.split_once(' ').ok_or(ApiError::NoToken)?;
        if !scheme.eq_ignore_ascii_case("bearer") || values.next().is_some() {
            return Err(ApiError::NoToken);
        }
        let bearer = demo.grants(|grants, now| grants.bearer(now, token)).ok_or(ApiError::DeadToken)?;
        let account = Account::of(bearer.account).ok_or(ApiError::DeadToken)?;
        Ok(Self { account, scopes: bearer.scopes })
    }
}
