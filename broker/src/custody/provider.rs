//! A provider with our client's secret, which only this role opens.

use std::sync::Arc;

use super::{Custody, client_secret};
use crate::failure::Failure;
use crate::integration::{self, Ready};
use crate::oauth::Provider;

/// The provider of an integration together with our client there; none if its API is open.
///
/// # Errors
/// When the client's secret does not open.
pub(super) fn of(custody: &Custody, ready: &Ready) -> Result<Option<Provider>, Failure> {
    let Some(oauth) = ready.resolved.auth.clone() else { return Ok(None) };
    let secret = match &ready.client_secret {
        Some(record) => Some(client_secret::open(custody, &ready.toolkit.slug, record)?),
        None => None,
    };
    Ok(Some(Provider {
        scopes: ready.scopes.clone(),
        oauth,
        client_id: ready.client_id.clone(),
        client_secret: secret.map(Arc::new),
        redirect_uri: integration::redirect_uri(custody, &ready.context_id)?,
        hosts: ready.resolved.hosts.clone(),
    }))
}
