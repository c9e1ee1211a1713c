//! What a provider says about itself (RFC 8414, OpenID Connect Discovery 1.0).

use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::egress::{AllowedHosts, Egress, EgressError};

/// Bytes of a metadata document.
const MAX_DOCUMENT: usize = 256 * 1024;

/// The parts of a provider's metadata that are used. Endpoints have passed the rules of
/// [`Egress::vet_url`]; whether the toolkit may reach them is checked when they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where users are sent.
    pub authorization_endpoint: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_endpoint: Url,
    /// Where tokens are given back.
    pub revocation_endpoint: Option<Url>,
    /// Whether callbacks carry `iss` (RFC 9207 section 3).
    pub iss_supported: bool,
    /// As listed; empty where the provider does not say. S256 is sent whatever is here.
    pub code_challenge_methods: Vec<String>,
}

/// Why metadata cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The toolkit's issuer is no URL, or has a query or fragment.
    #[error("the issuer must be an https URL without query and fragment")]
    Issuer,
    /// No answer.
    #[error("the metadata could not be fetched: {0}")]
    Fetch(#[from] EgressError),
    /// Neither of the two places answered 200.
    #[error("the provider has no metadata document: it answered {status}")]
    Missing {
        /// The last status.
        status: u16,
    },
    /// Not JSON, too large, or a field of the wrong type.
    #[error("the metadata document is not a JSON object with authorization_endpoint and token_endpoint")]
    Malformed,
    /// RFC 8414 section 3.3: must be identical.
    #[error("the metadata document belongs to another issuer than the toolkit's")]
    OtherIssuer,
    /// An endpoint that no request may go to.
    #[error("the metadata's {field} is not an https URL of a public host")]
    Endpoint {
        /// Its name.
        field: &'static str,
    },
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
}

/// Fetches the metadata of `issuer` from the place of RFC 8414, or else from that of OpenID Connect.
///
/// # Errors
/// [`MetadataError`]; the caller keeps the last good metadata.
pub async fn discover(
    egress: &Egress,
    issuer: &str,
    hosts: &AllowedHosts,
) -> Result<Metadata, MetadataError> {
    let mut last = StatusCode::NOT_FOUND;
    for place in places(issuer)? {
        let inbound = egress.fetch_public(place, HeaderValue::from_static("application/json"), hosts).await?;
        if inbound.status == StatusCode::OK {
            return read(egress, issuer, &inbound.body);
        }
        last = inbound.status;
    }
    Err(MetadataError::Missing { status: last.as_u16() })
}

/// RFC 8414 section 3 puts the well-known part before the issuer's path, OpenID Connect behind it.
fn places(issuer: &str) -> Result<[Url; 2], MetadataError> {
    let url = Url::parse(issuer).map_err(|_| MetadataError::Issuer)?;
    if url.query().is_some() || url.fragment().is_some() || url.cannot_be_a_base() {
        return Err(MetadataError::Issuer);
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let at = |path: String| {
        let mut place = url.clone();
        place.set_path(&path);
        place
    };
    let oauth = at(format!("/.well-known/oauth-authorization-server{path}"));
    let openid = at(format!("{path}/.well-known/openid-configuration"));
    Ok([oauth, openid])
}

fn read(egress: &Egress, issuer: &str, body: &[u8]) -> Result<Metadata, MetadataError> {
    if body.len() > MAX_DOCUMENT {
        return Err(MetadataError::Malformed);
    }
    let document: Document = serde_json::from_slice(body).map_err(|_| MetadataError::Malformed)?;
    if document.issuer != issuer {
        return Err(MetadataError::OtherIssuer);
    }
    let endpoint = |field, text: &str| {
        let url = Url::parse(text).ok().filter(|url| egress.vet_url(url).is_ok());
        url.ok_or(MetadataError::Endpoint { field })
    };
    let revocation = document.revocation_endpoint.as_deref();
    Ok(Metadata {
        authorization_endpoint: endpoint("authorization_endpoint", &document.authorization_endpoint)?,
        token_endpoint: endpoint("token_endpoint", &document.token_endpoint)?,
        revocation_endpoint: revocation.map(|text| endpoint("revocation_endpoint", text)).transpose()?,
        iss_supported: document.authorization_response_iss_parameter_supported,
        code_challenge_methods: document.code_challenge_methods_supported,
    })
}

#[cfg(test)]
mod tests;
